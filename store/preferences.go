package store

import (
	"context"
	"strings"
)

// maxPreferences bounds what one account may choose; the choice that was made
// longest ago gives way.
const maxPreferences = 500

// SetPreference keeps what a person has chosen; value "" forgets it.
func (s *Store) SetPreference(ctx context.Context, accountID, name, value string) error {
	if value == "" {
		_, err := s.write.exec(ctx, `DELETE FROM preferences WHERE account_id = $1 AND name = $2`, accountID, name)
		return fault("forget preference", err)
	}
	_, err := s.write.exec(ctx, `
		INSERT INTO preferences (account_id, name, value, changed_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account_id, name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at`,
		accountID, name, value, millis(s.now()))
	if err != nil {
		return fault("set preference", err)
	}
	_, err = s.write.exec(ctx, `
		DELETE FROM preferences WHERE account_id = $1 AND name IN (
			SELECT name FROM preferences WHERE account_id = $1 ORDER BY changed_at DESC, name LIMIT 1000 OFFSET $2)`,
		accountID, maxPreferences)
	return fault("set preference", err)
}

// Preferences are what a person has chosen, by name. No name has a "=" in it.
func (s *Store) Preferences(ctx context.Context, accountID string) (map[string]string, error) {
	chosen := map[string]string{}
	rows, err := s.read.strings(ctx, `SELECT name || '=' || value FROM preferences WHERE account_id = $1`, accountID)
	for _, row := range rows {
		name, value, _ := strings.Cut(row, "=")
		chosen[name] = value
	}
	return chosen, fault("preferences", err)
}
