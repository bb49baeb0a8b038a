package store

import (
	"context"
	"database/sql"
	"time"
)

// FactorCode is a backup or bypass code, of which the database has a hash only.
type FactorCode struct {
	Hash      string
	MadeBy    string    // the agent's account id; empty: the person
	ExpiresAt time.Time // zero: does not
}

// PutBypassCode gives an account a bypass code, unless the agent who made it has
// taken a factor from the account since a time: ErrSameAgent. ErrTooManyNotices.
func (s *Store) PutBypassCode(ctx context.Context, accountID string, code FactorCode, at, since time.Time, trace Trace) error {
	return s.traced(ctx, "put bypass code", trace, func(tx *sql.Tx) error {
		removed, err := lastRemoval(ctx, tx, accountID, code.MadeBy, time.Time{})
		if err != nil {
			return err
		}
		if removed.After(since) {
			return ErrSameAgent
		}
		return putFactorCodes(ctx, tx, accountID, "bypass", []FactorCode{code}, at)
	})
}

// PutFactorCodes gives an account new codes of a kind; the old ones go.
// ErrTooManyNotices.
func (s *Store) PutFactorCodes(ctx context.Context, accountID, kind string, codes []FactorCode, at time.Time, trace Trace) error {
	return s.traced(ctx, "put factor codes", trace, func(tx *sql.Tx) error {
		return putFactorCodes(ctx, tx, accountID, kind, codes, at)
	})
}

func putFactorCodes(ctx context.Context, tx *sql.Tx, accountID, kind string, codes []FactorCode, at time.Time) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM factor_codes WHERE account_id = $1 AND kind = $2`, accountID, kind); err != nil {
		return err
	}
	for _, c := range codes {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO factor_codes (account_id, kind, hash, made_at, made_by, expires_at, used_at)
			VALUES ($1, $2, $3, $4, $5, $6, 0)`,
			accountID, kind, c.Hash, millis(at), c.MadeBy, millis(c.ExpiresAt))
		if err != nil {
			return err
		}
	}
	return nil
}

// UseFactorCode takes a code of an account and a kind, once: of parallel calls
// one succeeds, the others get ErrNotFound, as do all after its time. It
// forgets the account's wrong codes.
func (s *Store) UseFactorCode(ctx context.Context, accountID, kind, hash string, at time.Time, trace Trace) error {
	return s.traced(ctx, "use factor code", trace, func(tx *sql.Tx) error {
		var found string
		err := txOne(ctx, tx, `UPDATE factor_codes SET used_at = $1
			WHERE account_id = $2 AND kind = $3 AND hash = $4 AND used_at = 0 AND (expires_at = 0 OR expires_at > $1)
			RETURNING hash`, []any{millis(at), accountID, kind, hash}, &found)
		if err != nil {
			return err
		}
		return forgetWrong(ctx, tx, accountID)
	})
}

// FactorCodesLeft counts an account's codes of a kind that are still good, and
// tells when they were made (zero: never).
func (s *Store) FactorCodesLeft(ctx context.Context, accountID, kind string, at time.Time) (left int, made time.Time, err error) {
	var madeAt int64
	err = s.read.one(ctx, `
		SELECT COALESCE(SUM(CASE WHEN used_at = 0 AND (expires_at = 0 OR expires_at > $1) THEN 1 ELSE 0 END), 0), COALESCE(MAX(made_at), 0)
		FROM factor_codes WHERE account_id = $2 AND kind = $3`, []any{millis(at), accountID, kind}, &left, &madeAt)
	return left, fromMillis(madeAt), fault("factor codes left", err)
}
