// Package otp makes, sends and checks the codes that people get by SMS.
//
//	challenge, err := codes.Start(ctx, otp.Request{...})   // once, after the password
//	challenge, err = codes.Resend(ctx, id, sessionID)      // the same code, after a cooldown
//	err = codes.Check(ctx, id, sessionID, "123 456")
//
// A code is never stored: it is HOTP (RFC 4226) over HMAC(server key,
// challenge id), so the database alone gives nothing away. Every limit is
// counted in one SQL statement.
package otp

import (
	"context"
	"errors"
	"time"

	"stagedoor/store"
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
)

// WrongError is ErrWrong with the tries left at this code.
type WrongError struct{ Left int }

func (e *WrongError) Error() string { return ErrWrong.Error() }
func (e *WrongError) Unwrap() error { return ErrWrong }

// WaitError: not before Until. Rule says why: "cooldown" (the 60 s between two
// messages), "hour" and "day" (sends per account and number), "locked" (too
// many wrong codes in a row on the account), "blocked" (the hard stop at 100
// wrong codes; Until is zero: only helpdesk can lift it).
type WaitError struct {
	Until time.Time
	Rule  string
}

func (e *WaitError) Error() string { return "otp: wait until " + e.Until.String() + ": " + e.Rule }

// Phone is a number in E.164: +46701234567.
type Phone string

// Masked shows the last two digits: "•• 67".
func (p Phone) Masked() string { return "" }

// ParsePhone reads a number as people and directories write it (070-123 45 67,
// +46 70 ..., 0046 ...) into E.164; country is the ISO 3166 code that a
// national number belongs to. ErrNoPhone with the reason wrapped: empty,
// unreadable, not a possible mobile number, not in allowed (ISO codes; empty
// means only country).
func ParsePhone(raw, country string, allowed []string) (Phone, error) { return "", ErrNoPhone }

// Message is one SMS.
type Message struct {
	ID   string // random; a provider's callback may carry it
	To   Phone
	Text string // at most 160 GSM-7 characters where the portal's name allows
}

// Receipt is what a sender knows once it has handed a message over.
type Receipt struct {
	Reference string // the provider's id; may be empty
}

// Sender carries messages to phones.
type Sender interface {
	Name() string
	// Send hands over one message. Its error never holds the text.
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
	Language  string // of the message: "sv", "en"
}

// Challenge is a code that somebody was asked for. The code is not in it.
type Challenge struct {
	ID        string
	Phone     Phone
	ExpiresAt time.Time
	SentAt    time.Time // last hand-over to the sender; zero: not (yet) handed over
	ResendAt  time.Time // not before
	Left      int       // tries
}

// Codes makes, sends and checks.
type Codes struct {
	Store  *store.Store
	Sender Sender
	Key    []byte // the server key, at least 32 bytes
	Portal string // name in the message: "Amido Alliera Backstage"
	Host   string // the portal's host, for the origin-bound last line
	Now    func() time.Time

	Lifetime time.Duration // 0 means 5 min
	Tries    int           // per code; 0 means 5
	PerHour  int           // sends per account and per number; 0 means 5
	PerDay   int           // 0 means 10
	Timeout  time.Duration // of one Send; 0 means 10 s
}

// Start makes a challenge and sends its code once. With ErrNotSent the
// challenge is good all the same, so that Resend can try again. *WaitError
// where a limit on sends or wrong codes stands against it: nothing was sent.
func (c *Codes) Start(ctx context.Context, request Request) (Challenge, error) {
	return Challenge{}, ErrNotSent
}

// Get is the challenge as it stands; a page shows it without sending.
// ErrExpired where it is gone, used or another session's.
func (c *Codes) Get(ctx context.Context, id, sessionID string) (Challenge, error) {
	return Challenge{}, ErrExpired
}

// Resend sends the same code again while it is valid. *WaitError, ErrExpired,
// ErrNotSent.
func (c *Codes) Resend(ctx context.Context, id, sessionID, language string) (Challenge, error) {
	return Challenge{}, ErrExpired
}

// Check takes one try at the code; spaces and hyphens in it do not count. Nil:
// right, and used up by this. *WrongError, ErrExpired, ErrUsedUp, *WaitError.
// Of parallel tries at most Tries are looked at and at most one succeeds.
func (c *Codes) Check(ctx context.Context, id, sessionID, code string) error { return ErrExpired }
