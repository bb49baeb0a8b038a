package tunnel

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// cycle is a way in which desktops come and go.
type cycle struct {
	name    string
	guacd   func(*guacdConn) // of a fake one, after the handshake; nil: nobody listens
	greets  bool             // guacd does the handshake
	browser func(*page)
	options Options
	revoke  bool // by the portal, at the first picture
	rare    bool // it takes long; silence up to 5 s, for the clockwork looks that often
	causes  string
}

// tcp is the browser's socket.
func (b *page) tcp() *net.TCPConn { return b.ws.NetConn().(*net.TCPConn) }

// cycles are all ways that the person, the network, the portal and guacd have
// to end a desktop, and some to prevent one.
func cycles() []cycle {
	draw := func(g *guacdConn) { g.picture("1"); g.until("disconnect") }
	bye := func(b *page) { b.goodbye() }
	const soon = 5 * time.Millisecond
	return []cycle{
		{name: "the page leaves", guacd: draw, greets: true, causes: "disconnect",
			browser: func(b *page) { b.until("sync"); b.say("disconnect"); b.goodbye() }},
		{name: "the tab is closed", guacd: draw, greets: true, causes: "browser-closed", browser: func(b *page) {
			b.until("sync")
			b.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""), time.Now().Add(time.Second))
		}},
		{name: "the tab is closed at once", guacd: draw, greets: true, causes: "browser-lost", browser: func(b *page) { b.tcp().Close() }},
		{name: "TCP is closed", guacd: draw, greets: true, causes: "browser-lost", browser: func(b *page) { b.until("sync"); b.tcp().Close() }},
		{name: "TCP is reset", guacd: draw, greets: true, causes: "browser-lost",
			browser: func(b *page) { b.until("sync"); b.tcp().SetLinger(0); b.tcp().Close() }},
		{name: "the page attacks", guacd: draw, greets: true, causes: "forbidden", browser: func(b *page) { b.say("zzz"); b.goodbye() }},
		{name: "revoked", guacd: draw, greets: true, revoke: true, causes: "revoked", browser: bye},
		{name: "guacd ends", guacd: func(g *guacdConn) { g.picture("1") }, greets: true, causes: "guacd-eof", browser: bye},
		{name: "guacd resets", guacd: func(g *guacdConn) { g.picture("1"); g.Conn.(*net.TCPConn).SetLinger(0) }, greets: true, causes: "guacd-eof", browser: bye},
		{name: "guacd's error", guacd: func(g *guacdConn) { g.say("error", "No", "519"); g.until("disconnect") }, greets: true, causes: "guacd-error", browser: bye},
		{name: "logoff", guacd: func(g *guacdConn) { g.picture("1"); g.say("disconnect"); g.until("disconnect") }, greets: true, causes: "logoff", browser: bye},
		{name: "guacd falls silent", guacd: draw, greets: true, rare: true, causes: "guacd-silent", browser: bye, options: Options{SilenceTimeout: soon}},
		{name: "no picture", guacd: func(g *guacdConn) { g.until("disconnect") }, greets: true, causes: "first-frame-timeout",
			browser: bye, options: Options{FirstFrameTimeout: soon}},
		{name: "guacd says nothing", guacd: func(g *guacdConn) { g.until("disconnect") }, rare: true, causes: "handshake-timeout", browser: bye,
			options: Options{HandshakeTimeout: 300 * time.Millisecond}}, // dialling takes its share
		{name: "guacd ends in the handshake", guacd: func(g *guacdConn) { g.read(); g.say("args") }, causes: "guacd-eof", browser: bye},
		{name: "nobody listens", causes: "guacd-unreachable", browser: bye},
	}
}

// stage is a portal for one cycle.
type stage struct {
	*httptest.Server
	ends chan End
}

func newStage(t *testing.T, guacd *Guacd, c cycle) *stage {
	t.Helper()
	s := &stage{ends: make(chan End, 1)}
	c.options.Protocol = "rdp"
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := Upgrade(w, r, s.URL)
		if err != nil {
			return
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		options := c.options
		if c.revoke {
			options.OnReady = func() { cancel(ErrRevoked) }
		}
		s.ends <- NewPool(options.Log, guacd).Desktop().Serve(ctx, ws, &options)
	}))
	t.Cleanup(s.Close)
	return s
}

// once opens a desktop and waits until it is over. It says why. Unlike
// portal.open it leaves nothing for the end of the test.
func (s *stage) once(t *testing.T, browser func(*page)) End {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"guacamole"}, HandshakeTimeout: patience}
	ws, _, err := dialer.Dial("ws"+strings.TrimPrefix(s.URL, "http"), http.Header{"Origin": {s.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	ws.SetReadDeadline(time.Now().Add(2 * patience))
	browser(&page{t: t, ws: ws})
	select {
	case end := <-s.ends:
		return end
	case <-time.After(2 * patience):
		t.Fatal("the desktop does not end")
		return End{}
	}
}

// resources are what this process holds.
type resources struct{ goroutines, descriptors int }

func held(t *testing.T) resources {
	t.Helper()
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return resources{runtime.NumGoroutine(), len(descriptors)}
}

// waitForAll waits until no more is held than before.
func (before resources) waitForAll(t *testing.T) {
	t.Helper()
	var now resources
	defer func() {
		if t.Failed() {
			t.Logf("held before %+v, now %+v", before, now)
		}
	}()
	waitFor(t, "goroutines and descriptors", func() bool {
		now = held(t)
		return now.goroutines <= before.goroutines && now.descriptors <= before.descriptors
	})
}

// newStages are a stage for each cycle, with a guacd of its own.
func newStages(t *testing.T, all []cycle) (stages []*stage, guacds []*Guacd) {
	t.Helper()
	for _, c := range all {
		address := deadPort(t)
		if c.guacd != nil {
			address = listen(t, func(g *guacdConn) {
				if !c.greets || g.handshake(standardArgs...) {
					c.guacd(g)
				}
			})
		}
		guacd := NewGuacd(address, nil)
		guacds = append(guacds, guacd)
		stages = append(stages, newStage(t, guacd, c))
	}
	return stages, guacds
}

// TestCycles opens and ends 10,000 desktops, in every way, and nothing is left.
func TestCycles(t *testing.T) {
	const rare = 10
	desktops := 10_000
	if testing.Short() {
		desktops = 1000
	}
	all := cycles()
	stages, guacds := newStages(t, all)
	round := func(t *testing.T, times int) {
		for i, c := range all {
			times := times
			if c.rare {
				times = min(times, rare)
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				for range times {
					if end := stages[i].once(t, c.browser); end.Cause != c.causes {
						t.Fatalf("end %+v", end)
					}
				}
			})
		}
	}
	live := func(guacd *Guacd) bool { return guacd.Live() > 0 }
	released := func() bool { return !slices.ContainsFunc(guacds, live) }
	t.Run("once", func(t *testing.T) { round(t, 1) })
	waitFor(t, "guacd's connections", released)
	before := held(t)
	t.Run("often", func(t *testing.T) { round(t, desktops/(len(all)-2)+1) }) // two are rare
	waitFor(t, "guacd's connections", released)
	before.waitForAll(t)
}
