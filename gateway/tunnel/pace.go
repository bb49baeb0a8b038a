package tunnel

import (
	"context"
	"time"
)

// A browser may send about 1,000 instructions a second, and 2,000 at once. A
// quicker one is not ended but slowed down: its next message is read later.
const (
	instructionTime = time.Millisecond
	burstTime       = 2000 * instructionTime
)

// pace is a leaky bucket.
type pace struct {
	now  func() time.Duration
	paid time.Duration // the time up to which instructions are paid for
}

// wait accounts for n instructions and waits until they were due.
func (p *pace) wait(ctx context.Context, n int) error {
	now := p.now()
	p.paid = max(p.paid, now) + time.Duration(n)*instructionTime
	late := p.paid - now - burstTime
	if late <= 0 {
		return nil
	}
	timer := time.NewTimer(late)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
