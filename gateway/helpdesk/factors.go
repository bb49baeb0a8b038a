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
// factor of theirs within the cool-down. RuleUnverified, RuleRemover. From the
// server, where who asks has been let onto the machine, it helps agents and
// administrators too.
func (d Desk) IssueBypass(ctx context.Context, agent Agent, id, reason string, known bool) (code string, expires time.Time, err error) {
	err = d.act(ctx, agent, id, "helpdesk-bypass", reason, func(directory.Account, string) (map[string]string, error) {
		if agent.Server {
			code, expires, err = d.Factors.IssueServerBypass(ctx, id, agent.Name)
			return map[string]string{"verified": "server"}, wrapped("bypass", err)
		}
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
		removed, err := d.removeFactor(ctx, agent, id, factorID)
		if errors.Is(err, factor.ErrNotFound) {
			return nil, refuse(RuleNothing)
		}
		if err != nil {
			return nil, fmt.Errorf("helpdesk: remove factor: %w", err)
		}
		err = errors.Join(d.refresh(ctx, person), d.tellRemoved(ctx, person, removed))
		return map[string]string{"factor": string(removed.Kind), "name": removed.Name}, err
	})
}

// removeFactor is remembered of an agent; who is on the server decides alone.
func (d Desk) removeFactor(ctx context.Context, agent Agent, id, factorID string) (factor.Factor, error) {
	if agent.Server {
		return d.Factors.Remove(ctx, id, factorID)
	}
	return d.Factors.RemoveBy(ctx, id, factorID, agent.AccountID)
}

func (d Desk) tellRemoved(ctx context.Context, person directory.Account, removed factor.Factor) error {
	if d.FactorRemoved == nil {
		return nil
	}
	lang, err := d.langOf(ctx, person.ID)
	return errors.Join(err, d.FactorRemoved(ctx, person, lang, removed))
}

// RemoveBackup makes a person's printed codes void, of which they are told.
// RuleNothing where none are left.
func (d Desk) RemoveBackup(ctx context.Context, agent Agent, id, reason string) error {
	return d.act(ctx, agent, id, "factor-remove", reason, func(person directory.Account, _ string) (map[string]string, error) {
		left, err := d.Factors.RemoveBackup(ctx, id)
		if errors.Is(err, factor.ErrNotFound) {
			return nil, refuse(RuleNothing)
		}
		if err != nil {
			return nil, fmt.Errorf("helpdesk: remove backup codes: %w", err)
		}
		err = errors.Join(d.refresh(ctx, person), d.tellRemoved(ctx, person, factor.Factor{Kind: factor.Backup}))
		return map[string]string{"factor": string(factor.Backup), "codes": strconv.Itoa(left)}, err
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
