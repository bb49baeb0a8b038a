package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// LiveDesktop is one live connection of a session to a target, on any node, as
// its node wrote it last.
type LiveDesktop struct {
	ID         string
	Node       string
	SessionID  string
	AccountID  string
	Name       string // canonical user name: DOMAIN\anna
	Display    string // of the person
	Target     string
	TargetName string
	Address    string // of the browser that opened it
	State      string // DesktopShown, DesktopHeld; as read also DesktopUnknown
	OpenedAt   time.Time
	InputAt    time.Time // last human input in this desktop; its opening, before any
	SeenAt     time.Time // when its node wrote last
}

// States of a live desktop.
const (
	DesktopShown   = "shown"   // a page shows it
	DesktopHeld    = "held"    // it waits for its page
	DesktopUnknown = "unknown" // its node has not been heard for nodeSilent
)

const (
	nodeSilent = 30 * time.Second // after which what a node wrote is in doubt
	nodeGone   = 5 * time.Minute  // and after which it is deleted
)

// liveAtOnce is how many rows go into one statement (see goneAtOnce).
const liveAtOnce = 20

// NoteDesktops writes what has become of a node's desktops since it wrote last:
// those that are new or have changed, and the ids of those that are over. It
// also says that the node is there, for all of its desktops. One transaction.
func (s *Store) NoteDesktops(ctx context.Context, node string, changed []LiveDesktop, over []string) error {
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		now := millis(s.now())
		for ; len(changed) > 0; changed = changed[min(liveAtOnce, len(changed)):] {
			if err := upsertDesktops(ctx, tx, node, now, changed[:min(liveAtOnce, len(changed))]); err != nil {
				return err
			}
		}
		for _, id := range over {
			if _, err := tx.ExecContext(ctx, `DELETE FROM live_desktops WHERE id = $1 AND node = $2`, id, node); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE live_desktops SET seen_at = $1 WHERE node = $2 AND seen_at < $1`, now, node)
		return err
	})
	return fault("note desktops", err)
}

func upsertDesktops(ctx context.Context, tx *sql.Tx, node string, now int64, desktops []LiveDesktop) error {
	const columns = 13
	rows := make([]string, len(desktops))
	var args []any
	for i, d := range desktops {
		marks := make([]string, columns)
		for c := range marks {
			marks[c] = fmt.Sprintf("$%d", i*columns+c+1)
		}
		rows[i] = "(" + strings.Join(marks, ", ") + ")"
		args = append(args, d.ID, node, d.SessionID, d.AccountID, cleanText(d.Name), cleanText(d.Display), d.Target,
			cleanText(d.TargetName), d.Address, d.State, millis(d.OpenedAt), millis(d.InputAt), now)
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO live_desktops (id, node, session_id, account_id, name, display, target, target_name,
			address, state, opened_at, input_at, seen_at)
		VALUES `+strings.Join(rows, ", ")+`
		ON CONFLICT (id) DO UPDATE SET address = excluded.address, state = excluded.state,
			input_at = excluded.input_at, seen_at = excluded.seen_at`, args...)
	return err
}

// ForgetNode deletes the desktops of a node that has closed them all.
func (s *Store) ForgetNode(ctx context.Context, node string) error {
	_, err := s.write.exec(ctx, `DELETE FROM live_desktops WHERE node = $1`, node)
	return fault("forget node", err)
}

const liveColumns = `id, node, session_id, account_id, name, display, target, target_name, address, state,
	opened_at, input_at, seen_at`

// LiveDesktops are those of all nodes, by name, target and age; at most 1,000.
// Those of a node that is not heard any more are DesktopUnknown, and after five
// minutes not there.
func (s *Store) LiveDesktops(ctx context.Context) ([]LiveDesktop, error) {
	desktops, err := s.liveWhere(ctx, `1 = 1`)
	return desktops, fault("live desktops", err)
}

// LiveDesktop finds one; ErrNotFound.
func (s *Store) LiveDesktop(ctx context.Context, id string) (LiveDesktop, error) {
	desktops, err := s.liveWhere(ctx, `id = $2`, id)
	switch {
	case err != nil:
		return LiveDesktop{}, fault("live desktop", err)
	case len(desktops) == 0:
		return LiveDesktop{}, ErrNotFound
	}
	return desktops[0], nil
}

// liveWhere reads the desktops of nodes that are there; $1 is taken.
func (s *Store) liveWhere(ctx context.Context, where string, args ...any) ([]LiveDesktop, error) {
	now := s.now()
	rows, err := s.read.db.QueryContext(ctx, `SELECT `+liveColumns+` FROM live_desktops
		WHERE seen_at > $1 AND `+where+` ORDER BY name, target, opened_at, id LIMIT 1000`,
		append([]any{millis(now.Add(-nodeGone))}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []LiveDesktop
	for rows.Next() {
		var d LiveDesktop
		var opened, input, seen int64
		if err := rows.Scan(&d.ID, &d.Node, &d.SessionID, &d.AccountID, &d.Name, &d.Display, &d.Target, &d.TargetName,
			&d.Address, &d.State, &opened, &input, &seen); err != nil {
			return nil, err
		}
		d.OpenedAt, d.InputAt, d.SeenAt = fromMillis(opened), fromMillis(input), fromMillis(seen)
		if now.Sub(d.SeenAt) > nodeSilent {
			d.State = DesktopUnknown
		}
		found = append(found, d)
	}
	return found, rows.Err()
}

// PurgeDesktops deletes the desktops of nodes that are gone, and orders given
// before a time.
func (s *Store) PurgeDesktops(ctx context.Context, ordersBefore time.Time) (int64, error) {
	desktops, err := s.write.exec(ctx, `DELETE FROM live_desktops WHERE seen_at <= $1`, millis(s.now().Add(-nodeGone)))
	if err != nil {
		return 0, fault("purge desktops", err)
	}
	orders, err := s.write.exec(ctx, `DELETE FROM desktop_orders WHERE created_at < $1`, millis(ordersBefore))
	return desktops + orders, fault("purge orders", err)
}
