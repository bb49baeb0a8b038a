package directory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// maxAtOnce is how many calls may talk to one domain at the same time; others
// wait, so that a flood of logins does not become a flood of connections.
const maxAtOnce = 32

// domain is a configured domain at work.
type domain struct {
	config  Domain
	servers []*server
	now     func() time.Time
	slots   chan struct{}

	mu        sync.Mutex
	closed    bool
	held      error // the service account was refused, until heldUntil
	heldUntil time.Time
}

func openDomain(config Domain, now func() time.Time) (*domain, error) {
	roots, err := config.roots()
	if err != nil {
		return nil, fmt.Errorf("directory: domain %s: %w", config.Name, err)
	}
	if config.Timeout == 0 {
		config.Timeout = defaultTimeout
	}
	if len(config.MobileAttributes) == 0 {
		config.MobileAttributes = []string{"mobile"}
	}
	d := &domain{config: config, now: now, slots: make(chan struct{}, maxAtOnce)}
	for _, text := range config.Servers {
		a, err := parseServer(text)
		if err != nil {
			return nil, fmt.Errorf("directory: domain %s: %w", config.Name, err)
		}
		d.servers = append(d.servers, &server{
			address: a, domain: d, tls: tlsConfig(roots, a.host), timeout: config.Timeout, now: now,
		})
	}
	return d, nil
}

// nameAttribute is the attribute that holds user names.
func (d *domain) nameAttribute(standard string) string {
	if d.config.NameAttribute != "" {
		return d.config.NameAttribute
	}
	return standard
}

// each runs work on the first server that answers. Only a *fault leads to the
// next one: an answer about a password counts toward lockout, and stands.
func (d *domain) each(ctx context.Context, work func(*server) error) error {
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-ctx.Done():
		return fmt.Errorf("%w: %s: waiting for a connection: %w", ErrUnavailable, d.config.Name, ctx.Err())
	}
	var faults []error
	for _, s := range d.inOrder() {
		err := work(s)
		var f *fault
		if !errors.As(err, &f) {
			s.answered()
			return err
		}
		faults = append(faults, err)
		if errors.Is(ctx.Err(), context.Canceled) {
			break // the caller left: that says nothing about the server
		}
		s.passOver()
		if ctx.Err() != nil || f.last {
			break
		}
	}
	return errors.Join(faults...)
}

// inOrder returns the servers to try: as configured, without those that failed
// a moment ago. Of these only the one that has been out longest comes last, so
// that a call to a domain that is down waits for one timeout and not for all.
func (d *domain) inOrder() []*server {
	var order []*server
	var longest *server
	var since time.Time
	for _, s := range d.servers {
		out := s.passedOverUntil()
		switch {
		case out.IsZero():
			order = append(order, s)
		case longest == nil || out.Before(since):
			longest, since = s, out
		}
	}
	if longest != nil {
		order = append(order, longest)
	}
	return order
}

// holdService remembers for a while that the service account was refused: to
// try again with every login would lock it out.
func (d *domain) holdService(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held, d.heldUntil = err, d.now().Add(refusalHold)
	return err
}

func (d *domain) serviceHeld() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now().Before(d.heldUntil) {
		return d.held
	}
	return nil
}

func (d *domain) isClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

func (d *domain) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	for _, s := range d.servers {
		s.drain()
	}
}
