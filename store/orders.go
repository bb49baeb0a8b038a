package store

import (
	"context"
	"database/sql"
	"time"
)

// DesktopOrder is what helpdesk, or an administrator on the command line, wants
// of one live desktop. The node that has the desktop takes it.
type DesktopOrder struct {
	ID        string
	DesktopID string
	Kind      string // OrderEnd, OrderMessage
	Text      string // of a message: what the person reads
	By        string // canonical name of who ordered, "cli" for the command line
	CreatedAt time.Time
	TakenAt   time.Time // zero: its node has not seen it yet
	DoneAt    time.Time // of a message: when the page showed it; zero: not yet
}

const (
	OrderEnd     = "end"
	OrderMessage = "message"
)

// OrderDesktop gives an order to the node that has the desktop, and tells which
// that is. ErrNotFound: no node that is there has such a desktop (any more).
func (s *Store) OrderDesktop(ctx context.Context, order DesktopOrder) (node string, err error) {
	now := s.now()
	err = s.write.one(ctx, `
		INSERT INTO desktop_orders (id, desktop_id, node, kind, text, ordered_by, created_at, taken_at, done_at)
		SELECT $1, id, node, $2, $3, $4, $5, 0, 0 FROM live_desktops WHERE id = $6 AND seen_at > $7
		RETURNING node`,
		[]any{order.ID, order.Kind, cleanText(order.Text), order.By, millis(now), order.DesktopID, millis(now.Add(-nodeGone))}, &node)
	return node, fault("order desktop", err)
}

// TakeOrders are the orders that a node has not taken yet, oldest first. Each is
// given once.
func (s *Store) TakeOrders(ctx context.Context, node string) ([]DesktopOrder, error) {
	// Nearly always there is none, and a write costs the disk a sync.
	var waiting int64
	err := s.read.one(ctx, `SELECT COUNT(*) FROM desktop_orders WHERE node = $1 AND taken_at = 0`, []any{node}, &waiting)
	if err != nil || waiting == 0 {
		return nil, fault("take orders", err)
	}
	now := millis(s.now())
	var taken []DesktopOrder
	err = s.write.transact(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+orderColumns+` FROM desktop_orders
			WHERE node = $1 AND taken_at = 0 ORDER BY created_at, id`, node)
		if err != nil {
			return err
		}
		if taken, err = scanOrders(rows); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE desktop_orders SET taken_at = $1 WHERE node = $2 AND taken_at = 0`, now, node)
		return err
	})
	return taken, fault("take orders", err)
}

const orderColumns = `id, desktop_id, kind, text, ordered_by, created_at, taken_at, done_at`

func scanOrders(rows *sql.Rows) (found []DesktopOrder, err error) {
	defer rows.Close()
	for rows.Next() {
		var o DesktopOrder
		var created, taken, done int64
		if err := rows.Scan(&o.ID, &o.DesktopID, &o.Kind, &o.Text, &o.By, &created, &taken, &done); err != nil {
			return nil, err
		}
		o.CreatedAt, o.TakenAt, o.DoneAt = fromMillis(created), fromMillis(taken), fromMillis(done)
		found = append(found, o)
	}
	return found, rows.Err()
}

// OrderDone notes that a page has shown a message.
func (s *Store) OrderDone(ctx context.Context, id string) error {
	_, err := s.write.exec(ctx, `UPDATE desktop_orders SET done_at = $1 WHERE id = $2 AND done_at = 0`, millis(s.now()), id)
	return fault("order done", err)
}

// LastOrders is the newest order about each desktop since a time, by the
// desktop's id.
func (s *Store) LastOrders(ctx context.Context, since time.Time) (map[string]DesktopOrder, error) {
	rows, err := s.read.db.QueryContext(ctx, `SELECT `+orderColumns+` FROM desktop_orders
		WHERE created_at >= $1 ORDER BY created_at, id`, millis(since))
	if err != nil {
		return nil, fault("last orders", err)
	}
	orders, err := scanOrders(rows)
	newest := make(map[string]DesktopOrder, len(orders))
	for _, o := range orders {
		newest[o.DesktopID] = o
	}
	return newest, fault("last orders", err)
}
