package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func desktopNamed(id string, clock *clock) LiveDesktop {
	return LiveDesktop{ID: id, SessionID: "s", AccountID: "a", Name: `AMIDO\anna`, Display: "Anna", Target: "m5", TargetName: "R-CARD M5",
		Address: "192.0.2.1", State: DesktopShown, OpenedAt: clock.now(), InputAt: clock.now()}
}

func liveIDs(t *testing.T, s *Store) (found []string) {
	t.Helper()
	desktops, err := s.LiveDesktops(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range desktops {
		found = append(found, d.Node+"/"+d.ID+" "+d.State)
	}
	return found
}

// A node writes what has changed, beats for the rest, and is in doubt when it
// does not: the others' desktops are as they were.
func TestNoteDesktops(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	note := func(node string, changed []LiveDesktop, over ...string) {
		t.Helper()
		if err := s.NoteDesktops(t.Context(), node, changed, over); err != nil {
			t.Fatal(err)
		}
	}
	want := func(ids ...string) {
		t.Helper()
		if diff := cmp.Diff(ids, liveIDs(t, s)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	var many []LiveDesktop
	for i := range 2*liveAtOnce + 1 {
		many = append(many, desktopNamed(fmt.Sprintf("x%03d", i), clock))
	}
	note("big", many)
	if got := len(liveIDs(t, s)); got != len(many) {
		t.Errorf("%d of %d are there", got, len(many))
	}
	if err := s.ForgetNode(t.Context(), "big"); err != nil {
		t.Fatal(err)
	}
	a, b := desktopNamed("a", clock), desktopNamed("b", clock)
	note("one", []LiveDesktop{a})
	note("two", []LiveDesktop{b})
	got, err := s.LiveDesktop(t.Context(), "a")
	a.Node, a.SeenAt = "one", clock.now()
	if diff := cmp.Diff(a, got); err != nil || diff != "" {
		t.Errorf("read back: %v\n%s", err, diff)
	}
	note("two", nil, "a") // another node's
	want("one/a shown", "two/b shown")
	clock.forward(20 * time.Second)
	a.State = DesktopHeld
	note("one", []LiveDesktop{a})
	clock.forward(11 * time.Second)
	want("one/a held", "two/b unknown")
	note("two", nil)
	want("one/a held", "two/b shown")
	clock.forward(nodeGone - 5*time.Second)
	note("one", nil)
	clock.forward(10 * time.Second)
	want("one/a held")
	if _, err := s.LiveDesktop(t.Context(), "b"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a desktop of a node that is gone: %v", err)
	}
	if n, err := s.PurgeDesktops(t.Context(), clock.now()); err != nil || n != 1 {
		t.Errorf("purged %d, %v", n, err)
	}
	note("one", nil, "a")
	want()
}

// An order is given to the node that has the desktop, once, whoever asks.
func TestDesktopOrders(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	order := func(id, desktop string) (string, error) {
		return s.OrderDesktop(t.Context(), DesktopOrder{ID: id, DesktopID: desktop, Kind: OrderMessage, Text: "Hej\x00", By: `AMIDO\hanna`})
	}
	if _, err := order("o0", "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an order about nothing: %v", err)
	}
	if err := s.NoteDesktops(t.Context(), "one", []LiveDesktop{desktopNamed("a", clock)}, nil); err != nil {
		t.Fatal(err)
	}
	if node, err := order("o1", "a"); err != nil || node != "one" {
		t.Errorf("given to %q, %v", node, err)
	}
	if taken, err := s.TakeOrders(t.Context(), "two"); err != nil || len(taken) != 0 {
		t.Errorf("another node took %v, %v", taken, err)
	}
	var mu sync.Mutex
	var taken []DesktopOrder
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			orders, err := s.TakeOrders(t.Context(), "one")
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			taken = append(taken, orders...)
		})
	}
	group.Wait()
	want := []DesktopOrder{{ID: "o1", DesktopID: "a", Kind: OrderMessage, Text: "Hej\ufffd", By: `AMIDO\hanna`, CreatedAt: clock.now()}}
	if diff := cmp.Diff(want, taken); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
	clock.forward(time.Second)
	for range 2 { // the second changes nothing
		if err := s.OrderDone(t.Context(), "o1"); err != nil {
			t.Fatal(err)
		}
		clock.forward(time.Second)
	}
	last, err := s.LastOrders(t.Context(), clock.now().Add(-time.Hour))
	if o := last["a"]; err != nil || !o.DoneAt.Equal(o.CreatedAt.Add(time.Second)) || o.TakenAt.IsZero() {
		t.Errorf("the last order: %+v, %v", o, err)
	}
	clock.forward(nodeGone)
	if _, err := order("o2", "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an order to a node that is gone: %v", err)
	}
}

func TestOpenSessions(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	for _, one := range []struct{ id, account string }{{"s1", "anna"}, {"s2", "bertil"}, {"s3", "anna"}} {
		session := Session{ID: one.id, AccountID: one.account, Step: "ready", Account: []byte("{}"), CreatedAt: clock.now(), ExpiresAt: clock.now().Add(time.Hour)}
		if err := s.CreateSession(t.Context(), session, "h"); err != nil {
			t.Fatal(err)
		}
		clock.forward(time.Minute)
	}
	if _, err := s.EndSession(t.Context(), "s1", "logout"); err != nil {
		t.Fatal(err)
	}
	for account, want := range map[string]string{"": "s3 s2", "anna": "s3", "nobody": ""} {
		sessions, err := s.OpenSessions(t.Context(), account)
		got := ""
		for _, one := range sessions {
			got += " " + one.ID
		}
		if err != nil || got != " "+want && got != want {
			t.Errorf("of %q: %q, %v", account, got, err)
		}
	}
	clock.forward(time.Hour)
	if sessions, err := s.OpenSessions(t.Context(), ""); err != nil || len(sessions) != 0 {
		t.Errorf("past their time: %v, %v", sessions, err)
	}
}
