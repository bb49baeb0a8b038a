package otp

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Between two tries to bind: the pause doubles from the first to the last. A
// message that waits ends it, but not before the first has gone by, so that a
// provider that is down is not hammered.
const (
	smppFirstPause = time.Second
	smppLastPause  = time.Minute
)

// Start begins to bind and returns at once; without it the first message does.
func (s *SMPPSender) Start() {
	s.keeping.Do(func() { s.kept.Go(s.keep) })
}

// Close unbinds and ends what is waiting; OnReceipt is not called any more once
// it has returned. The sender is of no use afterwards.
func (s *SMPPSender) Close() error {
	s.stop()
	s.keeping.Do(func() {}) // from now on nobody starts
	s.kept.Wait()
	s.receipts.end()
	s.note(nil, errors.New("closed"), false)
	return nil
}

// keep binds, and binds anew, until Close.
func (s *SMPPSender) keep() {
	pause := smppFirstPause
	for s.ctx.Err() == nil {
		s.note(nil, nil, false)
		link, err := bindSMPP(s.ctx, s.config, s.tls, s.receipts.take)
		if err == nil {
			s.config.Log.Info("SMPP bound", "sender", s.config.Name, "server", s.config.Server)
			s.note(link, nil, false)
			bound := time.Now()
			select {
			case <-link.down:
			case <-s.ctx.Done():
				link.unbind()
				return
			}
			err = link.err
			if time.Since(bound) > smppLastPause {
				pause = smppFirstPause
			}
		}
		if s.ctx.Err() != nil {
			return
		}
		s.config.Log.Warn("SMPP not bound", "sender", s.config.Name, "server", s.config.Server, "error", err)
		s.note(nil, err, true)
		s.rest(pause)
		pause = min(2*pause, smppLastPause)
	}
}

// rest waits before the next try.
func (s *SMPPSender) rest(pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.wake:
	case <-s.ctx.Done():
	}
}

func (s *SMPPSender) note(link *smppLink, err error, pausing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link, s.err, s.pausing, s.paused = link, err, pausing, time.Now()
	close(s.changed)
	s.changed = make(chan struct{})
}

// bound is the live link. It waits for a try to bind that is under way, and
// asks for a new one where the last failed more than a moment ago; right after
// a failed one it says so at once, so that another sender gets its turn.
func (s *SMPPSender) bound(ctx context.Context) (*smppLink, error) {
	s.Start()
	for {
		s.mu.Lock()
		link, err, pausing, paused, changed := s.link, s.err, s.pausing, s.paused, s.changed
		s.mu.Unlock()
		switch {
		case s.ctx.Err() != nil:
			return nil, errors.New("not bound: closed")
		case link != nil && !link.isDown():
			return link, nil
		case pausing && time.Since(paused) < smppFirstPause:
			return nil, fmt.Errorf("not bound: %w", err)
		case pausing:
			select {
			case s.wake <- struct{}{}:
			default:
			}
		}
		select {
		case <-changed:
		case <-s.ctx.Done():
		case <-ctx.Done():
			return nil, errors.New("not bound in time")
		}
	}
}

func (l *smppLink) isDown() bool {
	select {
	case <-l.down:
		return true
	default:
		return false
	}
}
