package store

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestTake(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	take := func(key string, want bool, wantRetry time.Time) {
		t.Helper()
		ok, retry, err := s.Take(t.Context(), key, 2, time.Minute)
		if ok != want || !retry.Equal(wantRetry) || err != nil {
			t.Errorf("%v until %v, %v; want %v until %v", ok, retry, err, want, wantRetry)
		}
	}
	end := clock.now().Add(time.Minute)
	take("a", true, end)
	clock.forward(30 * time.Second)
	take("a", true, end)
	take("a", false, end)
	take("b", true, end.Add(30*time.Second))
	clock.forward(30*time.Second - time.Millisecond)
	take("a", false, end)
	clock.forward(time.Millisecond)
	take("a", true, end.Add(time.Minute))
	if err := s.Clear(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	take("a", true, end.Add(time.Minute))
	take("a", true, end.Add(time.Minute))
	take("a", false, end.Add(time.Minute))
}

func TestTakeOfNothing(t *testing.T) {
	s := openNew(t, time.Now)
	if ok, _, err := s.Take(t.Context(), "a", 0, time.Minute); ok || err != nil {
		t.Errorf("max 0 let one through: %v", err)
	}
}

func TestTakeInParallel(t *testing.T) {
	s := openNew(t, time.Now)
	var taken atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 10 {
				ok, _, err := s.Take(t.Context(), "login:anna", 5, time.Hour)
				if err != nil {
					t.Error(err)
				}
				if ok {
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
