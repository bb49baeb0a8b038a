package tunnel

import (
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"stagedoor/testbed"
)

// startGuacd is a real guacd.
func startGuacd(t *testing.T, options testbed.GuacdOptions) *testbed.Guacd {
	t.Helper()
	testbed.Need(t, "guacd")
	g, err := testbed.StartGuacd(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Stop(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// rdp are the options for a desktop at address.
func rdp(t *testing.T, address, username, password string) Options {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Protocol: "rdp", MustHave: []string{"disable-copy"}, Timezone: "Europe/Stockholm", Image: []string{"image/png", "image/jpeg"},
		Arguments: map[string]string{"hostname": host, "port": port, "username": username, "password": password,
			"ignore-cert": "true", "security": "any", "disable-copy": "true"},
	}
}

// deadPort is an address on loopback where nobody listens.
func deadPort(t *testing.T) string {
	t.Helper()
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port.Close()
	return port.Addr().String()
}

// TestRealDesktop works on a real desktop, and then kills what carries it.
func TestRealDesktop(t *testing.T) {
	g := startGuacd(t, testbed.GuacdOptions{})
	testbed.Need(t, "xrdp")
	user := testbed.NewUnixUser()
	x, err := testbed.StartXrdp(t.Context(), testbed.XrdpOptions{Users: []testbed.UnixUser{user}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Stop(); err != nil {
			t.Error(err)
		}
	})
	guacd := NewGuacd(g.Address, nil)
	options := rdp(t, x.Address, user.Name, user.Password)
	ready := make(chan bool, 10)
	options.OnReady = func() { ready <- true }

	t.Run("picture, input and leaving", func(t *testing.T) {
		p := newPortal(t, guacd, options)
		b := p.open(t)
		b.untilPicture()
		<-ready
		b.say("key", "97", "1")
		b.say("key", "97", "0")
		b.say("size", "800", "600")
		b.untilPicture() // the key reached the terminal
		b.say("disconnect")
		if _, code, why := b.goodbye(); code != 1000 || why != "0" {
			t.Errorf("close frame %d %s", code, why)
		}
		if end := p.end(t); end.Cause != "disconnect" {
			t.Errorf("end %+v", end)
		}
		waitFor(t, "guacd to free its child", func() bool { return guacd.Live() == 0 && len(g.Children()) == 0 })
	})
	t.Run("guacd's child killed", func(t *testing.T) {
		p := newPortal(t, guacd, options)
		b := p.open(t)
		b.untilPicture()
		for _, child := range g.Children() {
			if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		if last, code, why := b.goodbye(); code != 1011 || why != "520" || last[0] != "error" {
			t.Errorf("%q, close frame %d %s", last, code, why)
		}
		if end := p.end(t); end.Cause != "guacd-eof" {
			t.Errorf("end %+v", end)
		}
	})
	t.Run("RDP server killed", func(t *testing.T) {
		p := newPortal(t, guacd, options)
		b := p.open(t)
		b.untilPicture()
		if err := x.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
		last, _, why := b.goodbye()
		if end := p.end(t); why == "" || end.Cause != "guacd-error" && end.Cause != "logoff" {
			t.Errorf("%q, reason %s, end %+v", last, why, end)
		}
	})
}

// untilPicture reads until a picture is drawn on the desktop, and confirms
// frames as the browser client does.
func (b *page) untilPicture() {
	b.t.Helper()
	b.ws.SetReadDeadline(time.Now().Add(patience))
	for drawn := false; ; {
		got := b.next()
		switch got[0] {
		case "img":
			drawn = drawn || got[3] == "0"
		case "sync":
			b.say("sync", got[1])
			if drawn {
				return
			}
		case "error":
			b.t.Fatalf("the desktop ended: %q", got)
		}
	}
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// TestRealRefusals are targets that do not work, through a real guacd.
func TestRealRefusals(t *testing.T) {
	g := startGuacd(t, testbed.GuacdOptions{})
	silent := listen(t, func(s *guacdConn) { io.Copy(io.Discard, s) })
	for _, test := range []struct {
		name    string
		change  func(*Options)
		cause   string
		reason  string
		inWords string
	}{
		{"port closed", func(*Options) {}, "guacd-error", "519", "refused"},
		{"target accepts and stays silent", func(o *Options) {
			o.Arguments["hostname"], o.Arguments["port"], _ = strings.Cut(silent, ":")
			o.FirstFrameTimeout = 2 * time.Second
		}, "first-frame-timeout", "514", "no picture"},
		{"guacd does not know the protocol", func(o *Options) {
			o.Protocol, o.HandshakeTimeout = "nonsense", time.Second
		}, "handshake-timeout", "514", "in time"},
		{"guacd lacks an argument", func(o *Options) { o.MustHave = []string{"no-such-rule"} }, "guacd-lacks-argument", "512", "no-such-rule"},
		// A parse error would be EOF; this one reaches the dead port.
		{"password with the protocol in it", func(o *Options) { o.Arguments["password"] = "pässword,5.false;" }, "guacd-error", "519", "refused"},
		{"password as in CVE-2023-30575", func(o *Options) { o.Arguments["password"] = "åäöxx,5.false,1./;3.nop,20." }, "guacd-error", "519", "refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			options := rdp(t, deadPort(t), "anna", "secret")
			test.change(&options)
			p := newPortal(t, NewGuacd(g.Address, nil), options)
			last, _, why := p.open(t).goodbye()
			if why != test.reason || len(last) != 3 || last[2] != test.reason || !strings.Contains(last[1], test.inWords) {
				t.Errorf("%q, close reason %s", last, why)
			}
			if end := p.end(t); end.Cause != test.cause {
				t.Errorf("end %+v", end)
			}
		})
	}
}

// TestRealGuacdTLS goes to a guacd that takes TLS only.
func TestRealGuacdTLS(t *testing.T) {
	ca, err := testbed.NewCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.Issue("guacd", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	g := startGuacd(t, testbed.GuacdOptions{TLS: certificate})
	for _, test := range []struct {
		name  string
		guacd *Guacd
		cause string
		alive bool
	}{
		{"right CA", NewGuacd(g.Address, clientTLS(ca)), "guacd-error", true},
		{"unknown CA", NewGuacd(g.Address, clientTLS(nil)), "guacd-unreachable", false},
		{"plain", NewGuacd(g.Address, nil), "guacd-eof", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPortal(t, test.guacd, rdp(t, deadPort(t), "anna", "secret"))
			p.open(t).goodbye()
			if end := p.end(t); end.Cause != test.cause {
				t.Errorf("end %+v", end)
			}
			if err := test.guacd.Probe(t.Context()); (err == nil) != test.alive {
				t.Errorf("probe: %v", err)
			}
		})
	}
}

// TestRealProbe must not make guacd fork.
func TestRealProbe(t *testing.T) {
	g := startGuacd(t, testbed.GuacdOptions{})
	for range 20 {
		if err := NewGuacd(g.Address, nil).Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if children := g.Children(); len(children) > 0 {
		t.Errorf("the probe left children %v", children)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := NewGuacd(deadPort(t), nil).Probe(ctx); err == nil {
		t.Error("a dead port passes for guacd")
	}
}

// answer sends what guacd requires, as the page does.
func (b *page) answer(stream, name, value string) {
	b.t.Helper()
	b.say("argv", stream, "text/plain", name)
	b.say("blob", stream, base64.StdEncoding.EncodeToString([]byte(value)))
	b.say("end", stream)
}

// TestRealRequired: an NLA server needs the password before it shows anything.
// guacd asks, the page answers, and no answer goes to the log.
func TestRealRequired(t *testing.T) {
	g := startGuacd(t, testbed.GuacdOptions{})
	testbed.Need(t, "nla")
	const username, password = "nlauser", "Ångström,5.false; 1"
	server, err := testbed.StartNLA(t.Context(), username, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, test := range []struct{ name, password, cause string }{
		{"right", password, "disconnect"},
		{"wrong", "Not-this-one-7", "guacd-error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log strings.Builder
			options := rdp(t, server.Address, "", "")
			options.Arguments["security"] = "nla"
			options.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			p := newPortal(t, NewGuacd(g.Address, nil), options)
			b := p.open(t)
			values := map[string]string{"username": username, "password": test.password, "domain": ""}
			for stream, name := range b.until("required")[1:] {
				b.answer(strconv.Itoa(stream), name, values[name])
			}
			if test.cause == "disconnect" {
				b.untilPicture()
				b.say("disconnect")
			}
			last, _, why := b.goodbye()
			end := p.end(t)
			if end.Cause != test.cause || test.cause == "guacd-error" && (why != "519" || end.Text == "" || last[1] != end.Text) {
				t.Errorf("%q, close reason %s, end %+v", last, why, end)
			}
			if got := log.String(); got == "" || strings.Contains(got, test.password) {
				t.Errorf("log: %s", got)
			}
		})
	}
}
