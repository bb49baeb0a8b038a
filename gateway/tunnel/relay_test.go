package tunnel

import (
	"context"
	"encoding/base64"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
	"github.com/wwt/guac"
)

func TestDesktop(t *testing.T) {
	heardByGuacd := make(chan []string, 100)
	guacd := newFakeGuacd(t, func(g *guacdConn) {
		g.picture("1000")
		for {
			got := g.read()
			heardByGuacd <- got
			if got == nil || got[0] == "disconnect" {
				return
			}
		}
	})
	var inputs, ready atomic.Int32
	p := newPortal(t, guacd, Options{Protocol: "rdp", OnInput: func() { inputs.Add(1) }, OnReady: func() { ready.Add(1) }})
	b := p.open(t)
	b.want("size", "0", "1024", "768") // the tunnel's
	b.want("size", "0", "1024", "768") // guacd's
	b.want("img", "1", "14", "0", "image/png", "0", "0")
	b.want("blob", "1", "iVBORw0KGgo=")
	b.want("end", "1")
	b.want("sync", "1000")
	b.say("sync", "1000")
	b.say("key", "65", "1")
	b.say("", "ping", "1760000000000")
	b.want("", "ping", "1760000000000")
	b.say("disconnect")
	last, code, why := b.goodbye()
	if code != 1000 || why != "0" || !slices.Equal(last, []string{"disconnect"}) {
		t.Errorf("goodbye %q, %d %s", last, code, why)
	}
	end := p.end(t)
	if end.Cause != "disconnect" || end.Status != guac.Success || end.BytesIn == 0 || end.BytesOut == 0 || end.Duration <= 0 {
		t.Errorf("end %+v", end)
	}
	for _, want := range [][]string{{"sync", "1000"}, {"key", "65", "1"}, {"disconnect"}} {
		if diff := cmp.Diff(want, <-heardByGuacd); diff != "" {
			t.Error(diff)
		}
	}
	if inputs.Load() != 1 || ready.Load() != 1 {
		t.Errorf("%d inputs, %d ready", inputs.Load(), ready.Load())
	}
}

// TestPasswordArrivesExactly: guacd gets every value under its name, whatever
// is in it.
func TestPasswordArrivesExactly(t *testing.T) {
	args := make(chan map[string]string, 1)
	guacd := newFakeGuacd(t, func(g *guacdConn) {
		args <- g.args
		g.until("disconnect")
	})
	for _, password := range []string{"pässword,5.false;", "xx,5.false,1./;3.nop,20.", "🖥", "a b\"c'd\\"} {
		p := newPortal(t, guacd, Options{Protocol: "rdp", Arguments: map[string]string{"password": password, "disable-copy": "true"}})
		p.open(t)
		got := <-args
		if got["password"] != password || got["disable-copy"] != "true" || got["hostname"] != "" {
			t.Errorf("guacd got %q", got)
		}
	}
}

// TestInputBeforeGuacd: a page may speak before guacd is ready, and pings are
// echoed all the while.
func TestInputBeforeGuacd(t *testing.T) {
	goOn, heardByGuacd := make(chan bool), make(chan []string, 10)
	address := listen(t, func(g *guacdConn) {
		<-goOn
		if g.handshake(standardArgs...) {
			heardByGuacd <- g.read()
			g.until("disconnect")
		}
	})
	p := newPortal(t, NewGuacd(address, nil), Options{Protocol: "rdp"})
	b := p.open(t)
	b.say("size", "1280", "720")
	b.say("", "ping", "1")
	b.want("", "ping", "1")
	close(goOn)
	if diff := cmp.Diff([]string{"size", "1280", "720"}, <-heardByGuacd); diff != "" {
		t.Error(diff)
	}
}

