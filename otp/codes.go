package otp

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"stagedoor/store"
)

// Codes makes, sends and checks. In the numbers 0 means the default, and a
// negative limit on sends means none.
type Codes struct {
	Store  *store.Store
	Sender Sender
	Key    []byte // the server key, at least 32 bytes
	Portal string // name in the message: "Amido Alliera Backstage"
	Host   string // the portal's host, for the origin-bound last line; a port in it is left out
	Now    func() time.Time

	Lifetime  time.Duration   // 0 means 5 min
	Tries     int             // per code; 0 means 5
	PerHour   int             // sends per account and per number; 0 means 5
	PerDay    int             // 0 means 10
	Timeout   time.Duration   // of one Send, over all senders; 0 means 10 s
	Cooldowns []time.Duration // after the 1st, 2nd, ... send within an hour; nil means 30, 60, 120 s

	// PerPrefix is how many codes within 10 minutes may go to numbers that
	// differ in their last three digits only, from which no right code has come
	// yet: the sign of somebody who earns from messages. 0 means 10.
	PerPrefix int
	// PerCountry is how many codes within 10 minutes may go to numbers of one
	// country from which no right code has come yet: people who have logged in
	// before are not kept out by it. 0 means 100.
	PerCountry int
	// Total is how many codes within 10 minutes may be sent in all. 0 means 200.
	Total int

	LockAfter int           // wrong codes in a row on an account that lock it, and every as many again; 0 means 10
	Lock      time.Duration // the first lock; each further one is twice as long; 0 means 15 min
	Stop      int           // wrong codes in a row after which only Unlock helps; 0 means 100

	// OnAlarm is told when a breaker against fraud has stopped a message: once
	// for each rule and prefix or country in 10 minutes, over all nodes. Its error
	// fails the send. May be nil.
	OnAlarm func(context.Context, Alarm) error
}

const (
	digits        = 6
	prefixDigits  = 3 // the last digits of a number that are not its prefix
	breakerWindow = 10 * time.Minute
	minKey        = 32          // bytes
	arrival       = time.Minute // what a code must have left for Start to send it again
)

// Start makes a challenge and sends its code once; where the session has one
// open already for this account and recipient, that one's code is sent again,
// and one for another recipient ends. *NoPhoneError, ErrNoMail. With
// ErrNotSent the challenge is good all the same, so that Resend can try again.
// *WaitError where a limit on sends or wrong codes stands against it: nothing
// was sent. Where it is a limit on sends, the challenge is there all the same
// and Resend can send its code once ResendAt has come.
func (c *Codes) Start(ctx context.Context, request Request) (Challenge, error) {
	recipient, err := request.recipient()
	if err != nil {
		return Challenge{}, err
	}
	if len(c.Key) < minKey {
		return Challenge{}, fmt.Errorf("otp: the server key has %d bytes, at least %d are needed", len(c.Key), minKey)
	}
	if err := c.mayTry(ctx, request.AccountID); err != nil {
		return Challenge{}, err
	}
	now := c.now()
	open, err := c.Store.OpenChallenge(ctx, store.Challenge{
		ID:        rand.Text(),
		SessionID: request.SessionID,
		AccountID: request.AccountID,
		Phone:     recipient,
		Purpose:   request.Purpose,
		CreatedAt: now,
		ExpiresAt: now.Add(orDefault(c.Lifetime, 5*time.Minute)),
	}, arrival, c.tryLimits().PerCode)
	if err != nil {
		return Challenge{}, fmt.Errorf("otp: start: %w", err)
	}
	return c.send(ctx, open, request.Words, request.Subject)
}

// Senders is how the senders do: a Route's health, or the name of the only one.
func (c *Codes) Senders() []SenderHealth {
	return HealthOf(c.Sender)
}

// Get is the challenge as it stands; a page shows it without sending.
// ErrExpired where it is gone, used or another session's.
func (c *Codes) Get(ctx context.Context, id, sessionID string) (Challenge, error) {
	found, err := c.find(ctx, id, sessionID)
	if err != nil {
		return Challenge{}, err
	}
	return c.show(ctx, found)
}

// Resend sends the same code again while it is valid; words and subject as in
// Request. *WaitError, ErrExpired, ErrUsedUp, ErrNotSent; with *WaitError and
// ErrNotSent the challenge is returned too.
func (c *Codes) Resend(ctx context.Context, id, sessionID, words, subject string) (Challenge, error) {
	found, err := c.find(ctx, id, sessionID)
	if err != nil {
		return Challenge{}, err
	}
	if found.Tries >= c.tryLimits().PerCode {
		return Challenge{}, ErrUsedUp
	}
	if err := c.mayTry(ctx, found.AccountID); err != nil {
		return Challenge{}, err
	}
	return c.send(ctx, found, words, subject)
}

