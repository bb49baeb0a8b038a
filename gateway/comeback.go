package gateway

import (
	"context"
	"net/url"
	"regexp"
	"time"

	"stagedoor/gateway/tunnel"
	"stagedoor/targets"
)

// holdTime is how long a desktop waits for a page whose network is gone.
const holdTime = 30 * time.Second

// shown is one WebSocket that is to show a desktop, and what its request asked for.
type shown struct {
	visit   *visit
	target  targets.Target
	ws      *tunnel.WebSocket
	options tunnel.Options
}

var pageForm = regexp.MustCompile(`^[A-Za-z0-9-]{16,64}$`)

// pageName is what a page calls itself in the query of its tunnel, so that it
// can come back to its desktop. It is no secret and no key: a desktop is found
// only by the session that it belongs to.
func pageName(query url.Values) string {
	if name := query.Get("page"); pageForm.MatchString(name) {
		return name
	}
	return ""
}

// show gives the desktop to a WebSocket, and takes it from the one that has it:
// a page notices that its network is gone before the gateway can. It is false
// when the desktop has just been closed.
func (e *desktop) show(s *shown) bool {
	e.register.mu.Lock()
	defer e.register.mu.Unlock()
	if _, there := e.register.live[e]; !there {
		return false
	}
	if e.next != nil {
		e.next.ws.Close() // the page itself has given it up
	}
	e.next = s
	select {
	case e.arrived <- struct{}{}:
	default:
	}
	if e.interrupt != nil {
		e.interrupt(tunnel.ErrReplaced)
	}
	return true
}

// turn waits for the next WebSocket that is to show the desktop. When none
// comes, the desktop is closed.
func (e *desktop) turn(wait time.Duration) (*shown, context.Context) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-e.arrived:
	case <-timer.C:
	case <-e.ctx.Done():
	}
	e.register.mu.Lock()
	defer e.register.mu.Unlock()
	select {
	case <-e.arrived: // came together with the timer
	default:
	}
	s := e.next
	if s == nil {
		e.closeLocked()
		return nil, nil
	}
	if e.interrupt != nil {
		e.interrupt(nil) // that turn is over: nothing of it may stay
	}
	var ctx context.Context
	ctx, e.interrupt = context.WithCancelCause(e.ctx)
	e.next = nil
	return s, ctx
}
