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
	var wait *WaitError
	if err := c.claim(ctx, send); errors.As(err, &wait) {
		return c.asShown(open, wait.Until), err
	} else if err != nil {
		return Challenge{}, err
	}
	ctx = context.WithoutCancel(ctx)
	phone, mail := readRecipient(open.Phone)
	message := Message{ID: send.ID, To: phone, Mail: mail, Text: c.text(open, words, code)}
	if mail != "" {
		message.Subject = withPortal(subject, c.Portal)
	}
	end, sendErr, err := c.carry(ctx, send, message)
	if err != nil {
		return Challenge{}, err
	}
	if sendErr == nil {
		open.SentAt = end.At
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

// claim takes a message's place within the limits. *WaitError where there is
// none; whoever is to hear of that has been told.
func (c *Codes) claim(ctx context.Context, send store.Send) error {
	wait, err := c.Store.ClaimSend(ctx, send, c.sendLimits())
	if err != nil {
		return fmt.Errorf("otp: send: %w", err)
	}
	if wait.Rule == "" {
		return nil
	}
	if err := c.raise(ctx, wait, send); err != nil {
		return err
	}
	return &WaitError{Until: wait.Until, Rule: wait.Rule}
}

// carry hands a claimed message over and records what became of it; sendErr is
// the sender's.
func (c *Codes) carry(ctx context.Context, send store.Send, message Message) (end store.SendEnd, sendErr, err error) {
	receipt, sendErr := c.handOver(ctx, message)
	end = store.SendEnd{State: store.SendSent, Sender: orDefault(receipt.Sender, c.Sender.Name()), Reference: receipt.Reference, At: c.now()}
	switch {
	case errors.Is(sendErr, ErrNotAccepted):
		end.State, end.Sender, end.Reason, end.Cause = store.SendFailed, "", sendErr.Error(), failure(sendErr)
	case sendErr != nil:
		end.State, end.Reason = store.SendUnsure, sendErr.Error()
	}
	if err := c.Store.FinishSend(ctx, send, end); err != nil {
		return end, nil, fmt.Errorf("otp: send: %w", err)
	}
	return end, sendErr, nil
}

// tell sends a text message that holds no code. It takes a place within the
// limits of the country and of all, as a code does: *WaitError.
func (c *Codes) tell(ctx context.Context, accountID string, to Phone, text string) error {
	send := c.sendOf(store.Challenge{AccountID: accountID, Phone: string(to)})
	send.Notice = true
	if err := c.claim(ctx, send); err != nil {
		return err
	}
	_, sendErr, err := c.carry(context.WithoutCancel(ctx), send, Message{ID: send.ID, To: to, Text: text})
	return errors.Join(sendErr, err)
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
// prefix is the whole address: nobody earns from many that are much alike. For
// the limits an address is one however it is spelled, as for its mailbox.
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
	phone, mail := readRecipient(open.Phone)
	if mail != "" {
		send.Phone = store.MailTo + strings.ToLower(mail)
		send.Prefix = send.Phone
	}
	if phone != "" {
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