// Check takes one try at the code; spaces and hyphens in it do not count. Nil:
// right, and used up by this. *WrongError, ErrExpired, ErrUsedUp, *WaitError.
// Of parallel tries at most Tries are looked at and at most one succeeds. What
// is not six digits is wrong, but takes no try: it cannot be a guess.
func (c *Codes) Check(ctx context.Context, id, sessionID, code string) error {
	limits := c.tryLimits()
	given, ok := readCode(code)
	if !ok {
		found, err := c.find(ctx, id, sessionID)
		if err != nil {
			return err
		}
		if found.Tries >= limits.PerCode {
			return ErrUsedUp
		}
		return &WrongError{Left: limits.PerCode - found.Tries}
	}
	want, err := c.code(id)
	if err != nil {
		return err
	}
	now := c.now()
	tries, lock, taken, err := c.Store.TakeTry(ctx, id, sessionID, now, limits)
	if errors.Is(err, store.ErrNotFound) {
		return c.whyNoTry(ctx, id, sessionID)
	}
	if err != nil {
		return fmt.Errorf("otp: check: %w", err)
	}
	if !taken {
		return waitForLock(lock, now, limits)
	}
	if subtle.ConstantTimeCompare([]byte(given), []byte(want)) != 1 {
		return &WrongError{Left: limits.PerCode - tries}
	}
	err = c.Store.UseChallenge(ctx, id, sessionID, now)
	if errors.Is(err, store.ErrNotFound) {
		return ErrExpired
	}
	if err != nil {
		return fmt.Errorf("otp: check: %w", err)
	}
	return nil
}

// Unlock forgets an account's wrong codes and lifts its lock, the hard stop too.
func (c *Codes) Unlock(ctx context.Context, accountID string) error {
	if err := c.Store.ClearCodeLock(ctx, accountID); err != nil {
		return fmt.Errorf("otp: unlock: %w", err)
	}
	return nil
}

// whyNoTry tells a used-up challenge from one that is no good any more.
func (c *Codes) whyNoTry(ctx context.Context, id, sessionID string) error {
	found, err := c.find(ctx, id, sessionID)
	if err != nil {
		return err
	}
	if found.Tries >= c.tryLimits().PerCode {
		return ErrUsedUp
	}
	return ErrExpired
}

// find is a challenge of the session that is neither used nor too old.
func (c *Codes) find(ctx context.Context, id, sessionID string) (store.Challenge, error) {
	found, err := c.Store.FindChallenge(ctx, id, sessionID)
	if errors.Is(err, store.ErrNotFound) {
		return store.Challenge{}, ErrExpired
	}
	if err != nil {
		return store.Challenge{}, fmt.Errorf("otp: find challenge: %w", err)
	}
	if !found.UsedAt.IsZero() || !c.now().Before(found.ExpiresAt) {
		return store.Challenge{}, ErrExpired
	}
	return found, nil
}

// mayTry is a *WaitError when wrong codes have locked the account.
func (c *Codes) mayTry(ctx context.Context, accountID string) error {
	lock, err := c.Store.CodeLock(ctx, accountID)
	if err != nil {
		return fmt.Errorf("otp: lock: %w", err)
	}
	return waitForLock(lock, c.now(), c.tryLimits())
}

func waitForLock(lock store.CodeLock, now time.Time, limits store.TryLimits) error {
	switch locked, blocked := lock.Locked(now, limits); {
	case blocked:
		return &WaitError{Rule: "blocked"}
	case locked:
		return &WaitError{Rule: "locked", Until: lock.Until}
	}
	return nil
}

// code is HOTP over HMAC-SHA256(key, challenge id) at counter 0.
func (c *Codes) code(challengeID string) (string, error) {
	if len(c.Key) < minKey {
		return "", fmt.Errorf("otp: the server key has %d bytes, at least %d are needed", len(c.Key), minKey)
	}
	mac := hmac.New(sha256.New, c.Key)
	mac.Write([]byte(challengeID))
	code, err := hotp.GenerateCodeCustom(base32.StdEncoding.EncodeToString(mac.Sum(nil)), 0,
		hotp.ValidateOpts{Digits: digits, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return "", fmt.Errorf("otp: code: %w", err)
	}
	return code, nil
}

// readCode takes the spaces and hyphens out of what somebody typed or pasted.
func readCode(typed string) (code string, ok bool) {
	if len(typed) > 64 {
		return "", false
	}
	code = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, typed)
	if len(code) != digits {
		return "", false
	}
	return code, strings.Trim(code, "0123456789") == ""
}

func (c *Codes) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

func (c *Codes) tryLimits() store.TryLimits {
	return store.TryLimits{
		PerCode:   orDefault(c.Tries, 5),
		LockEvery: orDefault(c.LockAfter, 10),
		Lock:      orDefault(c.Lock, 15*time.Minute),
		Stop:      orDefault(c.Stop, 100),
	}
}

func orDefault[T comparable](value, standard T) T {
	var zero T
	if value == zero {
		return standard
	}
	return value
}
