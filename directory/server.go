package directory

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const (
	maxIdle     = 4                // service connections kept for each server
	maxConnAge  = 5 * time.Minute  // then a new one is made, so that a revived first server is used again
	outFor      = 10 * time.Second // how long a server that failed is passed over
	refusalHold = 10 * time.Second // how long a refused service account is not tried again
)

// server is one server of a domain, with its idle service connections.
type server struct {
	address address
	domain  *domain
	tls     *tls.Config
	timeout time.Duration
	now     func() time.Time

	mu       sync.Mutex
	idle     []*conn
	outUntil time.Time
}

func (s *server) fault(op string, err error) error {
	var f *fault
	if errors.As(err, &f) {
		return err // it says where already
	}
	return &fault{server: s.address.text, op: op, err: err}
}

// read lends work a service connection. work may be run twice, so it must only
// read: an idle connection may turn out to have been closed by the server.
func (s *server) read(ctx context.Context, work func(*conn) error) error {
	if c := s.takeIdle(); c != nil {
		err := work(c)
		broken := c.broken
		s.giveBack(c) // from here on it is somebody else's
		if !broken || ctx.Err() != nil || isTimeout(err) {
			return err
		}
		s.drain()
	}
	c, err := s.openService(ctx)
	if err != nil {
		return err
	}
	defer s.giveBack(c)
	return work(c)
}

// isTimeout tells a server that hangs from one that has closed the connection.
func isTimeout(err error) bool {
	var e *ldap.Error
	return errors.As(err, &e) && e.ResultCode == ldap.ErrorNetwork && e.Err != nil && e.Err.Error() == "ldap: connection timed out"
}

// openService dials, binds the service account and reads the root DSE.
func (s *server) openService(ctx context.Context) (*conn, error) {
	if err := s.domain.serviceHeld(); err != nil {
		return nil, err
	}
	c, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	err = c.request(ctx, "service account", func(l *ldap.Conn) error {
		return l.Bind(s.domain.config.BindDN, s.domain.config.BindPassword)
	})
	if err == nil {
		err = c.readRootDSE(ctx)
	} else if isAnswer(err) {
		// Another server would count it as one more wrong password.
		err = s.domain.holdService(fmt.Errorf("%w: %s refuses the service account: %s", ErrUnavailable, s.address.text, diagnostic(err)))
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// bindNobody does for a name that is unknown what a bind does for a known one,
// so that the two take alike long.
func (s *server) bindNobody(ctx context.Context, base string) {
	c, err := s.dial(ctx)
	if err != nil {
		return
	}
	defer c.close()
	_ = c.request(ctx, "bind", func(l *ldap.Conn) error {
		return l.Bind("CN="+rand.Text()+","+base, rand.Text())
	})
}

// takeIdle returns the connection that was used last, or nil.
func (s *server) takeIdle() *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.idle) > 0 {
		last := len(s.idle) - 1
		c := s.idle[last]
		s.idle = s.idle[:last]
		if s.now().Sub(c.opened) < maxConnAge && !c.ldap.IsClosing() {
			return c
		}
		go c.close() // it may wait for the server
	}
	return nil
}

func (s *server) giveBack(c *conn) {
	if c.broken {
		return
	}
	s.mu.Lock()
	keep := len(s.idle) < maxIdle && !s.domain.isClosed() && s.now().Sub(c.opened) < maxConnAge
	if keep {
		s.idle = append(s.idle, c)
	}
	s.mu.Unlock()
	if !keep {
		c.close()
	}
}

// drain closes the idle connections.
func (s *server) drain() {
	s.mu.Lock()
	idle := s.idle
	s.idle = nil
	s.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
}

// passOver remembers that the server failed, so that not every login pays for
// finding that out.
func (s *server) passOver() {
	s.mu.Lock()
	s.outUntil = s.now().Add(outFor)
	s.mu.Unlock()
	s.drain()
}

func (s *server) answered() {
	s.mu.Lock()
	s.outUntil = time.Time{}
	s.mu.Unlock()
}

// passedOverUntil is when the server will be tried again, zero if it is not passed over.
func (s *server) passedOverUntil() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now().Before(s.outUntil) {
		return s.outUntil
	}
	return time.Time{}
}
