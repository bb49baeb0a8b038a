package store

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// prepared is what a work of several processes finds in the database.
var prepared = map[string]func(context.Context, *Store) error{
	"try": openChallenge, "guess": openChallenge, "factor": openChallenge,
	"step": func(ctx context.Context, s *Store) error {
		_, err := s.AddFactor(ctx, Factor{ID: "app", AccountID: "anna", Kind: "app", AddedAt: time.Now()}, 3, Trace{})
		return err
	},
	"once": func(ctx context.Context, s *Store) error {
		code := FactorCode{Hash: "hash", ExpiresAt: time.Now().Add(time.Hour)}
		return s.PutFactorCodes(ctx, "anna", "bypass", []FactorCode{code}, time.Now(), Trace{})
	},
}

func openChallenge(ctx context.Context, s *Store) error {
	_, err := s.OpenChallenge(ctx, Challenge{ID: "challenge", SessionID: "session", AccountID: "anna",
		CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}, 0, 1000)
	return err
}

// childFactor guesses at codes of an app, at backup and at bypass codes, and by
// turns at the account's codes by SMS: all of it is one row.
func childFactor(ctx context.Context, s *Store) error {
	limits := TryLimits{PerCode: 1000, LockEvery: 10, Lock: time.Hour, Stop: 100}
	var turn atomic.Int64
	return inParallel(4, 5, func() (bool, error) {
		if turn.Add(1)%2 == 0 {
			_, _, taken, err := s.TakeTry(ctx, "challenge", "session", time.Now(), limits)
			return taken, err
		}
		_, taken, err := s.TakeAccountTry(ctx, "anna", time.Now(), limits)
		return taken, err
	})
}

// childStep uses one time step of an app.
func childStep(ctx context.Context, s *Store) error {
	return inParallel(4, 10, func() (bool, error) { return hit(s.UseStep(ctx, "anna", "app", 7, time.Now())) })
}

// childOnce uses one bypass code.
func childOnce(ctx context.Context, s *Store) error {
	return inParallel(4, 10, func() (bool, error) {
		return hit(s.UseFactorCode(ctx, "anna", "bypass", "hash", time.Now(), Trace{}))
	})
}

// hit is whether a statement found its row.
func hit(err error) (bool, error) {
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// childApps adds apps, of which an account may have three.
func childApps(ctx context.Context, s *Store) error {
	return inParallel(4, 5, func() (bool, error) {
		id, err := newEventID(time.Now())
		if err != nil {
			return false, err
		}
		return s.AddFactor(ctx, Factor{ID: id, AccountID: "anna", Kind: "app", AddedAt: time.Now()}, 3,
			Trace{Event: Event{Kind: "factor-add", Result: "ok"}})
	})
}

// childTold issues bypass codes, of which somebody has to be told; id is random.
func childTold(limits NoticeLimits, whom func(id string) string) func(context.Context, *Store) error {
	return func(ctx context.Context, s *Store) error {
		return inParallel(4, 5, func() (bool, error) {
			id, err := newEventID(time.Now())
			if err != nil {
				return false, err
			}
			notice := Notice{ID: id, AccountID: whom(id), Channel: "sms", Recipient: "+46701" + id, At: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}
			trace := Trace{Event: Event{Kind: "bypass", Result: "ok"}, Notices: []Notice{notice}, Limits: limits}
			err = s.PutFactorCodes(ctx, notice.AccountID, "bypass", []FactorCode{{Hash: id}}, time.Now(), trace)
			if errors.Is(err, ErrTooManyNotices) {
				return false, nil
			}
			return err == nil, err
		})
	}
}
