package tunnel

import (
	"net"
	"strings"
	"testing"
	"time"
)

// TestStall: a slow browser lives, one that takes nothing does not.
func TestStall(t *testing.T) {
	const unknown = -1
	for _, test := range []struct {
		name  string
		taken []int // bytes at each look
		hurry bool
		over  int // the look at which patience ends; 0: it does not
	}{
		{name: "takes nothing", taken: []int{5, 5, 5, 5, 5}, over: 4},
		{name: "took all before this message", taken: []int{9999, 9999, 9999, 9999}, over: 4},
		{name: "takes little", taken: []int{5, 6, 7, 8, 9, 10, 11, 12, 13, 14}},
		{name: "takes little now and then", taken: []int{5, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8}},
		{name: "stops", taken: []int{5, 6, 7, 7, 7, 7, 7}, over: 7},
		{name: "the kernel does not say", taken: []int{unknown, unknown, unknown, unknown}, over: 4},
		{name: "the desktop is over", taken: []int{5, 6}, hurry: true, over: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			began := time.Now()
			s := stall{moved: began}
			if test.hurry {
				s.hurry()
			}
			over := 0
			for i, taken := range test.taken {
				now := began.Add(time.Duration(i+1) * stallCheck)
				if s.over(now, uint64(max(taken, 0)), taken != unknown) {
					over = i + 1
					break
				}
			}
			if over != test.over {
				t.Errorf("patience ended at look %d, want %d", over, test.over)
			}
		})
	}
	if longest := writeTimeout + stallCheck; longest >= 15*time.Second {
		t.Errorf("a browser that takes nothing stays for %v", longest)
	}
}

// TestUnreadPicturesAreFew: what a browser does not read stays with guacd,
// which then draws less. guacd's own send buffer is not ours.
func TestUnreadPicturesAreFew(t *testing.T) {
	t.Parallel()
	const guacdsOwn = 128 << 10
	sent := make(chan int, 1)
	address := listen(t, func(g *guacdConn) {
		g.Conn.(*net.TCPConn).SetWriteBuffer(guacdsOwn / 2)
		frame := appendInstruction(nil, "sync", "1")
		for range 16 {
			frame = appendInstruction(frame, "name", strings.Repeat("a", 8000))
		}
		total := 0
		for {
			n, err := g.Write(frame)
			total += n
			if err != nil {
				sent <- total
				return
			}
		}
	})
	ends := make(chan error, 1)
	p := newUpgrader(t, func(d *downlink) {
		conn, err := NewGuacd(address, nil).connect(t.Context())
		if err != nil {
			ends <- err
			return
		}
		defer conn.Close()
		from := newSource(conn)
		defer from.release()
		filter := newOutFilter(Policy{})
		for err == nil {
			if err = from.fill(); err == nil {
				passed, used, _ := filter.filter(from.bytes())
				err = d.send(from.bytes()[:passed])
				from.use(used)
			}
		}
		ends <- err
	})
	p.dial(t) // and never read
	if err := gone(<-ends); err != endBrowserStalled {
		t.Errorf("ended with %v", err)
	}
	if total := <-sent; total > 1<<20+guacdsOwn {
		t.Errorf("%d bytes are on their way to a browser that does not read", total)
	} else {
		t.Logf("%d KiB on their way", total>>10)
	}
}
