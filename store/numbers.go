package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Number is what the portal itself knows of an account's number.
type Number struct {
	AccountID  string
	Phone      string // "": none
	Own        bool   // it is the account's; false: the directory's, confirmed where it still is this one
	How        string // verified by "code", "caller", "directory-confirmed", "agents" or "cli"
	VerifiedAt time.Time
	By, ByName string    // account and name of who verified it
	FrozenAt   time.Time // zero: not frozen
	Directory  string    // the directory's that codes went to when that was last so; "": never
}

// NumberState is how far a change has come.
type NumberState string

// The states of a change.
const (
	NumberPending   NumberState = "pending"   // waits for its time or for a second agent
	NumberApplied   NumberState = "applied"   // in force
	NumberFrozen    NumberState = "frozen"    // stopped by the person; the old number stands
	NumberCancelled NumberState = "cancelled" // withdrawn before it took effect
)

// NumberChange is a number that was asked for.
type NumberChange struct {
	ID, AccountID, Name  string
	Old, New             string // Old "": the account had none
	By, ByName           string
	At                   time.Time
	Address, Reason, How string
	Mail, Lang           string // where the person is told, and in which language, when it takes effect
	State                NumberState
	DueAt                time.Time // when it takes effect by itself; zero: never
	AppliedAt, EndedAt   time.Time
	ConfirmedBy          string
	ConfirmedName        string
}

// NumberEvent is one line of an account's history.
type NumberEvent struct {
	AccountID string
	Line      int // 1, 2, ... of the account
	At        time.Time
	// Act is "asked", "applied", "confirmed", "cancelled", "frozen", "unfrozen",
	// "directory-confirmed" or "directory-changed".
	Act                  string
	ChangeID             string
	Old, New             string
	By, ByName           string
	Address, Reason, How string
}

// What a statement about numbers may refuse.
var (
	// ErrNumberPending: the account has a change that waits.
	ErrNumberPending = errors.New("store: a change of number waits already")
	// ErrNumberFrozen: the account's number is frozen.
	ErrNumberFrozen = errors.New("store: the number is frozen")
	// ErrNumberMoved: the number is no longer what the caller went by.
	ErrNumberMoved = errors.New("store: the number has changed meanwhile")
	// ErrUnproven: no right code was typed from a number that has to be proven.
	ErrUnproven = errors.New("store: the number is not proven")
	// ErrSameAgent: whoever asked for the change, or the person, wants to confirm it.
	ErrSameAgent = errors.New("store: a second agent has to confirm")
)

// Proof is a code that must have been typed rightly: in this session, for this
// account, from this number, for this purpose, not before Since.
type Proof struct {
	ChallengeID, SessionID, Phone string
	Purpose                       string // that the code was sent for
	Since                         time.Time
}

// Asked is a change with all that has to hold for it and all that comes with it.
type Asked struct {
	Change NumberChange // State is pending or applied
	// Expected is the account's own number as the caller saw it, "" for none: it
	// must still be so.
	Expected string
	Proofs   []Proof
	// EvenFrozen lets the change wait, or apply, on a frozen account.
	EvenFrozen bool
	Notices    []Notice
	Limits     NoticeLimits
}

// AskNumber records a change and queues the notices of it, or neither:
// ErrNumberPending, ErrNumberFrozen, ErrNumberMoved, ErrUnproven,
// ErrTooManyNotices. One whose state is applied takes effect at once, and then
// the account is frozen no more.
func (s *Store) AskNumber(ctx context.Context, asked Asked) error {
	c := asked.Change
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		current, err := lockNumber(ctx, tx, c.AccountID)
		if err != nil {
			return err
		}
		own := ""
		if current.Own {
			own = current.Phone
		}
		switch {
		case !current.FrozenAt.IsZero() && !asked.EvenFrozen:
			return ErrNumberFrozen
		case own != asked.Expected:
			return ErrNumberMoved
		}
		for _, proof := range asked.Proofs {
			if err := takeProof(ctx, tx, c.AccountID, proof); err != nil {
				return err
			}
		}
		if err := insertChange(ctx, tx, c); err != nil {
			return err
		}
		if err := addHistory(ctx, tx, "asked", c.At, c, NumberEvent{By: c.By, ByName: c.ByName, Address: c.Address, Reason: c.Reason}); err != nil {
			return err
		}
		if c.State == NumberApplied {
			if err := putInForce(ctx, tx, c, c.At); err != nil {
				return err
			}
		}
		return queueNotices(ctx, tx, asked.Notices, asked.Limits)
	})
	return numberFault("ask number", err)
}

