package otp

import (
	"context"
	"errors"

	"stagedoor/store"
)

// See is Of for somebody whose password was right just now. Where the directory
// has another number for their codes than when they were last here, whoever
// changed it there, that is a change like others: the history gets a line, the
// old number, the new one and the mail address are told, once and in one
// transaction, and remembered devices are forgotten before it. But nothing waits
// and no link stops it, since by policy the directory decides; and who has been
// told of too much today is told of no more. The first number of an account is
// no change.
//
// trace is what is recorded of a change; its event's detail is See's.
func (n *Numbers) See(ctx context.Context, person Person, trace store.Trace) (Number, error) {
	own, err := n.state(ctx, person.AccountID)
	if err != nil {
		return Number{}, err
	}
	number, err := n.pick(person, own)
	if err != nil || number.Source != FromDirectory || own.Directory == string(number.Phone) {
		return number, err
	}
	seen := Event{AccountID: person.AccountID, At: n.now(), Old: own.Directory, New: string(number.Phone)}
	if seen.Old == "" {
		trace = store.Trace{}
	} else {
		if err := n.changed(ctx, person.AccountID); err != nil {
			return Number{}, err
		}
		if trace, err = n.seenTrace(person, seen, trace); err != nil {
			return Number{}, err
		}
	}
	err = n.Store.SeeDirectoryNumber(ctx, seen, trace)
	if err != nil && !errors.Is(err, store.ErrNumberMoved) { // another login was quicker
		return Number{}, n.fault("see", err)
	}
	return number, nil
}

// seenTrace is what a change in the directory leaves behind.
func (n *Numbers) seenTrace(person Person, seen Event, trace store.Trace) (store.Trace, error) {
	trace.Event.Detail = map[string]string{"old": Phone(seen.Old).Masked(), "phone": Phone(seen.New).Masked()}
	trace.EvenUntold = true
	if n.Notices == nil {
		return trace, nil
	}
	told, err := n.Notices.Trace(Notice{AccountID: person.AccountID, Name: person.Name, Lang: person.Lang, Mail: person.Mail,
		Phones: []Phone{Phone(seen.Old), Phone(seen.New)}, Key: "phone.notice.directory",
		Args: []any{"old", lastTwo(seen.Old), "new", lastTwo(seen.New)}})
	done := trace.Done
	trace.Notices, trace.Limits = told.Notices, told.Limits
	trace.Done = func(event store.Event, untold bool) {
		told.Done(event, untold)
		if done != nil {
			done(event, untold)
		}
	}
	return trace, err
}
