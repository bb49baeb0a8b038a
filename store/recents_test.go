package store

import (
	"slices"
	"testing"
	"time"
)

func TestRecents(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	use := func(account string, targets ...string) {
		t.Helper()
		for _, target := range targets {
			clock.forward(time.Second)
			if err := s.NoteUse(t.Context(), account, target); err != nil {
				t.Fatal(err)
			}
		}
	}
	lately := func(account string, max int, want ...string) {
		t.Helper()
		if got, err := s.Recents(t.Context(), account, max); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", account, got, err, want)
		}
	}
	lately("anna", 4)
	use("anna", "a", "b", "a", "c")
	use("bo", "d")
	lately("anna", 4, "c", "a", "b")
	lately("anna", 2, "c", "a")
	lately("bo", 4, "d")
	clock.forward(keepRecents - 1500*time.Millisecond) // a is older than 90 days now, c is not
	lately("anna", 4, "c")
	if err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := s.PurgeRecents(t.Context(), clock.now()); n != 2 || err != nil {
		t.Errorf("%d rows were left of those that still count, %v; want 2", n, err)
	}
}
