package gateway

import (
	"context"
	"time"

	"stagedoor/gateway/tunnel"
)

// noteUsage adds a desktop's time in one WebSocket to the sums of the days. One
// that never showed a picture was not used.
func (p *Portal) noteUsage(s *shown, live *desktop, end tunnel.End) error {
	if !s.seen.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.visit.Context()), 5*time.Second)
	defer cancel()
	to := p.Now().Local()
	opened := !live.counted
	if err := p.Store.NoteUsage(ctx, live.session.AccountID, s.target.ID, to.Add(-end.Duration), to, opened); err != nil {
		return err
	}
	live.register.mu.Lock() // running copies desktops, under the lock
	live.counted = true
	live.register.mu.Unlock()
	return nil
}
