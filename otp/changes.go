package otp

import (
	"context"
	"crypto/hmac"
	"errors"
	"math"
	"time"

	"stagedoor/store"
)

// Enrol gives a number to somebody who has none, at once: by themselves where
// the policy allows (with a code from the new number), by helpdesk, or on the
// machine. Where other second factors protect the account helpdesk's waits for
// the cool-down or for a second agent, on a frozen account for a second agent.
// ErrNotAllowed, ErrHasNumber, ErrElsewhere, *NoPhoneError, ErrUnproven,
// ErrPending, ErrFrozen, ErrMoved, ErrTooMany.
func (n *Numbers) Enrol(ctx context.Context, person Person, phone Phone, act Act) (Change, error) {
	return n.ask(ctx, person, phone, act, true)
}

// Change gives another number to somebody who has one: at once by themselves
// with codes from the old and the new number, and on the machine; by helpdesk
// after the cool-down, or when a second agent confirms. On a frozen account
// only two agents do it. ErrNoPhone where there is none yet, ErrSameNumber,
// ErrElsewhere, *NoPhoneError, ErrUnproven, ErrPending, ErrFrozen, ErrMoved,
// ErrTooMany. The old number, the new one and the mail address are told.
func (n *Numbers) Change(ctx context.Context, person Person, phone Phone, act Act) (Change, error) {
	return n.ask(ctx, person, phone, act, false)
}

func (n *Numbers) ask(ctx context.Context, person Person, phone Phone, act Act, first bool) (Change, error) {
	own, err := n.state(ctx, person.AccountID)
	if err != nil {
		return Change{}, err
	}
	old, err := n.pick(person, own)
	if err != nil && !errors.Is(err, ErrNoPhone) {
		return Change{}, err
	}
	if err := n.mayAsk(person, old, phone, act, first); err != nil {
		return Change{}, err
	}
	asked := store.Asked{Expected: "", EvenFrozen: act.How == HowCLI || act.By != person.AccountID}
	if own.Own {
		asked.Expected = own.Phone
	}
	asked.Change = n.newChange(person, old, phone, act, first)
	asked.Proofs = n.proofs(person, old, phone, act, first)
	if n.Notices != nil {
		if asked.Notices, err = n.Notices.rows(askedNotice(asked.Change, first)); err != nil {
			return Change{}, err
		}
		asked.Limits = n.Notices.limits()
	}
	if asked.Change.State == store.NumberApplied {
		if err := n.changed(ctx, person.AccountID); err != nil {
			return Change{}, err
		}
	}
	if err := n.Store.AskNumber(ctx, asked); err != nil {
		return Change{}, n.fault("ask", err)
	}
	if n.Notices != nil {
		n.Notices.wake()
	}
	return asked.Change, nil
}

// mayAsk knows the rules that need no look at the database.
func (n *Numbers) mayAsk(person Person, old Number, phone Phone, act Act, first bool) error {
	self := act.By == person.AccountID && act.How != HowCLI
	if read, err := ParsePhone(string(phone), person.Country, person.Allowed); err != nil || read != phone {
		return errors.Join(err, ErrNoPhone)
	}
	switch {
	case first && old.Phone != "":
		return ErrHasNumber
	case !first && old.Phone == "":
		return &NoPhoneError{Reason: "empty"}
	case old.Phone == phone:
		return ErrSameNumber
	case !n.MayChange(old):
		return ErrElsewhere
	case self && first && !n.SelfEnrol && !act.Proven:
		return ErrNotAllowed
	case self && old.Frozen:
		return ErrFrozen
	}
	return nil
}

// MayChange tells whether a number of the portal's own would count before the
// one that there is.
func (n *Numbers) MayChange(old Number) bool {
	for _, source := range n.order() {
		if source == FromVerified {
			return true
		}
		if source == old.Source {
			return false
		}
	}
	return false
}

