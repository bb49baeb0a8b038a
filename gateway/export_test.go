package gateway

import (
	"context"
	"time"
)

// ViewBytes is how much memory the pictures of desktops take.
func (p *Portal) ViewBytes() int {
	p.desktops.views.mu.Lock()
	defer p.desktops.views.mu.Unlock()
	return p.desktops.views.bytes
}

// ProbeWith has workstations asked by dial instead of TCP.
func (p *Portal) ProbeWith(dial func(ctx context.Context, address string) error) { p.reach.dial = dial }

// DeskActs are the names of helpdesk's acts.
func DeskActs() (names []string) {
	for _, act := range deskActs {
		names = append(names, act.name)
	}
	return names
}

// ApplyDueNumbers is what the portal does every minute, at a test's ticks.
func (p *Portal) ApplyDueNumbers(tick <-chan time.Time) { p.applyDueNumbers(tick) }
