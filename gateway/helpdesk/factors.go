package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
)

// IssueBypass makes a code that lets a person in once within the hour instead
// of a second factor. It is returned once, for the agent to read out, and kept
// nowhere. The agent has verified the caller a moment ago, or says on the record
// that they know the person (known), which is not enough from who has removed a
// factor of theirs within the cool-down. RuleUnverified, RuleRemover.
func (d Desk) IssueBypass(ctx context.Context, agent Agent, id, reason string, known bool) (code string, expires time.Time, err error) {
	err = d.act(ctx, agent, id, "helpdesk-bypass", reason, func(directory.Account, string) (map[string]string, error) {
		verified, err := d.Store.Caller(ctx, agent.SessionID, id)
		if err != nil {
			return nil, fmt.Errorf("helpdesk: bypass: %w", err)
		}
		facts := map[string]string{"verified": "caller"}
		switch {
		case !verified.IsZero():
			code, expires, err = d.Factors.IssueBypass(ctx, id, agent.AccountID)
		case !known:
			return nil, refuse(RuleUnverified)
		default:
			facts["verified"] = "known"
			code, expires, err = d.Factors.IssueBypassUnseen(ctx, id, agent.AccountID)
		}
		if errors.Is(err, factor.ErrSecondAgent) {
			return facts, &RefusedError{Rule: RuleRemover, Err: err}
		}
		return facts, wrapped("bypass", err)
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return code, expires, nil
}

// RemoveFactor takes an authenticator app or a security key away from a person,
// who is told. Bypass codes that are out are void, and for the cool-down this
// agent gives none but to a verified caller. RuleNothing where it is not there.
func (d Desk) RemoveFactor(ctx context.Context, agent Agent, id, factorID, reason string) error {
	return d.act(ctx, agent, id, "factor-remove", reason, func(person directory.Account, _ string) (map[string]string, error) {
		removed, err := d.Factors.RemoveBy(ctx, id, factorID, agent.AccountID)
		if errors.Is(err, factor.ErrNotFound) {
			return nil, refuse(RuleNothing)
		}
		if err != nil {
			return nil, fmt.Errorf("helpdesk: remove factor: %w", err)
		}
		err = d.refresh(ctx, person)
		if d.FactorRemoved != nil {
			lang, langErr := d.langOf(ctx, id)
			err = errors.Join(err, langErr, d.FactorRemoved(ctx, person, lang, removed))
		}
		return map[string]string{"factor": string(removed.Kind), "name": removed.Name}, err
	})
}

// EndDevices forgets the browsers that a person need not prove themselves in.
func (d Desk) EndDevices(ctx context.Context, agent Agent, id, reason string) error {
	return d.act(ctx, agent, id, "helpdesk-end-devices", reason, func(directory.Account, string) (map[string]string, error) {
		n, err := d.Factors.ForgetDevice(ctx, id, "")
		if err == nil && n == 0 {
			err = refuse(RuleNothing)
		}
		return map[string]string{"devices": strconv.FormatInt(n, 10)}, err
	})
}
