package store

import (
	"context"
	"errors"
	"time"
)

// Take counts one try under key ("address:192.0.2.1") and tells whether it is
// still among the first max of its window, in one atomic statement. retry is when
// the window ends. A window starts with its first try.
func (s *Store) Take(ctx context.Context, key string, max int, window time.Duration) (ok bool, retry time.Time, err error) {
	return s.take(ctx, key, max, window, 0)
}

// TakeGuess is Take of a wrong password under key ("login:<account id>"): each try
// that is let through begins the window anew, as directories do. They forget the
// wrong ones only when there has been none for a while, so that the last of one
// window and the first of the next would add up.
func (s *Store) TakeGuess(ctx context.Context, key string, max int, window time.Duration) (ok bool, retry time.Time, err error) {
	return s.take(ctx, key, max, window, max)
}

// take counts a try; each one that has fewer than extending before it puts the
// end of the window off.
func (s *Store) take(ctx context.Context, key string, max int, window time.Duration, extending int) (ok bool, retry time.Time, err error) {
	now := s.now()
	var tries, end int64
	// A window that is used up is refused from a read: tries only grow while it
	// lasts, and a flood of requests costs no write to the disk.
	err = s.read.one(ctx, `SELECT tries, window_end FROM throttle WHERE key = $1`, []any{key}, &tries, &end)
	if err != nil && !errors.Is(fault("", err), ErrNotFound) {
		return false, time.Time{}, fault("take", err)
	}
	if err == nil && tries >= int64(max) && end > millis(now) {
		return false, fromMillis(end), nil
	}
	err = s.write.one(ctx, `
		INSERT INTO throttle (key, tries, window_end) VALUES ($1, 1, $2)
		ON CONFLICT (key) DO UPDATE SET
			tries      = CASE WHEN throttle.window_end <= $3 THEN 1 ELSE throttle.tries + 1 END,
			window_end = CASE WHEN throttle.window_end <= $3 OR throttle.tries < $4 THEN excluded.window_end ELSE throttle.window_end END
		RETURNING tries, window_end`,
		[]any{key, millis(now.Add(window)), millis(now), extending}, &tries, &end)
	if err != nil {
		return false, time.Time{}, fault("take", err)
	}
	return tries <= int64(max), fromMillis(end), nil
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
