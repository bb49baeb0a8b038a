package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// PasswordKey is what TakeGuess counts an account's failing passwords under, from
// anywhere; FamiliarKey those from browsers that the account has logged in from.
func PasswordKey(accountID string) string { return "login:" + accountID }

// FamiliarKey: see PasswordKey.
func FamiliarKey(accountID string) string { return PasswordKey(accountID) + ":familiar" }

// Guesses is how many wrong passwords of an account reach its directory.
type Guesses struct {
	Anywhere int           // from anywhere
	Familiar int           // and so many more from browsers that the account has logged in from
	Known    bool          // this try is from such a browser
	Window   time.Duration // for how long after the last one they count
}

// TakeGuess counts one try at an account's password and tells under which key; "":
// none is left before retry. A browser that the account has logged in from takes of
// its own first, then of everybody's: for all others it is as if there were no such
// browser.
//
// Each try that is let through begins the windows of both counters anew, as
// directories do: they forget the wrong ones only when there has been none, from
// anywhere, for a while. So never more than both together come without such a
// pause between them.
func (s *Store) TakeGuess(ctx context.Context, accountID string, g Guesses) (key string, retry time.Time, err error) {
	type counter struct {
		key string
		max int
	}
	counters := []counter{{PasswordKey(accountID), g.Anywhere}}
	if g.Known {
		counters = []counter{{FamiliarKey(accountID), g.Familiar}, counters[0]}
	}
	// As in Take: a flood of requests costs no write to the disk.
	full := 0
	for _, c := range counters {
		until, err := s.usedUp(ctx, c.key, c.max)
		if err != nil {
			return "", time.Time{}, fault("take guess", err)
		}
		if c.max == 0 || !until.IsZero() {
			full++
		}
		if retry.IsZero() || !until.IsZero() && until.Before(retry) {
			retry = until
		}
	}
	if full == len(counters) {
		return "", retry, nil
	}
	now := s.now()
	end := now.Add(g.Window)
	err = s.write.transact(ctx, func(tx *sql.Tx) error {
		for _, c := range counters {
			if c.max == 0 {
				continue
			}
			taken, err := takeGuess(ctx, tx, c.key, c.max, now, end)
			if err != nil {
				return err
			}
			if taken {
				key = c.key
				_, err = tx.ExecContext(ctx, `UPDATE throttle SET window_end = $1 WHERE key IN ($2, $3) AND window_end > $4`,
					millis(end), PasswordKey(accountID), FamiliarKey(accountID), millis(now))
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", time.Time{}, fault("take guess", err)
	}
	if key == "" { // the last one went to somebody else meanwhile
		return "", end, nil
	}
	return key, time.Time{}, nil
}

// takeGuess counts a try under key unless its window has no more.
func takeGuess(ctx context.Context, tx *sql.Tx, key string, max int, now, end time.Time) (bool, error) {
	var tries int64
	err := txOne(ctx, tx, `
		INSERT INTO throttle (key, tries, window_end) VALUES ($1, 1, $2)
		ON CONFLICT (key) DO UPDATE SET
			tries      = CASE WHEN throttle.window_end <= $3 THEN 1 ELSE throttle.tries + 1 END,
			window_end = excluded.window_end
		WHERE throttle.window_end <= $3 OR throttle.tries < $4
		RETURNING tries`, []any{key, millis(end), millis(now), max}, &tries)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
