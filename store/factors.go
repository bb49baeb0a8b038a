package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Factor is an authenticator app or a security key of an account.
type Factor struct {
	ID         string
	AccountID  string
	Kind       string // "app", "key"
	Name       string
	Secret     string // opaque here: sealed, or public
	Credential string // a key's id; empty of an app
	LastStep   int64  // an app's time step that was used last
	AddedAt    time.Time
	UsedAt     time.Time // zero: not yet
}

// errFull: the account has as many factors of the kind as it may.
var errFull = errors.New("store: no more factors of that kind")

// AddFactor writes a factor unless the account has max of its kind already, and
// forgets its devices, which stood on what there was before. False: it has.
// ErrTooManyNotices.
func (s *Store) AddFactor(ctx context.Context, f Factor, max int, trace Trace) (bool, error) {
	err := s.traced(ctx, "add factor", trace, func(tx *sql.Tx) error {
		var id string
		err := txOne(ctx, tx, `
			INSERT INTO factors (id, account_id, kind, name, secret, credential, last_step, added_at, used_at)
			SELECT $1, $2, $3, $4, $5, $6, $7, $8, 0
			WHERE (SELECT COUNT(*) FROM factors WHERE account_id = $2 AND kind = $3) < $9
			RETURNING id`,
			[]any{f.ID, f.AccountID, f.Kind, f.Name, f.Secret, f.Credential, f.LastStep, millis(f.AddedAt), max}, &id)
		if errors.Is(err, sql.ErrNoRows) {
			return errFull
		}
		if err != nil {
			return err
		}
		_, err = forgetDevices(ctx, tx, f.AccountID, "")
		return err
	})
	if errors.Is(err, errFull) {
		return false, nil
	}
	return err == nil, err
}

// Factors are an account's, the oldest first.
func (s *Store) Factors(ctx context.Context, accountID string) (found []Factor, err error) {
	err = s.read.rows(ctx, func(rows *sql.Rows) error {
		f := Factor{AccountID: accountID}
		var added, used int64
		err := rows.Scan(&f.ID, &f.Kind, &f.Name, &f.Secret, &f.Credential, &f.LastStep, &added, &used)
		f.AddedAt, f.UsedAt = fromMillis(added), fromMillis(used)
		found = append(found, f)
		return err
	}, `SELECT id, kind, name, secret, credential, last_step, added_at, used_at
		FROM factors WHERE account_id = $1 ORDER BY added_at, id`, accountID)
	return found, fault("factors", err)
}

// RemoveFactor takes a factor from an account and returns what it was; the
// account's devices are forgotten. ErrNotFound, ErrTooManyNotices.
func (s *Store) RemoveFactor(ctx context.Context, accountID, id string, trace Trace) (Factor, error) {
	f := Factor{ID: id, AccountID: accountID}
	err := s.traced(ctx, "remove factor", trace, func(tx *sql.Tx) error {
		err := txOne(ctx, tx, `DELETE FROM factors WHERE account_id = $1 AND id = $2 RETURNING kind, name`,
			[]any{accountID, id}, &f.Kind, &f.Name)
		if err != nil {
			return err
		}
		_, err = forgetDevices(ctx, tx, accountID, "")
		return err
	})
	return f, err
}

