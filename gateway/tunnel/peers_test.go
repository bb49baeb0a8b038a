package tunnel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"stagedoor/testbed"
)

// patience bounds every wait of a test.
const patience = 20 * time.Second

// portal is an HTTP server with a tunnel behind every request.
type portal struct {
	*httptest.Server
	ends   chan End
	cancel context.CancelCauseFunc
	held   *Desktop // the one that every WebSocket shows, where it is held
}

func newPortal(t testing.TB, guacd *Guacd, options Options) *portal {
	t.Helper()
	return newPoolPortal(t, NewPool(options.Log, guacd), options)
}

// newPoolPortal lets every WebSocket show the same desktop, one after the other,
// where options hold it.
func newPoolPortal(t testing.TB, pool *Pool, options Options) *portal {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	held := pool.Desktop()
	ends := make(chan End, 1000)
	var turn sync.Mutex
	p := newServer(t, func(ws *websocket.Conn) {
		if options.Hold == 0 {
			ends <- pool.Desktop().Serve(ctx, ws, &options)
			return
		}
		turn.Lock()
		defer turn.Unlock()
		ends <- held.Serve(ctx, ws, &options)
	})
	p.ends, p.cancel, p.held = ends, cancel, held
	t.Cleanup(func() {
		cancel(ErrShutdown)
		p.Close()
		turn.Lock()
		defer turn.Unlock()
		held.Leave()
	})
	return p
}

// newServer is an HTTP server that gives every WebSocket to serve.
func newServer(t testing.TB, serve func(*websocket.Conn)) *portal {
	t.Helper()
	p := &portal{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ws, err := Upgrade(w, r, p.URL); err == nil {
			serve(ws)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

// end is how the next desktop ended.
func (p *portal) end(t testing.TB) End {
	t.Helper()
	select {
	case end := <-p.ends:
		return end
	case <-time.After(patience):
		t.Fatal("the desktop does not end")
		return End{}
	}
}

// page is what runs in the browser.
type page struct {
	t    testing.TB
	ws   *websocket.Conn
	rest []byte
}

func (p *portal) open(t testing.TB) *page {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"guacamole"}, HandshakeTimeout: patience}
	ws, response, err := dialer.Dial("ws"+strings.TrimPrefix(p.URL, "http"), http.Header{"Origin": {p.URL}})
	if err != nil {
		t.Fatalf("dial: %v (%v)", err, response)
	}
	t.Cleanup(func() { ws.Close() })
	ws.SetReadDeadline(time.Now().Add(patience))
	b := &page{t: t, ws: ws}
	if got := b.next(); len(got) != 2 || got[0] != "" || len(got[1]) != 36 {
		t.Fatalf("first instruction = %q, want the uuid", got)
	}
	return b
}

// say sends one instruction, raw any text.
func (b *page) say(elements ...string) {
	b.t.Helper()
	b.raw(string(appendInstruction(nil, elements...)))
}

func (b *page) raw(message string) {
	b.t.Helper()
	if err := b.ws.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		b.t.Fatal(err)
	}
}

// read is the next instruction. Every message must hold whole ones.
func (b *page) read() ([]string, error) {
	var in instruction
	if len(b.rest) == 0 {
		kind, message, err := b.ws.ReadMessage()
		if err != nil {
			return nil, err
		}
		if kind != websocket.TextMessage {
			b.t.Fatalf("message of type %d", kind)
		}
		b.rest = message
	}
	if err := in.parse(b.rest); err != nil {
		b.t.Fatalf("message does not consist of whole instructions: %v in %.80q", err, b.rest)
	}
	b.rest = b.rest[len(in.raw):]
	return append([]string{string(in.opcode)}, in.allArgs()...), nil
}

func (b *page) next() []string {
	b.t.Helper()
	got, err := b.read()
	if err != nil {
		b.t.Fatalf("read: %v", err)
	}
	return got
}

// until reads up to an instruction with this opcode.
func (b *page) until(opcode string) []string {
	b.t.Helper()
	for {
		if got := b.next(); got[0] == opcode {
			return got
		}
	}
}

// want reads one instruction and compares it.
func (b *page) want(elements ...string) {
	b.t.Helper()
	if got := b.next(); !slices.Equal(got, elements) {
		b.t.Fatalf("browser got %.200q, want %.200q", got, elements)
	}
}

// goodbye reads to the close frame: the last instruction, code and reason.
func (b *page) goodbye() (last []string, code int, reason string) {
	b.t.Helper()
	for {
		got, err := b.read()
		if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
			return last, closed.Code, closed.Text
		}
		if err != nil {
			b.t.Fatalf("no close frame: %v", err)
		}
		last = got
	}
}

// guacdConn is one connection as guacd sees it.
type guacdConn struct {
	net.Conn
	t        testing.TB
	from     *source
	args     map[string]string // connect's values by name
	told     map[string][]string
	selected string
}

var standardArgs = []string{"VERSION_1_5_0", "hostname", "port", "username", "password", "disable-copy"}

// newFakeGuacd is a guacd on loopback that runs script for every connection,
// after the handshake.
func newFakeGuacd(t testing.TB, script func(*guacdConn)) *Guacd {
	t.Helper()
	return NewGuacd(listen(t, func(g *guacdConn) {
		if g.handshake(standardArgs...) {
			script(g)
		}
	}), nil)
}

// listen accepts connections on loopback until the test is over.
func listen(t testing.TB, script func(*guacdConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(2 * patience))
				script(&guacdConn{Conn: conn, t: t, from: newSource(conn)})
			}()
		}
	}()
	return listener.Addr().String()
}

// read is the next instruction from the tunnel; nil at the end.
func (g *guacdConn) read() []string {
	for {
		var in instruction
		switch err := in.parse(g.from.bytes()); {
		case err == nil:
			got := append([]string{string(in.opcode)}, in.allArgs()...)
			g.from.use(len(in.raw))
			return got
		case err == errLength && g.from.bytes()[0] == ';':
			return nil // the tunnel has given up in the handshake
		case err != errIncomplete:
			g.t.Errorf("guacd cannot read %.80q: %v", g.from.bytes(), err)
			return nil
		}
		if g.from.fill() != nil {
			return nil
		}
	}
}

// until reads up to an instruction with this opcode; nil at the end.
func (g *guacdConn) until(opcode string) []string {
	for {
		if got := g.read(); got == nil || got[0] == opcode {
			return got
		}
	}
}

func (g *guacdConn) say(elements ...string) { g.Write(appendInstruction(nil, elements...)) }

// picture draws a frame.
func (g *guacdConn) picture(timestamp string) {
	g.say("size", "0", "1024", "768")
	g.say("img", "1", "14", "0", "image/png", "0", "0")
	g.say("blob", "1", "iVBORw0KGgo=")
	g.say("end", "1")
	g.say("sync", timestamp)
}

func (g *guacdConn) handshake(args ...string) bool {
	g.told = map[string][]string{}
	if got := g.read(); got == nil || got[0] != "select" {
		return false
	} else {
		g.selected = got[1]
	}
	g.say(append([]string{"args"}, args...)...)
	for {
		got := g.read()
		if got == nil {
			return false
		}
		g.told[got[0]] = got[1:]
		if got[0] == "connect" {
			break
		}
	}
	g.args = map[string]string{}
	for i, value := range g.told["connect"] {
		g.args[args[i]] = value
	}
	g.say("ready", "$260d01da-779b-4ee9-afc1-c16bae885cc7")
	return true
}

// clientTLS trusts one CA, or none.
func clientTLS(ca *testbed.CA) *tls.Config {
	if ca == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: ca.Pool()}
}
