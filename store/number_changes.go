package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"
)

const changeColumns = `id, account_id, name, old_phone, new_phone, by_id, by_name, at, address, reason, how,
	state, due_at, applied_at, ended_at, confirmed_id, confirmed_name, mail, lang`

// changeRow is what changeColumns are scanned into.
type changeRow struct {
	NumberChange
	at, due, applied, ended int64
}

func (r *changeRow) fields() []any {
	return []any{&r.ID, &r.AccountID, &r.Name, &r.Old, &r.New, &r.By, &r.ByName, &r.at, &r.Address, &r.Reason, &r.How,
		&r.State, &r.due, &r.applied, &r.ended, &r.ConfirmedBy, &r.ConfirmedName, &r.Mail, &r.Lang}
}

func (r *changeRow) change() NumberChange {
	r.At, r.DueAt, r.AppliedAt, r.EndedAt = fromMillis(r.at), fromMillis(r.due), fromMillis(r.applied), fromMillis(r.ended)
	return r.NumberChange
}

// PendingChange is an account's change that waits; ErrNotFound where none does.
func (s *Store) PendingChange(ctx context.Context, accountID string) (NumberChange, error) {
	var row changeRow
	err := s.read.one(ctx, `SELECT `+changeColumns+` FROM phone_changes WHERE account_id = $1 AND state = 'pending'`,
		[]any{accountID}, row.fields()...)
	return row.change(), fault("pending change", err)
}

// FindChange is a change by its id; ErrNotFound.
func (s *Store) FindChange(ctx context.Context, id string) (NumberChange, error) {
	var row changeRow
	err := s.read.one(ctx, `SELECT `+changeColumns+` FROM phone_changes WHERE id = $1`, []any{id}, row.fields()...)
	return row.change(), fault("find change", err)
}

// DueChange is a waiting change whose time has come, of any account; ErrNotFound
// where there is none.
func (s *Store) DueChange(ctx context.Context, at time.Time) (NumberChange, error) {
	var row changeRow
	err := s.read.one(ctx, `SELECT `+changeColumns+` FROM phone_changes
		WHERE state = 'pending' AND due_at > 0 AND due_at <= $1 ORDER BY due_at, id LIMIT 1`, []any{millis(at)}, row.fields()...)
	return row.change(), fault("due change", err)
}

// ApplyDue puts an account's change into force whose time has come, once, with
// the notices of it and the event in the audit, or neither. It returns the event
// as it was written. ErrNotFound where none is due.
func (s *Store) ApplyDue(ctx context.Context, accountID string, at time.Time, notices TellOf, event func(NumberChange) Event) (Event, error) {
	var row changeRow
	var link *link
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		// Every writer takes the account's row first, then its changes.
		if _, err := lockNumber(ctx, tx, accountID); err != nil {
			return err
		}
		err := txOne(ctx, tx, `
			UPDATE phone_changes SET state = 'applied', applied_at = $1
			WHERE account_id = $2 AND state = 'pending' AND due_at > 0 AND due_at <= $1
			RETURNING `+changeColumns, []any{millis(at), accountID}, row.fields()...)
		if err != nil {
			return err
		}
		change := row.change()
		if err := putInForce(ctx, tx, change, at); err != nil {
			return err
		}
		if err := tell(ctx, tx, change, notices); err != nil {
			return err
		}
		if link, err = newLink(event(change)); err != nil {
			return err
		}
		return link.append(ctx, tx, s.now())
	})
	if err != nil {
		return Event{}, numberFault("apply due", err)
	}
	return link.event, nil
}

// TellOf are the notices of a change that has just taken effect; nil: none.
type TellOf func(NumberChange) ([]Notice, error)

// tell queues them whatever the day's limit of notices: there are a few for each
// change, and those are counted. A change that its time or two agents have put
// into force must neither wait for that limit nor be kept from its person by it.
// When its text messages are sent ClaimSend decides, as for all others.
func tell(ctx context.Context, tx *sql.Tx, c NumberChange, of TellOf) error {
	if of == nil {
		return nil
	}
	notices, err := of(c)
	if err != nil {
		return err
	}
	return queueNotices(ctx, tx, notices, NoticeLimits{PerDay: math.MaxInt32})
}

