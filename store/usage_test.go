package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestUsage(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	note := func(account, target, from string, shown time.Duration, opened bool) {
		t.Helper()
		begin, err := time.ParseInLocation(time.DateTime, from, stockholm)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.NoteUsage(t.Context(), account, target, begin, begin.Add(shown), opened); err != nil {
			t.Fatal(err)
		}
	}
	note("anna", "ma01", "2026-03-01 08:00:00", time.Hour, true)
	note("anna", "ma01", "2026-03-01 10:00:00", 90*time.Second, false) // came back to it
	note("bo", "ma01", "2026-03-01 23:00:00", 26*time.Hour, true)      // over two midnights
	note("bo", "rcard", "2026-03-02 09:00:00", 0, true)
	note("anna", "ma01", "2026-03-29 00:30:00", 24*time.Hour, true) // the night that has 23 hours

	for _, c := range []struct {
		name  string
		query func() ([]DayUse, error)
		want  []DayUse
	}{
		{"each day", func() ([]DayUse, error) { return s.UsageByDay(t.Context(), "2026-03-01", "2026-03-31", "") }, []DayUse{
			{"2026-03-01", "", Use{2, 3600 + 90 + 3600, 2}},
			{"2026-03-02", "", Use{1, 24 * 3600, 1}},
			{"2026-03-03", "", Use{0, 3600, 1}},
			{"2026-03-29", "", Use{1, 22*3600 + 1800, 1}},
			{"2026-03-30", "", Use{0, 5400, 1}},
		}},
		{"each day of one target", func() ([]DayUse, error) { return s.UsageByDay(t.Context(), "2026-03-01", "2026-03-02", "rcard") }, []DayUse{
			{"2026-03-02", "", Use{1, 0, 1}},
		}},
		{"each target", func() ([]DayUse, error) { return s.UsageByTarget(t.Context(), "2026-03-01", "2026-03-02") }, []DayUse{
			{"", "ma01", Use{2, 3600 + 90 + 25*3600, 2}},
			{"", "rcard", Use{1, 0, 1}},
		}},
		{"each target and day", func() ([]DayUse, error) { return s.UsageByTargetAndDay(t.Context(), "2026-03-02", "2026-03-03", "") }, []DayUse{
			{"2026-03-02", "ma01", Use{0, 24 * 3600, 1}},
			{"2026-03-02", "rcard", Use{1, 0, 1}},
			{"2026-03-03", "ma01", Use{0, 3600, 1}},
		}},
		{"nothing", func() ([]DayUse, error) { return s.UsageByDay(t.Context(), "2025-03-01", "2025-03-31", "") }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.query()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for target, want := range map[string]Use{"": {4, 3600 + 90 + 26*3600 + 24*3600, 2}, "rcard": {1, 0, 1}, "no-such": {}} {
		if got, err := s.UsageOver(t.Context(), "2026-03-01", "2026-03-31", target); err != nil || got != want {
			t.Errorf("%q over all days: %v, %v; want %v", target, got, err, want)
		}
	}
}

func TestUsageIsPurged(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	at := clock.now()
	if err := s.NoteUsage(t.Context(), "anna", "ma01", at, at.Add(time.Hour), true); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		forward time.Duration
		left    int
	}{{keepUsage, 1}, {24 * time.Hour, 0}} {
		clock.forward(step.forward)
		if err := s.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := s.UsageByTarget(t.Context(), "2000-01-01", "2100-01-01"); err != nil || len(got) != step.left {
			t.Errorf("%v later: %v, %v; want %d", step.forward, got, err, step.left)
		}
	}
}

func TestSize(t *testing.T) {
	clock := newClock()
	s := openNew(t, clock.now)
	empty, err := s.Size(t.Context())
	if err != nil || empty.Bytes == 0 || empty.Events != 0 || !empty.Oldest.IsZero() {
		t.Fatalf("a new database: %+v, %v", empty, err)
	}
	first := clock.now()
	for range 3 {
		if _, err := s.AppendEvent(t.Context(), Event{Kind: "login", Result: "ok"}); err != nil {
			t.Fatal(err)
		}
		clock.forward(time.Minute)
	}
	if got, err := s.Size(t.Context()); err != nil || got.Events != 3 || !got.Oldest.Equal(first) || got.Bytes <= empty.Bytes {
		t.Errorf("after three events: %+v, %v", got, err)
	}
}
