package factor

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"stagedoor/store"
)

const maxDevices = 10

// RememberDevice is the cookie of a device that is asked for the password only,
// and until when. "": the policy remembers none. It leaves the trace, of
// NewsDevice. ErrUntold.
func (f *Factors) RememberDevice(ctx context.Context, person Person, userAgent, address string, trace store.Trace) (cookie string, expires time.Time, err error) {
	want := f.Policy.For(person, f.Now())
	if want.Remember <= 0 {
		return "", time.Time{}, nil
	}
	now := f.Now()
	d := store.Device{ID: newID(), AccountID: person.AccountID, UserAgent: userAgent, Address: address, CreatedAt: now, ExpiresAt: now.Add(want.Remember)}
	if err := f.Store.AddDevice(ctx, d, maxDevices, trace); err != nil {
		return "", time.Time{}, fmt.Errorf("factor: remember: %w", err)
	}
	return d.ID + "." + f.signature(d.ID, d.AccountID, d.ExpiresAt), d.ExpiresAt, nil
}

// Remembers tells whether a cookie is of a device that the person has had
// remembered, under the policy as it is now: one that remembers for a shorter
// time, or no longer, holds for older devices too.
func (f *Factors) Remembers(ctx context.Context, person Person, cookie, address string) (bool, error) {
	want := f.Policy.For(person, f.Now())
	id, signature, ok := strings.Cut(cookie, ".")
	if !ok || want.Remember <= 0 || len(cookie) > 200 {
		return false, nil
	}
	expires, err := f.Store.DeviceExpires(ctx, id, person.AccountID)
	if err == nil {
		if !hmac.Equal([]byte(signature), []byte(f.signature(id, person.AccountID, expires))) {
			return false, nil
		}
		now := f.Now()
		err = f.Store.UseDevice(ctx, id, person.AccountID, address, expires, now, now.Add(-want.Remember))
	}
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("factor: remembered device: %w", err)
	}
	return true, nil
}

// signature is what makes a cookie of a device's row. Whoever reads or writes
// the database but does not have the server key can make none, nor let one live
// longer or be another account's.
func (f *Factors) signature(id, accountID string, expires time.Time) string {
	mac := hmac.New(sha256.New, f.signs)
	mac.Write([]byte(strings.Join([]string{"remembered device", id, accountID, strconv.FormatInt(expires.UnixMilli(), 10)}, "\x00")))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// ForgetDevice forgets one device of an account, all of them where id is "", and
// leaves the trace. ErrNotFound.
func (f *Factors) ForgetDevice(ctx context.Context, accountID, id string, trace store.Trace) (forgotten int64, err error) {
	if forgotten, err = f.Store.RevokeDevices(ctx, accountID, id, trace); err != nil {
		return 0, fmt.Errorf("factor: %w", err)
	}
	return forgotten, nil
}
