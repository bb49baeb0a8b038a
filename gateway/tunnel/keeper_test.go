package tunnel

import (
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// holding is a guacd that shows the desktop to whoever opens or joins it, and
// tells what it heard from each.
type holding struct {
	*Guacd
	users chan *guacdConn // each after its handshake
	over  chan *guacdConn // each after its disconnect or EOF
}

func newHolding(t *testing.T, join func(*guacdConn), args ...string) *holding {
	h := &holding{users: make(chan *guacdConn, 10), over: make(chan *guacdConn, 10)}
	h.Guacd = NewGuacd(listen(t, func(g *guacdConn) {
		if !g.handshake(append(standardArgs, args...)...) {
			return
		}
		h.users <- g
		if g.selected != "rdp" && join != nil {
			join(g)
			return
		}
		g.picture("1000")
		g.until("disconnect")
		h.over <- g
	}), nil)
	return h
}

func next[T any](t *testing.T, from chan T, what string) (got T) {
	t.Helper()
	select {
	case got = <-from:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
	return got
}

// vanish ends a browser as a network that fails does.
func vanish(b *page) { b.ws.NetConn().Close() }

var heldOptions = Options{Protocol: "rdp", Hold: time.Minute, HoldLeft: time.Minute, Width: 1280, Height: 720,
	Arguments: map[string]string{"hostname": "ws1", "username": "anna", "password": "hemligt"}}

func TestComeBack(t *testing.T) {
	guacd := newHolding(t, nil)
	p := newPortal(t, guacd.Guacd, heldOptions)
	b := p.open(t)
	b.untilPicture()
	owner := next(t, guacd.users, "the desktop to be opened")
	if owner.args["password"] != "hemligt" {
		t.Fatalf("guacd got %q", owner.args)
	}
	for range 2 { // the one who came back can come back as well
		vanish(b)
		if end := p.end(t); !end.Held || end.Cause != "browser-lost" {
			t.Fatalf("end %+v", end)
		}
		b = p.open(t)
		b.untilPicture()
		user := next(t, guacd.users, "the desktop to be joined")
		if user.selected != "$260d01da-779b-4ee9-afc1-c16bae885cc7" || user.args["password"] != "" || user.args["hostname"] != "ws1" {
			t.Errorf("selected %q with %q", user.selected, user.args)
		}
		if got := next(t, guacd.over, "the keeper to leave"); got != owner {
			t.Error("somebody else left")
		}
		owner = user
	}
	b.say("disconnect")
	if end := p.end(t); end.Held || end.Cause != "disconnect" {
		t.Errorf("end %+v", end)
	}
	waitFor(t, "guacd to be left", func() bool { return guacd.Live() == 0 })
}

// TestLostAgain: a network that comes and goes costs nobody the desktop either.
func TestLostAgain(t *testing.T) {
	var joined atomic.Int32
	shown := make(chan *guacdConn, 10)
	guacd := newHolding(t, func(g *guacdConn) {
		if joined.Add(1) == 2 { // the first one never sees the picture
			g.picture("1000")
		}
		shown <- g
		g.until("disconnect")
	})
	p := newPortal(t, guacd.Guacd, heldOptions)
	b := p.open(t)
	b.untilPicture()
	owner := next(t, guacd.users, "the desktop to be opened")
	vanish(b)
	if end := p.end(t); !end.Held {
		t.Fatalf("end %+v", end)
	}
	b = p.open(t)
	next(t, shown, "the desktop to be joined")
	vanish(b)
	if end := p.end(t); !end.Held || end.Cause != "browser-lost" {
		t.Fatalf("end %+v", end)
	}
	p.open(t).untilPicture()
	if got := next(t, guacd.over, "the keeper to leave"); got != owner {
		t.Error("somebody else left")
	}
	if n := joined.Load(); n != 2 {
		t.Errorf("joined %d times", n)
	}
}

// TestKeeperSpeaks: guacd ends who is silent for 15 s, so the keeper is heard at
// once, and the desktop gets the size of the window that came back.
func TestKeeperSpeaks(t *testing.T) {
	guacd := NewGuacd("", nil)
	said := make(chan []string, 100)
	guacd.Address = listen(t, func(g *guacdConn) {
		g.handshake(standardArgs...)
		g.picture("1000")
		for got := g.read(); got != nil; got = g.read() {
			said <- append([]string{g.selected}, got...)
		}
	})
	p := newPortal(t, guacd, heldOptions)
	b := p.open(t)
	b.untilPicture()
	vanish(b)
	for got := []string{"", ""}; got[1] != "nop"; {
		got = next(t, said, "a nop")
	}
	p.open(t).untilPicture()
	for got := []string{"", ""}; got[0] == "rdp" || got[1] != "size"; {
		if got = next(t, said, "the size"); got[1] == "size" && (got[2] != "1280" || got[3] != "720") {
			t.Errorf("size %q", got)
		}
	}
}

// TestKeysLetGo: whoever comes back must not find Ctrl held down.
func TestKeysLetGo(t *testing.T) {
	guacd, said := NewGuacd("", nil), make(chan []string, 100)
	guacd.Address = listen(t, func(g *guacdConn) {
		g.handshake(standardArgs...)
		g.picture("1000")
		for got := g.read(); got != nil; got = g.read() {
			said <- got
		}
	})
	p := newPortal(t, guacd, heldOptions)
	b := p.open(t)
	b.untilPicture()
	b.say("key", "65507", "1") // Ctrl
	b.say("key", "65", "1")
	b.say("key", "65", "0")
	b.say("mouse", "10", "20", "1")
	for got := []string{""}; got[0] != "mouse"; {
		got = next(t, said, "the mouse")
	}
	vanish(b)
	for _, want := range [][]string{{"key", "65507", "0"}, {"mouse", "10", "20", "0"}, {"nop"}} {
		if got := next(t, said, want[0]); !slices.Equal(got, want) {
			t.Errorf("guacd got %q, want %q", got, want)
		}
	}
}

// TestComeBackAnew: where the desktop cannot be joined, the page gets a new
// connection to the same target.
func TestComeBackAnew(t *testing.T) {
	for _, test := range []struct {
		name   string
		join   func(*guacdConn)
		change func(*Options)
	}{
		{name: "guacd 1.3 has it no more", join: func(*guacdConn) {}},
		{name: "guacd 1.6 has it no more", join: func(g *guacdConn) { g.say("error", "No such connection", "516") }},
		{name: "it is over", join: func(g *guacdConn) { g.say("disconnect"); g.until("disconnect") }},
		{name: "guacd locks up", join: func(g *guacdConn) { g.until("disconnect") }},
		{name: "other rules by now", change: func(o *Options) { o.Policy.ReadOnly = true }},
		{name: "another host by now", change: func(o *Options) {
			o.Arguments = maps.Clone(o.Arguments)
			o.Arguments["hostname"] = "ws2"
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			guacd := newHolding(t, test.join)
			pool, options := NewPool(nil, guacd.Guacd), heldOptions
			desktop := pool.Desktop()
			ends := make(chan End, 2)
			serve := func() *page {
				p := newServer(t, func(ws *websocket.Conn) { ends <- desktop.Serve(t.Context(), ws, &options) })
				return p.open(t)
			}
			b := serve()
			b.untilPicture()
			next(t, guacd.users, "the desktop to be opened")
			vanish(b)
			if end := next(t, ends, "the end"); !end.Held {
				t.Fatalf("end %+v", end)
			}
			if test.change != nil {
				test.change(&options)
			}
			b = serve()
			b.untilPicture()
			user := next(t, guacd.users, "somebody")
			if test.join != nil {
				if user.selected == "rdp" {
					t.Fatal("nobody tried to join")
				}
				user = next(t, guacd.users, "a new connection")
			}
			if user.selected != "rdp" || user.args["password"] != "hemligt" {
				t.Errorf("selected %q with %q", user.selected, user.args)
			}
			b.say("disconnect")
			next(t, ends, "the end")
			waitFor(t, "guacd to be left", func() bool { return guacd.Live() == 0 })
		})
	}
}

// TestHeld says when a desktop waits for its browser.
func TestHeld(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Options)
		resume Resume
		args   []string // that guacd knows
		leave  func(*page, *portal)
		held   bool
	}{
		{name: "TCP reset", held: true},
		{name: "the client library gives up", leave: func(b *page, _ *portal) { b.ws.WriteMessage(websocket.CloseMessage, nil) }, held: true},
		{name: "the page came back", leave: func(_ *page, p *portal) { p.cancel(ErrReplaced) }, held: true},
		{name: "a 1.6 that is mended", resume: ResumeAlways, args: []string{"disable-gfx"}, held: true},

		{name: "the page was left", leave: func(b *page, _ *portal) { b.say("", "leave", "") }, held: true},
		{name: "taken over", leave: func(_ *page, p *portal) { p.cancel(ErrTakenOver) }, held: true},

		{name: "the page was left for good", change: func(o *Options) { o.HoldLeft = 0 }, leave: func(b *page, _ *portal) { b.say("", "leave", "") }},
		{name: "ended by its person", leave: func(_ *page, p *portal) { p.cancel(ErrEnded) }},
		{name: "disconnect", leave: func(b *page, _ *portal) { b.say("disconnect") }},
		{name: "window closed", leave: func(b *page, _ *portal) {
			b.ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""))
		}},
		{name: "session over", leave: func(_ *page, p *portal) { p.cancel(ErrRevoked) }},
		{name: "bad protocol", leave: func(b *page, _ *portal) { b.raw("3.zzz;") }},
		{name: "not asked for", change: func(o *Options) { o.Hold = 0 }},
		{name: "downloads are the owner's", change: func(o *Options) { o.Policy.Download = true }},
		{name: "printing is the owner's", change: func(o *Options) { o.Policy.Print = true }},
		{name: "the microphone is the owner's", change: func(o *Options) { o.Policy.AudioIn = true }},
		{name: "guacd 1.6", args: []string{"disable-gfx"}},
		{name: "never", resume: ResumeNever},
	} {
		t.Run(test.name, func(t *testing.T) {
			guacd := newHolding(t, nil, test.args...)
			guacd.Resume = test.resume
			options := heldOptions
			if test.change != nil {
				test.change(&options)
			}
			if test.leave == nil {
				test.leave = func(b *page, _ *portal) { vanish(b) }
			}
			p := newPortal(t, guacd.Guacd, options)
			b := p.open(t)
			b.untilPicture()
			test.leave(b, p)
			for err := error(nil); err == nil; {
				_, _, err = b.ws.ReadMessage()
			}
			end := p.end(t)
			if end.Held != test.held {
				t.Errorf("end %+v, want held %t", end, test.held)
			}
			if !test.held {
				next(t, guacd.over, "guacd to be told")
				return
			}
			select {
			case <-guacd.over:
				t.Error("guacd was left")
			default:
			}
			p.held.Leave()
			next(t, guacd.over, "guacd to be told")
		})
	}
	t.Run("not for ever", func(t *testing.T) {
		guacd, options := newHolding(t, nil), heldOptions
		options.Hold = 50 * time.Millisecond
		p := newPortal(t, guacd.Guacd, options)
		b := p.open(t)
		b.untilPicture()
		vanish(b)
		next(t, guacd.over, "guacd to be told")
		waitFor(t, "guacd to be left", func() bool { return guacd.Live() == 0 })
	})
	t.Run("not before the first picture", func(t *testing.T) {
		guacd := newFakeGuacd(t, func(g *guacdConn) { g.say("size", "0", "1", "1"); g.until("disconnect") })
		p := newPortal(t, guacd, heldOptions)
		b := p.open(t)
		b.until("size")
		vanish(b)
		if end := p.end(t); end.Held {
			t.Errorf("end %+v", end)
		}
	})
}
