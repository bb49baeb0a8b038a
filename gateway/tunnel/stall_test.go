package tunnel

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestStall: a slow browser lives, one that takes nothing does not.
func TestStall(t *testing.T) {
	const unknown = -1
	for _, test := range []struct {
		name  string
		taken []int // bytes at each look
		over  int   // the look at which patience ends; 0: it does not
	}{
		{name: "takes nothing", taken: []int{5, 5, 5, 5, 5}, over: 4},
		{name: "took all before this message", taken: []int{9999, 9999, 9999, 9999}, over: 4},
		{name: "takes little", taken: []int{5, 6, 7, 8, 9, 10, 11, 12, 13, 14}},
		{name: "takes little now and then", taken: []int{5, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8}},
		{name: "stops", taken: []int{5, 6, 7, 7, 7, 7, 7}, over: 7},
		{name: "the kernel does not say", taken: []int{unknown, unknown, unknown, unknown}, over: 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			const began = time.Minute
			s := stall{message: 1, taken: 1, known: true} // of a message before this one
			over := 0
			for i, taken := range test.taken {
				now := began + time.Duration(i+1)*stallCheck
				if s.over(now, int64(began), uint64(max(taken, 0)), taken != unknown) {
					over = i + 1
					break
				}
			}
			if over != test.over {
				t.Errorf("patience ended at look %d, want %d", over, test.over)
			}
		})
	}
	// It is looked at for the first time with the next nop.
	if longest := max(nopEvery, stallCheck) + writeTimeout; longest > 15*time.Second {
		t.Errorf("a browser that takes nothing stays for %v", longest)
	}
}

// TestUnreadPicturesAreFew: what a browser does not read stays with guacd,
// which then draws less. guacd's own send buffer is not ours.
func TestUnreadPicturesAreFew(t *testing.T) {
	t.Parallel()
	const guacdsOwn = 128 << 10
	sent := make(chan int, 1)
	guacd := newFakeGuacd(t, func(g *guacdConn) {
		g.Conn.(*net.TCPConn).SetWriteBuffer(guacdsOwn / 2)
		frame := appendInstruction(nil, "sync", "1")
		for range 16 {
			frame = appendInstruction(frame, "name", strings.Repeat("a", 8000))
		}
		g.picture("1")
		var total atomic.Int64
		go func() {
			g.until("disconnect") // from then on the tunnel throws away what comes
			sent <- int(total.Load())
			g.Close()
		}()
		for {
			n, err := g.Write(frame)
			total.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	p := newPortal(t, guacd, Options{Protocol: "rdp"})
	p.open(t) // and never read again
	if end := p.end(t); end.Cause != "browser-stalled" {
		t.Errorf("end %+v", end)
	}
	if total := <-sent; total > 1<<20+guacdsOwn {
		t.Errorf("%d bytes are on their way to a browser that does not read", total)
	} else {
		t.Logf("%d KiB on their way", total>>10)
	}
}
