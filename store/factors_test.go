package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// factorChanges are the changes of somebody's factors, each made on an account
// that has one of everything.
var factorChanges = map[string]func(context.Context, *Store, Trace) error{
	"add factor": func(ctx context.Context, s *Store, trace Trace) error {
		_, err := s.AddFactor(ctx, Factor{ID: "second", AccountID: "anna", Kind: "app", AddedAt: s.now()}, 3, trace)
		return err
	},
	"remove factor": func(ctx context.Context, s *Store, trace Trace) error {
		_, err := s.RemoveFactor(ctx, "anna", "first", trace)
		return err
	},
	"new backup codes": func(ctx context.Context, s *Store, trace Trace) error {
		return s.PutFactorCodes(ctx, "anna", "backup", []FactorCode{{Hash: "new"}}, s.now(), trace)
	},
	"issue bypass code": func(ctx context.Context, s *Store, trace Trace) error {
		return s.PutFactorCodes(ctx, "anna", "bypass", []FactorCode{{Hash: "b", ExpiresAt: s.now().Add(time.Hour)}}, s.now(), trace)
	},
	"use code": func(ctx context.Context, s *Store, trace Trace) error {
		return s.UseFactorCode(ctx, "anna", "backup", "old", s.now(), trace)
	},
	"remember device": func(ctx context.Context, s *Store, trace Trace) error {
		return s.AddDevice(ctx, Device{ID: "another", AccountID: "anna", CreatedAt: s.now(), ExpiresAt: s.now().Add(time.Hour)}, 10, trace)
	},
	"forget devices": func(ctx context.Context, s *Store, trace Trace) error {
		_, err := s.RevokeDevices(ctx, "anna", "", trace)
		return err
	},
}

// withFactors is a database where anna has one of everything.
func withFactors(t *testing.T) *Store {
	t.Helper()
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	s := open(t, filepath.Join(t.TempDir(), "stagedoor.db"), func() time.Time { return now })
	ctx := t.Context()
	if _, err := s.AddFactor(ctx, Factor{ID: "first", AccountID: "anna", Kind: "app", AddedAt: now}, 3, Trace{}); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		s.PutFactorCodes(ctx, "anna", "backup", []FactorCode{{Hash: "old"}}, now, Trace{}),
		s.AddDevice(ctx, Device{ID: "device", AccountID: "anna", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}, 10, Trace{}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// factorState is all that a change of anna's factors could have changed.
func factorState(t *testing.T, s *Store) string {
	t.Helper()
	ctx := t.Context()
	factors, err1 := s.Factors(ctx, "anna")
	devices, err2 := s.Devices(ctx, "anna", s.now())
	events, err3 := s.Events(ctx, EventFilter{})
	codes, err4 := s.read.strings(ctx, `SELECT kind || ' ' || hash || ' ' || used_at FROM factor_codes ORDER BY kind, hash`)
	notices, err5 := s.read.strings(ctx, `SELECT channel || ' ' || recipient FROM notices ORDER BY channel`)
	_, err6 := s.VerifyEvents(ctx)
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(factors, devices, codes, len(events), notices)
}

// traceOf is an event and two notices, as every change leaves them.
func traceOf(s *Store, perDay int) Trace {
	notice := func(channel, to string) Notice {
		return Notice{ID: channel, AccountID: "anna", Channel: channel, Recipient: to, At: s.now(), ExpiresAt: s.now().Add(time.Hour)}
	}
	return Trace{Event: Event{Kind: "factor-add", Result: "ok", AccountID: "anna"},
		Notices: []Notice{notice("sms", "+46701740605"), notice("mail", "anna@amido.example")},
		Limits:  toldAtMost(perDay)}
}

func toldAtMost(perDay int) NoticeLimits { return NoticeLimits{PerDay: perDay} }

// A change of factors, its event and its notices are all there, or none of them:
// whichever of the writes fails.
func TestFactorChangesWhole(t *testing.T) {
	for name, change := range factorChanges {
		for _, fails := range []string{"", "audit_events", "audit_head", "notices"} {
			t.Run(name+" "+fails, func(t *testing.T) {
				s := withFactors(t)
				if fails != "" {
					act := "INSERT"
					if fails == "audit_head" {
						act = "UPDATE"
					}
					_, err := s.write.db.ExecContext(t.Context(), `CREATE TRIGGER broken BEFORE `+act+` ON `+fails+` BEGIN SELECT RAISE(ABORT, 'no room'); END`)
					if err != nil {
						t.Fatal(err)
					}
				}
				before := factorState(t, s)
				trace, heard := traceOf(s, 10), 0
				trace.Done = func(e Event, untold bool) {
					if heard++; e.Hash == "" || untold {
						t.Errorf("written: %+v, untold %v", e, untold)
					}
				}
				err := change(t.Context(), s, trace)
				after := factorState(t, s)
				if fails == "" {
					if err != nil || after == before || heard != 1 {
						t.Errorf("%v, changed %v, heard %d times", err, after != before, heard)
					}
					return
				}
				if err == nil || after != before || heard != 0 {
					t.Errorf("%v; heard %d times\n before %s\n after  %s", err, heard, before, after)
				}
			})
		}
	}
}

// Whose person cannot be told is refused, and changes nothing; but what may go
// on untold does, and tells by the ways that are left.
func TestFactorChangesUntold(t *testing.T) {
	for name, change := range factorChanges {
		t.Run(name, func(t *testing.T) {
			s := withFactors(t)
			full := traceOf(s, 10).Notices[:1]
			full[0].ID = "before"
			if err := s.QueueNotices(t.Context(), full, toldAtMost(1)); err != nil {
				t.Fatal(err)
			}
			before := factorState(t, s)
			trace := traceOf(s, 1)
			if err := change(t.Context(), s, trace); !errors.Is(err, ErrTooManyNotices) || factorState(t, s) != before {
				t.Errorf("%v\n before %s\n after  %s", err, before, factorState(t, s))
			}
			untold := false
			trace.EvenUntold, trace.Done = true, func(_ Event, is bool) { untold = is }
			if err := change(t.Context(), s, trace); err != nil || !untold {
				t.Errorf("even untold: %v, %v", err, untold)
			}
			queued, err := s.read.strings(t.Context(), `SELECT channel FROM notices ORDER BY channel`)
			if err != nil || fmt.Sprint(queued) != "[mail sms]" {
				t.Errorf("queued %v, %v", queued, err)
			}
		})
	}
}

// A full account is refused whole as well, and nothing is told.
func TestFullLeavesNoTrace(t *testing.T) {
	s := withFactors(t)
	before := factorState(t, s)
	added, err := s.AddFactor(t.Context(), Factor{ID: "second", AccountID: "anna", Kind: "app"}, 1, traceOf(s, 10))
	if added || err != nil || factorState(t, s) != before {
		t.Errorf("%v, %v: %s", added, err, factorState(t, s))
	}
	if _, err := s.RevokeDevices(t.Context(), "bertil", "", traceOf(s, 10)); !errors.Is(err, ErrNotFound) || factorState(t, s) != before {
		t.Errorf("%v: %s", err, factorState(t, s))
	}
}

// A change of factors forgets the devices that stood on them.
func TestFactorsForgetDevices(t *testing.T) {
	for _, name := range []string{"add factor", "remove factor"} {
		s := withFactors(t)
		if err := factorChanges[name](t.Context(), s, Trace{}); err != nil {
			t.Fatal(err)
		}
		if devices, err := s.Devices(t.Context(), "anna", s.now()); err != nil || len(devices) != 0 {
			t.Errorf("%s: %v, %v", name, devices, err)
		}
	}
}