func (n *Numbers) newChange(person Person, old Number, phone Phone, act Act, first bool) Change {
	now := n.now()
	self := act.By == person.AccountID
	c := Change{
		ID: newID(), AccountID: person.AccountID, Name: person.Name, Old: string(old.Phone), New: string(phone),
		By: act.By, ByName: act.Name, At: now, Address: act.Address, Reason: act.Reason, How: act.How,
		Mail: person.Mail, Lang: person.Lang, State: store.NumberApplied,
	}
	switch {
	case act.How == HowCLI:
	case self:
		c.How = HowCode
	case c.How == "":
		c.How = HowAgents
	}
	switch {
	case act.How == HowCLI || self:
	case old.Frozen:
		c.State = store.NumberPending // until a second agent confirms
	case (!first || person.Guarded) && n.coolDown() > 0:
		c.State, c.DueAt = store.NumberPending, now.Add(n.coolDown())
	}
	return c
}

// proofs are the codes that somebody's own change rests on.
func (n *Numbers) proofs(person Person, old Number, phone Phone, act Act, first bool) []store.Proof {
	if act.By != person.AccountID || act.How == HowCLI {
		return nil
	}
	proof := store.Proof{ChallengeID: act.NewCode, SessionID: act.Session, Phone: string(phone), Purpose: PurposeEnrol, Since: n.now().Add(-proofLasts)}
	if first {
		return []store.Proof{proof}
	}
	proof.Purpose = PurposeChange
	from := proof
	from.ChallengeID, from.Phone = act.OldCode, string(old.Phone)
	return []store.Proof{proof, from}
}

func (n *Numbers) coolDown() time.Duration {
	switch {
	case n.CoolDown == 0:
		return 24 * time.Hour
	case n.CoolDown < 0:
		return 0
	}
	return n.CoolDown
}

// askedNotice tells that a change was asked for, and when it takes effect.
func askedNotice(c Change, first bool) Notice {
	notice := noticeOf(c)
	switch {
	case first && c.State == store.NumberPending:
		notice.Key = "phone.notice.first"
	case first:
		notice.Key = "phone.notice.enrolled"
	case c.State == store.NumberApplied:
		notice.Key = "phone.notice.changed"
	case c.DueAt.IsZero():
		notice.Key = "phone.notice.second"
	default:
		notice.Key = "phone.notice.pending"
		notice.Args = append([]any{"hours", max(1, int(math.Ceil(c.DueAt.Sub(c.At).Hours())))}, notice.Args...)
	}
	return notice
}

// noticeOf is to everybody whom a change concerns; what it says is the caller's.
func noticeOf(c Change) Notice {
	phones := []Phone{Phone(c.New)}
	if c.Old != "" {
		phones = append(phones, Phone(c.Old))
	}
	return Notice{AccountID: c.AccountID, Name: c.Name, Lang: c.Lang, Phones: phones, Mail: c.Mail,
		Args: []any{"old", lastTwo(c.Old), "new", lastTwo(c.New)}, Freeze: c.ID}
}

// lastTwo are the digits that a text may show: of the GSM alphabet, which
// Masked's dots are not.
func lastTwo(phone string) string { return phone[max(len(phone)-2, 0):] }

// Confirm puts a waiting change into force because a second agent says so; the
// old number, the new one and the mail address are told that it holds now.
// ErrSecondAgent for whoever asked for it and for the person, ErrNoChange.
func (n *Numbers) Confirm(ctx context.Context, accountID, changeID string, act Act) (Change, error) {
	if act.By == accountID {
		return Change{}, ErrSecondAgent
	}
	if err := n.changed(ctx, accountID); err != nil {
		return Change{}, err
	}
	change, err := n.Store.ConfirmChange(ctx, changeID, n.event(accountID, act), n.tellInForce)
	if err == nil && n.Notices != nil {
		n.Notices.wake()
	}
	return change, n.fault("confirm", err)
}

