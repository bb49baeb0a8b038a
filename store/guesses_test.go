package store

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// However tries are spread over time and browsers, there are never more than both
// allowances without a pause of a whole window: what a directory would lock the
// account for.
func TestTakeGuess(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	const window = 30 * time.Minute
	own, all := FamiliarKey("anna"), PasswordKey("anna")
	take := func(known bool, wantKey string, wantRetry time.Time) {
		t.Helper()
		key, retry, err := s.TakeGuess(t.Context(), "anna", Guesses{Anywhere: 3, Familiar: 2, Known: known, Window: window})
		if key != wantKey || !retry.Equal(wantRetry) || err != nil {
			t.Errorf("%q until %v, %v; want %q until %v", key, retry, err, wantKey, wantRetry)
		}
	}
	never := time.Time{}
	take(false, all, never)
	clock.forward(29 * time.Minute)
	take(false, all, never)
	clock.forward(2 * time.Minute) // the first one's window would be over
	take(false, all, never)
	clock.forward(10 * time.Minute)
	take(false, "", clock.now().Add(20*time.Minute)) // and puts nothing off
	take(true, own, never)                           // as this does
	take(false, "", clock.now().Add(window))
	clock.forward(29 * time.Minute)
	take(true, own, never)
	take(true, "", clock.now().Add(window)) // everybody's are used up too
	clock.forward(window - time.Millisecond)
	take(true, "", clock.now().Add(time.Millisecond))
	take(false, "", clock.now().Add(time.Millisecond))
	clock.forward(time.Millisecond)
	for range 2 {
		take(true, own, never)
	}
	for range 3 {
		take(true, all, never)
	}
	take(true, "", clock.now().Add(window))
}

// With no allowance of their own, known browsers have everybody's.
func TestTakeGuessOfNothing(t *testing.T) {
	s := openNew(t, time.Now)
	g := Guesses{Anywhere: 1, Known: true, Window: time.Hour}
	for _, want := range []string{PasswordKey("anna"), ""} {
		if key, _, err := s.TakeGuess(t.Context(), "anna", g); key != want || err != nil {
			t.Errorf("%q, %v; want %q", key, err, want)
		}
	}
}

func TestTakeGuessInParallel(t *testing.T) {
	s := openNew(t, time.Now)
	var taken atomic.Int64
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 10 {
				key, _, err := s.TakeGuess(t.Context(), "anna", Guesses{Anywhere: 3, Familiar: 2, Known: i%2 == 0, Window: time.Hour})
				if err != nil {
					t.Error(err)
				}
				if key != "" {
					taken.Add(1)
				}
			}
		})
	}
	group.Wait()
	if n := taken.Load(); n != 5 {
		t.Errorf("%d got through, want 5", n)
	}
}
