package tunnel

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestDue walks through the limits of a desktop at second resolution.
func TestDue(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		name  string
		set   func(*watch, *heard)
		after time.Duration // when it must be over
		end   *ending
	}{
		{"browser answers no ping", func(w *watch, _ *heard) { w.browserHeard.Store(int64(100 * s)) }, 160 * s, endBrowserTimeout},
		{"guacd silent", func(w *watch, _ *heard) { w.waitingSince.Store(int64(100 * s)) }, 115 * s, endGuacdSilent},
		{"no picture", func(w *watch, _ *heard) { w.ready.Store(int64(100 * s)) }, 130 * s, endNoFirstFrame},
		{"nobody answers", func(w *watch, h *heard) {
			w.ready.Store(int64(99 * s))
			h.require([]string{"password"})
		}, 400 * s, endUnanswered},
		{"no picture after the answer", func(w *watch, h *heard) {
			w.ready.Store(int64(50 * s))
			h.require([]string{"password"})
			h.answer("password")
		}, 130 * s, endNoFirstFrame},
		{"picture", func(w *watch, _ *heard) {
			w.ready.Store(int64(1 * s))
			w.framed.Store(true)
		}, 0, nil},
		{"busy with guacd's pictures", func(w *watch, _ *heard) { w.waitingSince.Store(0) }, 0, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := &heard{now: func() time.Duration { return 100 * s }}
			w := &watch{silence: 15 * s, nextNop: 1000 * s, nextPing: 1000 * s}
			w.firstFrame.Store(int64(30 * s))
			w.browserHeard.Store(int64(900 * s))
			test.set(w, h)
			for now := 100 * s; now < 900*s; now += s {
				next, over := w.due(now, h)
				switch {
				case over != nil && (now != test.after || over != test.end):
					t.Fatalf("at %v: %v, want %v at %v", now, over, test.end, test.after)
				case over != nil:
					return
				case test.end != nil && next > test.after:
					t.Fatalf("at %v the next look is at %v, too late for %v", now, next, test.after)
				}
			}
			if test.end != nil {
				t.Fatalf("never over, want %v at %v", test.end, test.after)
			}
		})
	}
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := pace{now: func() time.Duration { return time.Since(start) }}
		if err := p.wait(t.Context(), 2000); err != nil || time.Since(start) != 0 {
			t.Fatalf("the burst took %v, %v", time.Since(start), err)
		}
		for range 5 {
			p.wait(t.Context(), 1000)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("5,000 instructions after the burst took %v", took)
		}
		time.Sleep(time.Minute) // in the bubble's clock
		rested := time.Now()
		p.wait(t.Context(), 2000)
		if took := time.Since(rested); took != 0 {
			t.Errorf("the burst after a minute's rest took %v", took)
		}
	})
}
