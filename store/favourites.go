package store

import "context"

// maxFavourites of an account: more would be another list, not a short cut.
const maxFavourites = 100

// AddFavourite marks a target for an account. Marking it again changes nothing;
// one beyond the hundredth is ErrNotFound: it has no place.
func (s *Store) AddFavourite(ctx context.Context, accountID, target string) error {
	n, err := s.write.exec(ctx, `
		INSERT INTO favourites (account_id, target, added_at)
		SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT)
		WHERE (SELECT COUNT(*) FROM favourites WHERE account_id = $1 AND target <> $2) < $4
		ON CONFLICT (account_id, target) DO UPDATE SET added_at = favourites.added_at`,
		accountID, target, millis(s.now()), maxFavourites)
	return changed("add favourite", n, err)
}

// RemoveFavourite takes the mark away.
func (s *Store) RemoveFavourite(ctx context.Context, accountID, target string) error {
	_, err := s.write.exec(ctx, `DELETE FROM favourites WHERE account_id = $1 AND target = $2`, accountID, target)
	return fault("remove favourite", err)
}

// Favourites are the targets that an account has marked, in no order that means
// anything: the list has one. Some may no longer exist.
func (s *Store) Favourites(ctx context.Context, accountID string) ([]string, error) {
	targets, err := s.read.strings(ctx, `SELECT target FROM favourites WHERE account_id = $1`, accountID)
	return targets, fault("favourites", err)
}
