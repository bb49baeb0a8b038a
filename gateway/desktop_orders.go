package gateway

import (
	"context"
	"fmt"
	"time"

	"stagedoor/gateway/tunnel"
	"stagedoor/store"
)

// refusedPage is a page of a desktop that was ended while the page was away.
type refusedPage struct{ sessionID, target, desktop string }

// obey does what was ordered about this node's desktops.
func (d *desktops) obey(ctx context.Context) error {
	orders, err := d.portal.Store.TakeOrders(ctx, d.portal.Node)
	if err != nil {
		return fmt.Errorf("orders about desktops: %w", err)
	}
	for _, order := range orders {
		e := d.withID(order.DesktopID)
		if e == nil {
			continue // over by itself in between
		}
		switch order.Kind {
		case store.OrderEnd:
			d.portal.Log.Info("desktop ended by order", "by", order.By, "desktop", e.id, "target", e.target)
			d.endByOrder(e)
		case store.OrderMessage:
			if err := e.notices.Say(tunnel.Notice{ID: order.ID, Text: order.Text}); err != nil {
				d.portal.Log.Warn("message not given to the desktop", "desktop", e.id, "error", err)
			}
		}
	}
	return nil
}

// withID finds a live desktop of this node.
func (d *desktops) withID(id string) *desktop {
	d.mu.Lock()
	defer d.mu.Unlock()
	for e := range d.live {
		if e.id == id && e.ctx.Err() == nil {
			return e
		}
	}
	return nil
}

// endByOrder ends a desktop for helpdesk. A page that shows it is told in its
// tunnel; one that is away, when it comes back: it would open another one
// without a word.
func (d *desktops) endByOrder(e *desktop) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e.held != "" && e.name.desktop != "" {
		d.dropped[refusedPage{e.session.ID, e.target, e.name.desktop}] = d.portal.Now()
	}
	e.cancel(tunnel.ErrHelpdesk)
	d.views.forget(e.session.ID, e.target)
}

// wasDropped tells a page once that its desktop was ended. It is called under
// the register's lock.
func (d *desktops) wasDropped(page refusedPage) bool {
	at, there := d.dropped[page]
	delete(d.dropped, page)
	return there && d.portal.Now().Sub(at) < leftTime
}

// forgetDropped goes with the session. It is called under the register's lock.
func (d *desktops) forgetDropped(sessionID string) {
	for page := range d.dropped {
		if page.sessionID == sessionID {
			delete(d.dropped, page)
		}
	}
}

// messageShown notes that a page has shown a message.
func (p *Gateway) messageShown(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := p.Store.OrderDone(ctx, id); err != nil {
		p.Log.Warn("not recorded that a message was shown", "error", err)
	}
}

// Order gives an order to the node that has the desktop; this node does it at
// once. store.ErrNotFound: the desktop is over.
func (p *Gateway) order(ctx context.Context, order store.DesktopOrder) error {
	node, err := p.Store.OrderDesktop(ctx, order)
	if err != nil || node != p.Node {
		return err
	}
	return p.desktops.obey(ctx)
}
