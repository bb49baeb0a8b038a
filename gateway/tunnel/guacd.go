package tunnel

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// maxDials is how many connections to one guacd may be on their way at once:
// it listens with a backlog of 5.
const maxDials = 4

// dialTimeout is for TCP and TLS. guacd is near: a dead one must not use up the
// time that another one has.
const dialTimeout = 5 * time.Second

// Guacd is one guacd daemon, made by NewGuacd.
type Guacd struct {
	Address string // host:port
	Resume  Resume // set before use

	secure *tls.Config   // nil: plain
	dials  chan struct{} // a slot for each connection that guacd has not answered yet
	live   atomic.Int64
}

// Resume says whether a desktop stays with guacd while the network of its
// browser is gone, for the browser to come back to.
type Resume string

const (
	ResumeAuto   Resume = ""       // unless guacd is a 1.6, since 1.6.0 can lock up when somebody joins (GUACAMOLE-2270)
	ResumeAlways Resume = "always" // for a 1.6 where that is mended
	ResumeNever  Resume = "never"
)

// NewGuacd is a guacd that is dialled by at most four desktops at once, and
// that counts its connections. A nil config means plain TCP, which is only for
// loopback or a private network.
func NewGuacd(address string, config *tls.Config) *Guacd {
	return &Guacd{Address: address, secure: config, dials: make(chan struct{}, maxDials)}
}

// Live is how many connections guacd holds or is about to. A desktop that
// ended counts until guacd has freed its child.
func (g *Guacd) Live() int { return int(g.live.Load()) }

// Probe asks guacd whether it answers, without making it fork a child: it
// selects a connection that cannot exist. guacd 1.6 says so (error 516), 1.3
// only closes. A context without deadline gets one of 5 s.
func (g *Guacd) Probe(ctx context.Context) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
	}
	g.claim()
	l, err := g.dial(ctx)
	if err != nil {
		return fmt.Errorf("guacd %s: %w", g.Address, err)
	}
	defer l.close()
	stop := context.AfterFunc(ctx, func() { l.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := l.Write(appendInstruction(nil, "select", "$"+uuid.NewString())); err != nil {
		return fmt.Errorf("guacd %s: %w", g.Address, err)
	}
	answer, err := io.ReadAll(io.LimitReader(l, 4096))
	if err != nil {
		return fmt.Errorf("guacd %s does not answer: %w", g.Address, err)
	}
	var in instruction
	if len(answer) > 0 && (in.parse(answer) != nil || string(in.opcode) != "error") {
		return fmt.Errorf("guacd %s: that is not guacd", g.Address)
	}
	return nil
}

// line is one connection to guacd.
type line struct {
	net.Conn
	guacd  *Guacd
	dialed bool // still holds a slot in guacd.dials
}

// claim counts a connection that is about to be dialled.
func (g *Guacd) claim() { g.live.Add(1) }

// dial makes a connection that was claimed, first waiting for one of the
// slots. The caller tells answered when guacd has said something, and close at
// the end; on an error the claim is gone.
func (g *Guacd) dial(ctx context.Context) (*line, error) {
	l, err := g.connect(ctx)
	if err != nil {
		g.live.Add(-1)
	}
	return l, err
}

func (g *Guacd) connect(ctx context.Context) (*line, error) {
	select {
	case g.dials <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to dial: %w", context.Cause(ctx))
	}
	l := &line{guacd: g, dialed: true}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	dialer := net.Dialer{Control: limitReceive}
	conn, err := dialer.DialContext(ctx, "tcp", g.Address)
	if err == nil && g.secure != nil {
		conn, err = g.encrypt(ctx, conn)
	}
	if err != nil {
		l.answered()
		return nil, err
	}
	l.Conn = conn
	return l, nil
}

func (g *Guacd) encrypt(ctx context.Context, conn net.Conn) (net.Conn, error) {
	config := g.secure.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(g.Address)
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("TLS: %w", err), conn.Close())
	}
	return secure, nil
}

// answered gives the dial slot back.
func (l *line) answered() {
	if l.dialed {
		l.dialed = false
		<-l.guacd.dials
	}
}

// abandon ends a connection in its handshake. guacd 1.3 notices neither a close
// nor disconnect there and keeps its child for 15 s; what it cannot parse ends
// it at once.
func (l *line) abandon() {
	l.answered()
	l.SetWriteDeadline(time.Now().Add(partingTimeout))
	if _, err := l.Write([]byte(";")); err != nil {
		l.close()
		return
	}
	go l.drain(lingerTimeout)
}

// close ends the connection. guacd has freed its child, or is given up.
func (l *line) close() {
	l.answered()
	l.Close()
	l.guacd.live.Add(-1)
}

// drain reads what guacd still says until it has freed the child, which holds
// the slot that long (up to 2.7 s after disconnect, 18 s without), but no longer
// than timeout. guacd notices that its child is gone only when the client writes
// or ends its side too.
func (l *line) drain(timeout time.Duration) {
	if half, ok := l.Conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	l.SetReadDeadline(time.Now().Add(timeout))
	var rest [4096]byte
	for {
		if _, err := l.Read(rest[:]); err != nil {
			l.close()
			return
		}
	}
}
