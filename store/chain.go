package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
)

// ErrChain: the audit events are not those that were written.
var ErrChain = errors.New("store: the audit chain is broken")

// link is an event at its place in the chain.
type link struct {
	event    Event
	seq      int64
	previous string
	detail   string // Event.Detail as it stands in the row
}

const linkColumns = `seq, id, at, kind, result, reason, account_id, name, session_id,
	target, address, request_id, detail, previous, hash`

func scanLink(rows *sql.Rows) (link, error) {
	var l link
	var at int64
	e := &l.event
	err := rows.Scan(&l.seq, &e.ID, &at, &e.Kind, &e.Result, &e.Reason, &e.AccountID, &e.Name, &e.SessionID,
		&e.Target, &e.Address, &e.RequestID, &l.detail, &l.previous, &e.Hash)
	e.At = fromMillis(at)
	return l, err
}

// hash is the hex SHA-256 over every column but hash itself: each as its
// length in 8 bytes, big endian, and then its bytes (numbers in decimal). The
// lengths keep two different events from reading the same.
func (l *link) hash() string {
	sum := sha256.New()
	e := &l.event
	for _, field := range []string{"stagedoor audit 1", l.previous, strconv.FormatInt(l.seq, 10), e.ID,
		strconv.FormatInt(millis(e.At), 10), e.Kind, e.Result, e.Reason, e.AccountID, e.Name, e.SessionID,
		e.Target, e.Address, e.RequestID, l.detail} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(field)))
		sum.Write(length[:])
		sum.Write([]byte(field))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// VerifyEvents walks the whole chain, one row at a time, and returns the
// number of events that fit. Its error is ErrChain and names the first event
// that does not. Events written meanwhile are not looked at.
func (s *Store) VerifyEvents(ctx context.Context) (int64, error) {
	var count int64
	err := s.read.transact(ctx, func(tx *sql.Tx) error {
		// One read transaction sees head and rows as of the same moment.
		var headSeq int64
		var headHash string
		if err := txOne(ctx, tx, `SELECT seq, hash FROM audit_head WHERE one = 1`, nil, &headSeq, &headHash); err != nil {
			if errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("%w: its head is missing", ErrChain)
			}
			return err
		}
		last, err := walkChain(ctx, tx, &count)
		if err != nil {
			return err
		}
		if count != headSeq || last != headHash {
			return fmt.Errorf("%w: it ends at event %d, but %d were written: the newest were deleted or replaced", ErrChain, count, headSeq)
		}
		return nil
	})
	if errors.Is(err, ErrChain) {
		return count, err
	}
	return count, fault("verify events", err)
}

// walkChain counts the links up to the first that does not fit, and returns
// the hash of the last.
func walkChain(ctx context.Context, tx *sql.Tx, count *int64) (last string, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+linkColumns+` FROM audit_events ORDER BY seq`)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		l, err := scanLink(rows)
		if err != nil {
			return "", err
		}
		switch place := *count + 1; {
		case l.seq != place:
			return "", fmt.Errorf("%w: event %d is missing; the next there is %d (%s)", ErrChain, place, l.seq, l.event.ID)
		case l.previous != last:
			return "", fmt.Errorf("%w: event %d (%s) does not follow the one before it", ErrChain, l.seq, l.event.ID)
		case l.event.Hash != l.hash():
			return "", fmt.Errorf("%w: event %d (%s) has been altered", ErrChain, l.seq, l.event.ID)
		}
		last = l.event.Hash
		*count++
	}
	return last, rows.Err()
}
