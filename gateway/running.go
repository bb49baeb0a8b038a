package gateway

import (
	"crypto/rand"
	"net/http"
	"slices"

	"stagedoor/gateway/portal"
	"stagedoor/gateway/tunnel"
	"stagedoor/store"
)

// leftInSession is how many desktops of a session wait after their page was
// left: each costs guacd a process. The one that has waited longest gives way.
const leftInSession = 3

// stateName tells a page about a desktop: somewhere a page shows it, or it is
// held for one.
func (e *desktop) stateName() string {
	if e.held != "" {
		return "held"
	}
	return "shown"
}

// running are the desktops that a session has live on this node, the newest
// first: copies, as they are at this moment.
func (d *desktops) running(sessionID string) []desktop {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []desktop
	for e := range d.live {
		if e.session.ID == sessionID && e.ctx.Err() == nil {
			found = append(found, *e)
		}
	}
	slices.SortFunc(found, func(a, b desktop) int { return b.opened.Compare(a.opened) })
	return found
}

// inUse are the targets where an account has a desktop, in any of its sessions
// on this node.
func (d *desktops) inUse(accountID string) map[string]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	targets := map[string]bool{}
	for e := range d.live {
		if e.session.AccountID == accountID && e.ctx.Err() == nil {
			targets[e.target] = true
		}
	}
	return targets
}

// makeRoom ends the desktop of a session that was left first, so that at most
// most of them wait. It is called under the register's lock.
func (d *desktops) makeRoom(sessionID string, most int) bool {
	var first *desktop
	waiting := 0
	for e := range d.live {
		if e.session.ID == sessionID && e.held == causeLeft && e.ctx.Err() == nil {
			waiting++
			if first == nil || e.heldAt.Before(first.heldAt) {
				first = e
			}
		}
	}
	if waiting <= most {
		return false
	}
	first.cancel(tunnel.ErrEnded)
	return true
}

// endDesktop ends one running desktop from the list. One that is not there any
// more is what the person wanted.
func (p *Gateway) endDesktop(w http.ResponseWriter, v *portal.Visit) error {
	target, name := v.PathValue("target"), v.PostFormValue("desktop")
	if e := p.desktops.named(v.Session.ID, target, name); e != nil {
		if err := p.Audit(v, store.Event{Kind: "desktop-end", Result: "ok", Target: target}); err != nil {
			return err
		}
		e.cancel(tunnel.ErrEnded)
		p.desktops.views.forget(v.Session.ID, target)
	}
	return p.Redirect(w, v, "/")
}

// named finds a live desktop of a session by what its page is called.
func (d *desktops) named(sessionID, target, name string) *desktop {
	d.mu.Lock()
	defer d.mu.Unlock()
	for e := range d.live {
		if name != "" && e.name.desktop == name && e.session.ID == sessionID && e.target == target && e.ctx.Err() == nil {
			return e
		}
	}
	return nil
}

// nameFor is what a new page calls itself to come to a desktop that its session
// has; "" when there is no such desktop, and the page takes a name of its own.
func (d *desktops) nameFor(sessionID, target, wanted string) string {
	if d.named(sessionID, target, wanted) == nil {
		return ""
	}
	return wanted + "." + rand.Text()[:8]
}
