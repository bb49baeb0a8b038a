package tunnel

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestPick(t *testing.T) {
	a, b, c := NewGuacd("a:1", nil), NewGuacd("b:1", nil), NewGuacd("c:1", nil)
	down := errors.New("down")
	for _, test := range []struct {
		name  string
		live  [3]int64
		fault []*Guacd
		drain []string
		tried []*Guacd
		want  *Guacd
	}{
		{name: "in order", want: a},
		{name: "fewest", live: [3]int64{2, 1, 3}, want: b},
		{name: "a faulty one last", live: [3]int64{0, 5, 9}, fault: []*Guacd{a}, want: b},
		{name: "a faulty one at last", fault: []*Guacd{a, b, c}, live: [3]int64{3, 2, 3}, want: b},
		{name: "drained", drain: []string{"a:1", "b:1"}, live: [3]int64{0, 0, 7}, want: c},
		{name: "all drained", drain: []string{"a:1", "b:1", "c:1"}},
		{name: "tried", tried: []*Guacd{a}, want: b},
		{name: "all tried", tried: []*Guacd{a, b, c}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := NewPool(nil, a, b, c)
			for i, g := range []*Guacd{a, b, c} {
				g.live.Store(test.live[i])
				if slices.Contains(test.fault, g) {
					p.report(g, down)
				}
			}
			p.Drain(test.drain)
			got := p.pick(test.tried...)
			if got != test.want {
				t.Fatalf("picked %v, want %v", got, test.want)
			}
			if got != nil && got.Live() != int(test.live[slices.Index([]*Guacd{a, b, c}, got)])+1 {
				t.Errorf("%d connections: the claim does not count", got.Live())
			}
		})
	}
}

// TestPoolCheck: a guacd that dies is noticed, and so is its return.
func TestPoolCheck(t *testing.T) {
	alive := newFakeGuacd(t, func(g *guacdConn) { g.until("disconnect") })
	p := NewPool(nil, NewGuacd(deadPort(t), nil), NewGuacd(listen(t, func(g *guacdConn) { g.read() }), nil))
	if err := p.Check(t.Context()); err != nil {
		t.Errorf("one answers: %v", err)
	}
	states := p.States()
	if states[0].Fault == nil || states[1].Fault != nil {
		t.Errorf("states %+v", states)
	}
	p.Drain([]string{states[1].Address})
	if err := p.Fault(); err == nil {
		t.Error("the dead one is well, or the drained one counts")
	}
	lone := NewPool(nil, alive)
	lone.report(alive, errors.New("was down"))
	portal := newPoolPortal(t, lone, Options{Protocol: "rdp"})
	portal.open(t)
	waitFor(t, "the pool to see that guacd speaks", func() bool { return lone.Fault() == nil })
}

