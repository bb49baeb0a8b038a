package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

const (
	kindAskCaller = "helpdesk-caller-code"
	purposeCaller = "caller"
)

// callerSession ties a code that a caller reads back to the agent's session and
// to the person: nobody else can use it, and it is good for nothing else.
func callerSession(agent Agent, id string) string {
	return "caller:" + agent.SessionID + ":" + id
}

// AskCaller sends a code to a person's number, for the caller to read back; to
// somebody who has none that codes can go to by mail, where the policy lets codes
// go there. words are the message's, "{code} is the code to read to {portal}'s
// helpdesk", subject a mail's. The agent never sees the code.
func (d Desk) AskCaller(ctx context.Context, agent Agent, id, reason string, words, subject Words) error {
	return d.act(ctx, agent, id, kindAskCaller, reason, func(person directory.Account, _ string) (map[string]string, error) {
		number, err := d.phoneOf(ctx, person)
		if err != nil && !errors.Is(err, otp.ErrNoPhone) {
			return nil, fmt.Errorf("helpdesk: caller: %w", err)
		}
		request := otp.Request{SessionID: callerSession(agent, id), AccountID: person.ID, Phone: number.Phone, Purpose: purposeCaller}
		facts := map[string]string{"phone": number.Phone.Masked()}
		if err != nil {
			mail, mailErr := d.mailOf(ctx, person)
			if mailErr != nil {
				return nil, mailErr
			}
			if mail == "" {
				return nil, &RefusedError{Rule: RuleNoNumber, Err: err}
			}
			request.Mail, facts = mail, map[string]string{"mail": otp.MaskRecipient(store.MailTo + mail)}
		}
		lang, err := d.langOf(ctx, id)
		if err != nil {
			return nil, err
		}
		request.Words, request.Subject = words(lang), subject(lang)
		_, err = d.Codes.Start(ctx, request)
		return facts, sendRefusal(err)
	})
}

// mailOf is the address that codes of a person may go to by the policy; empty:
// to none.
func (d Desk) mailOf(ctx context.Context, person directory.Account) (string, error) {
	if d.Factors == nil || d.FactorPerson == nil {
		return "", nil
	}
	as, err := d.FactorPerson(ctx, person)
	if err != nil {
		return "", err
	}
	state, err := d.Factors.State(ctx, as)
	if err != nil || !slices.Contains(state.Has, factor.Mail) {
		return "", wrapped("mail", err)
	}
	return person.Mail, nil
}

// CheckCaller checks what a caller has read back. Nil: the caller has the
// person's phone, and counts as verified for this agent's session for 15
// minutes; or has their mail, which counts as the agent's word that it is them.
// It belongs to the act that sent the code, so it is recorded with that one's
// reason and bound by the code's own tries, and not counted again.
func (d Desk) CheckCaller(ctx context.Context, agent Agent, id, code string) error {
	what := deed{id: id, kind: "helpdesk-caller"}
	person, err := d.person(ctx, id)
	if err == nil {
		if rule := d.bars(agent, person); rule != "" {
			err = refuse(rule)
		}
	}
	if err != nil {
		return d.refused(ctx, agent, person, what, err)
	}
	if what.reason, err = d.callerReason(ctx, agent, id); err != nil {
		return err
	}
	open, err := d.Store.LatestChallenge(ctx, callerSession(agent, id))
	way := factor.SMS
	if strings.HasPrefix(open.Phone, store.MailTo) {
		way = factor.Mail
	}
	what.facts = map[string]string{"way": string(way)}
	if err == nil {
		err = d.Codes.Check(ctx, open.ID, callerSession(agent, id), code)
	}
	if err = codeRefusal(err); err != nil {
		return d.refused(ctx, agent, person, what, err)
	}
	// The record first: a caller of whom there is no trace is not verified.
	if err := d.record(ctx, agent, person, what, "ok", nil, nil); err != nil {
		return err
	}
	if err := d.Store.PutCaller(ctx, agent.SessionID, id, store.Caller{Until: d.Now().Add(callerLasts), Way: string(way)}); err != nil {
		return fmt.Errorf("helpdesk: verified caller: %w", err)
	}
	return nil
}

// callerReason is why the agent had the last code sent that a caller reads back,
// as the record has it; empty: none was sent.
func (d Desk) callerReason(ctx context.Context, agent Agent, id string) (string, error) {
	const among = 50 // acts of an agent's session
	asked, err := d.Store.Events(ctx, store.EventFilter{SessionID: agent.SessionID, Kind: kindAskCaller, Result: "ok", Limit: among})
	if err != nil {
		return "", fmt.Errorf("helpdesk: caller: %w", err)
	}
	for _, event := range asked {
		if event.Detail[detailAccount] == id {
			return event.Detail[detailWhy], nil
		}
	}
	return "", nil
}

// callerCode is the code that a caller has been sent, where it is open.
func (d Desk) callerCode(ctx context.Context, agent Agent, id string) (otp.Challenge, error) {
	open, err := d.Store.LatestChallenge(ctx, callerSession(agent, id))
	if err != nil {
		return otp.Challenge{}, err
	}
	return d.Codes.Get(ctx, open.ID, callerSession(agent, id))
}

// sendRefusal is why a code was not sent, in the words of this package.
func sendRefusal(err error) error {
	var wait *otp.WaitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wait) && (wait.Rule == "locked" || wait.Rule == "blocked"):
		return &RefusedError{Rule: RuleLocked, Until: wait.Until, Err: err}
	case errors.As(err, &wait):
		return &RefusedError{Rule: RuleWait, Until: wait.Until, Err: err}
	case errors.Is(err, otp.ErrNotSent):
		return &RefusedError{Rule: RuleNotSent, Err: err}
	case errors.Is(err, otp.ErrNoPhone):
		return &RefusedError{Rule: RuleNoNumber, Err: err}
	case errors.Is(err, otp.ErrExpired), errors.Is(err, store.ErrNotFound):
		return &RefusedError{Rule: RuleNoCode, Err: err}
	case errors.Is(err, otp.ErrUsedUp):
		return &RefusedError{Rule: RuleUsedUp, Err: err}
	}
	return fmt.Errorf("helpdesk: send code: %w", err)
}

// codeRefusal is what was wrong with a code.
func codeRefusal(err error) error {
	var wrong *otp.WrongError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, otp.ErrUsedUp):
		return &RefusedError{Rule: RuleUsedUp, Err: err}
	case errors.As(err, &wrong):
		return &RefusedError{Rule: RuleWrongCode, Left: wrong.Left, Err: err}
	}
	return sendRefusal(err)
}

// ResendCode sends a code once more that a person is asked for on the way in, or
// to prove themselves again, in the session that the agent has picked
// (Facts.Waiting): who waits in another one may be somebody else who has the
// password; words and subject as in otp.Request.
// RuleNoCode where none is open there.
func (d Desk) ResendCode(ctx context.Context, agent Agent, id, sessionID, reason string, words, subject Words) error {
	return d.act(ctx, agent, id, "helpdesk-resend", reason, func(person directory.Account, _ string) (map[string]string, error) {
		sessions, err := d.Store.SessionsOf(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("helpdesk: resend: %w", err)
		}
		lang, err := d.langOf(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, s := range sessions {
			if s.ID != sessionID || !waits(s) {
				continue
			}
			_, err := d.Codes.Resend(ctx, s.Challenge, s.ID, words(lang), subject(lang))
			return map[string]string{"waits_at": s.Address}, sendRefusal(err)
		}
		return nil, refuse(RuleNoCode)
	})
}
