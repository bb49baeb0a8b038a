package store

import (
	"testing"
	"time"
)

// In no 24 hours are there more acts than max, wherever they begin.
func TestTakeAct(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	take := func(agent string, want bool, room time.Duration) {
		t.Helper()
		ok, at, err := s.TakeAct(t.Context(), agent, 3)
		if err != nil || ok != want || !want && !at.Equal(clock.now().Add(room)) {
			t.Errorf("%v until %v, %v; want %v in %v", ok, at, err, want, room)
		}
	}
	left := func(want int) {
		t.Helper()
		if n, err := s.Acts(t.Context(), "hanna"); n != want || err != nil {
			t.Errorf("%d acts count, %v; want %d", n, err, want)
		}
	}
	take("hanna", true, 0) // at 0 h
	clock.forward(23 * time.Hour)
	take("hanna", true, 0) // at 23 h
	take("hanna", true, 0)
	take("hanna", false, time.Hour)
	take("henrik", true, 0)
	left(3)
	clock.forward(time.Hour) // at 24 h: one is over, where a fixed window would let in three
	left(2)
	take("hanna", true, 0)
	take("hanna", false, 23*time.Hour)
	if err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	left(3)
	clock.forward(22*time.Hour + 59*time.Minute)
	take("hanna", false, time.Minute)
	clock.forward(2 * time.Hour)
	left(0)
	if err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	take("hanna", true, 0)
	if ok, at, err := s.TakeAct(t.Context(), "nobody", 0); ok || err != nil || !at.After(clock.now()) {
		t.Errorf("none allowed: %v, %v, %v", ok, at, err)
	}
}
