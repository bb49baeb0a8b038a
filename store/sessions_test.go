package store

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func someSession(id string, at time.Time) Session {
	return Session{ID: id, Step: "code", AccountID: "anna", Account: []byte(`{"Name":"anna"}`), Sealed: []byte{0, 1, 255},
		Challenge: "c1", Return: "m5", Address: "192.0.2.1", UserAgent: "Firefox", CreatedAt: at, SeenAt: at, ExpiresAt: at.Add(time.Hour)}
}

func create(t testing.TB, s *Store, session Session) {
	t.Helper()
	if err := s.CreateSession(t.Context(), session, "hash-"+session.ID); err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, s *Store, id string) Session {
	t.Helper()
	session, err := s.FindSession(t.Context(), id, "hash-"+id)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func TestFindSession(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	want := someSession("a", clock.now())
	create(t, s, want)
	if diff := cmp.Diff(want, find(t, s, "a")); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	for _, test := range []struct{ name, id, hash string }{
		{"wrong secret", "a", "hash-b"},
		{"no secret", "a", ""},
		{"no such id", "b", "hash-a"},
		{"no id", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			session, err := s.FindSession(t.Context(), test.id, test.hash)
			if !errors.Is(err, ErrNotFound) || session.ID != "" {
				t.Errorf("got %+v, %v; want ErrNotFound", session, err)
			}
		})
	}
	if err := s.CreateSession(t.Context(), want, "other"); err == nil || errors.Is(err, ErrUnavailable) {
		t.Errorf("the same id twice gives %v", err)
	}
}

func TestStepUp(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	create(t, s, someSession("a", clock.now()))
	next := someSession("a", clock.now())
	next.Step, next.Challenge, next.Sealed, next.Return = "ready", "", nil, ""
	next.Account, next.SeenAt, next.ExpiresAt = []byte(`{}`), clock.now().Add(time.Minute), clock.now().Add(12*time.Hour)

	var group sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		group.Go(func() { errs[i] = s.StepUp(t.Context(), "a", "code", next, fmt.Sprint("hash", i)) })
	}
	group.Wait()
	winner := slices.Index(errs, nil)
	if winner < 0 {
		t.Fatal("nobody got through:", errs)
	}
	for i, err := range errs {
		if i != winner && !errors.Is(err, ErrNotFound) {
			t.Errorf("request %d got %v, want ErrNotFound", i, err)
		}
	}
	if _, err := s.FindSession(t.Context(), "a", "hash-a"); !errors.Is(err, ErrNotFound) {
		t.Error("the old secret is still good")
	}
	got, err := s.FindSession(t.Context(), "a", fmt.Sprint("hash", winner))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(next, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNothingRevivesASession(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(*testing.T, *Store, *clock)
	}{
		{"ended", func(t *testing.T, s *Store, _ *clock) {
			if ended, err := s.EndSession(t.Context(), "a", "logout"); !ended || err != nil {
				t.Fatal(ended, err)
			}
		}},
		{"past its time", func(_ *testing.T, _ *Store, c *clock) { c.forward(time.Hour) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := newClock()
			s := openNew(t, clock.now)
			create(t, s, someSession("a", clock.now()))
			test.end(t, s, clock)
			before := find(t, s, "a")
			if err := s.Touch(t.Context(), "a", clock.now().Add(time.Minute)); !errors.Is(err, ErrNotFound) {
				t.Errorf("Touch says %v", err)
			}
			if err := s.StepUp(t.Context(), "a", "code", someSession("a", clock.now()), "hash-a"); !errors.Is(err, ErrNotFound) {
				t.Errorf("StepUp says %v", err)
			}
			if diff := cmp.Diff(before, find(t, s, "a")); diff != "" {
				t.Errorf("it changed:\n%s", diff)
			}
		})
	}
}

func TestTouchNeverGoesBack(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	create(t, s, someSession("a", clock.now()))
	want := clock.now().Add(time.Minute)
	for _, at := range []time.Time{want, clock.now()} {
		if err := s.Touch(t.Context(), "a", at); err != nil {
			t.Fatal(err)
		}
	}
	if got := find(t, s, "a").SeenAt; !got.Equal(want) {
		t.Errorf("seen at %v, want %v", got, want)
	}
}

func TestEndSession(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	create(t, s, someSession("a", clock.now()))
	for i, want := range []bool{true, false} {
		ended, err := s.EndSession(t.Context(), "a", []string{"logout", "idle"}[i])
		if ended != want || err != nil {
			t.Errorf("call %d: %v, %v; want %v", i, ended, err, want)
		}
	}
	got := find(t, s, "a")
	if got.EndReason != "logout" || got.Sealed != nil || !got.EndedAt.Equal(clock.now()) {
		t.Errorf("after the end: %+v", got)
	}
}

