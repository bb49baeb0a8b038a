package store

import (
	"context"
	"time"
)

// keepRecents is how long the portal remembers that somebody opened a target.
const keepRecents = 90 * 24 * time.Hour

// NoteUse remembers that an account has opened a target just now.
func (s *Store) NoteUse(ctx context.Context, accountID, target string) error {
	_, err := s.write.exec(ctx, `
		INSERT INTO recents (account_id, target, used_at) VALUES ($1, $2, $3)
		ON CONFLICT (account_id, target) DO UPDATE SET used_at = excluded.used_at`,
		accountID, target, millis(s.now()))
	return fault("note use", err)
}

// Recents are the targets that an account has opened in the last 90 days, the
// newest first, at most max. Some may no longer exist.
func (s *Store) Recents(ctx context.Context, accountID string, max int) ([]string, error) {
	targets, err := s.read.strings(ctx, `
		SELECT target FROM recents WHERE account_id = $1 AND used_at > $2
		ORDER BY used_at DESC, target LIMIT $3`, accountID, millis(s.now().Add(-keepRecents)), max)
	return targets, fault("recents", err)
}

// PurgeRecents deletes what was used last before a time.
func (s *Store) PurgeRecents(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.write.exec(ctx, `DELETE FROM recents WHERE used_at <= $1`, millis(before))
	return n, fault("purge recents", err)
}
