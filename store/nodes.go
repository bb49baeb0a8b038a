package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

const (
	// NodeGone is how long a node may be silent before it counts as gone: it
	// writes its row every ten seconds.
	NodeGone = 30 * time.Second
	// keepNodes is how long the row of a node that is no more is kept.
	keepNodes = 7 * 24 * time.Hour
)

// Node is one running gateway as it last wrote itself down.
type Node struct {
	ID              string // random, of this process
	Host            string // the machine's name
	Version         string
	StartedAt       time.Time
	SeenAt          time.Time // set by NoteNode
	StoppedAt       time.Time // zero: it has not said goodbye
	TargetsDigest   string    // hex SHA-256 of the list in force
	TargetsLoadedAt time.Time
	TargetsError    string // why the newest list was refused; empty: it was taken
	Desktops        int    // that go on there
	Senders         []SenderHealth
}

// SenderHealth is how a sender of codes has done on a node since that one started.
type SenderHealth struct {
	Name        string
	Countries   []string  // none: all
	Breaker     string    // otp.BreakerClosed, ...
	OpenUntil   time.Time // of an open breaker
	LastSuccess time.Time // zero: none
	LastFailure time.Time // zero: none
	Failure     string    // the last one in words; no number, code or password is in it
}

// Gone tells whether a node has been silent for so long that it must be down,
// or has said goodbye.
func (n Node) Gone(now time.Time) bool {
	return !n.StoppedAt.IsZero() || now.Sub(n.SeenAt) > NodeGone
}

// NoteNode writes a node's row.
func (s *Store) NoteNode(ctx context.Context, n Node) error {
	senders, err := sendersText(n.Senders)
	if err != nil {
		return fault("note node", err)
	}
	_, err = s.write.exec(ctx, `
		INSERT INTO nodes (id, host, version, started_at, seen_at, stopped_at, targets_digest, targets_loaded_at, targets_error, desktops, senders)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, stopped_at = excluded.stopped_at,
			targets_digest = excluded.targets_digest, targets_loaded_at = excluded.targets_loaded_at,
			targets_error = excluded.targets_error, desktops = excluded.desktops, senders = excluded.senders`,
		n.ID, cleanText(n.Host), cleanText(n.Version), millis(n.StartedAt), millis(s.now()), millis(n.StoppedAt),
		n.TargetsDigest, millis(n.TargetsLoadedAt), cleanText(n.TargetsError), n.Desktops, senders)
	return fault("note node", err)
}

// sendersText are the senders' states as they stand in the row.
func sendersText(senders []SenderHealth) (string, error) {
	short := append([]SenderHealth{}, senders...)
	for i := range short {
		short[i].Failure = cleanText(short[i].Failure)
	}
	text, err := json.Marshal(short)
	return string(text), err
}

// Nodes are those that run, the longest first, and then those that ran in the
// last seven days, the latest first.
func (s *Store) Nodes(ctx context.Context) (nodes []Node, err error) {
	now := s.now()
	err = s.read.rows(ctx, func(rows *sql.Rows) error {
		var n Node
		var started, seen, stopped, loaded int64
		var senders string
		err := rows.Scan(&n.ID, &n.Host, &n.Version, &started, &seen, &stopped, &n.TargetsDigest, &loaded, &n.TargetsError, &n.Desktops, &senders)
		n.StartedAt, n.SeenAt, n.StoppedAt, n.TargetsLoadedAt = fromMillis(started), fromMillis(seen), fromMillis(stopped), fromMillis(loaded)
		if err == nil {
			err = json.Unmarshal([]byte(senders), &n.Senders)
		}
		nodes = append(nodes, n)
		return err
	}, `SELECT id, host, version, started_at, seen_at, stopped_at, targets_digest, targets_loaded_at, targets_error, desktops, senders
		FROM nodes WHERE seen_at > $1
		ORDER BY CASE WHEN stopped_at = 0 AND seen_at >= $2 THEN 0 ELSE 1 END,
			CASE WHEN stopped_at = 0 AND seen_at >= $2 THEN started_at ELSE -seen_at END, id`,
		millis(now.Add(-keepNodes)), millis(now.Add(-NodeGone)))
	return nodes, fault("nodes", err)
}

// PurgeNodes deletes the rows of nodes that were last seen before a time.
func (s *Store) PurgeNodes(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.write.exec(ctx, `DELETE FROM nodes WHERE seen_at <= $1`, millis(before))
	return n, fault("purge nodes", err)
}
