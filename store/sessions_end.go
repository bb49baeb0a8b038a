package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// EndSession ends a live session, wipes what is sealed in it and keeps the
// reason for a day. False: it had ended before.
func (s *Store) EndSession(ctx context.Context, id, reason string) (bool, error) {
	n, err := s.write.exec(ctx, `
		UPDATE sessions SET ended_at = $1, end_reason = $2, sealed = ''
		WHERE id = $3 AND ended_at = 0`, millis(s.now()), reason, id)
	return n > 0, fault("end session", err)
}

// EndSessionsOf ends an account's live sessions but one (except may be empty)
// and tells which.
func (s *Store) EndSessionsOf(ctx context.Context, accountID, except, reason string) ([]string, error) {
	ended, err := s.write.strings(ctx, `
		UPDATE sessions SET ended_at = $1, end_reason = $2, sealed = ''
		WHERE account_id = $3 AND id <> $4 AND ended_at = 0
		RETURNING id`, millis(s.now()), reason, accountID, except)
	return ended, fault("end sessions", err)
}

// EndSessionsUntil ends an account's live sessions that were begun at or before a
// time, and tells which.
func (s *Store) EndSessionsUntil(ctx context.Context, accountID string, begun time.Time, reason string) ([]string, error) {
	ended, err := s.write.strings(ctx, `
		UPDATE sessions SET ended_at = $1, end_reason = $2, sealed = ''
		WHERE account_id = $3 AND created_at <= $4 AND ended_at = 0
		RETURNING id`, millis(s.now()), reason, accountID, millis(begun))
	return ended, fault("end sessions", err)
}

// EndOldestSessions ends the account's oldest live sessions at step beyond the
// newest keep of them, and tells which.
func (s *Store) EndOldestSessions(ctx context.Context, accountID, step string, keep int, reason string) ([]string, error) {
	ended, err := s.write.strings(ctx, `
		UPDATE sessions SET ended_at = $1, end_reason = $2, sealed = ''
		WHERE ended_at = 0 AND id IN (
			SELECT id FROM (
				SELECT id, ROW_NUMBER() OVER (ORDER BY created_at DESC, id) AS place
				FROM sessions WHERE account_id = $3 AND step = $4 AND ended_at = 0
			) AS newest WHERE place > $5)
		RETURNING id`, millis(s.now()), reason, accountID, step, keep)
	return ended, fault("end oldest sessions", err)
}

// Expire ends, in one statement each, the live sessions at step whose last
// input is at or before seenBefore ("idle") and those past ExpiresAt
// ("absolute"); earlier steps have no idle clock. It returns those that it
// ended, with ID, AccountID, Account, Address and EndReason filled in: of
// several nodes each session is returned to one.
func (s *Store) Expire(ctx context.Context, step string, seenBefore time.Time) ([]Session, error) {
	now := millis(s.now())
	// The rows are looked for by a reader first, since on most runs of the
	// sweep there is nothing to end, and a write costs the disk a sync.
	var due int64
	err := s.read.one(ctx, `SELECT COUNT(*) FROM sessions WHERE ended_at = 0 AND step = $1 AND (seen_at <= $2 OR expires_at <= $3)`,
		[]any{step, millis(seenBefore), now}, &due)
	if err != nil || due == 0 {
		return nil, fault("expire sessions", err)
	}
	absolute, err := s.endWhere(ctx, `
		UPDATE sessions SET ended_at = $1, end_reason = 'absolute', sealed = ''
		WHERE ended_at = 0 AND step = $2 AND expires_at <= $1
		RETURNING id, account_id, account, address, end_reason`, now, step)
	if err != nil {
		return nil, fault("expire sessions", err)
	}
	idle, err := s.endWhere(ctx, `
		UPDATE sessions SET ended_at = $1, end_reason = 'idle', sealed = ''
		WHERE ended_at = 0 AND step = $2 AND seen_at <= $3
		RETURNING id, account_id, account, address, end_reason`, now, step, millis(seenBefore))
	return append(absolute, idle...), fault("expire sessions", err)
}

