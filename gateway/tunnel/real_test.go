package tunnel

import (
	"context"
	"net"
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
	deadline := time.After(2 * patience) // guacd takes 15 s for some things
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

// startSecureGuacd is a real guacd that takes TLS only, and who vouches for it.
func startSecureGuacd(t *testing.T) (*testbed.Guacd, *testbed.CA) {
	t.Helper()
	ca, err := testbed.NewCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.Issue("guacd", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return startGuacd(t, testbed.GuacdOptions{TLS: certificate}), ca
}

// TestRealGuacdTLS goes to a guacd that takes TLS only.
func TestRealGuacdTLS(t *testing.T) {
	g, ca := startSecureGuacd(t)
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
