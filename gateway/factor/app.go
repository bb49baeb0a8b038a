package factor

import (
	"context"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"image"
	"strings"
	"time"
	"unicode"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"stagedoor/store"
)

const (
	period    = 30 * time.Second
	skew      = 1 // time steps that a phone's clock may be off
	maxApps   = 3
	setupTime = 15 * time.Minute // for scanning the picture and typing the first code
)

// Setup is what a person puts into their authenticator app.
type Setup struct {
	Secret string // base32, in groups of four
	QR     image.Image
}

// SetUpApp is the secret of a new app, for one session until it is confirmed:
// a page that is loaded again shows the same one.
func (f *Factors) SetUpApp(ctx context.Context, sessionID string, person Person) (Setup, error) {
	secret, err := f.pendingApp(ctx, sessionID, person.AccountID)
	if errors.Is(err, ErrExpired) {
		key, err := totp.Generate(totp.GenerateOpts{Issuer: f.Portal, AccountName: person.Name})
		if err != nil {
			return Setup{}, fmt.Errorf("factor: new app: %w", err)
		}
		secret = key.Secret()
		if err := f.Store.PutSetup(ctx, sessionID, "app", f.seal(person.AccountID, secret), f.Now().Add(setupTime)); err != nil {
			return Setup{}, fmt.Errorf("factor: new app: %w", err)
		}
	} else if err != nil {
		return Setup{}, err
	}
	return f.appSetup(person, secret)
}

func (f *Factors) appSetup(person Person, secret string) (Setup, error) {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		return Setup{}, fmt.Errorf("factor: new app: %w", err)
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: f.Portal, AccountName: person.Name, Secret: raw})
	if err != nil {
		return Setup{}, fmt.Errorf("factor: new app: %w", err)
	}
	picture, err := key.Image(256, 256)
	if err != nil {
		return Setup{}, fmt.Errorf("factor: new app: %w", err)
	}
	var groups []string
	for rest := secret; rest != ""; rest = rest[min(4, len(rest)):] {
		groups = append(groups, rest[:min(4, len(rest))])
	}
	return Setup{Secret: strings.Join(groups, " "), QR: picture}, nil
}

func (f *Factors) pendingApp(ctx context.Context, sessionID, accountID string) (string, error) {
	sealed, err := f.Store.Setup(ctx, sessionID, "app", f.Now())
	if errors.Is(err, store.ErrNotFound) {
		return "", ErrExpired
	}
	if err != nil {
		return "", fmt.Errorf("factor: %w", err)
	}
	return f.unseal(accountID, sealed)
}

// ConfirmApp adds the app that SetUpApp showed, when a code of it is right: its
// time step is used by this. It leaves the trace, of NewsAdded. ErrWrong,
// ErrExpired (a new secret is shown), ErrFull, ErrUntold, *LockedError.
func (f *Factors) ConfirmApp(ctx context.Context, sessionID, accountID, name, code string, trace store.Trace) error {
	secret, err := f.pendingApp(ctx, sessionID, accountID)
	if err != nil {
		return err
	}
	given, ok := readCode(code, otp.DigitsSix.Length())
	if !ok {
		return ErrWrong
	}
	// A guess here would tell nothing, but who guesses wrong has mistyped the
	// secret: it is their own account, and the count does not matter to them.
	if err := f.mayTry(ctx, accountID); err != nil {
		return err
	}
	step, right, err := f.stepOf(secret, given)
	if err != nil {
		return err
	}
	if !right {
		return ErrWrong
	}
	if _, err := f.Store.TakeSetup(ctx, sessionID, "app", f.Now()); errors.Is(err, store.ErrNotFound) {
		return ErrExpired
	} else if err != nil {
		return fmt.Errorf("factor: %w", err)
	}
	added, err := f.Store.AddFactor(ctx, store.Factor{
		ID: newID(), AccountID: accountID, Kind: string(App), Name: name,
		Secret: f.seal(accountID, secret), LastStep: step, AddedAt: f.Now(),
	}, maxApps, trace)
	if err != nil {
		return fmt.Errorf("factor: %w", err)
	}
	if !added {
		return ErrFull
	}
	return nil
}

// CheckApp takes one try at a code of any of the account's apps. Each time step
// is good once. ErrWrong, *LockedError.
func (f *Factors) CheckApp(ctx context.Context, accountID, code string) error {
	given, ok := readCode(code, otp.DigitsSix.Length())
	if !ok {
		return errors.Join(f.mayTry(ctx, accountID), ErrWrong)
	}
	if err := f.take(ctx, accountID); err != nil {
		return err
	}
	own, err := f.Store.Factors(ctx, accountID)
	if err != nil {
		return fmt.Errorf("factor: %w", err)
	}
	for _, one := range own {
		if one.Kind != string(App) {
			continue
		}
		secret, err := f.unseal(accountID, one.Secret)
		if err != nil {
			return err
		}
		step, right, err := f.stepOf(secret, given)
		if err != nil {
			return err
		}
		if right {
			return asWrong(f.Store.UseStep(ctx, accountID, one.ID, step, f.Now()))
		}
	}
	return ErrWrong
}

// stepOf finds the time step whose code was given, among those that a clock may
// be off by (RFC 6238, 5.2).
func (f *Factors) stepOf(secret, given string) (step int64, right bool, err error) {
	now := f.Now()
	for off := -skew; off <= skew; off++ {
		at := now.Add(time.Duration(off) * period)
		want, err := totp.GenerateCode(secret, at)
		if err != nil {
			return 0, false, fmt.Errorf("factor: code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(given)) == 1 {
			step, right = at.Unix()/int64(period/time.Second), true
		}
	}
	return step, right, nil
}

// readCode takes spaces and hyphens out of what somebody typed or pasted.
func readCode(typed string, digits int) (code string, ok bool) {
	if len(typed) > 64 {
		return "", false
	}
	code = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, typed)
	return code, len(code) == digits && strings.Trim(code, "0123456789") == ""
}
