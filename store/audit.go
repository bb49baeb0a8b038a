package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Event is one audit event: who did or tried what, from where, how it ended.
// It never holds a password, a code or a cookie.
type Event struct {
	ID        string    // UUIDv7, set by AppendEvent
	At        time.Time // set by AppendEvent; never before the event that precedes it in the chain
	Kind      string    // "login", "code-sent", "code", "desktop-open", ...
	Result    string    // "ok", "refused", "error"
	Reason    string    // machine word: "wrong-password", "locked", ...
	AccountID string
	Name      string // canonical user name, as typed or known
	SessionID string
	Target    string
	Address   string
	RequestID string            // the support id shown to the person
	Detail    map[string]string // further facts, JSON in the row
	Hash      string            // hex SHA-256 over this event and the hash before it, set by AppendEvent
}

// Keys of an event's detail that name the person whom it is about, where that is
// not who did it: the account's id and the canonical user name.
const (
	AboutAccount = "account"
	AboutPerson  = "person"
)

// maxEventText is the longest text of an event, in bytes; the rest is cut off.
// What people type goes in here, and must not fill the disk.
const maxEventText = 1024

// AppendEvent writes an event into the hash chain and returns it with ID, At
// and Hash. Each row's hash covers its fields and the hash before it, so that
// altering, deleting or reordering is found by VerifyEvents. Whoever can write
// to the file could compute the whole chain anew: a copy of Hash outside of it
// (the JSON log line) is what that cannot change.
//
// Texts are cut at 1,024 bytes; NUL and invalid UTF-8 become U+FFFD.
func (s *Store) AppendEvent(ctx context.Context, event Event) (Event, error) {
	link, err := newLink(event)
	if err != nil {
		return Event{}, fault("append event", err)
	}
	err = s.write.transact(ctx, func(tx *sql.Tx) error { return link.append(ctx, tx, s.now()) })
	if err != nil {
		return Event{}, fault("append event", err)
	}
	return link.event, nil
}

func cleanText(text string) string {
	if len(text) > maxEventText {
		text = text[:maxEventText]
		// Do not end within a character.
		for len(text) > 0 && text[len(text)-1]&0xc0 == 0x80 {
			text = text[:len(text)-1]
		}
		if len(text) > 0 && text[len(text)-1] >= 0xc0 {
			text = text[:len(text)-1]
		}
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
}

// newLink is an event fit for the chain, which append gives its place.
func newLink(event Event) (*link, error) {
	for _, text := range []*string{&event.Kind, &event.Result, &event.Reason, &event.AccountID, &event.Name,
		&event.SessionID, &event.Target, &event.Address, &event.RequestID} {
		*text = cleanText(*text)
	}
	facts := make(map[string]string, len(event.Detail))
	for key, value := range event.Detail {
		facts[cleanText(key)] = cleanText(value)
	}
	event.Detail = facts
	// encoding/json sorts the keys, so the text is the same for the same facts.
	detail, err := json.Marshal(event.Detail)
	if err != nil {
		return nil, err
	}
	return &link{event: event, detail: string(detail)}, nil
}

// append takes the next place in the chain and writes the event there.
func (l *link) append(ctx context.Context, tx *sql.Tx, now time.Time) error {
	var last int64
	err := txOne(ctx, tx, `UPDATE audit_head SET seq = seq + 1 WHERE one = 1 RETURNING seq, at, hash`,
		nil, &l.seq, &last, &l.previous)
	if err != nil {
		return err
	}
	// The clock may have been set back; the chain's order is what counts.
	l.event.At = fromMillis(max(millis(now), last, 1))
	if l.event.ID, err = newEventID(l.event.At); err != nil {
		return err
	}
	l.event.Hash = l.hash()
	_, err = tx.ExecContext(ctx, `
		INSERT INTO audit_events (seq, id, at, kind, result, reason, account_id, name, session_id,
			target, address, request_id, detail, previous, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		l.seq, l.event.ID, millis(l.event.At), l.event.Kind, l.event.Result, l.event.Reason, l.event.AccountID,
		l.event.Name, l.event.SessionID, l.event.Target, l.event.Address, l.event.RequestID, l.detail, l.previous, l.event.Hash)
	if err != nil {
		return err
	}
	if err := l.note(ctx, tx); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE audit_head SET at = $1, hash = $2 WHERE one = 1`, millis(l.event.At), l.event.Hash)
	return err
}

// note lets an event be found by the person whom it is about, where somebody else
// did it. It repeats what the event's detail says, so the chain need not cover it.
func (l *link) note(ctx context.Context, tx *sql.Tx) error {
	account, person := l.event.Detail[AboutAccount], l.event.Detail[AboutPerson]
	if account == "" && person == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO audit_about (account_id, name, seq) VALUES ($1, lower($2), $3)`, account, person, l.seq)
	return err
}

// newEventID is a UUIDv7 (RFC 9562, 5.7) of that time.
func newEventID(at time.Time) (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	ms := at.UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	return id.String(), nil
}
