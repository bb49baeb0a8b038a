package store

import "context"

// SetChallenge records which code a live session waits for, and the account as
// the gateway then knows it.
func (s *Store) SetChallenge(ctx context.Context, id, challenge string, account []byte) error {
	n, err := s.write.exec(ctx, `UPDATE sessions SET challenge = $1, account = $2 WHERE id = $3 AND ended_at = 0`,
		challenge, string(account), id)
	return changed("set challenge", n, err)
}

// SetReturn records which target a live session is at; empty: at the list.
func (s *Store) SetReturn(ctx context.Context, id, target string) error {
	n, err := s.write.exec(ctx, `UPDATE sessions SET return_to = $1 WHERE id = $2 AND ended_at = 0`, target, id)
	return changed("set return", n, err)
}

// GiveBack takes back one try that Take counted: it could not be made.
func (s *Store) GiveBack(ctx context.Context, key string) error {
	_, err := s.write.exec(ctx, `UPDATE throttle SET tries = tries - 1 WHERE key = $1 AND tries > 0`, key)
	return fault("give back", err)
}
