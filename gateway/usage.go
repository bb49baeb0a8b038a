package gateway

import (
	"context"
	"time"

	"stagedoor/gateway/tunnel"
)

// noteUsage adds a desktop's time in one WebSocket to the sums of the days. One
// that never showed a picture was not used.
func (p *Gateway) noteUsage(s *shown, live *desktop, end tunnel.End) error {
	if !s.seen.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.visit.Context()), 5*time.Second)
	defer cancel()
	to := p.Now().Local()
	return p.Store.NoteUsage(ctx, live.session.AccountID, s.target.ID, to.Add(-end.Duration), to, live.firstSeen())
}

// firstSeen is true once: a desktop that is shown in several WebSockets, one
// after the other, was opened once.
func (e *desktop) firstSeen() bool {
	e.register.mu.Lock()
	defer e.register.mu.Unlock()
	first := !e.counted
	e.counted = true
	return first
}
