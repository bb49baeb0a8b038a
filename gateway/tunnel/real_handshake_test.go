package tunnel

import (
	"io"
	"net"
	"testing"
	"time"

	"stagedoor/testbed"
)

// dialRaw is a connection to guacd with no tunnel between.
func dialRaw(t *testing.T, g *testbed.Guacd) *guacdConn {
	t.Helper()
	conn, err := net.Dial("tcp", g.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return &guacdConn{Conn: conn, t: t, from: newSource(conn)}
}

// TestRealGivingUp: guacd does not notice that a client closes in the handshake,
// nor reads disconnect there, and keeps its child for 15 s. What cannot be
// parsed ends the child at once.
func TestRealGivingUp(t *testing.T) {
	g := startGuacd(t, testbed.GuacdOptions{})
	for _, test := range []struct {
		name, early, late string // before and after guacd's args
	}{
		{"with select", "6.select,3.rdp;;", ""},
		{"after args", "6.select,3.rdp;", ";"},
		{"before connect", "6.select,3.rdp;", "4.size,4.1024,3.768,2.96;;"},
	} {
		t.Run(test.name, func(t *testing.T) {
			raw := dialRaw(t, g)
			io.WriteString(raw, test.early)
			if args := raw.read(); len(args) < 50 || args[0] != "args" {
				t.Fatalf("guacd says %.80q", args)
			}
			gaveUp := time.Now()
			io.WriteString(raw, test.late)
			raw.Conn.(*net.TCPConn).CloseWrite()
			if _, err := io.Copy(io.Discard, raw.Conn); err != nil {
				t.Errorf("guacd holds the connection: %v", err)
			}
			waitFor(t, "guacd's child to end", func() bool { return len(g.Children()) == 0 })
			if took := time.Since(gaveUp); took > 10*time.Second {
				t.Errorf("guacd's child ended after %v", took)
			}
		})
	}
}

// TestRealWrongConnect is why values go by name: guacd takes a connect with too
// few of them for ready, and hangs up later without a word.
func TestRealWrongConnect(t *testing.T) {
	g := startGuacd(t, testbed.GuacdOptions{})
	raw := dialRaw(t, g)
	raw.say("select", "rdp")
	if args := raw.read(); len(args) < 50 || args[0] != "args" {
		t.Fatalf("guacd says %.80q", args)
	}
	raw.say("size", "1024", "768", "96")
	raw.say("audio")
	raw.say("video")
	raw.say("image", "image/png")
	raw.say("connect", "VERSION_1_3_0", "127.0.0.1")
	if got := raw.read(); len(got) != 2 || got[0] != "ready" {
		t.Fatalf("guacd says %q instead of ready", got)
	}
	waitFor(t, "guacd's child to end", func() bool { return len(g.Children()) == 0 })
	raw.say("nop")
	if got := raw.read(); got != nil {
		t.Errorf("guacd says %q instead of hanging up", got)
	}
}
