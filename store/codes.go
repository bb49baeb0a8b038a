package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
)

// MailTo begins a recipient that is a mail address and no number, as in a URI
// (RFC 6068): "mailto:anna@amido.example".
const MailTo = "mailto:"

// Challenge is a code that somebody was asked for. The code is not in it.
type Challenge struct {
	ID        string
	SessionID string
	AccountID string
	Phone     string // where the code goes: a number in E.164, or MailTo and an address
	Purpose   string // what the code is for: "login" (also where empty), "enrol", "change", "caller", "again"
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // zero: not used
	SentAt    time.Time // last hand-over to a sender; zero: none
	Tries     int
}

// purposeOf is a purpose as the rows have it.
func purposeOf(purpose string) string {
	if purpose == "" {
		return "login"
	}
	return purpose
}

// OpenChallenge finds the challenge that c's session has open for the same
// account, recipient and purpose (not used, still valid for lasts, with fewer than
// maxTries), or else writes c and ends the validity of the session's others for
// that account and purpose. So a session has one code at a time for each, and of
// parallel calls all get the same.
func (s *Store) OpenChallenge(ctx context.Context, c Challenge, lasts time.Duration, maxTries int) (Challenge, error) {
	c.Purpose = purposeOf(c.Purpose)
	open := c
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		if err := passGate(ctx, tx); err != nil {
			return err
		}
		var created, expires, sent int64
		err := txOne(ctx, tx, `
			SELECT id, created_at, expires_at, sent_at, tries FROM code_challenges
			WHERE session_id = $1 AND account_id = $2 AND phone = $3 AND used_at = 0 AND expires_at > $4 AND tries < $5 AND purpose = $6
			ORDER BY created_at DESC LIMIT 1`,
			[]any{c.SessionID, c.AccountID, c.Phone, millis(c.CreatedAt.Add(lasts)), maxTries, c.Purpose},
			&open.ID, &created, &expires, &sent, &open.Tries)
		if err == nil {
			open.CreatedAt, open.ExpiresAt, open.SentAt = fromMillis(created), fromMillis(expires), fromMillis(sent)
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return insertChallenge(ctx, tx, c)
	})
	return open, fault("open challenge", err)
}

func insertChallenge(ctx context.Context, tx *sql.Tx, c Challenge) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE code_challenges SET expires_at = $1
		WHERE session_id = $2 AND used_at = 0 AND expires_at > $1 AND account_id = $3 AND purpose = $4`,
		millis(c.CreatedAt), c.SessionID, c.AccountID, c.Purpose)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO code_challenges (id, session_id, account_id, phone, purpose, created_at, expires_at, used_at, sent_at, tries)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0)`,
		c.ID, c.SessionID, c.AccountID, c.Phone, c.Purpose, millis(c.CreatedAt), millis(c.ExpiresAt))
	return err
}

