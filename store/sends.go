package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
)

// Send is one message with a code, claimed before it is handed to a sender.
type Send struct {
	ID          string // the message's
	ChallengeID string
	AccountID   string
	Phone       string // the recipient: a number in E.164, or MailTo and an address
	Prefix      string // the range of numbers that Phone is in; of a mail the recipient
	Country     string // ISO 3166; of a mail none, and no country's limit holds for it
	Purpose     string // as the challenge's
	// Notice: it tells of something and holds no code. The limits of the country
	// and of all hold for it and count it. Those of the account and its number do
	// not (it has a day's limit of its own, NoticeLimits), nor that of the prefix:
	// ten codes are soon asked for by somebody who wants the owner not to be told.
	Notice bool
	At     time.Time
}

// noticePurpose is of messages without a code.
const noticePurpose = "notice"

func (s Send) purpose() string {
	if s.Notice {
		return noticePurpose
	}
	return purposeOf(s.Purpose)
}

// prefix is the one that the row counts for; of a notice none.
func (s Send) prefix() string {
	if s.Notice {
		return ""
	}
	return s.Prefix
}

// SendLimits is how many messages may be sent. All windows slide.
type SendLimits struct {
	// Cooldowns are after the 1st, 2nd, ... message within an hour, whose code has
	// not been typed rightly; the last one repeats.
	Cooldowns    []time.Duration
	PerHour      int // per account, and per recipient; below 1: no limit
	PerDay       int // the same
	PerPrefix    int // per prefix, to numbers that have not proven themselves; negative: no limit
	PrefixWindow time.Duration
	// PerCountry is per country, to numbers that have not proven themselves;
	// below 1: no limit.
	PerCountry    int
	CountryWindow time.Duration
	Total         int // in all; negative: no limit
	TotalWindow   time.Duration
}

// SendWait says why a message may not be sent yet; the zero value: it may.
type SendWait struct {
	Rule  string // "cooldown", "hour", "day", "prefix", "country", "total"
	Until time.Time
}

// waits are all the limits that stand against a message.
type waits []SendWait

func (w waits) and(rule string, until, now time.Time) waits {
	if until.After(now) {
		return append(w, SendWait{Rule: rule, Until: until})
	}
	return w
}

// last is the one that ends last; the zero value where there is none.
func (w waits) last() (last SendWait) {
	for _, wait := range w {
		if wait.Until.After(last.Until) {
			last = wait
		}
	}
	return last
}

// errWait ends a transaction; it never leaves this package.
var errWait = errors.New("store: not yet")

// ClaimSend records a message if the limits allow one more at send.At. Of
// parallel claims, also from several processes, no more succeed than the
// limits allow. Only who got the zero SendWait may send.
func (s *Store) ClaimSend(ctx context.Context, send Send, limits SendLimits) (SendWait, error) {
	var wait SendWait
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		if err := passGate(ctx, tx); err != nil {
			return err
		}
		proven, err := isProven(ctx, tx, send)
		if err != nil {
			return err
		}
		against, err := sendWaits(ctx, tx, send, proven, limits)
		if err != nil {
			return err
		}
		wait = against.last()
		if wait.Rule != "" {
			return errWait
		}
		cleared := 0 // for the account's and the number's limits, as ClearSends makes it
		if send.Notice {
			cleared = 1
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO code_sends (id, challenge_id, account_id, phone, prefix, country, purpose, proven, at, state, reference, cleared, cleared_phone)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', $11, $11)`,
			send.ID, send.ChallengeID, send.AccountID, send.Phone, send.prefix(), send.Country, send.purpose(),
			proven, millis(send.At), SendClaimed, cleared)
		return err
	})
	if errors.Is(err, errWait) {
		return wait, nil
	}
	return SendWait{}, fault("claim send", err)
}

// NextSend tells what ClaimSend would say, and claims nothing.
func (s *Store) NextSend(ctx context.Context, send Send, limits SendLimits) (SendWait, error) {
	all, err := s.LimitsInForce(ctx, send, limits)
	return waits(all).last(), err
}

// LimitsInForce is every limit that stands against a message to send.Phone of
// send.AccountID at send.At, in the order of SendWait's rules; where several
// stand by the same rule, as one of the account and one of the number, each.
func (s *Store) LimitsInForce(ctx context.Context, send Send, limits SendLimits) ([]SendWait, error) {
	var all waits
	err := s.read.transact(ctx, func(tx *sql.Tx) error {
		proven, err := isProven(ctx, tx, send)
		if err != nil {
			return err
		}
		all, err = sendWaits(ctx, tx, send, proven, limits)
		return err
	})
	return all, fault("limits in force", err)
}