// Cancel withdraws a waiting change. ErrNoChange.
func (n *Numbers) Cancel(ctx context.Context, accountID, changeID string, act Act) (Change, error) {
	change, err := n.Store.CancelChange(ctx, changeID, n.event(accountID, act))
	return change, n.fault("cancel", err)
}

// Freezable looks at the change that a link would freeze, and changes nothing.
// ErrLink where the token is not right; ErrNoChange where it is, and there is
// nothing to stop: too old, withdrawn, or stopped already (ErrStopped).
func (n *Numbers) Freezable(ctx context.Context, changeID, token string) (Change, error) {
	if !hmac.Equal([]byte(token), []byte(freezeToken(n.Key, changeID))) {
		return Change{}, ErrLink
	}
	change, err := n.Store.FindChange(ctx, changeID)
	if err != nil {
		return Change{}, n.fault("freezable", err)
	}
	switch {
	case change.State == store.NumberPending:
		return change, nil
	case change.State == store.NumberApplied && !isFinal(change) && change.AppliedAt.After(n.now().Add(-freezeAfter)):
		return change, nil
	case change.State == store.NumberFrozen:
		return change, ErrStopped
	}
	return change, ErrNoChange
}

// isFinal: no link takes it back. Made on the machine, or by two agents on a
// frozen account; store's statements know it too.
func isFinal(c Change) bool { return c.How == HowCLI || c.DueAt.IsZero() && c.ConfirmedBy != "" }

// Freeze stops a change from the link in its notice: the old number stands, or
// stands again, and until Unfreeze only two agents change it. The trace of it (nil:
// none) is left in the same transaction. Errors as Freezable; with ErrStopped comes
// the change, so that what follows a stop can be done again.
func (n *Numbers) Freeze(ctx context.Context, changeID, token, address string, trace store.TraceOf) (Change, error) {
	found, err := n.Freezable(ctx, changeID, token)
	if err != nil {
		return found, err
	}
	if err := n.changed(ctx, found.AccountID); err != nil {
		return Change{}, err
	}
	now := n.now()
	change, err := n.Store.FreezeChange(ctx, changeID, now.Add(-freezeAfter), Event{At: now, Address: address, Reason: "link"}, trace)
	if errors.Is(err, store.ErrNotFound) { // somebody else was quicker: with the other notice, perhaps
		if again, err := n.Freezable(ctx, changeID, token); err != nil {
			return again, err
		}
	}
	return change, n.fault("freeze", err)
}

// Unfreeze lets one agent change the number again. ErrSelf for the person,
// ErrSecondAgent for the agent whose change was frozen, ErrNoChange where the
// number is not frozen.
func (n *Numbers) Unfreeze(ctx context.Context, accountID string, act Act) error {
	if act.By == accountID {
		return ErrSelf
	}
	return n.fault("unfreeze", n.Store.Unfreeze(ctx, n.event(accountID, act)))
}

// ConfirmDirectory marks the directory's number as verified; it stays the
// directory's, and the mark holds as long as it is this number. *NoPhoneError
// where the directory has none, ErrHasNumber where another source counts
// before it, ErrSelf, ErrFrozen.
func (n *Numbers) ConfirmDirectory(ctx context.Context, person Person, act Act) (Number, error) {
	if act.By == person.AccountID {
		return Number{}, ErrSelf
	}
	found, err := n.Of(ctx, person)
	if err != nil {
		return Number{}, err
	}
	if found.Source != FromDirectory {
		return found, ErrHasNumber
	}
	event := n.event(person.AccountID, act)
	event.How, event.New = HowConfirmed, string(found.Phone)
	if err := n.Store.ConfirmNumber(ctx, event); err != nil {
		return Number{}, n.fault("confirm directory", err)
	}
	return n.Of(ctx, person)
}

func (n *Numbers) event(accountID string, act Act) Event {
	return Event{AccountID: accountID, At: n.now(), By: act.By, ByName: act.Name, Address: act.Address, Reason: act.Reason}
}
