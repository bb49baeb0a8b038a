package gateway

import (
	"testing"
	"time"
)

// "Tomorrow" is after one midnight, in the portal's own zone, however few hours
// or, where the clocks change, many.
func TestDaysBetween(t *testing.T) {
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		from, to string
		want     int
	}{
		{"in an hour", "2026-11-21 20:00", "2026-11-21 21:00", 0},
		{"tonight's midnight", "2026-11-21 23:59", "2026-11-22 00:00", 1},
		{"tomorrow evening", "2026-11-21 08:00", "2026-11-22 20:00", 1},
		{"the day after, early", "2026-11-21 23:00", "2026-11-23 01:00", 2},
		{"over the short night", "2026-03-28 23:30", "2026-03-30 00:30", 2},
		{"over the long night", "2026-10-24 00:30", "2026-10-25 23:30", 1},
		{"over", "2026-11-21 08:00", "2026-11-20 20:00", -1},
	} {
		from, _ := time.ParseInLocation("2006-01-02 15:04", test.from, stockholm)
		to, _ := time.ParseInLocation("2006-01-02 15:04", test.to, stockholm)
		if got := daysBetween(from, to); got != test.want {
			t.Errorf("%s: %d days, want %d", test.name, got, test.want)
		}
	}
}
