package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// challengeFor makes a new challenge, also where the session has one.
func challengeFor(t *testing.T, s *Store, id, session string, at time.Time) {
	t.Helper()
	_, err := s.OpenChallenge(t.Context(), Challenge{ID: id, SessionID: session, AccountID: "anna", Phone: "+46701234567",
		CreatedAt: at, ExpiresAt: at.Add(5 * time.Minute)}, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
}

var testTries = TryLimits{PerCode: 5, LockEvery: 10, Lock: 15 * time.Minute, Stop: 100}

func TestTakeTryRefuses(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	challengeFor(t, s, "c", "s", clock.now())
	for _, test := range []struct {
		name, id, session string
		at                time.Time
	}{
		{"another session", "c", "other", clock.now()},
		{"another challenge", "d", "s", clock.now()},
		{"too late", "c", "s", clock.now().Add(5 * time.Minute)},
	} {
		_, _, taken, err := s.TakeTry(t.Context(), test.id, test.session, test.at, testTries)
		if taken || !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v, %v; want ErrNotFound", test.name, taken, err)
		}
	}
	for want := 1; want <= 5; want++ {
		tries, _, taken, err := s.TakeTry(t.Context(), "c", "s", clock.now(), testTries)
		if tries != want || !taken || err != nil {
			t.Errorf("try %d: %d, %v, %v", want, tries, taken, err)
		}
	}
	if _, _, taken, err := s.TakeTry(t.Context(), "c", "s", clock.now(), testTries); taken || !errors.Is(err, ErrNotFound) {
		t.Errorf("a sixth try: %v, %v", taken, err)
	}
	if lock, err := s.CodeLock(t.Context(), "anna"); lock.Wrong != 5 || err != nil {
		t.Errorf("lock is %+v, %v", lock, err)
	}
}

func TestUseChallengeOnce(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	challengeFor(t, s, "c", "s", clock.now())
	if _, _, _, err := s.TakeTry(t.Context(), "c", "s", clock.now(), testTries); err != nil {
		t.Fatal(err)
	}
	if err := s.UseChallenge(t.Context(), "c", "other", clock.now()); !errors.Is(err, ErrNotFound) {
		t.Errorf("another session: %v", err)
	}
	if err := s.UseChallenge(t.Context(), "c", "s", clock.now()); err != nil {
		t.Error(err)
	}
	if err := s.UseChallenge(t.Context(), "c", "s", clock.now()); !errors.Is(err, ErrNotFound) {
		t.Errorf("twice: %v", err)
	}
	if lock, err := s.CodeLock(t.Context(), "anna"); lock.Wrong != 0 || err != nil {
		t.Errorf("lock is %+v, %v", lock, err)
	}
}

func TestNewChallengeEndsTheOldOne(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	challengeFor(t, s, "old", "s", clock.now())
	challengeFor(t, s, "elsewhere", "s2", clock.now())
	clock.forward(time.Minute)
	challengeFor(t, s, "new", "s", clock.now())
	for id, want := range map[string]time.Time{"old": clock.now(), "new": clock.now().Add(5 * time.Minute)} {
		c, err := s.FindChallenge(t.Context(), id, "s")
		if err != nil || !c.ExpiresAt.Equal(want) {
			t.Errorf("%s expires at %v, %v; want %v", id, c.ExpiresAt, err, want)
		}
	}
	if _, _, taken, err := s.TakeTry(t.Context(), "elsewhere", "s2", clock.now(), testTries); !taken || err != nil {
		t.Errorf("another session's code is gone: %v", err)
	}
}

func TestOpenChallengeInParallelIsOne(t *testing.T) {
	s := openNew(t, time.Now)
	ids := make([]string, 8)
	var group sync.WaitGroup
	for i := range ids {
		group.Go(func() {
			c, err := s.OpenChallenge(t.Context(), Challenge{ID: fmt.Sprint(i), SessionID: "s", AccountID: "anna", Phone: "+46701234567",
				CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Minute)}, 0, 5)
			if err != nil {
				t.Error(err)
			}
			ids[i] = c.ID
		})
	}
	group.Wait()
	for _, id := range ids[1:] {
		if id != ids[0] {
			t.Fatalf("several challenges: %v", ids)
		}
	}
}

