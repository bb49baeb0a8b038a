package factor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"stagedoor/store"
)

// State is what a person has and what the policy wants of them. It stands in
// the session's row while they log in; no secret is in it.
type State struct {
	Want
	Has []Kind // of those allowed, the one to ask for first in front
	// Waits are there too, and count from From on only.
	Waits []Kind
	// Held: helpdesk has removed a factor lately (Options.Hold). Nothing is set up
	// with the password alone: whose word took the old factor away would choose the
	// new one.
	Held bool
}

// Asks tells whether a second factor is asked for at login.
func (s State) Asks() bool { return s.Need == Required || s.Need == Voluntary && len(s.Has) > 0 }

// MustEnrol tells whether one has to be set up first, and can be.
func (s State) MustEnrol() bool { return s.Need == Required && len(s.Has) == 0 && len(s.Enrol) > 0 }

// Invites tells whether to ask somebody to set a factor up before they must:
// they have none, or none that counts from From on.
func (s State) Invites() bool { return (s.Need == Voluntary || !s.From.IsZero()) && !s.enrolled() }

// Changes tells whether what somebody logs in with now counts until From only.
func (s State) Changes() bool { return !s.From.IsZero() && s.Asks() && !s.enrolled() }

// enrolled tells whether somebody has a factor of those that are wanted, from
// From on where a rule waits: backup codes stand in for one.
func (s State) enrolled() bool {
	return slices.ContainsFunc(slices.Concat(s.Has, s.Waits), func(k Kind) bool {
		return k != Backup && (s.From.IsZero() || slices.Contains(s.Then, k))
	})
}

// First is the kind to ask for first; empty: there is none.
func (s State) First() Kind {
	if len(s.Has) == 0 {
		return ""
	}
	return s.Has[0]
}

// Offers tells whether the person may prove themselves with a kind. A bypass
// code is typed where a backup code is, whoever has none.
func (s State) Offers(kind Kind) bool { return kind == Bypass || slices.Contains(s.Has, kind) }

// Owns are the ones that the person can set up for themselves, in the order of
// the policy; where a rule waits, of those that it allows.
func (s State) Owns() []Kind {
	return slices.DeleteFunc(slices.Clone(s.Allowed), func(k Kind) bool {
		return k == Mail || k == Backup || !s.From.IsZero() && !slices.Contains(s.Then, k)
	})
}

// State is a person's, from what is stored and what the policy says now.
func (f *Factors) State(ctx context.Context, person Person) (State, error) {
	there, err := f.there(ctx, person)
	if err != nil {
		return State{}, err
	}
	last, err := f.Store.FindPerson(ctx, person.AccountID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return State{}, fmt.Errorf("factor: %w", err)
	}
	state := stateOf(f.want(person, f.Now()), there, Kind(last.LastFactor))
	if state.Held, err = f.RemovedLately(ctx, person.AccountID); err != nil {
		return State{}, err
	}
	state.Enrol = slices.DeleteFunc(slices.Clone(state.Enrol), func(k Kind) bool { return state.Held || k == SMS })
	if person.FirstNumber && state.Allows(SMS) && !person.Strong && !state.Held {
		state.Enrol = append(state.Enrol, SMS)
	}
	return state, nil
}

// want is what the policy wants of a person, as far as this portal can do it.
func (f *Factors) want(person Person, now time.Time) Want {
	want := f.Policy.For(person, now)
	if f.keys == nil {
		noKey := func(kinds []Kind) []Kind {
			return slices.DeleteFunc(slices.Clone(kinds), func(k Kind) bool { return k == Key })
		}
		want.Allowed, want.Then = noKey(want.Allowed), noKey(want.Then)
	}
	return want
}

// stateOf is a person's of whom is known what there is. What was used last comes
// first: people stay with what they have at hand.
func stateOf(want Want, there map[Kind]bool, last Kind) State {
	state := State{Want: want}
	for _, kind := range []Kind{last, Key, App, SMS, Mail, Backup} {
		switch {
		case !there[kind] || slices.Contains(state.Has, kind) || slices.Contains(state.Waits, kind):
		case state.Allows(kind):
			state.Has = append(state.Has, kind)
		case slices.Contains(state.Then, kind):
			state.Waits = append(state.Waits, kind)
		}
	}
	switch {
	case len(state.Has) > 0:
	case state.Need == Voluntary: // better than the password alone
		state.Allowed = slices.Concat(state.Allowed, state.Waits)
		state.Has, state.Waits = state.Waits, nil
	case state.Need == Required: // now, not from some day on
		state.From, state.Then = time.Time{}, nil
	}
	return state
}

