package store

import (
	"context"
	"database/sql"
	"errors"
)

// Familiar is how often EndFamiliar was called for an account: a cookie of a
// browser that the account has logged in from holds for one such generation.
func (s *Store) Familiar(ctx context.Context, accountID string) (generation int64, err error) {
	err = s.read.one(ctx, `SELECT familiar FROM people WHERE account_id = $1`, []any{accountID}, &generation)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return generation, fault("familiar", err)
}

// EndFamiliar makes strangers of all browsers that an account has logged in from.
func (s *Store) EndFamiliar(ctx context.Context, accountID string) error {
	_, err := s.write.exec(ctx, endFamiliar, accountID)
	return fault("end familiar", err)
}

const endFamiliar = `UPDATE people SET familiar = familiar + 1 WHERE account_id = $1`
