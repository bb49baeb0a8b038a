package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Notice is one message to one person, waiting to be sent.
type Notice struct {
	ID        string
	AccountID string
	Channel   string // "sms" or "mail"
	Recipient string // a number or an address
	Name      string // of the person
	Lang      string
	Key       string // of the text
	Args      string // JSON
	ChangeID  string // whose freeze link it carries; "": none
	At        time.Time
	ExpiresAt time.Time
	Tries     int    // this one included
	Lease     string // of who has it now
}

// NoticeLimits is how many notices may be queued in any 24 hours. How many text
// messages of them are sent, ClaimSend decides.
type NoticeLimits struct {
	PerDay int // per account and channel, and per recipient
}

// ErrTooManyNotices: the account or the recipient has been told too much
// already. Nothing was queued.
var ErrTooManyNotices = errors.New("store: too many notices")

// QueueNotices queues all of the notices, or none (ErrTooManyNotices).
func (s *Store) QueueNotices(ctx context.Context, notices []Notice, limits NoticeLimits) error {
	err := s.write.transact(ctx, func(tx *sql.Tx) error { return queueNotices(ctx, tx, notices, limits) })
	return numberFault("queue notices", err)
}

func queueNotices(ctx context.Context, tx *sql.Tx, notices []Notice, limits NoticeLimits) error {
	if len(notices) == 0 {
		return nil
	}
	if err := passGate(ctx, tx); err != nil { // what is counted must not grow meanwhile
		return err
	}
	for _, n := range notices {
		var id string
		err := txOne(ctx, tx, `
			INSERT INTO notices (id, account_id, channel, recipient, name, lang, key, args, change_id, at, expires_at,
				state, tries, next_at, lease, error)
			SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'queued', 0, $10, '', ''
			WHERE (SELECT COUNT(*) FROM notices WHERE account_id = $2 AND channel = $3 AND at > $12) < $13
			AND (SELECT COUNT(*) FROM notices WHERE recipient = $4 AND at > $12) < $13
			RETURNING id`,
			[]any{n.ID, n.AccountID, n.Channel, n.Recipient, cleanText(n.Name), n.Lang, n.Key, n.Args, n.ChangeID,
				millis(n.At), millis(n.ExpiresAt), millis(n.At.Add(-24 * time.Hour)), limits.PerDay}, &id)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrTooManyNotices
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// NoticeTimes are when an account's notices by one channel were queued after a
// time, and when a recipient's were, the newest first: what NoticeLimits count.
func (s *Store) NoticeTimes(ctx context.Context, accountID, channel, recipient string, after time.Time) (account, to []time.Time, err error) {
	account, err = s.times(ctx, `SELECT at FROM notices WHERE account_id = $1 AND channel = $2 AND at > $3 ORDER BY at DESC`,
		accountID, channel, millis(after))
	if err == nil {
		to, err = s.times(ctx, `SELECT at FROM notices WHERE recipient = $1 AND at > $2 ORDER BY at DESC`, recipient, millis(after))
	}
	return account, to, fault("notice times", err)
}

func (s *Store) times(ctx context.Context, text string, args ...any) (found []time.Time, err error) {
	err = s.read.rows(ctx, func(rows *sql.Rows) error {
		var at int64
		err := rows.Scan(&at)
		found = append(found, fromMillis(at))
		return err
	}, text, args...)
	return found, err
}

// LeaseNotice takes the next notice that is due, for a time: until then no
// other node takes it, and after it, if it was not finished, any may.
// ErrNotFound where none is due.
func (s *Store) LeaseNotice(ctx context.Context, lease string, at, until time.Time) (Notice, error) {
	n := Notice{Lease: lease}
	var made, expires int64
	err := s.write.one(ctx, `
		UPDATE notices SET lease = $1, next_at = $2, tries = tries + 1
		WHERE state = 'queued' AND next_at <= $3 AND id = (
			SELECT id FROM notices WHERE state = 'queued' AND next_at <= $3 ORDER BY next_at, id LIMIT 1)
		RETURNING id, account_id, channel, recipient, name, lang, key, args, change_id, at, expires_at, tries`,
		[]any{lease, millis(until), millis(at)},
		&n.ID, &n.AccountID, &n.Channel, &n.Recipient, &n.Name, &n.Lang, &n.Key, &n.Args, &n.ChangeID, &made, &expires, &n.Tries)
	n.At, n.ExpiresAt = fromMillis(made), fromMillis(expires)
	return n, fault("lease notice", err)
}

// NoticeDue tells whether a notice waits to be taken: a read, so that looking
// every 30 s writes nothing.
func (s *Store) NoticeDue(ctx context.Context, at time.Time) (bool, error) {
	var due int64
	err := s.read.one(ctx, `SELECT COUNT(*) FROM notices WHERE state = 'queued' AND next_at <= $1`, []any{millis(at)}, &due)
	return due > 0, fault("notice due", err)
}

// FinishNotice says what became of a leased notice: sent, or failed for good
// (state "sent", "failed"), or to be tried again at next (state "queued"). Who
// has lost the lease meanwhile changes nothing (ErrNotFound).
func (s *Store) FinishNotice(ctx context.Context, n Notice, state string, next time.Time, reason string) error {
	var id string
	err := s.write.one(ctx, `
		UPDATE notices SET state = $1, next_at = $2, error = $3, lease = ''
		WHERE id = $4 AND lease = $5 AND state = 'queued' RETURNING id`,
		[]any{state, millis(next), cleanText(reason), n.ID, n.Lease}, &id)
	return fault("finish notice", err)
}

// PostponeNotice puts a leased notice back that was not tried, until a limit
// lets it go. Who has lost the lease meanwhile changes nothing (ErrNotFound).
func (s *Store) PostponeNotice(ctx context.Context, n Notice, until time.Time, reason string) error {
	var id string
	err := s.write.one(ctx, `
		UPDATE notices SET next_at = $1, tries = tries - 1, error = $2, lease = ''
		WHERE id = $3 AND lease = $4 AND state = 'queued' RETURNING id`,
		[]any{millis(until), cleanText(reason), n.ID, n.Lease}, &id)
	return fault("postpone notice", err)
}

// PurgeNotices deletes notices made before a time.
func (s *Store) PurgeNotices(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.write.exec(ctx, `DELETE FROM notices WHERE at < $1`, millis(before))
	return n, fault("purge notices", err)
}