// TestFailover: before the first picture another guacd may do better, unless a
// password may have been refused or the person was asked.
func TestFailover(t *testing.T) {
	fails := func(text, status string) func(*guacdConn) {
		return func(g *guacdConn) {
			if g.handshake(standardArgs...) {
				g.say("error", text, status)
				g.until("disconnect")
			}
		}
	}
	for _, test := range []struct {
		name    string
		first   func(*guacdConn) // nil: nobody listens
		options Options
		reason  string // of the close frame; "": the second guacd shows the desktop
	}{
		{name: "nobody listens"},
		{name: "EOF in the handshake", first: func(g *guacdConn) { g.read() }},
		{name: "EOF after it", first: func(g *guacdConn) { g.handshake(standardArgs...) }},
		{name: "speaks HTTP", first: func(g *guacdConn) { g.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); g.until("disconnect") }},
		{name: "hangs in the handshake", first: func(g *guacdConn) { g.until("disconnect") }, options: Options{HandshakeTimeout: 100 * time.Millisecond}},
		{name: "hangs after it", first: func(g *guacdConn) { g.handshake(standardArgs...); g.until("disconnect") },
			options: Options{SilenceTimeout: 100 * time.Millisecond}},
		{name: "514", first: fails("Upstream timeout", "514")},
		{name: "515", first: fails("Upstream error", "515")},
		{name: "519", first: fails("DNS lookup failed (incorrect hostname?)", "519")},
		{name: "520", first: fails("Upstream unavailable", "520")},
		{name: "not reached, with a password", first: fails("Connection failed (server unreachable?)", "519"),
			options: Options{Arguments: map[string]string{"password": "secret"}}},
		{name: "too old for the rules", first: func(g *guacdConn) { g.handshake("VERSION_1_3_0", "hostname") },
			options: Options{MustHave: []string{"disable-copy"}}},
		{name: "syncs of a clock that is ahead", first: func(g *guacdConn) {
			g.handshake(standardArgs...)
			g.say("sync", "9000")
			g.say("error", "Upstream error", "515")
			g.until("disconnect")
		}},

		{name: "wrong password", first: fails("Authentication failure (invalid credentials?)", "769"), reason: "769"},
		{name: "perhaps a wrong password", first: fails("Server refused connection (wrong security type?)", "519"),
			options: Options{Arguments: map[string]string{"password": "secret"}}, reason: "519"},
		{name: "perhaps a password that was asked for", first: func(g *guacdConn) {
			g.handshake(standardArgs...)
			g.say("required", "password")
			g.say("error", "Server refused connection (wrong security type?)", "519")
			g.until("disconnect")
		}, reason: "519"},
		{name: "after the first picture", first: func(g *guacdConn) {
			g.handshake(standardArgs...)
			g.picture("1")
		}, reason: "520"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			first := NewGuacd(deadPort(t), nil)
			if test.first != nil {
				first = NewGuacd(listen(t, test.first), nil)
			}
			heard := make(chan []string, 10)
			second := newFakeGuacd(t, func(g *guacdConn) {
				g.picture("1000")
				for got := []string{""}; got != nil; heard <- got {
					got = g.read()
				}
			})
			test.options.Protocol = "rdp"
			p := newPoolPortal(t, NewPool(nil, first, second), test.options)
			b := p.open(t)
			if test.reason != "" {
				if last, _, why := b.goodbye(); why != test.reason {
					t.Errorf("%q, close reason %s", last, why)
				}
				if second.Live() > 0 {
					t.Error("the second guacd was tried")
				}
				return
			}
			if test.name == "syncs of a clock that is ahead" {
				b.until("sync")
				defer func() { // what confirms the first guacd's frame does not reach the second
					b.say("sync", "9000")
					b.say("key", "65", "1")
					if got := <-heard; got[0] != "key" {
						t.Errorf("the second guacd got %q", got)
					}
				}()
			}
			b.untilPicture()
			b.ws.SetReadDeadline(time.Now().Add(patience))
			if got := <-heard; got[0] != "sync" || got[1] != "1000" {
				t.Errorf("the second guacd got %q", got)
			}
			waitFor(t, "the first guacd to be left", func() bool { return first.Live() == 0 })
		})
	}
}

// TestNobodyLeft: when no guacd can, the person hears what the last one said.
func TestNobodyLeft(t *testing.T) {
	p := newPoolPortal(t, NewPool(nil, NewGuacd(deadPort(t), nil), newFakeGuacd(t, func(g *guacdConn) {
		g.say("error", "Upstream error", "515")
		g.until("disconnect")
	})), Options{Protocol: "rdp"})
	if last, _, why := p.open(t).goodbye(); why != "515" || last[1] != "Upstream error" {
		t.Errorf("%q, close reason %s", last, why)
	}
	drained := NewPool(nil, newFakeGuacd(t, func(g *guacdConn) { g.until("disconnect") }))
	drained.Drain([]string{drained.States()[0].Address})
	p = newPoolPortal(t, drained, Options{Protocol: "rdp"})
	if last, code, why := p.open(t).goodbye(); why != "520" || code != 1011 {
		t.Errorf("%q, close frame %d %s", last, code, why)
	}
}
