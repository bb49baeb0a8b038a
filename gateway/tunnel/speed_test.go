package tunnel

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// upgrader is a server that gives each WebSocket's downlink to a test.
type upgrader struct{ *httptest.Server }

func newUpgrader(t *testing.T, serve func(*downlink)) upgrader {
	t.Helper()
	var u upgrader
	u.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ws, err := Upgrade(w, r, "https://portal.example.se"); err == nil {
			defer ws.Close()
			serve(&downlink{ws: ws})
		}
	}))
	u.Start()
	t.Cleanup(u.Close)
	return u
}

func (u upgrader) dial(t *testing.T) *websocket.Conn {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{subprotocol}, HandshakeTimeout: patience}
	ws, _, err := dialer.Dial("ws"+strings.TrimPrefix(u.URL, "http"), http.Header{"Origin": {"https://portal.example.se"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	ws.SetReadDeadline(time.Now().Add(patience))
	return ws
}

func TestFirstMessage(t *testing.T) {
	small := strings.Repeat("4.rect,1.0,3.128;", 100)
	long := "4.blob,1.1,4096." + strings.Repeat("A", 4096) + ";"
	for _, test := range []struct {
		name, batch string
		limit, want int
	}{
		{"all", small, len(small), len(small)},
		{"at an instruction's end", small, 17 * 10, 17 * 10},
		{"not inside one", small, 17*10 + 16, 17 * 10},
		{"one that is too long", long + small, 100, len(long)},
		{"none after it", long + small, len(long) + 16, len(long)},
		{"up to it", small + long, len(small) + 4000, len(small)},
		{"not the protocol", "HTTP/1.1 400 Bad Request", 4, 24},
	} {
		if got := firstMessage([]byte(test.batch), test.limit); got != test.want {
			t.Errorf("%s: %d bytes, want %d", test.name, got, test.want)
		}
	}
}

// TestSlowLine: messages are smaller on a line that was slow, and grow when it
// no longer is. All of them are whole instructions, nothing is lost, and answers
// to pings go between them.
func TestSlowLine(t *testing.T) {
	batch := []byte(strings.Repeat("4.blob,1.1,4096."+strings.Repeat("A", 4096)+";", 20))
	const ping = "0.,4.ping,1.1;"
	u := newUpgrader(t, func(d *downlink) {
		began := time.Now()
		for range 10 {
			d.speed.learn(d.ws.NetConn(), 1, began, began.Add(time.Second))
		}
		if d.speed.limit() != minMessage {
			t.Errorf("messages of %d bytes on a slow line", d.speed.limit())
		}
		d.ping = append(d.ping, ping...)
		if err := d.send(batch); err != nil {
			t.Error(err)
		}
	})
	ws := u.dial(t)
	var got []byte
	limit := minMessage
	for i := 0; len(got) < len(batch); i++ {
		_, message, err := ws.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			if string(message) != ping {
				t.Errorf("second message %.40q", message)
			}
			continue
		}
		if len(message) > limit || !bytes.HasSuffix(message, []byte("A;")) {
			t.Errorf("message of %d bytes", len(message))
		}
		limit *= 2
		got = append(got, message...)
	}
	if !bytes.Equal(got, batch) {
		t.Error("something is lost")
	}
}

func TestSpeed(t *testing.T) {
	done := make(chan bool)
	u := newUpgrader(t, func(d *downlink) {
		defer close(done)
		conn, now := d.ws.NetConn(), time.Now()
		var s speed
		send := func(messages, size int, each time.Duration) {
			for range messages {
				s.learn(conn, size, now, now.Add(each))
				now = now.Add(each)
			}
		}
		for _, step := range []struct {
			name           string
			messages, size int
			each           time.Duration
			limit          int
			fast           bool
		}{
			{"1 MB/s", 50, maxMessage, 128 * time.Millisecond, maxMessage, false},
			{"100 KB/s", 3, maxMessage, 1300 * time.Millisecond, maxMessage >> 3, false},
			{"stays as small as it must be", 5, 16 << 10, 100 * time.Millisecond, maxMessage >> 3, false},
			{"small ones say nothing", 500, 100, time.Millisecond, maxMessage >> 3, false},
			{"quicker again", 2, 16 << 10, time.Millisecond, maxMessage >> 1, false},
			{"100 MB/s", 200, maxMessage, time.Millisecond, maxMessage, true},
			{"a minute for one", 1, maxMessage, time.Minute, maxMessage >> 1, false},
		} {
			send(step.messages, step.size, step.each)
			if s.limit() != step.limit || s.fast != step.fast {
				t.Errorf("%s: messages of %d bytes, fast %v", step.name, s.limit(), s.fast)
			}
		}
	})
	u.dial(t)
	<-done
}

// TestGoroutines: two for each desktop, when the HTTP handler has returned.
func TestGoroutines(t *testing.T) {
	guacd := newFakeGuacd(t, func(g *guacdConn) { g.picture("1"); g.until("disconnect") })
	ends := make(chan End)
	p := newUpgrader(t, func(d *downlink) {})
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ws, err := Upgrade(w, r, "https://portal.example.se"); err == nil {
			go func() { ends <- NewPool(nil, guacd).Desktop().Serve(t.Context(), ws, &Options{Protocol: "rdp"}) }()
		}
	})
	const desktops, guacds = 20, 1 // of the stand-in, for each connection
	before := runtime.NumGoroutine()
	for range desktops {
		b := &page{t: t, ws: p.dial(t)}
		b.until("sync")
		defer func() {
			b.ws.Close()
			<-ends
		}()
	}
	waitFor(t, "two goroutines for each desktop", func() bool {
		return runtime.NumGoroutine() <= before+desktops*(2+guacds)
	})
}

// allocations of f: the least of several runs, since what earlier tests have
// left running is counted as well.
func allocations(f func()) float64 {
	least := testing.AllocsPerRun(100, f)
	for range 10 {
		least = min(least, testing.AllocsPerRun(10, f))
	}
	return least
}

// TestNothingIsAllocated for a message, in either direction.
func TestNothingIsAllocated(t *testing.T) {
	in := newFilter(Policy{Paste: true})
	message := []byte("5.mouse,3.512,3.384,1.0;3.key,2.65,1.1;4.sync,3.999;0.,4.ping,13.1760000000000;" +
		"9.clipboard,1.0,10.text/plain;4.blob,1.0,4.AAAA;3.end,1.0;")
	buffer := make([]byte, len(message))
	if n := allocations(func() {
		copy(buffer, message) // check moves what it forwards
		if err := in.check(buffer); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for a message from the browser", n)
	}
	for name, stream := range streams() {
		out := newOutFilter(Policy{})
		if n := allocations(func() { out.filter(stream) }); n > 0 {
			t.Errorf("%v allocations for %s from guacd", n, name)
		}
	}
}
