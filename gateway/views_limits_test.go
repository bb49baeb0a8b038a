package gateway

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestViewsHaveLimits(t *testing.T) {
	s, now := newViews(), time.Unix(1e9, 0)
	full := make([]byte, viewBytes)
	for i := range viewsInSession + 3 { // one session
		now = now.Add(time.Second)
		s.expect("s", fmt.Sprint(i), now)
		if err := s.put(viewKey{"s", fmt.Sprint(i)}, full, now); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.of) != viewsInSession || s.get("s", "2") != nil || s.get("s", "3") == nil {
		t.Errorf("%d of one session", len(s.of))
	}
	for i := range 2 * viewsInAll / viewBytes { // many sessions
		now = now.Add(time.Second)
		id := fmt.Sprint("other", i)
		s.expect(id, "t", now)
		if err := s.put(viewKey{id, "t"}, full, now); err != nil {
			t.Fatal(err)
		}
		if s.bytes > viewsInAll {
			t.Fatalf("%d bytes", s.bytes)
		}
		if s.get(id, "t") == nil {
			t.Fatal("the newest was dropped")
		}
	}
	if s.get("s", "5") != nil {
		t.Error("the oldest was kept")
	}
	if err := s.put(viewKey{"s", "5"}, full, now); err != nil {
		t.Errorf("a page whose picture was dropped may send another: %v", err)
	}
	if err := s.put(viewKey{"nobody", "t"}, full, now); !errors.Is(err, errNoView) {
		t.Errorf("a session without a desktop: %v", err)
	}
	for _, id := range s.sessions() {
		s.end(id)
	}
	if s.bytes != 0 || len(s.of) != 0 {
		t.Errorf("%d bytes, %d left", s.bytes, len(s.of))
	}
}