func TestEnds(t *testing.T) {
	untilLeft := func(g *guacdConn) { g.until("disconnect") }
	for _, test := range []struct {
		name    string
		guacd   func(*guacdConn) // after the handshake
		browser func(*page, *portal)
		options Options
		code    int
		reason  string
		cause   string
		text    string // of guacd
	}{
		{name: "guacd's error", guacd: func(g *guacdConn) {
			g.say("error", "Server refused connection (wrong security type?)", "519")
			untilLeft(g)
		}, code: 1011, reason: "519", cause: "guacd-error", text: "Server refused connection (wrong security type?)"},
		{name: "logoff", guacd: func(g *guacdConn) { g.picture("1"); g.say("disconnect"); untilLeft(g) },
			code: 1000, reason: "0", cause: "logoff"},
		{name: "EOF", guacd: func(g *guacdConn) { g.picture("1") }, code: 1011, reason: "520", cause: "guacd-eof"},
		{name: "guacd speaks HTTP", guacd: func(g *guacdConn) { g.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); untilLeft(g) },
			code: 1011, reason: "515", cause: "guacd-protocol"},
		{name: "no picture", guacd: untilLeft, options: Options{FirstFrameTimeout: 50 * time.Millisecond},
			code: 1011, reason: "514", cause: "first-frame-timeout"},
		{name: "silence", guacd: untilLeft, options: Options{SilenceTimeout: 50 * time.Millisecond},
			code: 1011, reason: "514", cause: "guacd-silent"},
		{name: "idle", guacd: untilLeft, browser: func(_ *page, p *portal) { p.cancel(ErrIdle) }, code: 1002, reason: "522", cause: "idle"},
		{name: "revoked", guacd: untilLeft, browser: func(_ *page, p *portal) { p.cancel(ErrRevoked) }, code: 1002, reason: "523", cause: "revoked"},
		{name: "taken over", guacd: untilLeft, browser: func(_ *page, p *portal) { p.cancel(ErrTakenOver) }, code: 1008, reason: "521", cause: "taken-over"},
		{name: "limit", guacd: untilLeft, browser: func(_ *page, p *portal) { p.cancel(ErrLimit) }, code: 1008, reason: "797", cause: "limit"},
		{name: "shutdown", guacd: untilLeft, browser: func(_ *page, p *portal) { p.cancel(ErrShutdown) }, code: 1011, reason: "520", cause: "shutdown"},
		{name: "bad protocol", guacd: untilLeft, browser: func(b *page, _ *portal) { b.raw("4294967306.disconnect;") },
			code: 1002, reason: "768", cause: "bad-protocol"},
		{name: "forbidden", guacd: untilLeft, browser: func(b *page, _ *portal) { b.say("zzz") }, code: 1008, reason: "771", cause: "forbidden"},
		{name: "binary message", guacd: untilLeft, browser: func(b *page, _ *portal) { b.ws.WriteMessage(websocket.BinaryMessage, []byte("3.nop;")) },
			code: 1003, reason: "783", cause: "bad-type"},
		{name: "message over 32 KiB", guacd: untilLeft, browser: func(b *page, _ *portal) { b.raw(strings.Repeat("3.nop;", 6000)) },
			code: 1009, reason: "781", cause: "overrun"},
		{name: "frame of 2^63-1 bytes", guacd: untilLeft, browser: func(b *page, _ *portal) { // gorilla CVE-2020-27813
			b.ws.NetConn().Write([]byte("\x81\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x00\x00\x00" + strings.Repeat("3.nop;", 6000)))
		}, code: 1009, reason: "781", cause: "overrun"},
		{name: "lacks an argument", options: Options{MustHave: []string{"cert-fingerprints"}}, code: 1011, reason: "512", cause: "guacd-lacks-argument"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.guacd == nil {
				test.guacd = func(*guacdConn) {}
			}
			test.options.Protocol = "rdp"
			p := newPortal(t, newFakeGuacd(t, test.guacd), test.options)
			b := p.open(t)
			if test.browser != nil {
				test.browser(b, p)
			}
			last, code, why := b.goodbye()
			if code != test.code || why != test.reason {
				t.Errorf("close frame %d %s, want %d %s", code, why, test.code, test.reason)
			}
			switch {
			case test.code == 1000:
				if !slices.Equal(last, []string{"disconnect"}) {
					t.Errorf("last instruction %q", last)
				}
			case len(last) != 3 || last[0] != "error" || last[1] == "" || last[2] != test.reason:
				t.Errorf("last instruction %q", last)
			case test.text != "" && last[1] != test.text:
				t.Errorf("the person reads %q, guacd said %q", last[1], test.text)
			}
			if end := p.end(t); end.Cause != test.cause || reason(end.Status) != test.reason || end.Text != test.text {
				t.Errorf("end %+v", end)
			}
		})
	}
}

func TestGuacdThatFailsEarly(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, test := range []struct {
		name, address, cause, reason string
	}{
		{"absent", closed.Addr().String(), "guacd-unreachable", "520"},
		{"no such host", "guacd.invalid:4822", "guacd-unreachable", "520"},
		{"silent", listen(t, func(g *guacdConn) { g.until("") }), "handshake-timeout", "514"},
		{"closes at once", listen(t, func(g *guacdConn) {}), "guacd-eof", "520"},
		{"refuses", listen(t, func(g *guacdConn) { g.read(); g.say("error", "No", "516") }), "guacd-error", "516"},
		{"garbage", listen(t, func(g *guacdConn) { g.Write([]byte(strings.Repeat("x", 1<<20))) }), "guacd-protocol", "515"},
		{"endless args", listen(t, func(g *guacdConn) {
			g.Write([]byte("4.args"))
			for g.SetWriteDeadline(time.Now().Add(time.Second)) == nil {
				if _, err := g.Write([]byte(",1.a")); err != nil {
					return
				}
			}
		}), "guacd-protocol", "515"},
		{"closes instead of ready", listen(t, func(g *guacdConn) { g.read(); g.say("args"); g.until("connect") }), "guacd-eof", "520"},
	} {
		t.Run(test.name, func(t *testing.T) {
			guacd := NewGuacd(test.address, nil)
			p := newPortal(t, guacd, Options{Protocol: "rdp", HandshakeTimeout: 300 * time.Millisecond})
			last, _, why := p.open(t).goodbye()
			end := p.end(t)
			if end.Cause != test.cause || why != test.reason || last[0] != "error" {
				t.Errorf("%q, close reason %s, end %+v", last, why, end)
			}
			waitFor(t, "guacd to be left", func() bool { return guacd.Live() == 0 })
		})
	}
}

