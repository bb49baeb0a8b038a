package store

import (
	"context"
	"time"
)

// How long rows are kept that no rule needs any more.
const (
	keepSessions   = 24 * time.Hour      // so that the portal can say why somebody was logged out
	keepChallenges = 24 * time.Hour      // so that an old code page says "expired"
	keepSends      = 7 * 24 * time.Hour  // so that helpdesk sees what became of a code; the limits need a day
	keepOrders     = 24 * time.Hour      // so that helpdesk sees what became of a message
	keepRemovals   = 15 * 24 * time.Hour // the longest cool-down, and a day
	keepReceipts   = time.Hour           // receipts of messages that nobody knows; a hand-over lasts seconds
)

// Purge deletes what is old; how old, the constants say. Audit events, the
// accounts' wrong codes and the history of their numbers stay. Call it about
// once an hour.
func (s *Store) Purge(ctx context.Context) error {
	now := s.now()
	for _, old := range []struct {
		purge func(context.Context, time.Time) (int64, error)
		keep  time.Duration
	}{
		{s.PurgeSessions, keepSessions},
		{s.PurgeThrottle, 0},
		{s.PurgeDesktops, keepOrders},
		{s.PurgeRecents, keepRecents},
		{s.PurgeNotices, keepSends},
		{s.PurgeFactors, 0},
		{s.PurgeCallers, 0},
		{s.PurgeActs, keepActs},
		{s.PurgeRemovals, keepRemovals},
		{s.PurgeNodes, keepNodes},
		{s.PurgeUsage, keepUsage},
	} {
		if _, err := old.purge(ctx, now.Add(-old.keep)); err != nil {
			return err
		}
	}
	if _, err := s.write.exec(ctx, `DELETE FROM code_receipts WHERE at < $1`, millis(now.Add(-keepReceipts))); err != nil {
		return fault("purge receipts", err)
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