func TestEndSessionsOf(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	for _, id := range []string{"a", "b", "c"} {
		create(t, s, someSession(id, clock.now()))
	}
	other := someSession("d", clock.now())
	other.AccountID = "bertil"
	create(t, s, other)
	ended, err := s.EndSessionsOf(t.Context(), "anna", "b", "password-changed")
	slices.Sort(ended)
	if diff := cmp.Diff([]string{"a", "c"}, ended); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if find(t, s, "b").EndReason != "" || find(t, s, "d").EndReason != "" {
		t.Error("a session was ended that should live")
	}
	if got := find(t, s, "a"); got.EndReason != "password-changed" || got.Sealed != nil {
		t.Errorf("after the end: %+v", got)
	}
}

func TestEndSessionsUntil(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	begun := clock.now()
	create(t, s, someSession("before", begun))
	other := someSession("other", begun)
	other.AccountID = "bertil"
	create(t, s, other)
	clock.forward(time.Second)
	create(t, s, someSession("after", clock.now()))
	for _, want := range [][]string{{"before"}, nil} {
		ended, err := s.EndSessionsUntil(t.Context(), "anna", begun, "revoked")
		if diff := cmp.Diff(want, ended); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
	if find(t, s, "after").EndReason != "" || find(t, s, "other").EndReason != "" {
		t.Error("a session was ended that should live")
	}
}

func TestEndOldestSessions(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	for _, id := range []string{"a", "b", "c", "d"} {
		session := someSession(id, clock.now())
		session.Step = "ready"
		create(t, s, session)
		clock.forward(time.Second)
	}
	create(t, s, someSession("pre", clock.now()))
	if ended, err := s.EndSession(t.Context(), "d", "logout"); !ended || err != nil {
		t.Fatal(ended, err)
	}
	for _, test := range []struct {
		keep int
		want []string
	}{{3, nil}, {2, []string{"a"}}, {0, []string{"b", "c"}}} {
		ended, err := s.EndOldestSessions(t.Context(), "anna", "ready", test.keep, "replaced")
		slices.Sort(ended)
		if diff := cmp.Diff(test.want, ended); diff != "" || err != nil {
			t.Errorf("keep %d: %s %v", test.keep, diff, err)
		}
	}
	if find(t, s, "pre").EndReason != "" || find(t, s, "d").EndReason != "logout" {
		t.Error("a session of another step, or an ended one, was touched")
	}
}

func TestExpireAndGone(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	for id, change := range map[string]func(*Session){
		"live":     func(*Session) {},
		"idle":     func(x *Session) { x.SeenAt = clock.now().Add(-15 * time.Minute) },
		"absolute": func(x *Session) { x.ExpiresAt = clock.now() },
		"both":     func(x *Session) { x.ExpiresAt, x.SeenAt = clock.now(), clock.now().Add(-time.Hour) },
		"ended":    func(x *Session) { x.EndedAt, x.EndReason = clock.now(), "revoked" },
		"waiting":  func(x *Session) { x.Step, x.SeenAt = "code", clock.now().Add(-time.Hour) },
	} {
		session := someSession(id, clock.now())
		session.Step = "ready"
		change(&session)
		create(t, s, session)
	}
	ids := []string{"live", "idle", "absolute", "both", "ended", "waiting", "missing"}
	gone, err := s.Gone(t.Context(), ids)
	want := map[string]string{"absolute": "absolute", "both": "absolute", "ended": "revoked", "missing": ""}
	if diff := cmp.Diff(want, gone); diff != "" || err != nil {
		t.Errorf("before Expire: %s %v", diff, err)
	}
	ended, err := s.Expire(t.Context(), "ready", clock.now().Add(-15*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, e := range ended {
		reasons[e.ID] = e.EndReason
		if e.AccountID != "anna" || len(e.Account) == 0 {
			t.Errorf("ended without its account: %+v", e)
		}
	}
	if diff := cmp.Diff(map[string]string{"idle": "idle", "absolute": "absolute", "both": "absolute"}, reasons); diff != "" {
		t.Errorf("ended: %s", diff)
	}
	want["idle"] = "idle"
	gone, err = s.Gone(t.Context(), ids)
	if diff := cmp.Diff(want, gone); diff != "" || err != nil {
		t.Errorf("after Expire: %s %v", diff, err)
	}
	if find(t, s, "idle").Sealed != nil || find(t, s, "live").Sealed == nil {
		t.Error("what is sealed goes with the session, and only then")
	}
}

func TestGoneOfMany(t *testing.T) {
	s := openNew(t, time.Now)
	create(t, s, someSession("live", time.Now()))
	ids := []string{"live"}
	for i := range 1000 {
		ids = append(ids, fmt.Sprint("missing", i))
	}
	for _, ids := range [][]string{nil, ids[:1], ids[1:], ids} {
		gone, err := s.Gone(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		want := len(ids)
		if slices.Contains(ids, "live") {
			want--
		}
		if len(gone) != want {
			t.Errorf("%d of %d gone, want %d", len(gone), len(ids), want)
		}
	}
}

func TestUpdateAccountAndWipeSealed(t *testing.T) {
	s := openNew(t, time.Now)
	create(t, s, someSession("a", time.Now()))
	becomes := func(text string) func([]byte) ([]byte, error) {
		return func([]byte) ([]byte, error) { return []byte(text), nil }
	}
	if err := s.UpdateAccount(t.Context(), "a", becomes("{}")); err != nil {
		t.Fatal(err)
	}
	unfit := errors.New("unfit")
	if err := s.UpdateAccount(t.Context(), "a", func([]byte) ([]byte, error) { return []byte("x"), unfit }); !errors.Is(err, unfit) || errors.Is(err, ErrUnavailable) {
		t.Errorf("a change that could not be made: %v", err)
	}
	if err := s.WipeSealed(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got := find(t, s, "a"); string(got.Account) != "{}" || got.Sealed != nil {
		t.Errorf("got %+v", got)
	}
	if err := s.UpdateAccount(t.Context(), "b", becomes("{}")); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown session: %v", err)
	}
	if _, err := s.EndSession(t.Context(), "a", "logout"); err != nil {
		t.Fatal(err)
	}
	if err := s.UpdateAccount(t.Context(), "a", becomes("x")); !errors.Is(err, ErrNotFound) {
		t.Errorf("ended session: %v", err)
	}
}

// Each change of an account starts from what the one before it left.
func TestUpdateAccountLosesNothing(t *testing.T) {
	s := openNew(t, time.Now)
	create(t, s, someSession("a", time.Now()))
	before := len(find(t, s, "a").Account)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			err := s.UpdateAccount(t.Context(), "a", func(row []byte) ([]byte, error) { return append(row, 'x'), nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := find(t, s, "a"); len(got.Account) != before+20 {
		t.Errorf("after 20 changes: %s", got.Account)
	}
}

func TestPurge(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	create(t, s, someSession("live", clock.now()))
	create(t, s, someSession("ended", clock.now()))
	if _, err := s.EndSession(t.Context(), "ended", "logout"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Take(t.Context(), "key", 1, time.Minute); err != nil {
		t.Fatal(err)
	}
	challenge := Challenge{ID: "c", SessionID: "live", CreatedAt: clock.now(), ExpiresAt: clock.now().Add(time.Minute)}
	if _, err := s.OpenChallenge(t.Context(), challenge, 0, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ClaimSend(t.Context(), Send{ID: "m", At: clock.now()}, SendLimits{PerPrefix: -1, Total: -1}); err != nil {
		t.Fatal(err)
	}
	rows := func() map[string]int {
		counts := map[string]int{}
		for _, table := range []string{"sessions", "throttle", "code_challenges", "code_sends"} {
			var n int
			if err := s.read.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
				t.Fatal(err)
			}
			counts[table] = n
		}
		return counts
	}
	for _, step := range []struct {
		forward time.Duration
		want    map[string]int
	}{
		{30 * time.Second, map[string]int{"sessions": 2, "throttle": 1, "code_challenges": 1, "code_sends": 1}},
		{30 * time.Second, map[string]int{"sessions": 2, "throttle": 0, "code_challenges": 1, "code_sends": 1}},
		{24 * time.Hour, map[string]int{"sessions": 1, "throttle": 0, "code_challenges": 0, "code_sends": 1}},
		{6 * 24 * time.Hour, map[string]int{"sessions": 1, "throttle": 0, "code_challenges": 0, "code_sends": 0}},
	} {
		clock.forward(step.forward)
		if err := s.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, rows()); diff != "" {
			t.Errorf("%v on: %s", step.forward, diff)
		}
	}
}

func BenchmarkFindSession(b *testing.B) {
	s := openNew(b, time.Now)
	session := someSession("a", time.Now())
	session.Account = make([]byte, 4096)
	create(b, s, session)
	for b.Loop() {
		if _, err := s.FindSession(b.Context(), "a", "hash-a"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendEvent(b *testing.B) {
	s := openNew(b, time.Now)
	for b.Loop() {
		if _, err := s.AppendEvent(b.Context(), Event{Kind: "login", Name: `AMIDO\anna`}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGone200(b *testing.B) {
	s := openNew(b, time.Now)
	ids := make([]string, 200)
	for i := range ids {
		ids[i] = fmt.Sprint("session", i)
	}
	for b.Loop() {
		if _, err := s.Gone(b.Context(), ids); err != nil {
			b.Fatal(err)
		}
	}
}
