package otp

import (
	"context"
	"errors"
	"fmt"

	"stagedoor/store"
)

// Run puts every change into force whose time has come, and says how many.
func (n *Numbers) Run(ctx context.Context) (applied int, err error) {
	for ctx.Err() == nil {
		due, err := n.Store.DueChange(ctx, n.now())
		if errors.Is(err, store.ErrNotFound) {
			return applied, nil
		}
		if err != nil {
			return applied, fmt.Errorf("otp: due changes: %w", err)
		}
		if err := n.apply(ctx, due); err != nil {
			return applied, err
		}
		applied++
	}
	return applied, ctx.Err()
}

// apply puts a due change into force. Another node may have done it already, and
// then that one has told of it.
func (n *Numbers) apply(ctx context.Context, due Change) error {
	if err := n.changed(ctx, due.AccountID); err != nil {
		return err
	}
	event, err := n.Store.ApplyDue(ctx, due.AccountID, n.now(), n.tellInForce, dueEvent)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("otp: due change: %w", err)
	}
	if n.Notices != nil {
		n.Notices.wake()
	}
	if n.Recorded != nil {
		n.Recorded(event)
	}
	return nil
}

// tellInForce tells the old number, the new one and the mail address that a
// change holds from now on, in words of that moment: what was told when it was
// asked for said that it would. The link still stops it, but not where two
// agents have changed a frozen account.
func (n *Numbers) tellInForce(c Change) ([]store.Notice, error) {
	if n.Notices == nil {
		return nil, nil
	}
	notice := noticeOf(c)
	switch {
	case isFinal(c):
		notice.Key, notice.Freeze = "phone.notice.final", ""
	case c.Old == "":
		notice.Key = "phone.notice.enrolled"
	default:
		notice.Key = "phone.notice.changed"
	}
	return n.Notices.rows(notice)
}

// dueEvent is a change in the audit that has taken effect by itself. It is
// whose act it was to ask for it.
func dueEvent(c Change) store.Event {
	return store.Event{Kind: "phone-changed", Result: "ok", Reason: "cool-down", AccountID: c.By, Name: c.ByName, Detail: map[string]string{
		store.AboutAccount: c.AccountID, store.AboutPerson: c.Name, "phone": Phone(c.New).Masked(),
	}}
}
