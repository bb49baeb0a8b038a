package store

import (
	"context"
	"database/sql"
)

// LiveSessions are an account's sessions at a step, the newest first, without
// what is sealed in them.
func (s *Store) LiveSessions(ctx context.Context, accountID, step string) (found []Session, err error) {
	err = s.read.rows(ctx, func(rows *sql.Rows) error {
		one := Session{AccountID: accountID, Step: step}
		var created, seen, expires int64
		err := rows.Scan(&one.ID, &one.Address, &one.UserAgent, &created, &seen, &expires)
		one.CreatedAt, one.SeenAt, one.ExpiresAt = fromMillis(created), fromMillis(seen), fromMillis(expires)
		found = append(found, one)
		return err
	}, `SELECT id, address, user_agent, created_at, seen_at, expires_at FROM sessions
		WHERE account_id = $1 AND step = $2 AND ended_at = 0 AND expires_at > $3 ORDER BY created_at DESC, id`,
		accountID, step, millis(s.now()))
	return found, fault("live sessions", err)
}