func TestOpenChallengeAnew(t *testing.T) {
	for _, test := range []struct {
		name string
		done func(*testing.T, *Store, *clock)
		next func(*Challenge)
		want string
	}{
		{"still open", func(*testing.T, *Store, *clock) {}, func(*Challenge) {}, "old"},
		{"used", func(t *testing.T, s *Store, c *clock) {
			if err := s.UseChallenge(t.Context(), "old", "s", c.now()); err != nil {
				t.Fatal(err)
			}
		}, func(*Challenge) {}, "new"},
		{"expired", func(_ *testing.T, _ *Store, c *clock) { c.forward(5 * time.Minute) }, func(*Challenge) {}, "new"},
		{"about to expire", func(_ *testing.T, _ *Store, c *clock) { c.forward(4 * time.Minute) }, func(*Challenge) {}, "new"},
		{"used up", func(t *testing.T, s *Store, c *clock) {
			for range 5 {
				if _, _, _, err := s.TakeTry(t.Context(), "old", "s", c.now(), testTries); err != nil {
					t.Fatal(err)
				}
			}
		}, func(*Challenge) {}, "new"},
		{"another session", func(*testing.T, *Store, *clock) {}, func(c *Challenge) { c.SessionID = "t" }, "new"},
		{"another phone", func(*testing.T, *Store, *clock) {}, func(c *Challenge) { c.Phone = "+46700000000" }, "new"},
		{"another account", func(*testing.T, *Store, *clock) {}, func(c *Challenge) { c.AccountID = "bertil" }, "new"},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := newClock()
			s := openNew(t, clock.now)
			challengeFor(t, s, "old", "s", clock.now())
			test.done(t, s, clock)
			next := Challenge{ID: "new", SessionID: "s", AccountID: "anna", Phone: "+46701234567",
				CreatedAt: clock.now(), ExpiresAt: clock.now().Add(time.Minute)}
			test.next(&next)
			got, err := s.OpenChallenge(t.Context(), next, time.Minute, 5)
			if got.ID != test.want || err != nil {
				t.Errorf("got %q, %v; want %q", got.ID, err, test.want)
			}
		})
	}
}

func TestWrongCodesLockTheAccount(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	limits := testTries
	limits.PerCode = 1000
	var locks []time.Duration
	for wrong := 1; wrong <= 100; wrong++ {
		id := fmt.Sprint("c", wrong)
		challengeFor(t, s, id, id, clock.now())
		_, lock, taken, err := s.TakeTry(t.Context(), id, id, clock.now(), limits)
		if !taken || err != nil || lock.Wrong != wrong {
			t.Fatalf("wrong code %d: %+v, %v, %v", wrong, lock, taken, err)
		}
		if wait := lock.Until.Sub(clock.now()); wait > 0 {
			locks = append(locks, wait)
			clock.forward(wait - time.Millisecond)
			challengeFor(t, s, id+"early", id, clock.now())
			if _, _, taken, err := s.TakeTry(t.Context(), id+"early", id, clock.now(), limits); taken || err != nil {
				t.Fatalf("a try while locked: %v, %v", taken, err)
			}
			clock.forward(time.Millisecond)
		}
	}
	want := []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour,
		8 * time.Hour, 16 * time.Hour, 32 * time.Hour, 64 * time.Hour, 128 * time.Hour}
	if diff := cmp.Diff(want, locks); diff != "" {
		t.Error(diff)
	}
	clock.forward(1000 * time.Hour)
	challengeFor(t, s, "last", "last", clock.now())
	_, lock, taken, err := s.TakeTry(t.Context(), "last", "last", clock.now(), limits)
	if _, blocked := lock.Locked(clock.now(), limits); taken || err != nil || !blocked {
		t.Errorf("after 100 wrong codes: %+v, %v, %v; want blocked for good", lock, taken, err)
	}
	if err := s.ClearCodeLock(t.Context(), "anna"); err != nil {
		t.Fatal(err)
	}
	if _, _, taken, err := s.TakeTry(t.Context(), "last", "last", clock.now(), limits); !taken || err != nil {
		t.Errorf("after helpdesk: %v, %v", taken, err)
	}
}

