package gateway

import (
	"context"
	"net/url"
	"regexp"
	"sync/atomic"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/gateway/tunnel"
	"stagedoor/targets"
)

// How long a desktop waits: for a page whose network is gone, and for a person
// who has gone to another page.
const (
	holdTime = 30 * time.Second
	leftTime = 5 * time.Minute
)

// causeLeft is the tunnel's cause of an end when the page was left (tunnel/end.go).
const causeLeft = "left"

// shown is one WebSocket that is to show a desktop, and what its request asked for.
type shown struct {
	visit   *portal.Visit
	target  targets.Target
	name    pageName
	ws      *tunnel.WebSocket
	options tunnel.Options
	seen    atomic.Bool // a picture left for the browser
}

// pageName is what a page calls itself in the query of its tunnel, so that it
// can come back to its desktop: a name of its own, or, where the list led to a
// desktop that there is, that one's and a second half that tells the pages apart
// which show it one after the other: "desktop.tab". It is no secret and no key: a
// desktop is found only by the session that it belongs to.
type pageName struct{ desktop, tab string }

var pageForm = regexp.MustCompile(`^([A-Za-z0-9-]{16,64})(?:\.([A-Za-z0-9]{8}))?$`)

func pageNameOf(query url.Values) pageName {
	if parts := pageForm.FindStringSubmatch(query.Get("page")); parts != nil {
		return pageName{parts[1], parts[2]}
	}
	return pageName{}
}

// show gives the desktop to a WebSocket, and takes it from the one that has it:
// a page notices that its network is gone before the gateway can, and the list
// brings a desktop into another window. Its error is for the page.
func (e *desktop) show(s *shown) error {
	e.register.mu.Lock()
	defer e.register.mu.Unlock()
	if _, there := e.register.live[e]; !there {
		return tunnel.ErrShutdown // closed in between: the page tries again
	}
	why := tunnel.ErrReplaced
	switch {
	case s.name == e.name:
	case s.name.desktop != e.name.desktop: // it was left, and its target opened again
		if e.held != causeLeft {
			return tunnel.ErrShutdown
		}
		e.name, e.untold = s.name, pageName{}
	case s.name == e.untold:
		e.untold = pageName{}
		return tunnel.ErrTakenOver
	default:
		why = tunnel.ErrTakenOver
		if e.untold = (pageName{}); e.held != "" {
			e.untold = e.name
		}
		e.name = s.name
	}
	if e.next != nil {
		e.next.ws.Close() // the page itself has given it up
	}
	e.next, e.address = s, s.visit.Address
	e.register.changed()
	select {
	case e.arrived <- struct{}{}:
	default:
	}
	if e.interrupt != nil {
		e.interrupt(why)
	}
	return nil
}

// holdFor is how long a desktop waits after a turn that ended for a reason: not
// at all when it was not held.
func holdFor(held string) time.Duration {
	switch held {
	case "":
		return 0
	case causeLeft:
		return leftTime
	}
	return holdTime
}

// turn waits for the next WebSocket that is to show the desktop; held is why it
// waits. When none comes, the desktop is closed.
func (e *desktop) turn(held string) (*shown, context.Context) {
	e.hold(held)
	timer := time.NewTimer(holdFor(held))
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
	e.next, e.held = nil, ""
	e.register.changed()
	return s, ctx
}

// hold notes why the desktop waits, and that guacd has enough that do.
func (e *desktop) hold(why string) {
	e.register.mu.Lock()
	defer e.register.mu.Unlock()
	e.held, e.heldAt = why, e.register.portal.Now()
	e.register.changed()
	if why == causeLeft {
		e.register.makeRoom(e.session.ID, leftInSession)
	}
}
