package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Caller is whom an agent's session has verified as the person of an account.
type Caller struct {
	Until time.Time // zero: nobody, or no longer
	Way   string    // that the code they read back had gone: "sms" or "mail"
}

// PutCaller remembers that an agent's session has verified a caller as the
// person of an account.
func (s *Store) PutCaller(ctx context.Context, sessionID, accountID string, caller Caller) error {
	_, err := s.write.exec(ctx, `
		INSERT INTO verified_callers (session_id, account_id, until, way) VALUES ($1, $2, $3, $4)
		ON CONFLICT (session_id, account_id) DO UPDATE SET until = excluded.until, way = excluded.way`,
		sessionID, accountID, millis(caller.Until), caller.Way)
	return fault("put caller", err)
}

// Caller is who an agent's session has verified as the person of an account;
// nobody is no error.
func (s *Store) Caller(ctx context.Context, sessionID, accountID string) (Caller, error) {
	var caller Caller
	var until int64
	err := s.read.one(ctx, `SELECT until, way FROM verified_callers WHERE session_id = $1 AND account_id = $2 AND until > $3`,
		[]any{sessionID, accountID, millis(s.now())}, &until, &caller.Way)
	if errors.Is(err, sql.ErrNoRows) {
		return Caller{}, nil
	}
	caller.Until = fromMillis(until)
	return caller, fault("caller", err)
}

// PurgeCallers forgets callers whose time is over.
func (s *Store) PurgeCallers(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.write.exec(ctx, `DELETE FROM verified_callers WHERE until <= $1`, millis(before))
	return n, fault("purge callers", err)
}

// Tries is what Take has counted under a key in its present window, and when
// that ends; 0 and zero where there is none.
func (s *Store) Tries(ctx context.Context, key string) (tries int, until time.Time, err error) {
	var end int64
	err = s.read.one(ctx, `SELECT tries, window_end FROM throttle WHERE key = $1 AND window_end > $2`,
		[]any{key, millis(s.now())}, &tries, &end)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, time.Time{}, nil
	}
	return tries, fromMillis(end), fault("tries", err)
}

// SessionsOf are an account's live sessions, the newest first, without what is
// sealed in them.
func (s *Store) SessionsOf(ctx context.Context, accountID string) ([]Session, error) {
	rows, err := s.read.db.QueryContext(ctx, `
		SELECT id, step, challenge, address, user_agent, created_at, seen_at, expires_at FROM sessions
		WHERE account_id = $1 AND ended_at = 0 AND expires_at > $2 ORDER BY created_at DESC, id`, accountID, millis(s.now()))
	if err != nil {
		return nil, fault("sessions of", err)
	}
	defer rows.Close()
	var found []Session
	for rows.Next() {
		f := Session{AccountID: accountID}
		var created, seen, expires int64
		if err := rows.Scan(&f.ID, &f.Step, &f.Challenge, &f.Address, &f.UserAgent, &created, &seen, &expires); err != nil {
			return nil, fault("sessions of", err)
		}
		f.CreatedAt, f.SeenAt, f.ExpiresAt = fromMillis(created), fromMillis(seen), fromMillis(expires)
		found = append(found, f)
	}
	return found, fault("sessions of", rows.Err())
}

// LatestChallenge is the newest code that was asked for in a session, whatever
// its state. ErrNotFound.
func (s *Store) LatestChallenge(ctx context.Context, sessionID string) (Challenge, error) {
	var id string
	err := s.read.one(ctx, `SELECT id FROM code_challenges WHERE session_id = $1 ORDER BY created_at DESC, id LIMIT 1`,
		[]any{sessionID}, &id)
	if err != nil {
		return Challenge{}, fault("latest challenge", err)
	}
	return s.FindChallenge(ctx, id, sessionID)
}