// claims tells the rule that each message of a person met, "" for sent.
type claim struct {
	after  time.Duration // since the one before
	phone  string
	person string
	want   string
	wait   time.Duration
}

func TestClaimSend(t *testing.T) {
	limits := SendLimits{Cooldowns: []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute}, PerHour: 5, PerDay: 10,
		PerPrefix: 3, PrefixWindow: 10 * time.Minute, Total: 6, TotalWindow: 10 * time.Minute}
	for _, test := range []struct {
		name   string
		claims []claim
	}{
		{"cooldowns grow", []claim{
			{0, "+461", "a", "", 0},
			{0, "+461", "a", "cooldown", 30 * time.Second},
			{30 * time.Second, "+461", "a", "", 0},
			{59 * time.Second, "+461", "a", "cooldown", time.Second},
			{time.Second, "+461", "a", "", 0},
			{60 * time.Second, "+461", "a", "cooldown", 60 * time.Second},
		}},
		{"another account, the same number", []claim{
			{0, "+461", "a", "", 0},
			{0, "+461", "b", "cooldown", 30 * time.Second},
		}},
		{"another number, the same account", []claim{
			{0, "+461", "a", "", 0},
			{0, "+472", "a", "cooldown", 30 * time.Second},
		}},
		{"five an hour", []claim{
			{0, "+461", "a", "", 0},
			{11 * time.Minute, "+461", "a", "", 0},
			{11 * time.Minute, "+461", "a", "", 0},
			{11 * time.Minute, "+461", "a", "", 0},
			{11 * time.Minute, "+461", "a", "", 0},
			{11 * time.Minute, "+461", "a", "hour", 5 * time.Minute},
			{5 * time.Minute, "+461", "a", "", 0},
			{2 * time.Minute, "+461", "a", "hour", 9 * time.Minute},
		}},
		{"ten a day", append(slicesOf(10, claim{30 * time.Minute, "+461", "a", "", 0}),
			claim{30 * time.Minute, "+461", "a", "day", 24*time.Hour - 300*time.Minute},
			claim{24*time.Hour - 300*time.Minute, "+461", "a", "", 0})},
		{"a prefix", []claim{
			{0, "+461", "a", "", 0},
			{time.Minute, "+461", "b", "", 0},
			{time.Minute, "+461", "c", "", 0},
			{time.Minute, "+461", "d", "prefix", 7 * time.Minute},
			{0, "+472", "d", "", 0},
		}},
		{"a country", []claim{
			{0, "+461", "a", "", 0},
			{time.Minute, "+461", "b", "", 0},
			{time.Minute, "+461", "c", "", 0},
			{time.Minute, "+461", "d", "", 0},
			{time.Minute, "+461", "e", "country", 6 * time.Minute},
			{0, "+472", "e", "", 0},
			{6 * time.Minute, "+461", "f", "", 0},
		}},
		{"in all", []claim{
			{0, "1", "a", "", 0}, {0, "2", "b", "", 0}, {0, "3", "c", "", 0}, {0, "4", "d", "", 0}, {0, "5", "e", "", 0}, {0, "6", "f", "", 0},
			{time.Minute, "7", "g", "total", 9 * time.Minute},
			{9 * time.Minute, "7", "g", "", 0},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := newClock()
			s := openNew(t, clock.now)
			limits := limits
			if test.name != "a prefix" {
				limits.PerPrefix = -1
			}
			if test.name == "a country" {
				limits.PerCountry, limits.CountryWindow = 4, 10*time.Minute
			}
			for i, c := range test.claims {
				clock.forward(c.after)
				send := Send{ID: fmt.Sprint(i), AccountID: c.person, Phone: c.phone, Prefix: c.phone, At: clock.now()}
				if test.name == "a prefix" || test.name == "a country" {
					send.Phone, send.Country = c.phone+c.person, c.phone
				}
				next, err := s.NextSend(t.Context(), send, limits)
				if err != nil {
					t.Fatal(err)
				}
				got, err := s.ClaimSend(t.Context(), send, limits)
				if err != nil {
					t.Fatal(err)
				}
				want := SendWait{Rule: c.want}
				if c.want != "" {
					want.Until = clock.now().Add(c.wait)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("claim %d: %s", i, diff)
				}
				if diff := cmp.Diff(got, next); diff != "" {
					t.Errorf("claim %d, NextSend says otherwise: %s", i, diff)
				}
			}
		})
	}
}

