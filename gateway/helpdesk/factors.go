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
// that they know the person (known), which is not enough from who has removed a
// factor of theirs within the cool-down; nor is a caller who was verified by mail,
// whose mailbox may have the same password. The person is told. RuleUnverified,
// RuleRemover, RuleTooMany. From the server, where who asks has been let onto the
// machine, it helps agents and administrators too.
func (d Desk) IssueBypass(ctx context.Context, agent Agent, id, reason string, known bool) (code string, expires time.Time, err error) {
	err = d.act(ctx, agent, id, "helpdesk-bypass", reason, func(person directory.Account, _ string) (map[string]string, error) {
		verified, err := d.Store.Caller(ctx, agent.SessionID, id)
		if err != nil {
			return nil, fmt.Errorf("helpdesk: bypass: %w", err)
		}
		if verified.Until.IsZero() && !known && !agent.Server {
			return nil, refuse(RuleUnverified)
		}
		trace, err := d.news(ctx, person, factor.NewsBypass, "")
		if err != nil {
			return nil, fmt.Errorf("helpdesk: bypass: %w", err)
		}
		by := "caller"
		switch {
		case agent.Server:
			by, trace.EvenUntold = "server", true // who is on the machine is not to be kept out
			code, expires, err = d.Factors.IssueServerBypass(ctx, id, agent.Name, trace)
		case verified.Way == string(factor.SMS):
			code, expires, err = d.Factors.IssueBypass(ctx, id, agent.AccountID, trace)
		default:
			if by = "known"; !known {
				by = "mail"
			}
			code, expires, err = d.Factors.IssueBypassUnseen(ctx, id, agent.AccountID, trace)
		}
		facts := map[string]string{"verified": by}
		switch {
		case errors.Is(err, factor.ErrSecondAgent):
			return facts, &RefusedError{Rule: RuleRemover, Err: err}
		case errors.Is(err, factor.ErrUntold):
			return facts, &RefusedError{Rule: RuleTooMany, Err: err}
		}
		return facts, wrapped("bypass", err)
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return code, expires, nil
}

// news is what a person is told, in the language of their last login.
func (d Desk) news(ctx context.Context, person directory.Account, news factor.News, kind factor.Kind) (store.Trace, error) {
	lang, err := d.langOf(ctx, person.ID)
	if err != nil {
		return store.Trace{}, err
	}
	return d.News(ctx, person, lang, news, kind)
}

// RemoveFactor takes an authenticator app or a security key away from a person,
// who is told. Bypass codes that are out are void, and for the cool-down this
// agent gives none but to a verified caller. RuleNothing where it is not there.
func (d Desk) RemoveFactor(ctx context.Context, agent Agent, id, factorID, reason string) error {
	return d.act(ctx, agent, id, "factor-remove", reason, func(person directory.Account, _ string) (map[string]string, error) {
		removed, err := d.removeFactor(ctx, agent, person, factorID)
		if errors.Is(err, factor.ErrNotFound) {
			return nil, refuse(RuleNothing)
		}
		if err != nil {
			return nil, fmt.Errorf("helpdesk: remove factor: %w", err)
		}
		return map[string]string{"factor": string(removed.Kind), "name": removed.Name}, d.refresh(ctx, person)
	})
}

// removeFactor is remembered of an agent; who is on the server decides alone.
func (d Desk) removeFactor(ctx context.Context, agent Agent, person directory.Account, factorID string) (factor.Factor, error) {
	told := func(one factor.Factor) (store.Trace, error) { return d.news(ctx, person, factor.NewsRemoved, one.Kind) }
	if agent.Server {
		return d.Factors.Remove(ctx, person.ID, factorID, told)
	}
	return d.Factors.RemoveBy(ctx, person.ID, factorID, agent.AccountID, told)
}

// RemoveBackup makes a person's printed codes void, of which they are told.
// RuleNothing where none are left.
func (d Desk) RemoveBackup(ctx context.Context, agent Agent, id, reason string) error {
	return d.act(ctx, agent, id, "factor-remove", reason, func(person directory.Account, _ string) (map[string]string, error) {
		trace, err := d.news(ctx, person, factor.NewsRemoved, factor.Backup)
		if err != nil {
			return nil, fmt.Errorf("helpdesk: remove backup codes: %w", err)
		}
		left, err := d.Factors.RemoveBackup(ctx, id, trace)
		if errors.Is(err, factor.ErrNotFound) {
			return nil, refuse(RuleNothing)
		}
		if err != nil {
			return nil, fmt.Errorf("helpdesk: remove backup codes: %w", err)
		}
		return map[string]string{"factor": string(factor.Backup), "codes": strconv.Itoa(left)}, d.refresh(ctx, person)
	})
}

// EndDevices forgets the browsers that a person need not prove themselves in,
// who is told. RuleNothing where there is none.
func (d Desk) EndDevices(ctx context.Context, agent Agent, id, reason string) error {
	return d.act(ctx, agent, id, "helpdesk-end-devices", reason, func(person directory.Account, _ string) (map[string]string, error) {
		trace, err := d.news(ctx, person, factor.NewsForgotten, "")
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