// ConfirmChange puts an account's waiting change into force because a second
// agent says so, with the notices of it: neither the person nor who asked for it
// (ErrSameAgent). ErrNotFound where that change does not wait.
func (s *Store) ConfirmChange(ctx context.Context, id string, event NumberEvent, notices TellOf) (NumberChange, error) {
	var row changeRow
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		if _, err := lockNumber(ctx, tx, event.AccountID); err != nil {
			return err
		}
		err := txOne(ctx, tx, `
			UPDATE phone_changes SET state = 'applied', applied_at = $1, confirmed_id = $2, confirmed_name = $3
			WHERE id = $4 AND account_id = $5 AND state = 'pending' AND by_id <> $2 AND account_id <> $2
			RETURNING `+changeColumns,
			[]any{millis(event.At), event.By, cleanText(event.ByName), id, event.AccountID}, row.fields()...)
		if errors.Is(err, sql.ErrNoRows) {
			return whyNotConfirmed(ctx, tx, id, event.AccountID)
		}
		if err != nil {
			return err
		}
		change := row.change()
		if err := addHistory(ctx, tx, "confirmed", event.At, change, event); err != nil {
			return err
		}
		if err := putInForce(ctx, tx, change, event.At); err != nil {
			return err
		}
		return tell(ctx, tx, change, notices)
	})
	return row.change(), numberFault("confirm change", err)
}

func whyNotConfirmed(ctx context.Context, tx *sql.Tx, id, account string) error {
	var waits int64
	err := txOne(ctx, tx, `SELECT COUNT(*) FROM phone_changes WHERE id = $1 AND account_id = $2 AND state = 'pending'`,
		[]any{id, account}, &waits)
	if err == nil && waits > 0 {
		return ErrSameAgent
	}
	return errors.Join(err, ErrNotFound)
}

// CancelChange withdraws an account's waiting change; ErrNotFound where that
// change does not wait.
func (s *Store) CancelChange(ctx context.Context, id string, event NumberEvent) (NumberChange, error) {
	var row changeRow
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		if _, err := lockNumber(ctx, tx, event.AccountID); err != nil {
			return err
		}
		err := txOne(ctx, tx, `
			UPDATE phone_changes SET state = 'cancelled', ended_at = $1
			WHERE id = $2 AND account_id = $3 AND state = 'pending' RETURNING `+changeColumns,
			[]any{millis(event.At), id, event.AccountID}, row.fields()...)
		if err != nil {
			return err
		}
		return addHistory(ctx, tx, "cancelled", event.At, row.change(), event)
	})
	return row.change(), numberFault("cancel change", err)
}

// final are changes that no link takes back once they are in force: made on the
// machine, or by two agents on a frozen account. Else whoever found an old
// telephone could undo for ever what was mended.
const final = `(how = 'cli' OR due_at = 0 AND confirmed_id <> '')`

