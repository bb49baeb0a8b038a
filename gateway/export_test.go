package gateway

import (
	"context"
	"time"
)

// ViewBytes is how much memory the pictures of desktops take.
func (p *Gateway) ViewBytes() int {
	p.desktops.views.mu.Lock()
	defer p.desktops.views.mu.Unlock()
	return p.desktops.views.bytes
}

// ProbeWith has workstations asked by dial instead of TCP.
func (p *Gateway) ProbeWith(dial func(ctx context.Context, address string) error) {
	p.reach.dial = dial
}

// ApplyDueNumbers is what the portal does every minute, at a test's ticks.
func (p *Gateway) ApplyDueNumbers(tick <-chan time.Time) { p.applyDueNumbers(tick) }
