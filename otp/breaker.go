package otp

import (
	"sync"
	"time"
)

// breaker keeps a sender that fails from being the first to be tried.
//
//	closed ── failures in a row ──> open ── pause ──> half-open
//	   ^                             ^                   │ one message
//	   └───────── it was taken ──────┼───────────────────┤
//	                                 └──── it was not ───┘
type breaker struct {
	failures int
	pause    time.Duration

	mu          sync.Mutex
	inARow      int
	openUntil   time.Time // zero: closed
	trying      bool      // half-open: a message is under way
	lastSuccess time.Time
	lastFailure time.Time
	reason      string
}

// admits tells whether a message may go to the sender now; of those that ask
// while it is half-open, the first only.
func (b *breaker) admits(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.openUntil.IsZero() {
		return true
	}
	if b.trying || now.Before(b.openUntil) {
		return false
	}
	b.trying = true
	return true
}

// done counts what became of a message.
func (b *breaker) done(now time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
	if err == nil {
		b.inARow, b.openUntil, b.lastSuccess = 0, time.Time{}, now
		return
	}
	b.inARow++
	b.lastFailure, b.reason = now, err.Error()
	if b.inARow >= b.failures {
		b.openUntil = now.Add(b.pause)
	}
}

// letGo gives back what admits let in and nobody sent.
func (b *breaker) letGo() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
}

// state writes the breaker's part of a health.
func (b *breaker) state(now time.Time, health SenderHealth) SenderHealth {
	b.mu.Lock()
	defer b.mu.Unlock()
	health.LastSuccess, health.LastFailure, health.Failure = b.lastSuccess, b.lastFailure, b.reason
	switch {
	case b.openUntil.IsZero():
		health.Breaker = BreakerClosed
	case now.Before(b.openUntil):
		health.Breaker, health.OpenUntil = BreakerOpen, b.openUntil
	default:
		health.Breaker = BreakerHalfOpen
	}
	return health
}
