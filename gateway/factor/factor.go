// Package factor is what proves somebody besides their password: codes of an
// authenticator app, security keys, printed backup codes, helpdesk's bypass
// codes, remembered devices; and the policy that says who needs what from when.
// Codes by SMS and mail are package otp's; here they only count as being there.
//
//	factors, err := factor.New(factor.Options{...})
//	state, err := factors.State(ctx, person)       // after the password
//	err = factors.CheckApp(ctx, person.AccountID, "123 456")
//	status, err := factors.Status(ctx, person)     // for helpdesk
//
// Wrong codes of every kind count on the account, in one row with wrong codes
// by SMS, and nothing that was used works a second time.
package factor

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"stagedoor/store"
)

// Kind is a way to prove oneself besides the password.
type Kind string

// The kinds. The first four are factors of a person's own that stay; backup
// codes stand in for them, and bypass codes come from helpdesk.
const (
	SMS    Kind = "sms"
	Mail   Kind = "mail"
	App    Kind = "app"
	Key    Kind = "key"
	Backup Kind = "backup"
	Bypass Kind = "bypass"
)

// What callers switch on.
var (
	// ErrWrong: not this code, not this key, or used before.
	ErrWrong = errors.New("factor: wrong")
	// ErrExpired: what the session was shown is gone; it is shown anew.
	ErrExpired = errors.New("factor: expired")
	// ErrCloned: two devices hold the same key. It must be removed.
	ErrCloned = errors.New("factor: the key has been copied")
	// ErrFull: the account has as many factors of that kind as it may.
	ErrFull = errors.New("factor: no more of that kind")
	// ErrUntold: the person has been told of so much today that they could not be
	// told of this, so it was not done.
	ErrUntold = store.ErrTooManyNotices
	// ErrNotFound: the account has no such factor or device.
	ErrNotFound = store.ErrNotFound
	// ErrSecondAgent: whoever has removed a factor vouches for nobody there.
	ErrSecondAgent = store.ErrSameAgent
)

// LockedError: wrong codes have locked the account.
type LockedError struct {
	Until time.Time // zero: only helpdesk lifts it
}

func (e *LockedError) Error() string {
	if e.Until.IsZero() {
		return "factor: the account is locked until helpdesk unlocks it"
	}
	return "factor: the account is locked until " + e.Until.Format(time.RFC3339)
}

// Options are what New needs.
type Options struct {
	Store  *store.Store
	Key    []byte // the server key, at least 32 bytes
	Portal string // name in apps and key dialogs
	URL    *url.URL
	Policy Policy
	Now    func() time.Time
	// Hold is for how long after helpdesk has removed a factor of somebody neither
	// the password alone sets another up, nor the same agent's word; 0: not at all.
	Hold time.Duration
	// Mail tells whether a code can go to an address; nil: codes go by SMS alone.
	// It is for the enrolment; of who logs in Person.Mail says it.
	Mail func(address string) bool
	// Limits on wrong codes in a row; the zero value means package otp's: locked
	// at every 10, 15 min at first, the end at 100.
	Limits store.TryLimits
}

// Factors are everybody's.
type Factors struct {
	Options
	keys   *webauthn.WebAuthn // nil: the portal's address is a number, for which there are no keys
	sealer cipher.AEAD
	hashes []byte // key of the hashes of codes
	signs  []byte // key of the cookies of remembered devices
	knows  []byte // key of the cookies of familiar browsers
}

const minKey = 32 // bytes

// New derives the keys. It fails on a server key that is too short.
func New(o Options) (*Factors, error) {
	if len(o.Key) < minKey {
		return nil, fmt.Errorf("factor: the server key has %d bytes, at least %d are needed", len(o.Key), minKey)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Limits == (store.TryLimits{}) {
		o.Limits = store.TryLimits{LockEvery: 10, Lock: 15 * time.Minute, Stop: 100}
	}
	f := &Factors{Options: o}
	sealing, err := hkdf.Key(sha256.New, o.Key, nil, "stagedoor: secrets of authenticator apps", 32)
	if err != nil {
		return nil, fmt.Errorf("factor: %w", err)
	}
	if f.hashes, err = hkdf.Key(sha256.New, o.Key, nil, "stagedoor: hashes of backup and bypass codes", 32); err != nil {
		return nil, fmt.Errorf("factor: %w", err)
	}
	if f.signs, err = hkdf.Key(sha256.New, o.Key, nil, "stagedoor: cookies of remembered devices", 32); err != nil {
		return nil, fmt.Errorf("factor: %w", err)
	}
	if f.knows, err = hkdf.Key(sha256.New, o.Key, nil, "stagedoor: cookies of familiar browsers", 32); err != nil {
		return nil, fmt.Errorf("factor: %w", err)
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, fmt.Errorf("factor: %w", err)
	}
	if f.sealer, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, fmt.Errorf("factor: %w", err)
	}
	f.keys, err = newKeys(o)
	return f, err
}

// seal hides an app's secret. It opens for the same account only: a row that
// somebody moves to another account is of no use.
func (f *Factors) seal(accountID, secret string) string {
	return hex.EncodeToString(f.sealer.Seal(nil, nil, []byte(secret), []byte(accountID)))
}

func (f *Factors) unseal(accountID, sealed string) (string, error) {
	raw, err := hex.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("factor: sealed secret: %w", err)
	}
	secret, err := f.sealer.Open(nil, nil, raw, []byte(accountID))
	if err != nil {
		return "", fmt.Errorf("factor: the secret of an app cannot be opened (was the server key changed?): %w", err)
	}
	return string(secret), nil
}

// hash is what the database holds of a code that a person types.
func (f *Factors) hash(accountID, code string) string {
	mac := hmac.New(sha256.New, f.hashes)
	mac.Write([]byte(accountID + "\x00" + code))
	return hex.EncodeToString(mac.Sum(nil))
}

// take counts a try on the account before anything is looked at.
func (f *Factors) take(ctx context.Context, accountID string) error {
	lock, taken, err := f.Store.TakeAccountTry(ctx, accountID, f.Now(), f.Limits)
	if err != nil {
		return fmt.Errorf("factor: %w", err)
	}
	if !taken {
		return f.locked(lock)
	}
	return nil
}

// mayTry is a *LockedError where wrong codes have locked the account.
func (f *Factors) mayTry(ctx context.Context, accountID string) error {
	lock, err := f.Store.CodeLock(ctx, accountID)
	if err != nil {
		return fmt.Errorf("factor: %w", err)
	}
	if locked, _ := lock.Locked(f.Now(), f.Limits); locked {
		return f.locked(lock)
	}
	return nil
}

func (f *Factors) locked(lock store.CodeLock) error {
	if _, blocked := lock.Locked(f.Now(), f.Limits); blocked {
		return &LockedError{}
	}
	return &LockedError{Until: lock.Until}
}

// newID is a factor's or device's.
func newID() string { return rand.Text() }

// asWrong is ErrWrong for what the store did not find: used, or never there.
func asWrong(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ErrWrong
	}
	if err != nil {
		return fmt.Errorf("factor: %w", err)
	}
	return nil
}
