package store

import (
	"context"
	"time"
)

// How long rows are kept that no rule needs any more.
const (
	keepSessions   = 24 * time.Hour     // so that the portal can say why somebody was logged out
	keepChallenges = 24 * time.Hour     // so that an old code page says "expired"
	keepSends      = 7 * 24 * time.Hour // so that helpdesk sees what became of a code; the limits need a day
	keepReceipts   = time.Hour          // receipts of messages that nobody knows; a hand-over lasts seconds
)

// Purge deletes what is old: sessions that ended a day ago, challenges made a
// day ago, messages of a week ago, throttle windows that have ended, what was
// opened last 90 days ago, notices of a week ago, remembered devices past their
// time. Audit events, the accounts' wrong codes and the history of their numbers
// stay. Call it about once an hour.
func (s *Store) Purge(ctx context.Context) error {
	now := s.now()
	if _, err := s.PurgeSessions(ctx, now.Add(-keepSessions)); err != nil {
		return err
	}
	if _, err := s.PurgeThrottle(ctx, now); err != nil {
		return err
	}
	if _, err := s.PurgeRecents(ctx, now.Add(-keepRecents)); err != nil {
		return err
	}
	if _, err := s.write.exec(ctx, `DELETE FROM code_receipts WHERE at < $1`, millis(now.Add(-keepReceipts))); err != nil {
		return fault("purge receipts", err)
	}
	if _, err := s.PurgeNotices(ctx, now.Add(-keepSends)); err != nil {
		return err
	}
	if err := s.PurgeCallers(ctx, now); err != nil {
		return err
	}
	if err := s.PurgeFactors(ctx, now); err != nil {
		return err
	}
	_, err := s.PurgeCodes(ctx, now.Add(-keepChallenges), now.Add(-keepSends))
	return err
}

// PurgeCodes deletes challenges made and messages sent before a time each.
func (s *Store) PurgeCodes(ctx context.Context, challengesBefore, sendsBefore time.Time) (int64, error) {
	challenges, err := s.write.exec(ctx, `DELETE FROM code_challenges WHERE created_at < $1`, millis(challengesBefore))
	if err != nil {
		return 0, fault("purge challenges", err)
	}
	sends, err := s.write.exec(ctx, `DELETE FROM code_sends WHERE at < $1`, millis(sendsBefore))
	return challenges + sends, fault("purge sends", err)
}
