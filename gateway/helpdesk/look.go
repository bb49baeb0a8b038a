package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"stagedoor/directory"
	"stagedoor/otp"
	"stagedoor/store"
)

const (
	kindLook = "helpdesk-look"
	mostTry  = 30 // tries that are shown
)

// Look gathers what is known of a person and what is in their way. That an
// agent looked is recorded, once an hour.
func (d Desk) Look(ctx context.Context, agent Agent, id string) (Facts, error) {
	facts := Facts{ID: id}
	account, err := d.Directory.ByID(ctx, "", id)
	if err == nil {
		facts.State, err = d.Directory.State(ctx, nameOf(account))
	}
	switch {
	case errors.Is(err, directory.ErrNotFound):
		facts.Gone = true
	case errors.Is(err, directory.ErrUnavailable):
		facts.DirectoryOut = true
		facts.State.Account = account
	case err != nil:
		return Facts{}, fmt.Errorf("helpdesk: look: %w", err)
	}
	if err := d.recordLook(ctx, agent, facts.State.Account, id); err != nil {
		return Facts{}, err
	}
	if facts.Gone {
		facts.State = directory.State{}
	} else if facts.DirectoryOut {
		facts.Bars = RuleDirectory
	} else {
		facts.Bars = d.bars(agent, facts.State.Account)
	}
	for _, gather := range []func(context.Context, Agent, *Facts) error{
		d.gatherPhone, d.gatherHistory, d.gatherTries, d.gatherMessages, d.gatherFactors, d.gatherLimits, d.gatherSessions, d.gatherCaller,
	} {
		if err := gather(ctx, agent, &facts); err != nil {
			return Facts{}, fmt.Errorf("helpdesk: look: %w", err)
		}
	}
	if facts.ActsLeft, err = d.ActsLeft(ctx, agent); err != nil {
		return Facts{}, fmt.Errorf("helpdesk: look: %w", err)
	}
	facts.Why = why(facts, d.Now())
	return facts, nil
}

func (d Desk) recordLook(ctx context.Context, agent Agent, person directory.Account, id string) error {
	first, _, err := d.Store.Take(ctx, "desk-look:"+agent.AccountID+":"+id, 1, lookOnce)
	if err != nil {
		return fmt.Errorf("helpdesk: look: %w", err)
	}
	if !first {
		return nil
	}
	return d.record(ctx, agent, person, deed{id: id, kind: kindLook}, "ok", nil, nil)
}

func (d Desk) gatherPhone(ctx context.Context, agent Agent, f *Facts) error {
	if f.Gone || f.DirectoryOut {
		return nil
	}
	number, err := d.phoneOf(ctx, f.State.Account)
	var none *otp.NoPhoneError
	switch {
	case errors.As(err, &none):
		f.Phone.Problem, f.Phone.Masked = none.Reason, LastFour(f.State.Mobile)
	case err != nil:
		return err
	default:
		f.Phone = Phone{
			Masked: LastFour(string(number.Phone)), Source: number.Source, Verified: number.Verified, VerifiedAt: number.At,
			How: number.How, By: number.ByName, phone: number.Phone,
		}
	}
	f.Phone.Frozen = number.Frozen
	pending, err := d.Numbers.Pending(ctx, f.ID)
	switch {
	case errors.Is(err, otp.ErrNoChange):
		return nil
	case err != nil:
		return err
	}
	f.Phone.Pending = &PendingNumber{ID: pending.ID, Masked: LastFour(pending.New), Since: pending.At, Due: pending.DueAt, By: pending.ByName,
		Own: pending.By == agent.AccountID}
	return nil
}

func (d Desk) gatherFactors(ctx context.Context, _ Agent, f *Facts) error {
	if d.Factors == nil || f.Gone || f.DirectoryOut {
		return nil
	}
	person, err := d.FactorPerson(ctx, f.State.Account)
	if err != nil {
		return err
	}
	status, err := d.Factors.Status(ctx, person)
	f.Factors = &status
	return err
}

// gatherMessages are the last codes and what became of them.
func (d Desk) gatherMessages(ctx context.Context, _ Agent, f *Facts) error {
	const most = 5
	sent, err := d.Store.SendsOf(ctx, f.ID, most)
	for _, m := range sent {
		f.Messages = append(f.Messages, Message{At: m.At, Ended: m.EndedAt, Masked: masked(m.Phone), State: m.State, Purpose: m.Purpose,
			Sender: m.Sender, Reason: m.Reason})
	}
	return err
}

// masked is what an agent sees of where a code went.
func masked(recipient string) string {
	if strings.HasPrefix(recipient, store.MailTo) {
		return otp.MaskRecipient(recipient)
	}
	return LastFour(recipient)
}

// LastFour is what an agent sees of a number: enough to compare with what a
// caller says, too little to call somebody else's.
func LastFour(number string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	if len(digits) < 6 {
		return ""
	}
	return "••• " + digits[len(digits)-4:]
}

// tryKinds are the events of a person that tell why they cannot get in.
var tryKinds = []string{"login", "password", "code", "code-sent", "bypass", "again", "device-", "session-end", "fault", "helpdesk-", "desktop-", "phone-", "factor"}

func (d Desk) gatherTries(ctx context.Context, _ Agent, f *Facts) error {
	const among = 150 // desktops fill the audit more than logins
	events, err := d.Store.Events(ctx, store.EventFilter{AccountID: f.ID, Limit: among})
	if err != nil {
		return err
	}
	for _, event := range events {
		// What they did as an agent, to others, says nothing about themselves.
		about := event.Detail[detailAccount]
		if len(f.Tries) == mostTry || about != "" && about != f.ID || event.Kind == kindLook || event.Result == "begun" {
			continue
		}
		for _, kind := range tryKinds {
			if strings.HasPrefix(event.Kind, kind) {
				f.Tries = append(f.Tries, event)
				break
			}
		}
	}
	return nil
}

// stepCode is the login step at which a code is asked for.
const stepCode = "code"

func (d Desk) gatherSessions(ctx context.Context, _ Agent, f *Facts) error {
	sessions, err := d.Store.SessionsOf(ctx, f.ID)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if s.Step == "ready" {
			f.Sessions = append(f.Sessions, s)
			continue
		}
		if s.Step != stepCode || s.Challenge == "" {
			continue
		}
		open, err := d.Codes.Get(ctx, s.Challenge, s.ID)
		if errors.Is(err, otp.ErrExpired) {
			continue
		}
		if err != nil {
			return err
		}
		f.Waiting = append(f.Waiting, OpenCode{SentAt: open.SentAt, ResendAt: open.ResendAt, ExpiresAt: open.ExpiresAt, Left: open.Left,
			SessionID: s.ID, Address: s.Address, Since: s.CreatedAt})
	}
	if len(f.Waiting) > 0 {
		f.Open = &f.Waiting[0]
	}
	return nil
}

func (d Desk) gatherCaller(ctx context.Context, agent Agent, f *Facts) (err error) {
	if f.Caller.Until, err = d.Store.Caller(ctx, agent.SessionID, f.ID); err != nil {
		return err
	}
	open, err := d.callerCode(ctx, agent, f.ID)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, otp.ErrExpired) {
		return nil
	}
	f.Caller.Asked, f.Caller.Left = err == nil && open.Left > 0, open.Left
	return err
}