// lockNumber makes everybody else who changes this account wait, and reads it.
func lockNumber(ctx context.Context, tx *sql.Tx, account string) (Number, error) {
	n := Number{AccountID: account}
	var own, verified, frozen int64
	err := txOne(ctx, tx, `
		INSERT INTO phones (account_id, phone, own, how, verified_at, by_id, by_name, frozen_at, turn)
		VALUES ($1, '', 0, '', 0, '', '', 0, 1)
		ON CONFLICT (account_id) DO UPDATE SET turn = phones.turn + 1
		RETURNING phone, own, how, verified_at, by_id, by_name, frozen_at, directory_phone`, []any{account},
		&n.Phone, &own, &n.How, &verified, &n.By, &n.ByName, &frozen, &n.Directory)
	n.Own, n.VerifiedAt, n.FrozenAt = own == 1, fromMillis(verified), fromMillis(frozen)
	return n, err
}

// takeProof spends a code: it vouches for one change only.
func takeProof(ctx context.Context, tx *sql.Tx, account string, proof Proof) error {
	var id string
	err := txOne(ctx, tx, `
		UPDATE code_challenges SET expires_at = 0
		WHERE id = $1 AND session_id = $2 AND account_id = $3 AND phone = $4 AND purpose = $6
			AND used_at >= $5 AND used_at > 0 AND expires_at > 0
		RETURNING id`,
		[]any{proof.ChallengeID, proof.SessionID, account, proof.Phone, millis(proof.Since), proof.Purpose}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrUnproven
	}
	return err
}

func insertChange(ctx context.Context, tx *sql.Tx, c NumberChange) error {
	var applied time.Time
	if c.State == NumberApplied {
		applied = c.At
	}
	var id string
	err := txOne(ctx, tx, `
		INSERT INTO phone_changes (id, account_id, name, old_phone, new_phone, by_id, by_name, at, address, reason, how,
			state, due_at, applied_at, ended_at, confirmed_id, confirmed_name,
			before_phone, before_own, before_how, before_at, before_id, before_name, mail, lang)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, '', '', phone, own, how, verified_at, by_id, by_name, $15, $16
		FROM phones WHERE account_id = $2 AND NOT EXISTS (
			SELECT 1 FROM phone_changes WHERE account_id = $2 AND state = 'pending')
		RETURNING id`,
		[]any{c.ID, c.AccountID, cleanText(c.Name), c.Old, c.New, c.By, cleanText(c.ByName), millis(c.At), cleanText(c.Address),
			cleanText(c.Reason), c.How, c.State, millis(c.DueAt), millis(applied), c.Mail, c.Lang}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNumberPending
	}
	return err
}

