package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/store"
)

// IssueBypass makes a code that lets a person in once within the hour instead
// of a second factor. It is returned once, for the agent to read out, and kept
// nowhere. The agent has verified the caller a moment ago, or says on the record
// that they know the person (known). The person is told. RuleUnverified,
// RuleTooMany. From the server, where who asks has been let onto the machine, it
// helps agents and administrators too.
func (d Desk) IssueBypass(ctx context.Context, agent Agent, id, reason string, known bool) (code string, expires time.Time, err error) {
	err = d.act(ctx, agent, id, "helpdesk-bypass", reason, func(person directory.Account, _ string) (map[string]string, error) {
		if agent.Server {
			trace, err := d.News(ctx, person, d.Lang, factor.NewsBypass, "")
			if err != nil {
				return nil, fmt.Errorf("helpdesk: bypass: %w", err)
			}
			trace.EvenUntold = true // who is on the machine is not to be kept out
			code, expires, err = d.Factors.IssueServerBypass(ctx, id, agent.Name, trace)
			return map[string]string{"verified": "server"}, wrapped("bypass", err)
		}
		verified, err := d.Store.Caller(ctx, agent.SessionID, id)
		if err != nil {
			return nil, fmt.Errorf("helpdesk: bypass: %w", err)
		}
		facts := map[string]string{"verified": "caller"}
		if verified.IsZero() {
			facts["verified"] = "known"
			if !known {
				return nil, refuse(RuleUnverified)
			}
		}
		trace, err := d.News(ctx, person, d.Lang, factor.NewsBypass, "")
		if err != nil {
			return nil, fmt.Errorf("helpdesk: bypass: %w", err)
		}
		code, expires, err = d.Factors.IssueBypass(ctx, id, agent.AccountID, trace)
		if errors.Is(err, factor.ErrUntold) {
			return facts, &RefusedError{Rule: RuleTooMany, Err: err}
		}
		return facts, wrapped("bypass", err)
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return code, expires, nil
}

// RemoveFactor takes an authenticator app or a security key away from a person,
// who is told. RuleNothing where it is not there.
func (d Desk) RemoveFactor(ctx context.Context, agent Agent, id, factorID, reason string) error {
	return d.act(ctx, agent, id, "factor-remove", reason, func(person directory.Account, _ string) (map[string]string, error) {
		removed, err := d.Factors.Remove(ctx, id, factorID, func(one factor.Factor) (store.Trace, error) {
			return d.News(ctx, person, d.Lang, factor.NewsRemoved, one.Kind)
		})
		if errors.Is(err, factor.ErrNotFound) {
			return nil, refuse(RuleNothing)
		}
		return map[string]string{"factor": string(removed.Kind), "name": removed.Name}, wrapped("remove factor", err)
	})
}

// RemoveBackup makes a person's printed codes void, of which they are told.
// RuleNothing where none are left.
func (d Desk) RemoveBackup(ctx context.Context, agent Agent, id, reason string) error {
	return d.act(ctx, agent, id, "factor-remove", reason, func(person directory.Account, _ string) (map[string]string, error) {
		trace, err := d.News(ctx, person, d.Lang, factor.NewsRemoved, factor.Backup)
		if err != nil {
			return nil, fmt.Errorf("helpdesk: remove backup codes: %w", err)
		}
		left, err := d.Factors.RemoveBackup(ctx, id, trace)
		if errors.Is(err, factor.ErrNotFound) {
			return nil, refuse(RuleNothing)
		}
		return map[string]string{"factor": string(factor.Backup), "codes": strconv.Itoa(left)}, wrapped("remove backup codes", err)
	})
}

// EndDevices forgets the browsers that a person need not prove themselves in,
// who is told. RuleNothing where there is none.
func (d Desk) EndDevices(ctx context.Context, agent Agent, id, reason string) error {
	return d.act(ctx, agent, id, "helpdesk-end-devices", reason, func(person directory.Account, _ string) (map[string]string, error) {
		trace, err := d.News(ctx, person, d.Lang, factor.NewsForgotten, "")
		if err != nil {
			return nil, fmt.Errorf("helpdesk: end devices: %w", err)
		}
		n, err := d.Factors.ForgetDevice(ctx, id, "", trace)
		if errors.Is(err, factor.ErrNotFound) {
			return nil, refuse(RuleNothing)
		}
		return map[string]string{"devices": strconv.FormatInt(n, 10)}, wrapped("end devices", err)
	})
}
