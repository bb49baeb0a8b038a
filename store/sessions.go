package store

import (
	"context"
	"time"
)

// Session is a person logged in, or on the way there, in one browser.
type Session struct {
	ID        string
	Step      string // the login step that is reached; the gateway's words
	AccountID string // directory.Account.ID
	Account   []byte // JSON; the gateway's, opaque here
	Sealed    []byte // the portal password under a key that only the browser has; nil: none
	Challenge string // id of the code being asked for; empty: none
	Return    string // id of the target to go to once ready
	Address   string
	UserAgent string
	CreatedAt time.Time
	SeenAt    time.Time // last human input
	ExpiresAt time.Time // absolute; of a pre-auth session 10 minutes after CreatedAt
	EndedAt   time.Time // zero: alive
	EndReason string    // "logout", "idle", "absolute", "password-changed", "replaced", "revoked", ...
}

// CreateSession writes a new session. secretHash is the hex SHA-256 of the
// secret in the browser's cookie.
func (s *Store) CreateSession(ctx context.Context, session Session, secretHash string) error {
	return nil
}

// FindSession finds a session, alive or ended, by id and secret.
func (s *Store) FindSession(ctx context.Context, id, secretHash string) (Session, error) {
	return Session{}, ErrNotFound
}

// StepUp moves a live session from one step to the next and gives it a new
// secret, in one statement: of two requests only one succeeds, the other gets
// ErrNotFound. Fields of next that are written: Step, Account, Sealed,
// Challenge, Return, SeenAt, ExpiresAt.
func (s *Store) StepUp(ctx context.Context, id, fromStep string, next Session, secretHash string) error {
	return nil
}

// Touch records human input; it never moves SeenAt back and never revives.
func (s *Store) Touch(ctx context.Context, id string, at time.Time) error { return nil }

// UpdateAccount replaces the account of a live session after a re-check.
func (s *Store) UpdateAccount(ctx context.Context, id string, account []byte) error { return nil }

// WipeSealed forgets the sealed password of a session.
func (s *Store) WipeSealed(ctx context.Context, id string) error { return nil }

// EndSession ends a live session, wipes what is sealed in it and keeps the
// reason for a day. False: it had ended before.
func (s *Store) EndSession(ctx context.Context, id, reason string) (bool, error) { return false, nil }

// EndSessionsOf ends an account's live sessions but one (except may be empty)
// and tells which.
func (s *Store) EndSessionsOf(ctx context.Context, accountID, except, reason string) ([]string, error) {
	return nil, nil
}

// EndOldestSessions ends the account's oldest live sessions at step beyond the
// newest keep of them, and tells which.
func (s *Store) EndOldestSessions(ctx context.Context, accountID, step string, keep int, reason string) ([]string, error) {
	return nil, nil
}

// Expire ends, in one statement each, the live sessions whose last input is at
// or before seenBefore ("idle") and those past ExpiresAt ("absolute").
func (s *Store) Expire(ctx context.Context, seenBefore time.Time) error { return nil }

// Gone tells which of the given sessions are not alive (ended, or no such
// row), in one query, with the reason of each ("" where unknown).
func (s *Store) Gone(ctx context.Context, ids []string) (map[string]string, error) { return nil, nil }

// PurgeSessions deletes sessions that ended before a time.
func (s *Store) PurgeSessions(ctx context.Context, before time.Time) (int64, error) { return 0, nil }