// TestBrowserLeaves: however the browser goes, guacd is told.
func TestBrowserLeaves(t *testing.T) {
	for _, test := range []struct {
		name  string
		leave func(*page)
		cause string
	}{
		{"closes the tab", func(b *page) {
			b.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""), time.Now().Add(time.Second))
		}, "browser-closed"},
		{"loses the network", func(b *page) { b.ws.NetConn().Close() }, "browser-lost"},
		{"breaks the framing", func(b *page) { b.ws.NetConn().Write([]byte("\xFF\xFF\xFF\xFF")) }, "browser-lost"},
	} {
		t.Run(test.name, func(t *testing.T) {
			told := make(chan []string, 1)
			p := newPortal(t, newFakeGuacd(t, func(g *guacdConn) { g.picture("1"); told <- g.until("disconnect") }), Options{Protocol: "rdp"})
			b := p.open(t)
			b.until("sync")
			test.leave(b)
			if got := <-told; got == nil {
				t.Error("guacd was not told")
			}
			if end := p.end(t); end.Cause != test.cause {
				t.Errorf("end %+v", end)
			}
		})
	}
}

func TestRequiredIsAnswered(t *testing.T) {
	answer := make(chan []string, 1)
	p := newPortal(t, newFakeGuacd(t, func(g *guacdConn) {
		g.say("required", "password")
		answer <- g.until("argv")
		g.until("end")
		g.picture("1")
		g.until("disconnect")
	}), Options{Protocol: "rdp", FirstFrameTimeout: 10 * time.Second})
	b := p.open(t)
	b.want("size", "0", "1024", "768")
	b.want("required", "password")
	b.say("argv", "0", "text/plain", "hostname")
	if got := b.until("ack"); got[3] != "771" {
		t.Errorf("an answer that nobody asked for got %q", got)
	}
	b.say("argv", "1", "text/plain", "password")
	b.say("blob", "1", base64.StdEncoding.EncodeToString([]byte("pässword")))
	b.say("end", "1")
	if diff := cmp.Diff([]string{"argv", "1", "text/plain", "password"}, <-answer); diff != "" {
		t.Error(diff)
	}
	b.until("sync")
}

// TestRefusedDownload: guacd waits for the ack of a file that the browser
// never sees.
func TestRefusedDownload(t *testing.T) {
	ack := make(chan []string, 1)
	p := newPortal(t, newFakeGuacd(t, func(g *guacdConn) {
		g.say("file", "4", "application/octet-stream", "hemligt.txt")
		g.say("blob", "4", "AAAA")
		ack <- g.until("ack")
		g.say("end", "4")
		g.picture("1")
		g.until("disconnect")
	}), Options{Protocol: "rdp"})
	b := p.open(t)
	if diff := cmp.Diff([]string{"ack", "4", "Refused by the gateway", "771"}, <-ack); diff != "" {
		t.Error(diff)
	}
	b.want("size", "0", "1024", "768")
}

// TestLargePictures: messages end at instructions, whatever guacd's writes and
// the size of the buffer do.
func TestLargePictures(t *testing.T) {
	blob := strings.Repeat("A", 8064)
	const count = 400
	p := newPortal(t, newFakeGuacd(t, func(g *guacdConn) {
		var stream []byte
		for range count {
			stream = appendInstruction(stream, "img", "1", "14", "0", "image/png", "0", "0")
			stream = appendInstruction(stream, "blob", "1", blob)
			stream = appendInstruction(stream, "end", "1")
			stream = appendInstruction(stream, "name", "åäö 🖥")
		}
		stream = appendInstruction(stream, "sync", "1")
		for size := 1; len(stream) > 0; size = (size*3 + 1) % 20011 {
			n := min(size+1, len(stream))
			g.Write(stream[:n])
			stream = stream[n:]
		}
		g.until("disconnect")
	}), Options{Protocol: "rdp", Width: 1280, Height: 800, Arguments: map[string]string{"height": "600"}})
	b := p.open(t)
	b.want("size", "0", "1280", "600") // guacd has sent none: it may lose its first instruction
	for range count {
		b.want("img", "1", "14", "0", "image/png", "0", "0")
		b.want("blob", "1", blob)
		b.want("end", "1")
		b.want("name", "åäö 🖥")
	}
	b.want("sync", "1")
}

