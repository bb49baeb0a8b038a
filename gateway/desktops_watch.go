package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/portal"
	"stagedoor/gateway/tunnel"
	"stagedoor/store"
)

// watch looks after the live desktops every two seconds, until there are none.
// What opens, closes or is left is written down at once.
func (d *desktops) watch() {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		do := d.note
		select {
		case <-d.wake:
		case <-ticker.C:
			if d.drained() {
				return
			}
			do = d.look
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		if err := do(ctx); err != nil {
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
	d.watched = len(d.live) > 0 || len(d.input) > 0 || len(d.views.sessions()) > 0 || len(d.noted) > 0
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

// look does what helpdesk has ordered, flushes input, ends what is over, and closes the desktops of sessions
// that are gone and of people who may no longer be there.
func (d *desktops) look(ctx context.Context) error {
	p := d.portal
	if err := d.obey(ctx); err != nil {
		return err
	}
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
	return d.note(ctx)
}

// expire ends and audits the sessions whose time is up, on any node.
func (p *Gateway) expire(ctx context.Context) error {
	ended, err := p.Store.Expire(ctx, string(portal.StepReady), p.Now().Add(-p.Set.Idle))
	if err != nil {
		return err
	}
	for _, row := range ended {
		s := &portal.Session{Session: row}
		if err := json.Unmarshal(row.Account, &s.Who); err != nil {
			return fmt.Errorf("session %s: %w", row.ID, err)
		}
		if err := p.AuditEnd(p.Background(ctx, s), s, row.EndReason); err != nil {
			return err
		}
	}
	return nil
}

// stillAllowed closes a desktop whose target was taken off the list, or away
// from its person, and ends the session of somebody whom the directory bars.
func (p *Gateway) stillAllowed(ctx context.Context, e *desktop) error {
	if p.Now().Sub(e.session.Who.CheckedAt) >= recheckEvery {
		barred, err := p.ask(ctx, e.session)
		if err != nil {
			return err
		}
		if barred != "" {
			v := p.Background(ctx, e.session)
			v.Log.Info("the directory bars a person with live desktops", "reason", barred)
			return p.End(v, e.session, portal.EndRevoked)
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

// ask asks the directory about a session's person again and keeps the answer, in
// the row and in s. barred is why they may not stay, "" when they may. A directory
// that does not answer changes nothing.
func (p *Gateway) ask(ctx context.Context, s *portal.Session) (barred string, err error) {
	name := s.Login()
	account, err := p.Directory.Lookup(ctx, name)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return "not-found", nil
	case err != nil:
		p.Log.Warn("directory not asked again", "name", name, "error", err)
		s.Who.CheckedAt = p.Now().Add(30*time.Second - recheckEvery) // not at every turn
		return "", nil
	case account.ID != s.AccountID:
		return "not-found", nil
	case account.Barred != "" && account.Barred != "locked":
		// A lockout is somebody guessing, not a reason to throw the owner out.
		return account.Barred, nil
	}
	if account.PasswordExpires.IsZero() { // OpenLDAP tells it at a bind only
		account.PasswordExpires = s.Who.Account.PasswordExpires
	}
	return "", p.keepAnswer(ctx, s, account)
}

// keepAnswer writes what the directory says of a session's person, and nothing
// else: s may be a desktop's copy of hours ago, or a request's from before the
// directory answered, and what they have proven or changed since must stand.
func (p *Gateway) keepAnswer(ctx context.Context, s *portal.Session, account directory.Account) error {
	s.Who.Account, s.Who.CheckedAt = account, p.Now()
	return p.Store.UpdateAccount(ctx, s.ID, func(row []byte) ([]byte, error) {
		var who portal.Who
		if err := json.Unmarshal(row, &who); err != nil {
			return nil, fmt.Errorf("session %s: %w", s.ID, err)
		}
		who.Account, who.CheckedAt = s.Who.Account, s.Who.CheckedAt
		return json.Marshal(who)
	})
}
