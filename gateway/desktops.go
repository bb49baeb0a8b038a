package gateway

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/gateway/tunnel"
	"stagedoor/store"
)

// desktops is the register of this node's live desktops. It ends them when
// their session does (at once here, within two seconds when another node or a
// command ended it), and tells sessions of the human input that came through.
// Its watch runs only while there are desktops, or views of them.
type desktops struct {
	portal  *Gateway
	mu      sync.Mutex
	live    map[*desktop]struct{}
	input   map[string]time.Time // last human input by session id, until it is flushed
	group   sync.WaitGroup       // one for each live desktop
	refused map[refusal]bool     // where the portal's password was not taken
	views   *views
	watched bool
	wake    chan struct{} // the watch is to write down what has changed

	noting  sync.Mutex                   // held while the database is written to
	noted   map[string]store.LiveDesktop // what it has of this node, by desktop
	notedAt time.Time
	dropped map[refusedPage]time.Time // pages that helpdesk took the desktop from while they were away
}

// desktop is one live connection of a session to a target. It outlives the
// WebSocket that shows it, for a while, where the page can name itself.
type desktop struct {
	register *desktops
	id       string          // on all nodes
	session  *portal.Session // the desktop's own copy
	target   string
	title    string   // of the target
	name     pageName // empty: its page cannot come back
	opened   time.Time
	inputAt  time.Time // the last human input
	address  string    // of the browser that shows it, or showed it last
	notices  *tunnel.Notices
	ctx      context.Context
	cancel   context.CancelCauseFunc

	next      *shown // the WebSocket whose turn it is
	arrived   chan struct{}
	interrupt context.CancelCauseFunc // ends the turn that is on
	held      string                  // why it waits for a page; "": one shows it
	heldAt    time.Time
	counted   bool     // among what was used
	untold    pageName // the page that had it when another took it over, and could not be told
}

// refusal is a session whose portal password a target did not take.
type refusal struct{ sessionID, target string }

const (
	watchEvery        = 2 * time.Second
	desktopsInSession = 8
)

func newDesktops(p *Gateway) *desktops {
	return &desktops{portal: p, live: map[*desktop]struct{}{}, input: map[string]time.Time{},
		refused: map[refusal]bool{}, views: newViews(), wake: make(chan struct{}, 1),
		noted: map[string]store.LiveDesktop{}, dropped: map[refusedPage]time.Time{}}
}

// open enters a desktop, or finds the one that its page comes back to, or that
// was left at this target and waits for somebody. Its context ends when the session does.
func (d *desktops) open(ctx context.Context, s portal.Session, target string, name pageName) (entry *desktop, back bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.wasDropped(refusedPage{s.ID, target, name.desktop}) {
		return nil, false, tunnel.ErrHelpdesk
	}
	count := 0
	var left *desktop
	for other := range d.live {
		if other.session.ID != s.ID || other.ctx.Err() != nil {
			continue
		}
		count++
		if name.desktop == "" || other.target != target {
			continue
		}
		if other.name.desktop == name.desktop {
			return other, true, nil
		}
		if other.held == causeLeft {
			left = other
		}
	}
	if left != nil {
		return left, true, nil
	}
	if count >= desktopsInSession && !d.makeRoom(s.ID, 0) {
		return nil, false, tunnel.ErrLimit
	}
	title := target
	if named, ok := d.portal.targetOf(&s, target); ok {
		title = named.Name
	}
	now := d.portal.Now()
	d.views.expect(s.ID, target, now)
	entry = &desktop{register: d, id: rand.Text(), session: &s, target: target, title: title, name: name, opened: now, inputAt: now,
		address: s.Address, notices: &tunnel.Notices{Shown: d.portal.messageShown}, arrived: make(chan struct{}, 1)}
	entry.ctx, entry.cancel = context.WithCancelCause(ctx)
	d.live[entry] = struct{}{}
	d.group.Add(1)
	if !d.watched {
		d.watched = true
		go d.watch()
	}
	d.changed()
	return entry, false, nil
}

// close takes the desktop out of the register.
func (e *desktop) close() {
	e.register.mu.Lock()
	defer e.register.mu.Unlock()
	e.closeLocked()
}

func (e *desktop) closeLocked() {
	e.cancel(nil)
	if _, there := e.register.live[e]; there {
		delete(e.register.live, e)
		e.register.group.Done()
		e.register.changed()
	}
}

// input is called for every human input; it only notes the time.
func (e *desktop) input() {
	now := e.register.portal.Now()
	e.register.mu.Lock()
	e.register.input[e.session.ID], e.inputAt = now, now
	e.register.mu.Unlock()
}

// lastInput is the newest input of a session that is not yet in the database.
func (d *desktops) lastInput(sessionID string) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.input[sessionID]
}

// causeOf tells the tunnel, and so the person, why.
func causeOf(reason string) error {
	switch reason {
	case portal.EndIdle, portal.EndAbsolute:
		return tunnel.ErrIdle
	}
	return tunnel.ErrRevoked
}

// kill ends the desktops of a session at once.
func (d *desktops) kill(sessionID, reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for e := range d.live {
		if e.session.ID == sessionID {
			e.cancel(causeOf(reason))
		}
	}
	delete(d.input, sessionID)
	d.views.end(sessionID)
	d.forgetDropped(sessionID)
	for r := range d.refused {
		if r.sessionID == sessionID {
			delete(d.refused, r)
		}
	}
}

// refuse remembers that the target did not take the portal's password: it is
// not tried there again in this session, since each try can count toward
// lockout. The person is asked instead.
func (e *desktop) refuse() {
	e.register.mu.Lock()
	defer e.register.mu.Unlock()
	e.register.refused[refusal{e.session.ID, e.target}] = true
}

// isRefused tells whether the target has refused the portal's password.
func (e *desktop) isRefused() bool {
	e.register.mu.Lock()
	defer e.register.mu.Unlock()
	return e.register.refused[refusal{e.session.ID, e.target}]
}

// count is the number of live desktops.
func (d *desktops) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.live)
}

// wait waits until every desktop has closed.
func (d *desktops) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { d.group.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("desktops did not close: %w", ctx.Err())
	}
}

// flushEvery is how stale the idle clock in the database may be for a browser
// that clicks all the time.
func (p *Gateway) flushEvery() time.Duration { return min(5*time.Second, p.Set.Idle/20) }