// isProven: 1 when the account's last right code went to this number. The
// limits of the prefix and the country are against numbers made up to earn from
// messages, and those never prove themselves; a firm's own range of numbers does
// on its first day, and two hundred people who log in at eight must not stop
// each other. Who has numbers that do prove themselves needs a password for each,
// and meets the limits of the account, the number and all.
func isProven(ctx context.Context, tx *sql.Tx, send Send) (int64, error) {
	var proven int64
	err := txOne(ctx, tx, `SELECT COUNT(*) FROM code_accounts WHERE account_id = $1 AND proven_phone = $2`,
		[]any{send.AccountID, send.Phone}, &proven)
	return proven, err
}

// sendWaits looks at the messages of the last day and applies every limit.
func sendWaits(ctx context.Context, tx *sql.Tx, send Send, proven int64, limits SendLimits) (waits, error) {
	var against waits
	since := millis(send.At.Add(-24 * time.Hour))
	for _, by := range []struct{ condition, key string }{
		{`account_id = $1 AND at > $2 AND cleared = 0`, send.AccountID},
		{`phone = $1 AND at > $2 AND cleared_phone = 0`, send.Phone},
	} {
		if by.key == "" || send.Notice {
			continue
		}
		recent, err := recentSends(ctx, tx, by.condition, by.key, since)
		if err != nil {
			return nil, err
		}
		against = recent.waits(against, send.At, limits)
	}
	for _, by := range []struct {
		rule           string
		applies        bool
		max            int
		window         time.Duration
		condition, key string
	}{
		{"prefix", limits.PerPrefix >= 0 && proven == 0 && !send.Notice, limits.PerPrefix, limits.PrefixWindow, `prefix = $1 AND proven = 0`, send.Prefix},
		{"country", limits.PerCountry > 0 && proven == 0 && !strings.HasPrefix(send.Phone, MailTo), limits.PerCountry, limits.CountryWindow, `country = $1 AND proven = 0`, send.Country},
		{"total", limits.Total >= 0, limits.Total, limits.TotalWindow, `phone <> $1`, ""},
	} {
		if !by.applies {
			continue
		}
		until, err := windowEnd(ctx, tx, send.At, by.window, by.max, by.condition, by.key)
		if err != nil {
			return nil, err
		}
		against = against.and(by.rule, until, send.At)
	}
	return against, nil
}

// sends are times of messages, the newest first.
type sends struct {
	last    time.Time   // of those that may still be on their way; zero: none
	counted []time.Time // those that count
}

// recentSends reads at most 1,000 messages that count, far more than a limit
// of a day lets through.
func recentSends(ctx context.Context, tx *sql.Tx, condition, key string, since int64) (sends, error) {
	var found sends
	var last int64
	// Who has learned that a message did not arrive need not wait, nor who has typed
	// its code: the pause is for messages that may still be on their way.
	err := txOne(ctx, tx, `SELECT COALESCE(MAX(at), 0) FROM code_sends WHERE `+condition+` AND state <> 'undelivered'
		AND NOT EXISTS (SELECT 1 FROM code_challenges WHERE code_challenges.id = code_sends.challenge_id AND code_challenges.used_at > 0)`,
		[]any{key, since}, &last)
	if err != nil {
		return found, err
	}
	found.last = fromMillis(last)
	rows, err := tx.QueryContext(ctx, `SELECT at FROM code_sends WHERE `+condition+` AND state <> 'failed'
		ORDER BY at DESC LIMIT 1000`, key, since)
	if err != nil {
		return found, err
	}
	defer rows.Close()
	for rows.Next() {
		var at int64
		if err := rows.Scan(&at); err != nil {
			return found, err
		}
		found.counted = append(found.counted, fromMillis(at))
	}
	return found, rows.Err()
}

func (s sends) waits(against waits, now time.Time, limits SendLimits) waits {
	hour := 0
	for _, at := range s.counted {
		if at.After(now.Add(-time.Hour)) {
			hour++
		}
	}
	if len(limits.Cooldowns) > 0 && !s.last.IsZero() {
		nth := min(max(hour-1, 0), len(limits.Cooldowns)-1)
		against = against.and("cooldown", s.last.Add(limits.Cooldowns[nth]), now)
	}
	against = against.and("hour", s.roomAt(limits.PerHour, time.Hour), now)
	return against.and("day", s.roomAt(limits.PerDay, 24*time.Hour), now)
}

// roomAt is when fewer than max messages lie in the window again.
func (s sends) roomAt(max int, window time.Duration) time.Time {
	if max < 1 || len(s.counted) < max {
		return time.Time{}
	}
	return s.counted[max-1].Add(window)
}

// windowEnd is when fewer than max messages of a kind lie in the window again;
// zero: now.
func windowEnd(ctx context.Context, tx *sql.Tx, now time.Time, window time.Duration, max int, condition, key string) (time.Time, error) {
	if max == 0 {
		return now.Add(window), nil
	}
	var at int64
	err := txOne(ctx, tx, `SELECT at FROM code_sends WHERE `+condition+` AND state <> 'failed' AND at > $2
		ORDER BY at DESC LIMIT 1 OFFSET $3`, []any{key, millis(now.Add(-window)), max - 1}, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return fromMillis(at).Add(window), err
}
