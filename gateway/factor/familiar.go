package factor

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	familiarFor  = 90 * 24 * time.Hour
	familiarMost = 4   // accounts of one browser: a person's two, a counter's colleagues
	familiarSize = 400 // of a cookie, which has marks of about 55 bytes each
)

// Familiar tells whether a browser's cookie says that an account has logged in
// there, within 90 days and since that was last forgotten (store.EndFamiliar).
// It vouches for nobody: it only tells a person's own browser from a stranger's
// where wrong passwords are counted.
func (f *Factors) Familiar(ctx context.Context, accountID, cookie string) (bool, error) {
	marks := f.familiarMarks(cookie)
	if len(marks) == 0 {
		return false, nil
	}
	generation, err := f.Store.Familiar(ctx, accountID)
	if err != nil {
		return false, fmt.Errorf("factor: familiar: %w", err)
	}
	return slices.ContainsFunc(marks, f.marks(accountID, generation)), nil
}

// MakeFamiliar is a browser's cookie once an account has logged in there, and
// until when it holds; cookie is the one that the browser has, with the marks of
// other accounts, of which the newest stay.
func (f *Factors) MakeFamiliar(ctx context.Context, accountID, cookie string) (fresh string, expires time.Time, err error) {
	generation, err := f.Store.Familiar(ctx, accountID)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("factor: familiar: %w", err)
	}
	now := f.Now()
	since := strconv.FormatInt(now.Unix(), 36)
	others := slices.DeleteFunc(f.familiarMarks(cookie), f.marks(accountID, generation))
	marks := append([]string{since + "." + f.familiarSignature(accountID, generation, since)}, others...)
	return strings.Join(marks[:min(len(marks), familiarMost)], "~"), now.Add(familiarFor), nil
}

// familiarMarks are a cookie's marks that are not too old: each the time it was
// made, seconds in base 36, and a signature. Whose they are they do not tell.
func (f *Factors) familiarMarks(cookie string) []string {
	if cookie == "" || len(cookie) > familiarSize {
		return nil
	}
	return slices.DeleteFunc(strings.Split(cookie, "~"), func(mark string) bool {
		since, _, _ := strings.Cut(mark, ".")
		seconds, err := strconv.ParseInt(since, 36, 64)
		return err != nil || !f.Now().Before(time.Unix(seconds, 0).Add(familiarFor))
	})
}

// marks tells whether a mark is an account's.
func (f *Factors) marks(accountID string, generation int64) func(mark string) bool {
	return func(mark string) bool {
		since, signature, _ := strings.Cut(mark, ".")
		return hmac.Equal([]byte(signature), []byte(f.familiarSignature(accountID, generation, since)))
	}
}

func (f *Factors) familiarSignature(accountID string, generation int64, since string) string {
	mac := hmac.New(sha256.New, f.knows)
	mac.Write([]byte(strings.Join([]string{"familiar browser", accountID, strconv.FormatInt(generation, 10), since}, "\x00")))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
