package directory

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// What one answer of a directory may cost. An account's entry is a few
// kilobytes, the SIDs of the largest AD token 30.
const (
	maxAnswer     = 1 << 20 // bytes that one request may bring back, all packets together
	maxDN         = 1024    // bytes
	maxDiagnostic = 300     // runes of a server's words that go into an error
)

// fault is ErrUnavailable: this server did not answer as it should, and another
// one may. It never stands for an answer about a password.
type fault struct {
	server string
	op     string
	err    error
	last   bool // no other server may be asked: what was sent may have been carried out
}

func (f *fault) Error() string {
	return fmt.Sprintf("%v: %s: %s: %s", ErrUnavailable, f.server, f.op, printable(f.err.Error(), maxDiagnostic))
}

func (f *fault) Unwrap() []error { return []error{ErrUnavailable, f.err} }

// unusable is ErrUnavailable too, but no reason to ask another server: this one
// has answered, and the answer is of no use.
func (c *conn) unusable(op string, err error) error {
	return fmt.Errorf("%w: %s: %s: %s", ErrUnavailable, c.server.address.text, op, printable(err.Error(), maxDiagnostic))
}

var errTooMuch = fmt.Errorf("the answer is larger than %d bytes", maxAnswer)

// conn is one connection to one server. It is used by one goroutine at a time.
type conn struct {
	ldap   *ldap.Conn
	wire   *boundedConn
	server *server
	opened time.Time
	broken bool // must not be used again

	dse rootDSE // of service connections
}

// boundedConn bounds what go-ldap leaves open: it writes without a deadline,
// and reads whatever a server sends.
type boundedConn struct {
	net.Conn
	timeout time.Duration
	budget  atomic.Int64
}

func (c *boundedConn) Read(p []byte) (int, error) {
	if c.budget.Load() <= 0 {
		return 0, errTooMuch
	}
	n, err := c.Conn.Read(p)
	c.budget.Add(-int64(n))
	return n, err
}

func (c *boundedConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// dial opens a verified TLS connection, with nobody bound.
func (s *server) dial(ctx context.Context) (*conn, error) {
	dialer := net.Dialer{Timeout: s.timeout}
	raw, err := dialer.DialContext(ctx, "tcp", s.address.hostPort)
	if err != nil {
		return nil, s.fault("connect", err)
	}
	wire := &boundedConn{Conn: raw, timeout: s.timeout}
	wire.budget.Store(maxAnswer)
	c := &conn{wire: wire, server: s, opened: s.now()}
	if s.address.startTLS {
		err = c.startTLS(ctx)
	} else {
		err = c.handshake(ctx)
	}
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	c.ldap.SetTimeout(s.timeout)
	return c, nil
}

func (c *conn) handshake(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.server.timeout)
	defer cancel()
	secured := tls.Client(c.wire, c.server.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		return c.server.fault("TLS handshake", err)
	}
	c.ldap = ldap.NewConn(secured, true)
	c.ldap.Start()
	return nil
}

// startTLS is bounded by a deadline on the socket: go-ldap's own timeout covers
// neither the request nor the handshake.
func (c *conn) startTLS(ctx context.Context) error {
	if err := c.wire.SetDeadline(time.Now().Add(c.server.timeout)); err != nil {
		return c.server.fault("StartTLS", err)
	}
	c.ldap = ldap.NewConn(c.wire, false)
	c.ldap.SetTimeout(c.server.timeout)
	c.ldap.Start()
	err := c.request(ctx, "StartTLS", func(l *ldap.Conn) error {
		return l.StartTLS(c.server.tls)
	})
	if err == nil {
		if secured, ok := c.ldap.TLSConnectionState(); !ok || !secured.HandshakeComplete {
			err = errors.New("the connection is not encrypted")
		} else {
			err = c.wire.SetDeadline(time.Time{})
		}
	}
	if err != nil {
		c.close()
		return c.server.fault("StartTLS", err)
	}
	return nil
}

// request runs one LDAP request, ends it when ctx does, and closes the
// connection when the server did not answer in time or sensibly. Errors that
// carry an LDAP result code are the server's answer, and go back as they are;
// all others come back as a *fault.
func (c *conn) request(ctx context.Context, op string, send func(*ldap.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return c.server.fault(op, err)
	}
	c.wire.budget.Store(maxAnswer)
	stop := context.AfterFunc(ctx, func() { _ = c.wire.Close() }) // go-ldap knows no context
	err := guarded(c.ldap, send)
	if !stop() {
		c.abort()
		return c.server.fault(op, ctx.Err())
	}
	if err == nil || isAnswer(err) {
		return err
	}
	c.abort()
	return c.server.fault(op, err)
}

// guarded turns a panic of the LDAP library, which parses a server's bytes,
// into an error.
func guarded(l *ldap.Conn, send func(*ldap.Conn) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the answer could not be read: %v", r)
		}
	}()
	return send(l)
}

// isAnswer tells a result code that the server has sent from a failure to get
// one, and from the codes by which a server says that it cannot work.
func isAnswer(err error) bool {
	var e *ldap.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.ResultCode {
	case ldap.LDAPResultOperationsError, ldap.LDAPResultProtocolError, ldap.LDAPResultTimeLimitExceeded,
		ldap.LDAPResultBusy, ldap.LDAPResultUnavailable, ldap.LDAPResultOther:
		return false
	}
	return e.ResultCode < ldap.ErrorNetwork
}

// resultCode is the LDAP result code of an answer; 0 is success.
func resultCode(err error) uint16 {
	var e *ldap.Error
	if errors.As(err, &e) {
		return e.ResultCode
	}
	return ldap.LDAPResultSuccess
}

// diagnostic is what the server says in words, fit for a log.
func diagnostic(err error) string {
	var e *ldap.Error
	if !errors.As(err, &e) || e.Err == nil {
		return ""
	}
	return printable(e.Err.Error(), maxDiagnostic)
}

// abort drops the connection without another word to the server.
func (c *conn) abort() {
	c.broken = true
	_ = c.wire.Close()
	_ = c.ldap.Close()
}

func (c *conn) close() {
	c.broken = true
	_ = c.ldap.Close()
}