// passGate makes transactions on codes that read many rows before they write
// wait for each other until they end, in every database.
func passGate(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE code_gate SET turn = turn + 1 WHERE one = 1`)
	return err
}

// FindChallenge finds the challenge of a session, whatever its state.
func (s *Store) FindChallenge(ctx context.Context, id, sessionID string) (Challenge, error) {
	c := Challenge{ID: id, SessionID: sessionID}
	var created, expires, used, sent int64
	err := s.read.one(ctx, `
		SELECT account_id, phone, purpose, created_at, expires_at, used_at, sent_at, tries
		FROM code_challenges WHERE id = $1 AND session_id = $2`, []any{id, sessionID},
		&c.AccountID, &c.Phone, &c.Purpose, &created, &expires, &used, &sent, &c.Tries)
	if err != nil {
		return Challenge{}, fault("find challenge", err)
	}
	c.CreatedAt, c.ExpiresAt, c.UsedAt, c.SentAt = fromMillis(created), fromMillis(expires), fromMillis(used), fromMillis(sent)
	return c, nil
}

// TryLimits is how many wrong codes are borne.
type TryLimits struct {
	PerCode   int           // tries at one challenge
	LockEvery int           // wrong codes in a row on the account that lock it
	Lock      time.Duration // the first lock; each further one is twice as long
	Stop      int           // wrong codes in a row after which only ClearCodeLock helps
}

// CodeLock is what wrong codes have done to an account.
type CodeLock struct {
	Wrong int       // in a row
	Until time.Time // locked until then; zero or past: not locked
}

// Locked tells whether the account may not try or be sent codes at a time.
// blocked: no time will lift it.
func (l CodeLock) Locked(at time.Time, limits TryLimits) (locked, blocked bool) {
	blocked = l.Wrong >= limits.Stop
	return blocked || l.Until.After(at), blocked
}

// errLocked ends a transaction; it never leaves this package.
var errLocked = errors.New("store: the account is locked")

// TakeTry counts one try at a challenge, on the challenge and on its account,
// before anybody has looked at the code. It counts as a wrong one until
// UseChallenge says that it was right, so that a crash between the two errs on
// the safe side. taken is false when the account is locked (lock says until
// when) or, with ErrNotFound, when the challenge cannot be tried: used,
// expired, out of tries, or another session's. Then nothing was counted.
func (s *Store) TakeTry(ctx context.Context, id, sessionID string, at time.Time, limits TryLimits) (tries int, lock CodeLock, taken bool, err error) {
	err = s.write.transact(ctx, func(tx *sql.Tx) error {
		var account string
		err := txOne(ctx, tx, `
			UPDATE code_challenges SET tries = tries + 1
			WHERE id = $1 AND session_id = $2 AND used_at = 0 AND expires_at > $3 AND tries < $4
			RETURNING account_id, tries`,
			[]any{id, sessionID, millis(at), limits.PerCode}, &account, &tries)
		if err != nil {
			return err
		}
		lock, err = countWrong(ctx, tx, account, at, limits)
		return err
	})
	if errors.Is(err, errLocked) {
		return 0, lock, false, nil
	}
	if err != nil {
		return 0, CodeLock{}, false, fault("take try", err)
	}
	return tries, lock, true, nil
}

// countWrong adds a wrong code to the account unless it is locked, and locks
// it at every LockEvery-th. The updated row stays locked until the transaction
// ends, so that in every database tries are counted one after the other.
func countWrong(ctx context.Context, tx *sql.Tx, account string, at time.Time, limits TryLimits) (CodeLock, error) {
	var lock CodeLock
	var until int64
	err := txOne(ctx, tx, `
		INSERT INTO code_accounts (account_id, wrong, locked_until, proven_phone) VALUES ($1, 1, 0, '')
		ON CONFLICT (account_id) DO UPDATE SET wrong = code_accounts.wrong + 1
		RETURNING wrong, locked_until`, []any{account}, &lock.Wrong, &until)
	if err != nil {
		return lock, err
	}
	before := CodeLock{Wrong: lock.Wrong - 1, Until: fromMillis(until)}
	if locked, _ := before.Locked(at, limits); locked {
		return before, errLocked
	}
	if lock.Wrong%limits.LockEvery != 0 {
		return lock, nil
	}
	// 15 min, 30 min, 1 h, ...; shifted at most 20 times, which is 30 years.
	lock.Until = at.Add(limits.Lock << min(lock.Wrong/limits.LockEvery-1, 20))
	_, err = tx.ExecContext(ctx, `UPDATE code_accounts SET locked_until = $1 WHERE account_id = $2`,
		millis(lock.Until), account)
	return lock, err
}

// UseChallenge marks a challenge as used by a right code, once: of parallel
// calls one succeeds and the others get ErrNotFound, as does one after
// ExpiresAt. It forgets the account's wrong codes and, where the code went to a
// phone, remembers that this phone receives codes.
func (s *Store) UseChallenge(ctx context.Context, id, sessionID string, at time.Time) error {
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		var account, phone string
		err := txOne(ctx, tx, `
			UPDATE code_challenges SET used_at = $1
			WHERE id = $2 AND session_id = $3 AND used_at = 0 AND expires_at > $1
			RETURNING account_id, phone`,
			[]any{millis(at), id, sessionID}, &account, &phone)
		if err != nil {
			return err
		}
		if strings.HasPrefix(phone, MailTo) {
			phone = "" // the phone that was proven before stays so
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO code_accounts (account_id, wrong, locked_until, proven_phone) VALUES ($1, 0, 0, $2)
			ON CONFLICT (account_id) DO UPDATE SET wrong = 0, locked_until = 0,
			proven_phone = CASE WHEN excluded.proven_phone = '' THEN code_accounts.proven_phone ELSE excluded.proven_phone END`,
			account, phone)
		return err
	})
	return fault("use challenge", err)
}

// CodeLock is what wrong codes have done to an account.
func (s *Store) CodeLock(ctx context.Context, accountID string) (CodeLock, error) {
	var lock CodeLock
	var until int64
	err := s.read.one(ctx, `SELECT wrong, locked_until FROM code_accounts WHERE account_id = $1`,
		[]any{accountID}, &lock.Wrong, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return CodeLock{}, nil
	}
	lock.Until = fromMillis(until)
	return lock, fault("code lock", err)
}

// ClearCodeLock forgets an account's wrong codes: helpdesk's way out of the
// hard stop.
func (s *Store) ClearCodeLock(ctx context.Context, accountID string) error {
	_, err := s.write.exec(ctx, `UPDATE code_accounts SET wrong = 0, locked_until = 0 WHERE account_id = $1`, accountID)
	return fault("clear code lock", err)
}