// FreezeChange stops a change that waits, or takes one back that has been in
// force since appliedAfter, with all that came after it; either way the account
// is frozen. ErrNotFound where there is nothing to stop. event needs At, Address
// and Reason only. The trace of it (nil: none) has an event for the audit, which is
// written with it, or neither is.
func (s *Store) FreezeChange(ctx context.Context, id string, appliedAfter time.Time, event NumberEvent, trace TraceOf) (NumberChange, error) {
	var row changeRow
	var left Trace
	var link *link
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		err := txOne(ctx, tx, `SELECT account_id FROM phone_changes WHERE id = $1`, []any{id}, &row.AccountID)
		if err != nil {
			return err
		}
		if _, err := lockNumber(ctx, tx, row.AccountID); err != nil {
			return err
		}
		err = txOne(ctx, tx, `
			UPDATE phone_changes SET state = 'frozen', ended_at = $1
			WHERE id = $2 AND (state = 'pending' OR state = 'applied' AND applied_at > $3 AND NOT `+final+` AND NOT EXISTS (
				SELECT 1 FROM phone_changes AS later WHERE later.account_id = phone_changes.account_id
				AND later.state = 'applied' AND later.applied_at >= phone_changes.applied_at AND later.id <> phone_changes.id
				AND (later.how = 'cli' OR later.due_at = 0 AND later.confirmed_id <> '')))
			RETURNING `+changeColumns, []any{millis(event.At), id, millis(appliedAfter)}, row.fields()...)
		if err != nil {
			return err
		}
		if err := holdNumber(ctx, tx, row.change()); err != nil {
			return err
		}
		if err := addHistory(ctx, tx, "frozen", event.At, row.change(), event); err != nil {
			return err
		}
		if trace == nil {
			return nil
		}
		left = trace(row.change())
		if link, err = newLink(left.Event); err != nil {
			return err
		}
		return link.append(ctx, tx, s.now())
	})
	if err == nil && left.Done != nil {
		left.Done(link.event, false)
	}
	return row.change(), numberFault("freeze change", err)
}

// TraceOf is the trace of a change of a number that has just been made, without notices.
type TraceOf func(NumberChange) Trace

// holdNumber freezes the account and, where the change was in force, brings
// back what was before it. What came later rests on it (whoever proved the new
// number could change it on), and goes with it.
func holdNumber(ctx context.Context, tx *sql.Tx, c NumberChange) error {
	at := millis(c.EndedAt)
	_, err := tx.ExecContext(ctx, `UPDATE phones SET frozen_at = $1 WHERE account_id = $2`, at, c.AccountID)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE phone_changes SET state = 'cancelled', ended_at = $1 WHERE account_id = $2 AND state = 'pending'`,
		at, c.AccountID)
	if err != nil || c.AppliedAt.IsZero() {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE phone_changes SET state = 'frozen', ended_at = $1
		WHERE account_id = $2 AND state = 'applied' AND applied_at >= $3`, at, c.AccountID, millis(c.AppliedAt))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE phones SET (phone, own, how, verified_at, by_id, by_name) = (
			SELECT before_phone, before_own, before_how, before_at, before_id, before_name FROM phone_changes WHERE id = $1)
		WHERE account_id = $2`, c.ID, c.AccountID)
	return err
}

// addHistory appends one line about a change; event says who and why.
func addHistory(ctx context.Context, tx *sql.Tx, act string, at time.Time, c NumberChange, event NumberEvent) error {
	how := c.How
	if event.How != "" {
		how = event.How
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO phone_history (account_id, line, at, act, change_id, old_phone, new_phone, by_id, by_name, address, reason, how)
		SELECT $1, COALESCE(MAX(line), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
		FROM phone_history WHERE account_id = $1`,
		c.AccountID, millis(at), act, c.ID, c.Old, c.New, event.By, cleanText(event.ByName),
		cleanText(event.Address), cleanText(event.Reason), how)
	return err
}

// NumberHistory is what was done to an account's number, the newest first, at
// most limit lines.
func (s *Store) NumberHistory(ctx context.Context, accountID string, limit int) ([]NumberEvent, error) {
	var found []NumberEvent
	err := s.read.transact(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT line, account_id, at, act, change_id, old_phone, new_phone, by_id, by_name, address, reason, how
			FROM phone_history WHERE account_id = $1 ORDER BY line DESC LIMIT $2`, accountID, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e NumberEvent
			var at int64
			err := rows.Scan(&e.Line, &e.AccountID, &at, &e.Act, &e.ChangeID, &e.Old, &e.New, &e.By, &e.ByName, &e.Address, &e.Reason, &e.How)
			if err != nil {
				return err
			}
			e.At = fromMillis(at)
			found = append(found, e)
		}
		return rows.Err()
	})
	return found, fault("number history", err)
}