// there are the kinds that a person could be asked for, were they all allowed.
// Backup codes stand in for something else, and are never the first question.
func (f *Factors) there(ctx context.Context, person Person) (map[Kind]bool, error) {
	there := map[Kind]bool{SMS: person.Number, Mail: person.Mail}
	own, err := f.Store.Factors(ctx, person.AccountID)
	if err != nil {
		return nil, fmt.Errorf("factor: %w", err)
	}
	for _, one := range own {
		there[Kind(one.Kind)] = true
	}
	left, _, err := f.Store.FactorCodesLeft(ctx, person.AccountID, string(Backup), f.Now())
	if err != nil {
		return nil, fmt.Errorf("factor: %w", err)
	}
	there[Backup] = left > 0
	return there, nil
}

// Status is what helpdesk and the administrators see of a person's factors.
type Status struct {
	State
	Factors     []Factor
	Devices     []store.Device
	BackupLeft  int
	BackupMade  time.Time // zero: never
	BypassUntil time.Time // zero: no bypass code is out
}

// Factor is an app or a key, as it is shown.
type Factor struct {
	ID      string
	Kind    Kind
	Name    string
	AddedAt time.Time
	UsedAt  time.Time // zero: not yet
}

// Status is everything about a person's factors that may be shown.
func (f *Factors) Status(ctx context.Context, person Person) (Status, error) {
	state, err := f.State(ctx, person)
	if err != nil {
		return Status{}, err
	}
	status := Status{State: state}
	own, err := f.Store.Factors(ctx, person.AccountID)
	if err != nil {
		return Status{}, fmt.Errorf("factor: %w", err)
	}
	for _, one := range own {
		status.Factors = append(status.Factors, Factor{one.ID, Kind(one.Kind), one.Name, one.AddedAt, one.UsedAt})
	}
	now := f.Now()
	if status.Devices, err = f.Store.Devices(ctx, person.AccountID, now); err != nil {
		return Status{}, fmt.Errorf("factor: %w", err)
	}
	if status.BackupLeft, status.BackupMade, err = f.Store.FactorCodesLeft(ctx, person.AccountID, string(Backup), now); err != nil {
		return Status{}, fmt.Errorf("factor: %w", err)
	}
	if status.BypassUntil, err = f.bypassUntil(ctx, person.AccountID); err != nil {
		return Status{}, err
	}
	return status, nil
}

// Remove takes an app or a key away; remembered devices are forgotten, since
// they stood on it. traceOf makes the trace of it, of NewsRemoved. ErrNotFound.
func (f *Factors) Remove(ctx context.Context, accountID, id string, traceOf func(Factor) (store.Trace, error)) (Factor, error) {
	return f.remove(ctx, accountID, id, traceOf, func(trace store.Trace) error {
		_, err := f.Store.RemoveFactor(ctx, accountID, id, trace)
		return err
	})
}

// RemoveBy is Remove by an agent of helpdesk: it is remembered (IssueBypassUnseen,
// RemovedLately), and bypass codes that are out are void.
func (f *Factors) RemoveBy(ctx context.Context, accountID, id, agent string, traceOf func(Factor) (store.Trace, error)) (Factor, error) {
	return f.remove(ctx, accountID, id, traceOf, func(trace store.Trace) error {
		_, err := f.Store.RemoveFactorBy(ctx, accountID, id, agent, f.Now(), trace)
		return err
	})
}

func (f *Factors) remove(ctx context.Context, accountID, id string, traceOf func(Factor) (store.Trace, error), drop func(store.Trace) error) (Factor, error) {
	own, err := f.Store.Factors(ctx, accountID)
	if err != nil {
		return Factor{}, fmt.Errorf("factor: remove: %w", err)
	}
	i := slices.IndexFunc(own, func(one store.Factor) bool { return one.ID == id })
	if i < 0 {
		return Factor{}, ErrNotFound
	}
	removed := Factor{own[i].ID, Kind(own[i].Kind), own[i].Name, own[i].AddedAt, own[i].UsedAt}
	trace, err := traceOf(removed)
	if err != nil {
		return Factor{}, err
	}
	if err := drop(trace); err != nil {
		return Factor{}, fmt.Errorf("factor: remove: %w", err)
	}
	return removed, nil
}

// RemovedLately tells whether helpdesk has removed a factor of an account within
// Hold.
func (f *Factors) RemovedLately(ctx context.Context, accountID string) (bool, error) {
	removed, err := f.Store.FactorRemoved(ctx, accountID, f.Now().Add(-f.Hold))
	if err != nil {
		return false, fmt.Errorf("factor: %w", err)
	}
	return removed, nil
}

// Changed is called where something has changed that a remembered device stands
// on and that is not a factor of this package: the password, the number.
func (f *Factors) Changed(ctx context.Context, accountID string) error {
	_, err := f.Store.ForgetDevices(ctx, accountID, "")
	if err != nil {
		return fmt.Errorf("factor: %w", err)
	}
	return nil
}
