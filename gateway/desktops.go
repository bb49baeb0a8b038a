package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/tunnel"
	"stagedoor/store"
)

// desktops is the register of this node's live desktops. It ends them when
// their session does (at once here, within two seconds when another node or a
// command ended it), and tells sessions of the human input that came through.
// Its watch runs only while there are desktops, or views of them.
type desktops struct {
	portal  *Portal
	mu      sync.Mutex
	live    map[*desktop]struct{}
	input   map[string]time.Time // last human input by session id, until it is flushed
	group   sync.WaitGroup       // one for each live desktop
	refused map[refusal]bool     // where the portal's password was not taken
	views   *views
	watched bool
}

// desktop is one live connection of a session to a target. It outlives the
// WebSocket that shows it, for a while, where the page can name itself.
type desktop struct {
	register *desktops
	session  *session // the desktop's own copy
	target   string
	name     pageName // empty: its page cannot come back
	opened   time.Time
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

func newDesktops(p *Portal) *desktops {
	return &desktops{portal: p, live: map[*desktop]struct{}{}, input: map[string]time.Time{},
		refused: map[refusal]bool{}, views: newViews()}
}

// open enters a desktop, or finds the one that its page comes back to, or that
// was left at this target and waits for somebody. Its context ends when the session does.
func (d *desktops) open(ctx context.Context, s session, target string, name pageName) (entry *desktop, back bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
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
	now := d.portal.Now()
	d.views.expect(s.ID, target, now)
	entry = &desktop{register: d, session: &s, target: target, name: name, opened: now, arrived: make(chan struct{}, 1)}
	entry.ctx, entry.cancel = context.WithCancelCause(ctx)
	d.live[entry] = struct{}{}
	d.group.Add(1)
	if !d.watched {
		d.watched = true
		go d.watch()
	}
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
	}
}

// input is called for every human input; it only notes the time.
func (e *desktop) input() {
	now := e.register.portal.Now()
	e.register.mu.Lock()
	e.register.input[e.session.ID] = now
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
	case endIdle, endAbsolute:
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

// watch looks after the live desktops every two seconds, until there are none.
func (d *desktops) watch() {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for range ticker.C {
		if d.drained() {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		if err := d.look(ctx); err != nil {
			d.portal.Log.Error("watch over desktops failed", "error", err)
		}
		cancel()
	}
}

// drained tells whether the watch may stop: open starts a new one with the
// first desktop, under the same lock.
func (d *desktops) drained() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watched = len(d.live) > 0 || len(d.input) > 0 || len(d.views.sessions()) > 0
	return !d.watched
}

// snapshot is the live desktops and the sessions that they belong to, or that
// have views of earlier ones.
func (d *desktops) snapshot() (live []*desktop, ids []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids = d.views.sessions()
	for e := range d.live {
		live = append(live, e)
		if !slices.Contains(ids, e.session.ID) {
			ids = append(ids, e.session.ID)
		}
	}
	return live, ids
}

// look flushes input, ends what is over, and closes the desktops of sessions
// that are gone and of people who may no longer be there.
func (d *desktops) look(ctx context.Context) error {
	p := d.portal
	if err := d.flush(ctx); err != nil {
		return err
	}
	if err := p.expire(ctx); err != nil {
		return err
	}
	live, ids := d.snapshot()
	gone, err := p.Store.Gone(ctx, ids)
	if err != nil {
		return err
	}
	for id, reason := range gone {
		d.kill(id, reason)
	}
	for _, e := range live {
		if _, ended := gone[e.session.ID]; ended {
			continue
		}
		if err := p.stillAllowed(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// expire ends and audits the sessions whose time is up, on any node.
func (p *Portal) expire(ctx context.Context) error {
	ended, err := p.Store.Expire(ctx, string(stepReady), p.Now().Add(-p.set.Idle))
	if err != nil {
		return err
	}
	for _, row := range ended {
		s := &session{Session: row}
		if err := json.Unmarshal(row.Account, &s.who); err != nil {
			return fmt.Errorf("session %s: %w", row.ID, err)
		}
		if err := p.auditEnd(p.background(ctx, s), s, row.EndReason); err != nil {
			return err
		}
	}
	return nil
}

// stillAllowed closes a desktop whose target was taken off the list, or away
// from its person, and ends the session of somebody whom the directory bars.
func (p *Portal) stillAllowed(ctx context.Context, e *desktop) error {
	if p.Now().Sub(e.session.who.CheckedAt) >= recheckEvery {
		barred, err := p.ask(ctx, e.session)
		if err != nil {
			return err
		}
		if barred != "" {
			v := p.background(ctx, e.session)
			v.log.Info("the directory bars a person with live desktops", "reason", barred)
			return p.end(v, e.session, endRevoked)
		}
	}
	if _, ok := p.targetOf(e.session, e.target); !ok {
		p.Log.Info("live desktop is no longer on the person's list", "target", e.target)
		e.cancel(tunnel.ErrRevoked)
	}
	return nil
}

// flush writes the input that was noted since the last time. What could not be
// written is kept for the next time: a database that is out for a moment must
// not cost anybody their session.
func (d *desktops) flush(ctx context.Context) error {
	d.mu.Lock()
	noted := d.input
	d.input = map[string]time.Time{}
	d.mu.Unlock()
	for id, at := range noted {
		if err := d.portal.Store.Touch(ctx, id, at); err != nil && !errors.Is(err, store.ErrNotFound) {
			d.keep(noted)
			return fmt.Errorf("record input: %w", err)
		}
		delete(noted, id)
	}
	return nil
}

// keep takes input back that was not written, but for newer input.
func (d *desktops) keep(noted map[string]time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, at := range noted {
		if at.After(d.input[id]) {
			d.input[id] = at
		}
	}
}

// ask asks the directory about a session's person again and keeps the answer.
// barred is why they may not stay, "" when they may. A directory that does not
// answer changes nothing.
func (p *Portal) ask(ctx context.Context, s *session) (barred string, err error) {
	name := s.who.Account.Domain + `\` + s.who.Account.Name
	account, err := p.Directory.Lookup(ctx, name)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return "not-found", nil
	case err != nil:
		p.Log.Warn("directory not asked again", "name", name, "error", err)
		s.who.CheckedAt = p.Now().Add(30*time.Second - recheckEvery) // not at every turn
		return "", nil
	case account.ID != s.AccountID:
		return "not-found", nil
	case account.Barred != "" && account.Barred != "locked":
		// A lockout is somebody guessing, not a reason to throw the owner out.
		return account.Barred, nil
	}
	if account.PasswordExpires.IsZero() { // OpenLDAP tells it at a bind only
		account.PasswordExpires = s.who.Account.PasswordExpires
	}
	s.who.Account, s.who.CheckedAt = account, p.Now()
	if err := s.encode(); err != nil {
		return "", err
	}
	return "", p.Store.UpdateAccount(ctx, s.ID, s.Account)
}

// flushEvery is how stale the idle clock in the database may be for a browser
// that clicks all the time.
func (p *Portal) flushEvery() time.Duration { return min(5*time.Second, p.set.Idle/20) }
