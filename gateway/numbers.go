package gateway

import (
	"time"
)

// applyDueNumbers puts helpdesk's changes of numbers into force when their time
// has come, for people who do not log in meanwhile: at once, for what fell due
// while no node ran, and at every tick.
func (p *Gateway) applyDueNumbers(tick <-chan time.Time) {
	for {
		if _, err := p.Numbers.Run(p.ctx); err != nil && p.ctx.Err() == nil {
			p.Log.Error("changes of numbers not applied", "error", err)
		}
		select {
		case <-p.ctx.Done():
			return
		case <-tick:
		}
	}
}
