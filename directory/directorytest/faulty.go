package directorytest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// Fault is how a Faulty server fails.
type Fault int

const (
	Silent    Fault = iota // accepts connections and never says a word
	SilentTLS              // completes the TLS handshake, then the same
	Garbage                // completes the TLS handshake, then sends what is no LDAP
	Flood                  // answers everything with one message without end
)

// Faulty is a server that answers wrongly. Its certificate is good.
type Faulty struct {
	listener net.Listener
	accepted atomic.Int64
	arrivals chan struct{}
	wait     sync.WaitGroup

	mu     sync.Mutex
	conns  []net.Conn
	closed bool
}

// StartFaulty starts a broken server with this server's certificate.
func (s *Server) StartFaulty(fault Fault) (*Faulty, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("directorytest: %w", err)
	}
	f := &Faulty{listener: listener, arrivals: make(chan struct{}, 1)}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{s.identity.server}}
	f.wait.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil || !f.keep(c) {
				return
			}
			f.accepted.Add(1)
			select {
			case f.arrivals <- struct{}{}:
			default: // nobody has taken note of the one before
			}
			f.wait.Go(func() { fault.serve(c, config) })
		}
	})
	return f, nil
}

func (f *Faulty) keep(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		_ = c.Close()
		return false
	}
	f.conns = append(f.conns, c)
	return true
}

// serve runs until Stop closes the connection, or the client does.
func (fault Fault) serve(c net.Conn, config *tls.Config) {
	defer func() { _ = c.Close() }()
	if fault == Silent {
		_, _ = io.Copy(io.Discard, c)
		return
	}
	secured := tls.Server(c, config)
	if secured.Handshake() != nil {
		return
	}
	request := make([]byte, 4096)
	if _, err := secured.Read(request); err != nil {
		return
	}
	switch fault {
	case Garbage:
		_, _ = secured.Write([]byte("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nThis is not LDAP\r\n"))
	case Flood:
		// One octet string of 2 GB in a message of unknown length.
		if _, err := secured.Write([]byte{0x30, 0x80, 0x02, 0x01, 0x01, 0x04, 0x84, 0x7f, 0xff, 0xff, 0xff}); err != nil {
			return
		}
		for chunk := make([]byte, 1<<16); ; {
			if _, err := secured.Write(chunk); err != nil {
				return
			}
		}
	}
	_, _ = io.Copy(io.Discard, secured)
}

// URL is ldaps://127.0.0.1:PORT.
func (f *Faulty) URL() string { return "ldaps://" + f.listener.Addr().String() }

// Accepted is how many connections there have been.
func (f *Faulty) Accepted() int { return int(f.accepted.Load()) }

// Arrivals receives something after a connection has come.
func (f *Faulty) Arrivals() <-chan struct{} { return f.arrivals }

// Stop ends it and its connections.
func (f *Faulty) Stop() error {
	f.mu.Lock()
	f.closed = true
	err := f.listener.Close()
	for _, c := range f.conns {
		_ = c.Close()
	}
	f.mu.Unlock()
	f.wait.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("directorytest: %w", err)
	}
	return nil
}
