package factor

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"stagedoor/store"
)

const maxDevices = 10

// RememberDevice is the cookie of a device that is asked for the password only,
// and until when. "": the policy remembers none.
func (f *Factors) RememberDevice(ctx context.Context, person Person, userAgent, address string) (cookie string, expires time.Time, err error) {
	want := f.Policy.For(person, f.Now())
	if want.Remember <= 0 {
		return "", time.Time{}, nil
	}
	now := f.Now()
	id, secret := newID(), rand.Text()+rand.Text()
	d := store.Device{ID: id, AccountID: person.AccountID, UserAgent: userAgent, Address: address, CreatedAt: now, ExpiresAt: now.Add(want.Remember)}
	if err := f.Store.AddDevice(ctx, d, hashDevice(secret), maxDevices); err != nil {
		return "", time.Time{}, fmt.Errorf("factor: remember: %w", err)
	}
	return id + "." + secret, d.ExpiresAt, nil
}

// Remembers tells whether a cookie is of a device that the person has had
// remembered, under the policy as it is now: one that remembers for a shorter
// time, or no longer, holds for older devices too.
func (f *Factors) Remembers(ctx context.Context, person Person, cookie, address string) (bool, error) {
	want := f.Policy.For(person, f.Now())
	id, secret, ok := strings.Cut(cookie, ".")
	if !ok || want.Remember <= 0 || len(cookie) > 200 {
		return false, nil
	}
	now := f.Now()
	err := f.Store.UseDevice(ctx, id, person.AccountID, hashDevice(secret), address, now, now.Add(-want.Remember))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("factor: remembered device: %w", err)
	}
	return true, nil
}

// ForgetDevice forgets one device of an account, all of them where id is "".
func (f *Factors) ForgetDevice(ctx context.Context, accountID, id string) (forgotten int64, err error) {
	if forgotten, err = f.Store.ForgetDevices(ctx, accountID, id); err != nil {
		return 0, fmt.Errorf("factor: %w", err)
	}
	return forgotten, nil
}

func hashDevice(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
