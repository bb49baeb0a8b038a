package tunnel

import (
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"stagedoor/testbed"
)

// refusal is a desktop that does not come, and what the person gets to see.
type refusal struct {
	name    string
	change  func(*Options)
	cause   string
	code    int    // of the close frame
	reason  string // of the close frame and of the error instruction
	inWords string // part of the error instruction's text
}

// check opens a desktop that guacd or its target refuse.
func (r refusal) check(t *testing.T, guacd *Guacd, options Options) End {
	t.Helper()
	if r.change != nil {
		r.change(&options)
	}
	p := newPortal(t, guacd, options)
	b := p.open(t)
	b.ws.SetReadDeadline(time.Now().Add(2 * patience)) // guacd takes 15 s for some
	last, code, why := b.goodbye()
	if code != r.code || why != r.reason || len(last) != 3 || last[0] != "error" || last[2] != r.reason || !strings.Contains(last[1], r.inWords) {
		t.Errorf("%q, close frame %d %s", last, code, why)
	}
	end := p.end(t)
	if end.Cause != r.cause || reason(end.Status) != r.reason || end.Cause == "guacd-error" && end.Text != last[1] {
		t.Errorf("end %+v", end)
	}
	return end
}

// withTarget is options for another address.
func withTarget(address string) func(*Options) {
	return func(o *Options) { o.Arguments["hostname"], o.Arguments["port"], _ = strings.Cut(address, ":") }
}

// TestRealRefusals are targets that do not work, through a real guacd.
func TestRealRefusals(t *testing.T) {
	testbed.Need(t, "guacd")
	t.Parallel()
	silent := listen(t, func(s *guacdConn) { io.Copy(io.Discard, s) })
	for _, test := range []refusal{
		{"port closed", nil, "guacd-error", 1011, "519", "refused"},
		{"target accepts and stays silent", func(o *Options) {
			withTarget(silent)(o)
			o.FirstFrameTimeout = 2 * time.Second
		}, "first-frame-timeout", 1011, "514", "no picture"},
		{"guacd does not know the protocol", func(o *Options) {
			o.Protocol, o.HandshakeTimeout = "nonsense", time.Second
		}, "handshake-timeout", 1011, "514", "in time"},
		{"guacd lacks an argument", func(o *Options) { o.MustHave = []string{"no-such-rule"} }, "guacd-lacks-argument", 1011, "512", "no-such-rule"},
		// A parse error would be EOF; this one reaches the dead port.
		{"password with the protocol in it", func(o *Options) { o.Arguments["password"] = "pässword,5.false;" }, "guacd-error", 1011, "519", "refused"},
		{"password as in CVE-2023-30575", func(o *Options) { o.Arguments["password"] = "åäöxx,5.false,1./;3.nop,20." }, "guacd-error", 1011, "519", "refused"},
		{"target drops packets", withTarget(blackHole(t)), "guacd-error", 1011, "519", "unreachable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := startGuacd(t, testbed.GuacdOptions{})
			end := test.check(t, NewGuacd(g.Address, nil), rdp(t, deadPort(t), "anna", "secret"))
			if test.name == "target drops packets" && end.Duration < 10*time.Second {
				t.Errorf("after %v: that was no timeout", end.Duration)
			}
		})
	}
}

// blackHole is an address on loopback that drops what comes: the kernel
// answers no SYN of a listener whose queue is full.
func blackHole(t *testing.T) string {
	t.Helper()
	listener, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(listener) })
	if err := errors.Join(syscall.Bind(listener, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(listener, 0)); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(listener)
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
	for range 10 {
		conn, err := net.DialTimeout("tcp", address, 500*time.Millisecond)
		if err != nil {
			if failed, ok := errors.AsType[net.Error](err); !ok || !failed.Timeout() {
				t.Fatal(err)
			}
			return address
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("the queue of the listener does not fill up")
	return ""
}
