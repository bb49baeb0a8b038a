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

// Guacd is one guacd daemon. Make it once with NewGuacd and copy it as you
// like: the copies share its limits. A literal has none.
type Guacd struct {
	Address string      // host:port
	TLS     *tls.Config // nil: plain; only for loopback or a private network

	shared *sharedGuacd
}

type sharedGuacd struct {
	dials chan struct{} // a slot for each connection that guacd has not answered yet
	live  atomic.Int64
}

// NewGuacd is a guacd that is dialled by at most four desktops at once, and
// that counts its connections. A nil config means plain TCP.
func NewGuacd(address string, config *tls.Config) Guacd {
	return Guacd{Address: address, TLS: config, shared: &sharedGuacd{dials: make(chan struct{}, maxDials)}}
}

// Live is how many connections guacd holds. A desktop that ended counts until
// guacd has freed its child. It is 0 for a Guacd that NewGuacd did not make.
func (g Guacd) Live() int {
	if g.shared == nil {
		return 0
	}
	return int(g.shared.live.Load())
}

// Probe asks guacd whether it answers, without making it fork a child: it
// selects a connection that cannot exist. guacd 1.6 says so (error 516), 1.3
// only closes. A context without deadline gets one of 5 s.
func (g Guacd) Probe(ctx context.Context) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
	}
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
	shared *sharedGuacd
	dialed bool // still holds a slot in shared.dials
}

// dial connects, first waiting for one of the slots. The caller tells
// answered when guacd has said something, and close at the end.
func (g Guacd) dial(ctx context.Context) (*line, error) {
	l := &line{shared: g.shared}
	if g.shared != nil {
		select {
		case g.shared.dials <- struct{}{}:
			l.dialed = true
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting to dial: %w", context.Cause(ctx))
		}
	}
	conn, err := g.connect(ctx)
	if err != nil {
		l.answered()
		return nil, err
	}
	l.Conn = conn
	if g.shared != nil {
		g.shared.live.Add(1)
	}
	return l, nil
}

func (g Guacd) connect(ctx context.Context) (net.Conn, error) {
	dialer := net.Dialer{Control: limitReceive}
	conn, err := dialer.DialContext(ctx, "tcp", g.Address)
	if err != nil || g.TLS == nil {
		return conn, err
	}
	config := g.TLS.Clone()
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
		<-l.shared.dials
	}
}

// close ends the connection. guacd has freed its child, or is given up.
func (l *line) close() {
	l.answered()
	l.Close()
	if l.shared != nil {
		l.shared.live.Add(-1)
	}
}

// drain reads what guacd still says until it has freed the child, which holds
// the slot that long: up to 2.7 s after disconnect, 18 s without. guacd notices
// that its child is gone only when the client writes or ends its side too.
func (l *line) drain() {
	if half, ok := l.Conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	l.SetReadDeadline(time.Now().Add(drainTimeout))
	var rest [4096]byte
	for {
		if _, err := l.Read(rest[:]); err != nil {
			l.close()
			return
		}
	}
}