// RemoveFactorBy is RemoveFactor by an agent: it is remembered that they did, and
// bypass codes that are out are void, in one transaction. ErrNotFound.
func (s *Store) RemoveFactorBy(ctx context.Context, accountID, id, by string, at time.Time, trace Trace) (Factor, error) {
	f := Factor{ID: id, AccountID: accountID}
	err := s.traced(ctx, "remove factor by", trace, func(tx *sql.Tx) error {
		if _, err := lastRemoval(ctx, tx, accountID, by, at); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM factor_codes WHERE account_id = $1 AND kind = 'bypass'`, accountID); err != nil {
			return err
		}
		err := txOne(ctx, tx, `DELETE FROM factors WHERE account_id = $1 AND id = $2 RETURNING kind, name`,
			[]any{accountID, id}, &f.Kind, &f.Name)
		if err != nil {
			return err
		}
		_, err = forgetDevices(ctx, tx, accountID, "")
		return err
	})
	return f, err
}

// lastRemoval is when an agent last took a factor from an account, or at, which
// is written, where that is later; zero: never. Whoever asks next waits until the
// transaction has ended.
func lastRemoval(ctx context.Context, tx *sql.Tx, accountID, by string, at time.Time) (time.Time, error) {
	var last int64
	err := txOne(ctx, tx, `
		INSERT INTO factor_removals (account_id, by_id, at) VALUES ($1, $2, $3)
		ON CONFLICT (account_id, by_id) DO UPDATE SET at = CASE WHEN excluded.at > factor_removals.at THEN excluded.at ELSE factor_removals.at END
		RETURNING at`, []any{accountID, by, millis(at)}, &last)
	return fromMillis(last), err
}

// FactorRemoved tells whether an agent has taken a factor from an account since a time.
func (s *Store) FactorRemoved(ctx context.Context, accountID string, since time.Time) (bool, error) {
	var n int64
	err := s.read.one(ctx, `SELECT COUNT(*) FROM factor_removals WHERE account_id = $1 AND at > $2`, []any{accountID, millis(since)}, &n)
	return n > 0, fault("factor removed", err)
}

// PurgeRemovals forgets what no cool-down needs any more.
func (s *Store) PurgeRemovals(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.write.exec(ctx, `DELETE FROM factor_removals WHERE at <= $1`, millis(before))
	return n, fault("purge removals", err)
}

// UseStep records that an app's code of a time step was right, and forgets the
// account's wrong codes. Of parallel calls with one step, or an older one, one
// succeeds; the others get ErrNotFound.
func (s *Store) UseStep(ctx context.Context, accountID, id string, step int64, at time.Time) error {
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		var found string
		err := txOne(ctx, tx, `UPDATE factors SET last_step = $1, used_at = $2
			WHERE id = $3 AND account_id = $4 AND kind = 'app' AND last_step < $1 RETURNING id`,
			[]any{step, millis(at), id, accountID}, &found)
		if err != nil {
			return err
		}
		return forgetWrong(ctx, tx, accountID)
	})
	return fault("use step", err)
}

// UseKey stores a key as its use has changed it (the counter), and forgets the
// account's wrong codes. ErrNotFound where the key has been removed.
func (s *Store) UseKey(ctx context.Context, accountID, id, secret string, at time.Time) error {
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		var found string
		err := txOne(ctx, tx, `UPDATE factors SET secret = $1, used_at = $2
			WHERE id = $3 AND account_id = $4 AND kind = 'key' RETURNING id`,
			[]any{secret, millis(at), id, accountID}, &found)
		if err != nil {
			return err
		}
		return forgetWrong(ctx, tx, accountID)
	})
	return fault("use key", err)
}

// TakeAccountTry counts one try at something else than a code by SMS on its
// account, before anybody has looked at what was typed: as a wrong one, until
// UseStep, UseKey or UseFactorCode says that it was right. False: the account is
// locked (lock says until when), and nothing was counted.
func (s *Store) TakeAccountTry(ctx context.Context, accountID string, at time.Time, limits TryLimits) (lock CodeLock, taken bool, err error) {
	err = s.write.transact(ctx, func(tx *sql.Tx) error {
		var err error
		lock, err = countWrong(ctx, tx, accountID, at, limits)
		return err
	})
	if errors.Is(err, errLocked) {
		return lock, false, nil
	}
	if err != nil {
		return CodeLock{}, false, fault("take account try", err)
	}
	return lock, true, nil
}

// forgetWrong ends a row of wrong codes: something was right.
func forgetWrong(ctx context.Context, tx *sql.Tx, accountID string) error {
	_, err := tx.ExecContext(ctx, `UPDATE code_accounts SET wrong = 0, locked_until = 0 WHERE account_id = $1`, accountID)
	return err
}

// PutSetup keeps what a session has been shown and not answered yet; it
// replaces what the session had of that kind.
func (s *Store) PutSetup(ctx context.Context, sessionID, kind, data string, expires time.Time) error {
	_, err := s.write.exec(ctx, `
		INSERT INTO factor_setups (session_id, kind, data, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (session_id, kind) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`,
		sessionID, kind, data, millis(expires))
	return fault("put setup", err)
}

// Setup is what PutSetup kept, ErrNotFound after its time.
func (s *Store) Setup(ctx context.Context, sessionID, kind string, at time.Time) (data string, err error) {
	err = s.read.one(ctx, `SELECT data FROM factor_setups WHERE session_id = $1 AND kind = $2 AND expires_at > $3`,
		[]any{sessionID, kind, millis(at)}, &data)
	return data, fault("setup", err)
}

// TakeSetup is Setup once: of parallel calls one gets it, the others ErrNotFound.
func (s *Store) TakeSetup(ctx context.Context, sessionID, kind string, at time.Time) (data string, err error) {
	err = s.write.one(ctx, `DELETE FROM factor_setups WHERE session_id = $1 AND kind = $2 AND expires_at > $3 RETURNING data`,
		[]any{sessionID, kind, millis(at)}, &data)
	return data, fault("take setup", err)
}