func slicesOf(n int, c claim) []claim {
	claims := make([]claim, n)
	for i := range claims {
		claims[i] = c
	}
	return claims
}

func TestFailedSendsCountForTheCooldownOnly(t *testing.T) {
	limits := SendLimits{Cooldowns: []time.Duration{30 * time.Second, time.Minute}, PerHour: 2, PerDay: 2,
		PerPrefix: 2, PrefixWindow: time.Hour, Total: 2, TotalWindow: time.Hour}
	for state, want := range map[SendState]string{SendFailed: "", SendUnsure: "hour", SendSent: "hour"} {
		t.Run(string(state), func(t *testing.T) {
			clock := newClock()
			s := openNew(t, clock.now)
			limits := limits
			if state != SendFailed {
				limits.PerPrefix, limits.Total, limits.PerDay = -1, -1, 0
			}
			for i := range 2 {
				send := Send{ID: fmt.Sprint(i), AccountID: "a", Phone: "p", At: clock.now()}
				wait, err := s.ClaimSend(t.Context(), send, limits)
				if err != nil || wait.Rule != "" {
					t.Fatal(wait, err)
				}
				if err := s.FinishSend(t.Context(), send, SendEnd{State: state, At: clock.now()}); err != nil {
					t.Fatal(err)
				}
				again, err := s.NextSend(t.Context(), send, limits)
				if err != nil || again.Rule == "" {
					t.Errorf("at once after %s: %+v, %v", state, again, err)
				}
				clock.forward(30 * time.Second)
			}
			wait, err := s.NextSend(t.Context(), Send{AccountID: "a", Phone: "p", At: clock.now()}, limits)
			if err != nil || wait.Rule != want {
				t.Errorf("%+v, %v; want rule %q", wait, err, want)
			}
		})
	}
}

// An office's numbers that have proven themselves do not stop each other; the
// limit in all counts them and holds for them.
func TestProvenNumbersPassThePrefixLimit(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	limits := SendLimits{PerPrefix: 1, PrefixWindow: time.Hour, Total: -1}
	challengeFor(t, s, "c", "s", clock.now())
	if err := s.UseChallenge(t.Context(), "c", "s", clock.now()); err != nil {
		t.Fatal(err)
	}
	for i, test := range []struct{ account, phone, want string }{
		{"other", "+46701234500", ""},
		{"other2", "+46701234501", "prefix"},
		{"anna", "+46701234567", ""},
		{"anna", "+46701234568", "prefix"},
		{"other", "+46701234567", "prefix"},
	} {
		wait, err := s.ClaimSend(t.Context(), Send{ID: fmt.Sprint(i), AccountID: test.account, Phone: test.phone, Prefix: "+46701234", At: clock.now()}, limits)
		if err != nil || wait.Rule != test.want {
			t.Errorf("%s at %s: %+v, %v; want %q", test.account, test.phone, wait, err, test.want)
		}
	}
	limits.Total, limits.TotalWindow = 2, time.Hour // which other's and anna's were
	for _, test := range []struct{ account, phone string }{{"anna", "+46701234567"}, {"other3", "+4791234567"}} {
		send := Send{ID: test.account, AccountID: test.account, Phone: test.phone, Prefix: "x", Country: "x", At: clock.now()}
		if wait, err := s.ClaimSend(t.Context(), send, limits); err != nil || wait.Rule != "total" {
			t.Errorf("beyond the limit in all, %s: %+v, %v", test.account, wait, err)
		}
	}
}
