package tunnel

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/wwt/guac"
)

const (
	maxAttempts   = 3               // guacds that one desktop is tried with
	rejoinTimeout = 5 * time.Second // for a desktop that was kept to answer, and to show itself
)

var (
	errDrained = errors.New("every guacd is being drained")
	errChanged = errors.New("the desktop is set up otherwise now")
)

// serve connects to a guacd and carries its pictures until something ends. A
// desktop that was kept comes first; before the first picture, another guacd
// may do what one could not.
func (r *relay) serve() error {
	if r.desktop.kept != nil {
		if over, err := r.comeBack(); over {
			return err
		}
	}
	var tried []*Guacd
	for {
		g, err := r.pick(tried)
		if err != nil {
			return err
		}
		err = r.attempt(g, nil)
		if tried = append(tried, g); len(tried) == maxAttempts || !r.elsewhere(err) {
			return err
		}
		r.failed = err
	}
}

// pick claims a connection to the next guacd; when there is none, what the last
// one failed with stands.
func (r *relay) pick(tried []*Guacd) (*Guacd, error) {
	if r.failed != nil {
		r.log.Warn("a guacd failed", "guacd", tried[len(tried)-1].Address, "error", r.failed)
	}
	g := r.desktop.pool.pick(tried...)
	switch {
	case g != nil:
		r.again(r.options.FirstFrameTimeout)
		return g, nil
	case r.failed != nil:
		return nil, r.failed
	}
	return nil, endGuacdUnreachable.because("%v", errDrained)
}

// comeBack joins the desktop that was kept. It is over when that one ended
// after all, or the browser was lost again before it had a picture: then the
// keeper stays for what is left of its time. Otherwise the desktop could not be
// had, and the keeper has left it.
func (r *relay) comeBack() (over bool, err error) {
	kept := r.desktop.kept
	r.desktop.kept = nil
	if !kept.is(&r.options) {
		kept.leave()
		r.log.Info("not come back", "error", errChanged)
		return false, nil
	}
	r.again(rejoinTimeout)
	kept.guacd.claim()
	err = r.attempt(kept.guacd, kept)
	if r.ctx.Err() != nil && !r.watch.framed.Load() && endingOf(context.Cause(r.ctx)).holds {
		r.desktop.kept = kept
		return true, err
	}
	kept.leave()
	if r.ctx.Err() != nil || r.watch.framed.Load() {
		return true, err
	}
	r.log.Warn("not come back", "guacd", kept.guacd.Address, "error", err)
	return false, err
}

// elsewhere says whether another guacd may do better: nothing was shown, nobody
// was asked, and the fault is one of guacd or of its way to the target. A
// password that the target may have refused is not tried again: each try can
// count toward lockout.
func (r *relay) elsewhere(err error) bool {
	if r.ctx.Err() != nil || r.watch.framed.Load() || r.heard.everAsked() || r.now() > r.options.FirstFrameTimeout {
		return false
	}
	end := endingOf(err)
	if end.cause == endLacksArgument.cause {
		return true // found out before guacd was told anything; another one may be newer
	}
	switch end.status {
	case guac.UpstreamTimeout, guac.UpstreamError, guac.UpstreamNotFound, guac.UpstreamUnavailable:
	default:
		return false
	}
	return end.cause != endGuacdError.cause || r.options.Arguments["password"] == "" || beforePassword(end.said)
}

// beforePassword: guacd's words for a target that it did not reach
// (src/protocols/rdp/error.c). 1.3 has the same for a refused password and for
// a dead port, which is why that text is not here.
func beforePassword(said string) bool {
	return strings.Contains(said, "DNS lookup failed") || strings.Contains(said, "server unreachable")
}

// attempt carries a desktop from a guacd that was claimed: a new one, or the one
// that was kept.
func (r *relay) attempt(g *Guacd, kept *keeper) error {
	l, from, err := r.connect(g, kept)
	if err != nil {
		return err
	}
	r.joined = kept
	r.out = outFilter{policy: r.options.Policy, heard: &r.heard}
	if err = lost(r.ctx, r.guacd.open(l, r.remote.holdable)); err == nil {
		err = r.sized(kept != nil)
	}
	if err == nil {
		err = r.carry(from)
	}
	if r.elsewhere(err) || kept != nil && !r.watch.framed.Load() && r.ctx.Err() == nil {
		r.guacd.leave(false)
	} else {
		r.cancel(err)
		<-r.left
	}
	from.release()
	switch {
	case r.guacd.isHeld():
		r.line = l
	case endingOf(err).cause == endGuacdEOF.cause:
		l.close()
	default:
		go l.drain(drainTimeout) // until guacd has freed its child
	}
	return err
}

// connect dials guacd and does the handshake, which tells the remote.
func (r *relay) connect(g *Guacd, kept *keeper) (*line, *source, error) {
	timeout, selected := r.options.HandshakeTimeout, r.options.Protocol
	if kept != nil {
		timeout, selected = min(timeout, rejoinTimeout), kept.id
	}
	ctx, cancel := context.WithTimeoutCause(r.ctx, timeout, endHandshakeTimeout)
	defer cancel()
	l, err := g.dial(ctx)
	if err != nil {
		if r.ctx.Err() != nil {
			return nil, nil, context.Cause(r.ctx)
		}
		r.desktop.pool.report(g, err)
		return nil, nil, endGuacdUnreachable.because("%v", err)
	}
	from := newSource(l.Conn)
	stop := context.AfterFunc(ctx, func() { l.SetDeadline(time.Unix(1, 0)) })
	err = shake(ctx, l, from, selected, &r.options, &r.remote)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	switch {
	case !l.dialed:
		r.desktop.pool.report(g, nil) // it speaks
	case kept == nil && r.ctx.Err() == nil:
		r.desktop.pool.report(g, err)
	}
	if err != nil {
		from.release()
		l.abandon()
		return nil, nil, err
	}
	return l, from, nil
}

// sized tells the browser how large the desktop was asked to be. guacd says so
// itself, but 1.3 starts the desktop before it counts the person among
// those who watch (libguac/client.c, guac_client_add_user), and now and then
// loses its first instruction that way; without a size a browser shows nothing.
// Who joined is told the size by guacd, and tells it the size of this browser.
func (r *relay) sized(joined bool) error {
	width, height := r.options.sides()
	size := appendInstruction(nil, "size", strconv.Itoa(width), strconv.Itoa(height))
	if !joined {
		size = appendInstruction(nil, "size", "0", strconv.Itoa(width), strconv.Itoa(height))
		if err := r.browser.send(size); err != nil {
			return gone(err)
		}
		return nil
	}
	if r.options.Policy.ReadOnly {
		return nil
	}
	return r.guacd.write(size)
}
