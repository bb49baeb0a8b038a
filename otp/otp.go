// Package otp makes, sends and checks the codes that people get by SMS or mail.
//
//	challenge, err := codes.Start(ctx, otp.Request{...})   // once, after the password
//	challenge, err = codes.Resend(ctx, id, sessionID, words, subject) // the same code, after a cooldown
//	err = codes.Check(ctx, id, sessionID, "123 456")
//
// A code is never stored: it is HOTP (RFC 4226) over HMAC(server key,
// challenge id), so the database alone gives nothing away. Every limit is
// counted in one SQL statement.
package otp

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What callers switch on.
var (
	// ErrWrong: not this code. See WrongError for the tries left.
	ErrWrong = errors.New("otp: wrong code")
	// ErrExpired: the code is too old, was used, or the challenge belongs to
	// another session; a new one is needed.
	ErrExpired = errors.New("otp: the code has expired")
	// ErrUsedUp: too many wrong tries at this code; log in again.
	ErrUsedUp = errors.New("otp: no tries left for this code")
	// ErrNoPhone: there is no number, or not one that a code may be sent to.
	ErrNoPhone = errors.New("otp: no usable phone number")
	// ErrNotSent: the sender failed. The person may ask again.
	ErrNotSent = errors.New("otp: the code could not be sent")
	// ErrNotAccepted: the message has surely not been taken over. A sender's
	// error that wraps it does not count against the person's hour and day;
	// every other one does, since the message may be on its way.
	ErrNotAccepted = errors.New("otp: the message was not accepted")
	// ErrRefused is ErrNotAccepted of a provider that has answered, and said no.
	ErrRefused = fmt.Errorf("%w: refused", ErrNotAccepted)
	// ErrUnserved is ErrNotAccepted of a message that none of the senders is for.
	ErrUnserved = fmt.Errorf("%w: no sender", ErrNotAccepted)
)

// WrongError is ErrWrong with the tries left at this code. With none left it is
// ErrUsedUp as well.
type WrongError struct{ Left int }

func (e *WrongError) Error() string { return ErrWrong.Error() }
func (e *WrongError) Unwrap() error { return ErrWrong }

// Is tells errors.Is that the last wrong try has used up the code.
func (e *WrongError) Is(target error) bool { return target == ErrUsedUp && e.Left == 0 }

// WaitError: not before Until. Rule says why: "cooldown" (the 30, 60, 120 s
// between two messages), "hour" and "day" (sends per account and recipient),
// "prefix", "country" and "total" (the breakers against message fraud; Alarm), "locked" (too many wrong codes in a row on the account), "blocked"
// (the hard stop at 100 wrong codes; Until is zero: only Unlock lifts it).
type WaitError struct {
	Until time.Time
	Rule  string
}

func (e *WaitError) Error() string {
	if e.Until.IsZero() {
		return "otp: not allowed: " + e.Rule
	}
	return "otp: wait until " + e.Until.Format(time.RFC3339) + ": " + e.Rule
}

// Message is one SMS, or one mail to somebody who gets codes by mail.
type Message struct {
	ID   string // random; a provider's callback may carry it
	To   Phone  // empty where the code goes to Mail
	Mail string // the account's own address; empty where there is none
	// Subject is of a mail to Mail, in the person's language; no code is in it,
	// since mailboxes show it on locked screens and keep it in their lists.
	Subject string
	Text    string // at most 160 GSM-7 characters where the portal's name allows
}

// Receipt is what a sender knows once it has handed a message over.
type Receipt struct {
	Reference string // the provider's id; may be empty
	Sender    string // which one took it, by a Route; else empty
}

// Sender carries messages to phones.
type Sender interface {
	Name() string
	// Send hands over one message. Its error never holds the text, and wraps
	// ErrNotAccepted where the message has surely not been taken over.
	Send(ctx context.Context, message Message) (Receipt, error)
	// Check tries, without sending anything, whether the sender can be reached
	// and is configured rightly.
	Check(ctx context.Context) error
}

// Request asks for a code.
type Request struct {
	SessionID string
	AccountID string
	Phone     Phone
	Mail      string // the account's own address, instead of a Phone
	Purpose   string // "login" (also where empty), "enrol", "change", "caller", "again": whoever checks the code goes by it
	Words     string // of the message, in the person's language: "{code} is your code for {portal}."
	Subject   string // of a mail, in the person's language: "Code from {portal}"
}

// Challenge is a code that somebody was asked for. The code is not in it.
type Challenge struct {
	ID        string
	Phone     Phone  // empty where the code goes to Mail
	Mail      string // empty where it goes to Phone
	Purpose   string
	ExpiresAt time.Time
	SentAt    time.Time // last hand-over to the sender; zero: not (yet) handed over
	ResendAt  time.Time // not before; never zero
	Left      int       // tries
}
