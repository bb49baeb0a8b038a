package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode"
)

// SendState is what became of a message.
//
//	claimed ──> sent, unsure ──> undelivered ──> delivered
//	       └──> failed
//
// It goes from left to right alone, whatever order receipts come in.
type SendState string

// The states of a message.
const (
	SendClaimed     SendState = "claimed"     // about to be handed over
	SendSent        SendState = "sent"        // handed over
	SendUnsure      SendState = "unsure"      // it may have been handed over: counts as sent
	SendFailed      SendState = "failed"      // surely not handed over: counts for the cooldown only
	SendDelivered   SendState = "delivered"   // the provider says that it has arrived
	SendUndelivered SendState = "undelivered" // the provider says that it will not arrive: no cooldown
)

// SendEnd is how a hand-over ended.
type SendEnd struct {
	State     SendState // SendSent, SendUnsure, SendFailed
	Sender    string    // who took it, or may have; empty: nobody
	Reference string    // the provider's id; may be empty
	Reason    string    // what went wrong; at most 200 printable characters are kept
	Cause     string    // of a failed one, in one word that the caller knows
	At        time.Time
}

// SendReceipt is what a provider tells later of a message.
type SendReceipt struct {
	Sender    string
	Reference string    // the provider's id of it, or ours (Send.ID)
	State     SendState // SendDelivered or SendUndelivered
	Reason    string
	At        time.Time
}

// maxReceipts bounds the receipts that belong to no message yet.
const maxReceipts = 10_000

// FinishSend records how the hand-over of a claimed message ended. A receipt
// that has come meanwhile is not lost.
func (s *Store) FinishSend(ctx context.Context, send Send, end SendEnd) error {
	err := s.write.transact(ctx, func(tx *sql.Tx) error {
		if err := passGate(ctx, tx); err != nil {
			return err
		}
		var handed, ended int64
		switch end.State {
		case SendSent:
			handed = millis(end.At)
		case SendFailed:
			ended = millis(end.At)
		}
		_, err := tx.ExecContext(ctx, `
			UPDATE code_sends SET state = $1, sender = $2, reference = $3, reason = $4, handed_at = $5, ended_at = $6, cause = $7
			WHERE id = $8 AND state = 'claimed'`,
			end.State, end.Sender, end.Reference, reasonOf(end.Reason), handed, ended, end.Cause, send.ID)
		if err != nil || end.State == SendFailed {
			return err
		}
		if end.State == SendSent {
			if _, err = tx.ExecContext(ctx, `UPDATE code_challenges SET sent_at = $1 WHERE id = $2`, millis(end.At), send.ChallengeID); err != nil {
				return err
			}
		}
		return applyEarly(ctx, tx, send.ID, end)
	})
	return fault("finish send", err)
}

// applyEarly gives a message the receipts that were faster than its hand-over.
func applyEarly(ctx context.Context, tx *sql.Tx, id string, end SendEnd) error {
	for _, reference := range []string{id, end.Reference} {
		early := SendReceipt{Sender: end.Sender, Reference: reference}
		var at int64
		err := txOne(ctx, tx, `DELETE FROM code_receipts WHERE sender = $1 AND reference = $2 RETURNING state, reason, at`,
			[]any{end.Sender, reference}, &early.State, &early.Reason, &at)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		early.At = fromMillis(at)
		if _, err := applyReceipt(ctx, tx, early); err != nil {
			return err
		}
	}
	return nil
}

// TakeReceipt records a provider's receipt. known tells whether the message is
// there; one that is not, or whose hand-over has not ended, is kept for an hour,
// the newest ten thousand of all.
func (s *Store) TakeReceipt(ctx context.Context, receipt SendReceipt) (known bool, err error) {
	receipt.Reason = reasonOf(receipt.Reason)
	if receipt.State != SendDelivered && receipt.State != SendUndelivered || receipt.Sender == "" || receipt.Reference == "" {
		return false, errors.New("store: take receipt: it says nothing, or of no message")
	}
	err = s.write.transact(ctx, func(tx *sql.Tx) error {
		if err := passGate(ctx, tx); err != nil {
			return err
		}
		if known, err = applyReceipt(ctx, tx, receipt); known || err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO code_receipts (sender, reference, state, reason, at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (sender, reference) DO UPDATE SET state = excluded.state, reason = excluded.reason, at = excluded.at
			WHERE code_receipts.state <> 'delivered'`,
			receipt.Sender, receipt.Reference, receipt.State, receipt.Reason, millis(receipt.At))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			DELETE FROM code_receipts WHERE at < (SELECT at FROM code_receipts ORDER BY at DESC LIMIT 1 OFFSET $1)`, maxReceipts-1)
		return err
	})
	return known, fault("take receipt", err)
}

// applyReceipt moves a message on; one that is as far already stays as it is.
func applyReceipt(ctx context.Context, tx *sql.Tx, receipt SendReceipt) (known bool, err error) {
	var id, challenge string
	err = txOne(ctx, tx, `
		SELECT id, challenge_id FROM code_sends
		WHERE sender = $1 AND (reference = $2 OR id = $2) AND state <> 'claimed' AND state <> 'failed'
		ORDER BY at DESC LIMIT 1`, []any{receipt.Sender, receipt.Reference}, &id, &challenge)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE code_sends SET state = $1, reason = $2, ended_at = $3
		WHERE id = $4 AND state <> 'delivered' AND state <> $1`,
		receipt.State, receipt.Reason, millis(receipt.At), id)
	if err != nil || receipt.State != SendDelivered {
		return true, err
	}
	// A hand-over that timed out was one after all.
	_, err = tx.ExecContext(ctx, `UPDATE code_challenges SET sent_at = $1 WHERE id = $2 AND sent_at = 0`, millis(receipt.At), challenge)
	return true, err
}

// reasonOf keeps 200 printable characters of a foreign text.
func reasonOf(text string) string {
	kept := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if runes := []rune(strings.TrimSpace(kept)); len(runes) > 200 {
		return string(runes[:200])
	}
	return strings.TrimSpace(kept)
}
