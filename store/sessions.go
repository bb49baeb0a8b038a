package store

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
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
	_, err := s.write.exec(ctx, `
		INSERT INTO sessions (id, secret_hash, step, account_id, account, sealed, challenge, return_to,
			address, user_agent, created_at, seen_at, expires_at, ended_at, end_reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		session.ID, secretHash, session.Step, session.AccountID, string(session.Account), seal(session.Sealed),
		session.Challenge, session.Return, session.Address, session.UserAgent, millis(session.CreatedAt),
		millis(session.SeenAt), millis(session.ExpiresAt), millis(session.EndedAt), session.EndReason)
	return fault("create session", err)
}

// FindSession finds a session, alive or ended, by id and secret. It does not
// judge SeenAt and ExpiresAt: until Expire has run, a session past them is
// found without EndedAt.
func (s *Store) FindSession(ctx context.Context, id, secretHash string) (Session, error) {
	var f Session
	var hash, account, sealed string
	var created, seen, expires, ended int64
	err := s.read.one(ctx, `
		SELECT id, secret_hash, step, account_id, account, sealed, challenge, return_to,
			address, user_agent, created_at, seen_at, expires_at, ended_at, end_reason
		FROM sessions WHERE id = $1`, []any{id},
		&f.ID, &hash, &f.Step, &f.AccountID, &account, &sealed, &f.Challenge, &f.Return,
		&f.Address, &f.UserAgent, &created, &seen, &expires, &ended, &f.EndReason)
	if err != nil {
		return Session{}, fault("find session", err)
	}
	if subtle.ConstantTimeCompare([]byte(hash), []byte(secretHash)) != 1 {
		return Session{}, ErrNotFound
	}
	f.Account = []byte(account)
	if f.Sealed, err = unseal(sealed); err != nil {
		return Session{}, fault("find session", err)
	}
	f.CreatedAt, f.SeenAt, f.ExpiresAt, f.EndedAt = fromMillis(created), fromMillis(seen), fromMillis(expires), fromMillis(ended)
	return f, nil
}

// seal writes bytes as text, since the column is TEXT in every database.
func seal(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func unseal(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	return base64.StdEncoding.DecodeString(text)
}

// StepUp moves a live session from one step to the next and gives it a new
// secret, in one statement: of two requests only one succeeds, the other gets
// ErrNotFound. Fields of next that are written: Step, Account, Sealed,
// Challenge, Return, SeenAt, ExpiresAt.
//
// Steps alone cannot tell two requests apart when the step stays the same
// (code to code, with a new challenge): those both succeed, the later one wins.
func (s *Store) StepUp(ctx context.Context, id, fromStep string, next Session, secretHash string) error {
	n, err := s.write.exec(ctx, `
		UPDATE sessions SET secret_hash = $1, step = $2, account = $3, sealed = $4, challenge = $5,
			return_to = $6, seen_at = $7, expires_at = $8
		WHERE id = $9 AND step = $10 AND ended_at = 0 AND expires_at > $11`,
		secretHash, next.Step, string(next.Account), seal(next.Sealed), next.Challenge,
		next.Return, millis(next.SeenAt), millis(next.ExpiresAt), id, fromStep, millis(s.now()))
	return changed("step up", n, err)
}

// changed is ErrNotFound where a statement for one row changed none.
func changed(operation string, n int64, err error) error {
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return fault(operation, err)
}

// Touch records human input; it never moves SeenAt back and never revives a
// session that has ended or is past ExpiresAt: those give ErrNotFound. It does
// not know the idle limit; who calls it has checked that first.
func (s *Store) Touch(ctx context.Context, id string, at time.Time) error {
	n, err := s.write.exec(ctx, `
		UPDATE sessions SET seen_at = CASE WHEN seen_at < $1 THEN $1 ELSE seen_at END
		WHERE id = $2 AND ended_at = 0 AND expires_at > $3`, millis(at), id, millis(s.now()))
	return changed("touch session", n, err)
}

// UpdateAccount changes the account of a live session from what the row holds at
// that moment: whoever calls may have read it long ago. An error of change comes
// back as it is, and nothing is written. ErrNotFound.
func (s *Store) UpdateAccount(ctx context.Context, id string, change func(account []byte) ([]byte, error)) error {
	var unfit error
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		var account string
		// The row is locked first, so that nobody writes between reading and writing.
		err := txOne(ctx, tx, `UPDATE sessions SET account = account WHERE id = $1 AND ended_at = 0 RETURNING account`, []any{id}, &account)
		if err != nil {
			return err
		}
		var next []byte
		if next, unfit = change([]byte(account)); unfit != nil {
			return unfit
		}
		_, err = tx.ExecContext(ctx, `UPDATE sessions SET account = $1 WHERE id = $2`, string(next), id)
		return err
	})
	if unfit != nil {
		return unfit
	}
	return fault("update account", err)
}

// WipeSealed forgets the sealed password of a session.
func (s *Store) WipeSealed(ctx context.Context, id string) error {
	_, err := s.write.exec(ctx, `UPDATE sessions SET sealed = '' WHERE id = $1 AND sealed <> ''`, id)
	return fault("wipe sealed", err)
}
