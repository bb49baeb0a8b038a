package store

import (
	"context"
	"database/sql"
	"time"
)

// SendRecord is a message as the helpdesk sees it. The recipient is whole:
// masking it is the reader's business.
type SendRecord struct {
	ID        string
	Phone     string // a number, or MailTo and an address
	Country   string // ISO 3166; empty: a mail
	Purpose   string // "login", "enrol", ...
	State     SendState
	Sender    string // empty: nobody has taken it
	Reference string // the provider's id
	Reason    string // of what went wrong
	Cause     string // of a failed one, SendEnd.Cause
	At        time.Time
	HandedAt  time.Time // zero: not handed over
	EndedAt   time.Time // delivered, undelivered or failed; zero: none of these (yet)
	Cleared   bool      // does not count for its account's limits any more
}

// SendsOf is an account's messages with codes of the last seven days, the newest
// first, at most limit.
func (s *Store) SendsOf(ctx context.Context, accountID string, limit int) ([]SendRecord, error) {
	records, err := s.sendRecords(ctx, `
		SELECT id, phone, country, purpose, state, sender, reference, reason, at, handed_at, ended_at, cleared, cause
		FROM code_sends WHERE account_id = $1 AND purpose <> 'notice' ORDER BY at DESC, id LIMIT $2`, accountID, limit)
	return records, fault("sends of an account", err)
}

// LastSend is the newest message of a challenge. ErrNotFound where there is none.
func (s *Store) LastSend(ctx context.Context, challengeID string) (SendRecord, error) {
	records, err := s.sendRecords(ctx, `
		SELECT id, phone, country, purpose, state, sender, reference, reason, at, handed_at, ended_at, cleared, cause
		FROM code_sends WHERE challenge_id = $1 ORDER BY at DESC, id LIMIT $2`, challengeID, 1)
	if err != nil {
		return SendRecord{}, fault("last send", err)
	}
	if len(records) == 0 {
		return SendRecord{}, ErrNotFound
	}
	return records[0], nil
}

// sendRecords reads the rows of one of the two statements above.
func (s *Store) sendRecords(ctx context.Context, text string, args ...any) (records []SendRecord, err error) {
	stmt, err := s.read.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	err = s.read.whileBusy(ctx, func() error {
		rows, err := stmt.QueryContext(ctx, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		records = nil
		for rows.Next() {
			var r SendRecord
			var at, handed, ended, cleared int64
			if err := rows.Scan(&r.ID, &r.Phone, &r.Country, &r.Purpose, &r.State, &r.Sender, &r.Reference, &r.Reason,
				&at, &handed, &ended, &cleared, &r.Cause); err != nil {
				return err
			}
			r.At, r.HandedAt, r.EndedAt, r.Cleared = fromMillis(at), fromMillis(handed), fromMillis(ended), cleared == 1
			records = append(records, r)
		}
		return rows.Err()
	})
	return records, err
}

// ClearSends lets an account be sent codes again at its recipients (Send.Phone):
// its messages so far count no more for its own cooldown, hour and day, and
// neither they nor those of other accounts to the same recipients for the
// recipients'. Those other accounts' own limits stay, and for the limits of the
// prefix, the country and all every message still counts. It returns how many
// messages there were.
func (s *Store) ClearSends(ctx context.Context, accountID string, recipients ...string) (cleared int64, err error) {
	err = s.write.transact(ctx, func(tx *sql.Tx) error {
		if err := passGate(ctx, tx); err != nil {
			return err
		}
		clear := func(text, key string) error {
			result, err := tx.ExecContext(ctx, text, key)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			cleared += n
			return err
		}
		err := clear(`UPDATE code_sends SET cleared = 1, cleared_phone = 1 WHERE account_id = $1 AND (cleared = 0 OR cleared_phone = 0)`, accountID)
		for _, recipient := range recipients {
			if err == nil && recipient != "" {
				err = clear(`UPDATE code_sends SET cleared_phone = 1 WHERE phone = $1 AND cleared_phone = 0`, recipient)
			}
		}
		return err
	})
	return cleared, fault("clear sends", err)
}

// SendCounts are messages, with codes and without, of a window, as the limits against fraud count them.
type SendCounts struct {
	Prefixes, Countries map[string]int // to numbers that have not proven themselves
	Total               int
}

// SendsWithin counts the messages after a time: the prefixes and countries with
// at least so many (below 1: none of them), a hundred of each at most, and all.
func (s *Store) SendsWithin(ctx context.Context, after time.Time, perPrefix, perCountry int) (counts SendCounts, err error) {
	counts.Prefixes, err = s.sendCounts(ctx, `
		SELECT prefix, COUNT(*) FROM code_sends WHERE at > $1 AND state <> 'failed' AND proven = 0 AND prefix <> ''
		GROUP BY prefix HAVING COUNT(*) >= $2 ORDER BY COUNT(*) DESC LIMIT 100`, after, perPrefix)
	if err != nil {
		return counts, fault("sends within", err)
	}
	counts.Countries, err = s.sendCounts(ctx, `
		SELECT country, COUNT(*) FROM code_sends WHERE at > $1 AND state <> 'failed' AND proven = 0 AND country <> ''
		GROUP BY country HAVING COUNT(*) >= $2 ORDER BY COUNT(*) DESC LIMIT 100`, after, perCountry)
	if err != nil {
		return counts, fault("sends within", err)
	}
	err = s.read.one(ctx, `SELECT COUNT(*) FROM code_sends WHERE at > $1 AND state <> 'failed'`, []any{millis(after)}, &counts.Total)
	return counts, fault("sends within", err)
}

func (s *Store) sendCounts(ctx context.Context, text string, after time.Time, least int) (map[string]int, error) {
	found := map[string]int{}
	if least < 1 {
		return found, nil
	}
	stmt, err := s.read.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	err = s.read.whileBusy(ctx, func() error {
		rows, err := stmt.QueryContext(ctx, millis(after), least)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var key string
			var n int
			if err := rows.Scan(&key, &n); err != nil {
				return err
			}
			found[key] = n
		}
		return rows.Err()
	})
	return found, err
}
