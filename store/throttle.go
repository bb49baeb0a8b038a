package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Take counts one try under key ("address:192.0.2.1") and tells whether it is
// still among the first max of its window, in one atomic statement. retry is when
// the window ends. A window starts with its first try.
func (s *Store) Take(ctx context.Context, key string, max int, window time.Duration) (ok bool, retry time.Time, err error) {
	now := s.now()
	// A window that is used up is refused from a read: tries only grow while it
	// lasts, and a flood of requests costs no write to the disk.
	if retry, err = s.usedUp(ctx, key, max); err != nil || !retry.IsZero() {
		return false, retry, fault("take", err)
	}
	var tries, end int64
	err = s.write.one(ctx, `
		INSERT INTO throttle (key, tries, window_end) VALUES ($1, 1, $2)
		ON CONFLICT (key) DO UPDATE SET
			tries      = CASE WHEN throttle.window_end <= $3 THEN 1 ELSE throttle.tries + 1 END,
			window_end = CASE WHEN throttle.window_end <= $3 THEN excluded.window_end ELSE throttle.window_end END
		RETURNING tries, window_end`,
		[]any{key, millis(now.Add(window)), millis(now)}, &tries, &end)
	if err != nil {
		return false, time.Time{}, fault("take", err)
	}
	return tries <= int64(max), fromMillis(end), nil
}

// usedUp is when the window of a key ends that has no tries left; zero: it has.
func (s *Store) usedUp(ctx context.Context, key string, max int) (until time.Time, err error) {
	var tries, end int64
	err = s.read.one(ctx, `SELECT tries, window_end FROM throttle WHERE key = $1`, []any{key}, &tries, &end)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (tries < int64(max) || end <= millis(s.now())) {
		return time.Time{}, nil
	}
	return fromMillis(end), err
}

// Clear forgets the tries under key: after a success.
func (s *Store) Clear(ctx context.Context, key string) error {
	_, err := s.write.exec(ctx, `DELETE FROM throttle WHERE key = $1`, key)
	return fault("clear", err)
}

// PurgeThrottle deletes windows that ended before a time.
func (s *Store) PurgeThrottle(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.write.exec(ctx, `DELETE FROM throttle WHERE window_end <= $1`, millis(before))
	return n, fault("purge throttle", err)
}