// putInForce makes the new number of a change the account's. Whoever calls it
// has just moved the change to applied.
func putInForce(ctx context.Context, tx *sql.Tx, c NumberChange, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE phones SET phone = $1, own = 1, how = $2, verified_at = $3, by_id = $4, by_name = $5, frozen_at = 0
		WHERE account_id = $6`, c.New, c.How, millis(at), c.By, cleanText(c.ByName), c.AccountID)
	if err != nil {
		return err
	}
	return addHistory(ctx, tx, "applied", at, c, NumberEvent{By: c.By, ByName: c.ByName})
}

// Number is what the portal knows of an account's number; nothing is no error.
func (s *Store) Number(ctx context.Context, accountID string) (Number, error) {
	n := Number{AccountID: accountID}
	var own, verified, frozen int64
	err := s.read.one(ctx, `SELECT phone, own, how, verified_at, by_id, by_name, frozen_at, directory_phone FROM phones WHERE account_id = $1`,
		[]any{accountID}, &n.Phone, &own, &n.How, &verified, &n.By, &n.ByName, &frozen, &n.Directory)
	if errors.Is(err, sql.ErrNoRows) {
		return n, nil
	}
	n.Own, n.VerifiedAt, n.FrozenAt = own == 1, fromMillis(verified), fromMillis(frozen)
	return n, fault("number", err)
}

// OwnNumbers are the accounts, at most limit, whose number is the portal's own and
// has these digits in it.
func (s *Store) OwnNumbers(ctx context.Context, digits string, limit int) (accountIDs []string, err error) {
	err = s.read.rows(ctx, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		accountIDs = append(accountIDs, id)
		return err
	}, `SELECT account_id FROM phones WHERE own = 1 AND phone LIKE '%' || $1 || '%' ORDER BY phone, account_id LIMIT $2`, digits, limit)
	return accountIDs, fault("own numbers", err)
}

// ConfirmNumber marks the directory's number as verified. ErrNumberMoved where
// the account has a number of its own, ErrNumberPending, ErrNumberFrozen.
func (s *Store) ConfirmNumber(ctx context.Context, event NumberEvent) error {
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		current, err := lockNumber(ctx, tx, event.AccountID)
		switch {
		case err != nil:
			return err
		case current.Own:
			return ErrNumberMoved
		case !current.FrozenAt.IsZero():
			return ErrNumberFrozen
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE phones SET phone = $1, own = 0, how = $2, verified_at = $3, by_id = $4, by_name = $5 WHERE account_id = $6`,
			event.New, event.How, millis(event.At), event.By, cleanText(event.ByName), event.AccountID)
		if err != nil {
			return err
		}
		change := NumberChange{AccountID: event.AccountID, Old: event.New, New: event.New, How: event.How}
		return addHistory(ctx, tx, "directory-confirmed", event.At, change, event)
	})
	return numberFault("confirm number", err)
}

// Unfreeze lets an account's number be changed in the ordinary way again.
// ErrNotFound where it is not frozen; ErrSameAgent where by asked for a change
// that was frozen since, or is the person.
func (s *Store) Unfreeze(ctx context.Context, event NumberEvent) error {
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		current, err := lockNumber(ctx, tx, event.AccountID)
		if err != nil {
			return err
		}
		if current.FrozenAt.IsZero() {
			return ErrNotFound
		}
		var same int64
		err = txOne(ctx, tx, `
			SELECT COUNT(*) FROM phone_changes
			WHERE account_id = $1 AND state = 'frozen' AND ended_at >= $2 AND by_id = $3`,
			[]any{event.AccountID, millis(current.FrozenAt), event.By}, &same)
		if err != nil {
			return err
		}
		if same > 0 || event.By == event.AccountID {
			return ErrSameAgent
		}
		if _, err := tx.ExecContext(ctx, `UPDATE phones SET frozen_at = 0 WHERE account_id = $1`, event.AccountID); err != nil {
			return err
		}
		return addHistory(ctx, tx, "unfrozen", event.At, NumberChange{AccountID: event.AccountID}, event)
	})
	return numberFault("unfreeze", err)
}

// numberFault leaves the refusals as they are.
func numberFault(operation string, err error) error {
	for _, known := range []error{ErrNumberPending, ErrNumberFrozen, ErrNumberMoved, ErrUnproven, ErrSameAgent, ErrTooManyNotices} {
		if errors.Is(err, known) {
			return known
		}
	}
	return fault(operation, err)
}
