package otp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"stagedoor/store"
)

// send claims one message and hands it over. What was claimed is finished even
// when the browser goes away meanwhile.
func (c *Codes) send(ctx context.Context, open store.Challenge, words, subject string) (Challenge, error) {
	code, err := c.code(open.ID)
	if err != nil {
		return Challenge{}, err
	}
	send := c.sendOf(open)
	wait, err := c.Store.ClaimSend(ctx, send, c.sendLimits())
	if err != nil {
		return Challenge{}, fmt.Errorf("otp: send: %w", err)
	}
	if wait.Rule != "" {
		if err := c.raise(ctx, wait, send); err != nil {
			return Challenge{}, err
		}
		return c.asShown(open, wait.Until), &WaitError{Until: wait.Until, Rule: wait.Rule}
	}
	ctx = context.WithoutCancel(ctx)
	phone, mail := readRecipient(open.Phone)
	message := Message{ID: send.ID, To: phone, Mail: mail, Text: c.text(open, words, code)}
	if mail != "" {
		message.Subject = withPortal(subject, c.Portal)
	}
	receipt, sendErr := c.handOver(ctx, message)
	end := store.SendEnd{State: store.SendSent, Sender: orDefault(receipt.Sender, c.Sender.Name()), Reference: receipt.Reference, At: c.now()}
	switch {
	case errors.Is(sendErr, ErrNotAccepted):
		end.State, end.Sender, end.Reason = store.SendFailed, "", sendErr.Error()
	case sendErr != nil:
		end.State, end.Reason = store.SendUnsure, sendErr.Error()
	default:
		open.SentAt = end.At
	}
	if err := c.Store.FinishSend(ctx, send, end); err != nil {
		return Challenge{}, fmt.Errorf("otp: send: %w", err)
	}
	shown, err := c.show(ctx, open)
	if err != nil {
		return Challenge{}, err
	}
	if sendErr != nil {
		return shown, fmt.Errorf("%w: %w", ErrNotSent, sendErr)
	}
	return shown, nil
}

// text is a message. One whose code a caller reads aloud is not bound to the
// portal's address: no browser is to fill it in. Nor is a mail: the last line
// is of SMS alone.
func (c *Codes) text(open store.Challenge, words, code string) string {
	text := messageText(words, c.Portal, c.Host, code)
	if _, mail := readRecipient(open.Phone); mail != "" || open.Purpose == "caller" {
		text, _, _ = strings.Cut(text, "\n\n@")
	}
	return text
}

func (c *Codes) handOver(ctx context.Context, message Message) (Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, orDefault(c.Timeout, 10*time.Second))
	defer cancel()
	return c.Sender.Send(ctx, message)
}

// sendOf is the next message of a challenge. A mail has no country, and its
// prefix is the whole address: nobody earns from many that are much alike.
func (c *Codes) sendOf(open store.Challenge) store.Send {
	send := store.Send{
		ID:          rand.Text(),
		ChallengeID: open.ID,
		AccountID:   open.AccountID,
		Phone:       open.Phone,
		Prefix:      open.Phone,
		Purpose:     open.Purpose,
		At:          c.now(),
	}
	if phone, _ := readRecipient(open.Phone); phone != "" {
		send.Prefix, send.Country = open.Phone[:max(len(open.Phone)-prefixDigits, 0)], phone.Country()
	}
	return send
}

// show adds to a challenge when it may be sent again.
func (c *Codes) show(ctx context.Context, open store.Challenge) (Challenge, error) {
	wait, err := c.Store.NextSend(ctx, c.sendOf(open), c.sendLimits())
	if err != nil {
		return Challenge{}, fmt.Errorf("otp: next send: %w", err)
	}
	if wait.Rule == "" {
		wait.Until = c.now()
	}
	return c.asShown(open, wait.Until), nil
}

func (c *Codes) asShown(open store.Challenge, resendAt time.Time) Challenge {
	phone, mail := readRecipient(open.Phone)
	return Challenge{
		ID:        open.ID,
		Phone:     phone,
		Mail:      mail,
		Purpose:   open.Purpose,
		ExpiresAt: open.ExpiresAt,
		SentAt:    open.SentAt,
		ResendAt:  resendAt,
		Left:      max(c.tryLimits().PerCode-open.Tries, 0),
	}
}

func (c *Codes) sendLimits() store.SendLimits {
	cooldowns := c.Cooldowns
	if cooldowns == nil {
		cooldowns = []time.Duration{30 * time.Second, 60 * time.Second, 120 * time.Second}
	}
	return store.SendLimits{
		Cooldowns:     cooldowns,
		PerHour:       orDefault(c.PerHour, 5),
		PerDay:        orDefault(c.PerDay, 10),
		PerPrefix:     orDefault(c.PerPrefix, 10),
		PrefixWindow:  breakerWindow,
		PerCountry:    orDefault(c.PerCountry, 100),
		CountryWindow: breakerWindow,
		Total:         orDefault(c.Total, 200),
		TotalWindow:   breakerWindow,
	}
}
