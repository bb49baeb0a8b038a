package gateway

import (
	"context"
	"fmt"
	"time"

	"stagedoor/store"
)

// noteEvery is how often the database hears of desktops where nothing has
// changed: that their node is there, and when somebody was last active in them.
const noteEvery = 10 * time.Second

// changed has the watch write down what has become of the desktops. It never
// waits, and may be called under the register's lock.
func (d *desktops) changed() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// note writes down, for helpdesk on any node, what has changed since the last
// time; nothing when nothing has.
func (d *desktops) note(ctx context.Context) error {
	d.noting.Lock()
	defer d.noting.Unlock()
	now := d.portal.Now()
	changed, over, due := d.changes(now)
	if !due {
		return nil
	}
	if err := d.portal.Store.NoteDesktops(ctx, d.portal.Node, changed, over); err != nil {
		return fmt.Errorf("note desktops: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, row := range changed {
		d.noted[row.ID] = row
	}
	for _, id := range over {
		delete(d.noted, id)
	}
	d.notedAt = now
	return nil
}

// changes compares the desktops with what the database has of them. What a
// person does is written down with the rest, not by itself.
func (d *desktops) changes(now time.Time) (changed []store.LiveDesktop, over []string, due bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	beat := len(d.noted) > 0 && now.Sub(d.notedAt) >= noteEvery
	live := make(map[string]bool, len(d.live))
	for e := range d.live {
		live[e.id] = true
		before, there := d.noted[e.id]
		row := e.row()
		same := before.State == row.State && before.Address == row.Address && (!beat || before.InputAt.Equal(row.InputAt))
		if !there || !same {
			changed = append(changed, row)
		}
	}
	for id := range d.noted {
		if !live[id] {
			over = append(over, id)
		}
	}
	return changed, over, beat || len(changed)+len(over) > 0
}

// row is the desktop as the database has it. It is called under the register's lock.
func (e *desktop) row() store.LiveDesktop {
	who := e.session.Who.Account
	return store.LiveDesktop{ID: e.id, SessionID: e.session.ID, AccountID: e.session.AccountID,
		Name: who.Domain + `\` + who.Name, Display: who.DisplayName, Target: e.target, TargetName: e.title,
		Address: e.address, State: e.stateName(), OpenedAt: e.opened, InputAt: e.inputAt}
}

// forget takes this node's desktops out of the database: the node goes.
func (d *desktops) forget(ctx context.Context) {
	d.noting.Lock()
	defer d.noting.Unlock()
	d.mu.Lock()
	any := len(d.noted) > 0
	clear(d.noted)
	d.mu.Unlock()
	if !any {
		return
	}
	if err := d.portal.Store.ForgetNode(ctx, d.portal.Node); err != nil {
		d.portal.Log.Warn("the desktops of this node stay in the database for a while", "error", err)
	}
}