func (s *Store) endWhere(ctx context.Context, text string, args ...any) (ended []Session, err error) {
	stmt, err := s.write.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	err = s.write.whileBusy(ctx, func() error {
		ended, err = scanEnded(ctx, stmt, args)
		return err
	})
	return ended, err
}

func scanEnded(ctx context.Context, stmt *sql.Stmt, args []any) (ended []Session, err error) {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e Session
		var account string
		if err := rows.Scan(&e.ID, &e.AccountID, &account, &e.Address, &e.EndReason); err != nil {
			return nil, err
		}
		e.Account = []byte(account)
		ended = append(ended, e)
	}
	return ended, rows.Err()
}

// goneAtOnce is how many ids go into one query. The driver's binding takes
// time in the square of their number, so that two queries of 200 cost less
// than one of 400.
const goneAtOnce = 200

// Gone tells which of the given sessions are not alive (ended, past ExpiresAt,
// or no such row), in one query for every 200, with the reason of each (""
// where unknown).
func (s *Store) Gone(ctx context.Context, ids []string) (map[string]string, error) {
	gone := make(map[string]string)
	for start := 0; start < len(ids); start += goneAtOnce {
		if err := s.goneAmong(ctx, ids[start:min(start+goneAtOnce, len(ids))], gone); err != nil {
			return nil, fault("gone sessions", err)
		}
	}
	return gone, nil
}

func (s *Store) goneAmong(ctx context.Context, ids []string, gone map[string]string) error {
	marks := make([]string, len(ids))
	args := make([]any, len(ids))
	for i, id := range ids {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), id
		gone[id] = ""
	}
	rows, err := s.read.db.QueryContext(ctx,
		`SELECT id, ended_at, expires_at, end_reason FROM sessions WHERE id IN (`+strings.Join(marks, ", ")+`)`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	now := millis(s.now())
	for rows.Next() {
		var id, reason string
		var ended, expires int64
		if err := rows.Scan(&id, &ended, &expires, &reason); err != nil {
			return err
		}
		switch {
		case ended != 0:
			gone[id] = reason
		case expires <= now:
			gone[id] = "absolute"
		default:
			delete(gone, id)
		}
	}
	return rows.Err()
}

// PurgeSessions deletes sessions that ended before a time.
func (s *Store) PurgeSessions(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.write.exec(ctx, `DELETE FROM sessions WHERE ended_at > 0 AND ended_at < $1`, millis(before))
	return n, fault("purge sessions", err)
}

// OpenSessions are the live sessions at any step, the newest first, at most
// 1,000; accountID narrows them, empty: of everybody. Sealed stays empty.
func (s *Store) OpenSessions(ctx context.Context, accountID string) ([]Session, error) {
	rows, err := s.read.db.QueryContext(ctx, `
		SELECT id, step, account_id, account, address, user_agent, created_at, seen_at, expires_at FROM sessions
		WHERE ended_at = 0 AND expires_at > $1 AND ($2 = '' OR account_id = $2)
		ORDER BY created_at DESC, id LIMIT 1000`, millis(s.now()), accountID)
	if err != nil {
		return nil, fault("open sessions", err)
	}
	defer rows.Close()
	var found []Session
	for rows.Next() {
		var f Session
		var account string
		var created, seen, expires int64
		if err := rows.Scan(&f.ID, &f.Step, &f.AccountID, &account, &f.Address, &f.UserAgent, &created, &seen, &expires); err != nil {
			return nil, fault("open sessions", err)
		}
		f.Account = []byte(account)
		f.CreatedAt, f.SeenAt, f.ExpiresAt = fromMillis(created), fromMillis(seen), fromMillis(expires)
		found = append(found, f)
	}
	return found, fault("open sessions", rows.Err())
}