// TestStalledBrowser: a browser that stops reading holds neither memory nor
// guacd for long.
func TestStalledBrowser(t *testing.T) {
	t.Parallel()
	told := make(chan bool, 1)
	guacd := newFakeGuacd(t, func(g *guacdConn) {
		go func() { told <- g.until("disconnect") != nil }()
		blob := appendInstruction(nil, "sync", "1")
		blob = append(blob, strings.Repeat(string(appendInstruction(nil, "name", strings.Repeat("a", 8000))), 16)...)
		for {
			if _, err := g.Write(blob); err != nil {
				return
			}
		}
	})
	p := newPortal(t, guacd, Options{Protocol: "rdp"})
	p.open(t) // and never read again
	// How long it takes is TestStall's, which has a clock of its own.
	if end := p.end(t); end.Cause != "browser-stalled" {
		t.Errorf("end %+v", end)
	}
	if !<-told {
		t.Error("guacd was not told")
	}
}

// TestRevokedWhileStalled: a logout does not wait for a slow browser.
func TestRevokedWhileStalled(t *testing.T) {
	stuck := make(chan bool)
	p := newPortal(t, newFakeGuacd(t, func(g *guacdConn) {
		blob := []byte(strings.Repeat(string(appendInstruction(nil, "name", strings.Repeat("a", 8000))), 16))
		for {
			g.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
			if _, err := g.Write(blob); err != nil {
				break // the tunnel reads no more
			}
		}
		close(stuck)
		g.until("disconnect")
	}), Options{Protocol: "rdp"})
	p.open(t) // and never read again
	<-stuck
	revoked := time.Now()
	p.cancel(ErrRevoked)
	if end := p.end(t); end.Cause != "revoked" || time.Since(revoked) > 2*time.Second {
		t.Errorf("took %v, end %+v", time.Since(revoked), end)
	}
}

func TestDialsAreLimited(t *testing.T) {
	var waiting, most atomic.Int32
	goOn := make(chan bool)
	address := listen(t, func(g *guacdConn) {
		g.read()
		now := waiting.Add(1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		<-goOn
		waiting.Add(-1)
		g.say("error", "done", "519")
	})
	p := newPortal(t, NewGuacd(address, nil), Options{Protocol: "rdp"})
	const desktops = 12
	var pages sync.WaitGroup
	for range desktops {
		b := p.open(t)
		pages.Go(func() { b.goodbye() })
	}
	for range desktops {
		goOn <- true
		p.end(t)
	}
	pages.Wait()
	if most.Load() > maxDials {
		t.Errorf("%d dials at once", most.Load())
	}
}

func TestProbe(t *testing.T) {
	for _, test := range []struct {
		name  string
		guacd func(*guacdConn)
		ok    bool
	}{
		{"guacd 1.6", func(g *guacdConn) { g.read(); g.say("error", "No such connection", "516") }, true},
		{"guacd 1.3", func(g *guacdConn) { g.read() }, true},
		{"web server", func(g *guacdConn) { g.read(); g.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }, false},
		{"silent", func(g *guacdConn) { g.until("") }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if err := NewGuacd(listen(t, test.guacd), nil).Probe(ctx); (err == nil) != test.ok {
				t.Errorf("probe: %v", err)
			}
		})
	}
}

// TestNothingIsLeft opens and ends desktops in every way and counts.
func TestNothingIsLeft(t *testing.T) {
	guacd := newFakeGuacd(t, func(g *guacdConn) { g.picture("1"); g.until("disconnect") })
	p := newPortal(t, guacd, Options{Protocol: "rdp"})
	cycle := func(i int) {
		b := p.open(t)
		switch i % 4 {
		case 0:
			b.until("sync")
			b.say("disconnect")
			b.goodbye()
		case 1:
			b.until("sync")
			b.ws.Close()
		case 2:
			b.say("zzz")
			b.goodbye()
		case 3:
			b.ws.Close()
		}
		p.end(t)
		b.ws.Close()
	}
	for i := range 8 {
		cycle(i)
	}
	released := func() bool { return guacd.Live() == 0 }
	waitFor(t, "guacd's connections", released)
	before := runtime.NumGoroutine()
	for i := range 300 {
		cycle(i)
	}
	waitFor(t, "guacd's connections", released)
	waitFor(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= before+4 })
}
