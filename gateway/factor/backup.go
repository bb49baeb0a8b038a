package factor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"stagedoor/store"
)

const (
	backupCodes  = 10
	codeLength   = 10
	bypassFor    = time.Hour
	codeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // Crockford's base32: no I, L, O, U
)

// MakeBackup gives an account new backup codes, which are shown once; the old
// ones are void. It leaves the trace, of NewsAdded. ErrUntold.
func (f *Factors) MakeBackup(ctx context.Context, accountID string, trace store.Trace) ([]string, error) {
	codes := make([]string, backupCodes)
	hashes := make([]store.FactorCode, backupCodes)
	for i := range codes {
		code := newCode()
		codes[i], hashes[i].Hash = shown(code), f.hash(accountID, code)
	}
	if err := f.Store.PutFactorCodes(ctx, accountID, string(Backup), hashes, f.Now(), trace); err != nil {
		return nil, fmt.Errorf("factor: backup codes: %w", err)
	}
	return codes, nil
}

// IssueBypass makes a code that lets somebody in once within the hour, whom
// helpdesk (the account by) has verified; an older one is void. Who may issue one
// for whom is the caller's to check. It leaves the trace, of NewsBypass. ErrUntold.
func (f *Factors) IssueBypass(ctx context.Context, accountID, by string, trace store.Trace) (code string, expires time.Time, err error) {
	return f.issue(ctx, accountID, Bypass, by, trace)
}

// IssueBypassUnseen is IssueBypass for somebody whom the agent has not verified
// but says to know. ErrSecondAgent where they have removed a factor of theirs
// within Hold: else one agent alone could put anybody's phone in its place.
func (f *Factors) IssueBypassUnseen(ctx context.Context, accountID, by string, trace store.Trace) (code string, expires time.Time, err error) {
	code, expires = newCode(), f.Now().Add(bypassFor)
	made := store.FactorCode{Hash: f.hash(accountID, code), MadeBy: by, ExpiresAt: expires}
	err = f.Store.PutBypassCode(ctx, accountID, made, f.Now(), f.Now().Add(-f.Hold), trace)
	if err == nil {
		err = f.Store.PutFactorCodes(ctx, accountID, string(serverBypass), nil, f.Now(), store.Trace{})
	}
	if err != nil {
		return "", time.Time{}, fmt.Errorf("factor: bypass code: %w", err)
	}
	return shown(code), expires, nil
}

// Used are the traces that a code leaves when it was right: of NewsBypassUsed and
// of NewsBackupUsed.
type Used struct{ Bypass, Backup store.Trace }

// CheckCode takes one try at a backup or bypass code on the way in and tells
// which it was. ErrWrong, *LockedError.
func (f *Factors) CheckCode(ctx context.Context, person Person, code string, used Used) (Kind, error) {
	if person.Strong { // whom no agent lets in
		return f.checkCode(ctx, person, code, used, serverBypass)
	}
	return f.checkCode(ctx, person, code, used, serverBypass, Bypass)
}

// CheckBackup takes one try at a backup code within a session, where a bypass
// code is no proof: it lets somebody in, and changes nothing. Errors as
// CheckCode's.
func (f *Factors) CheckBackup(ctx context.Context, person Person, code string, used Used) (Kind, error) {
	return f.checkCode(ctx, person, code, used)
}

func (f *Factors) checkCode(ctx context.Context, person Person, code string, used Used, kinds ...Kind) (Kind, error) {
	given, ok := readLetters(code)
	if !ok {
		return "", errors.Join(f.mayTry(ctx, person.AccountID), ErrWrong)
	}
	if err := f.take(ctx, person.AccountID); err != nil {
		return "", err
	}
	if f.Policy.For(person, f.Now()).Allows(Backup) {
		kinds = append(kinds, Backup)
	}
	hash := f.hash(person.AccountID, given)
	for _, kind := range kinds {
		trace := used.Bypass
		if kind == Backup {
			trace = used.Backup
		}
		err := f.Store.UseFactorCode(ctx, person.AccountID, string(kind), hash, f.Now(), trace)
		switch {
		case err == nil && kind == serverBypass:
			return Bypass, nil
		case err == nil:
			return kind, nil
		case !errors.Is(err, store.ErrNotFound):
			return "", fmt.Errorf("factor: %w", err)
		}
	}
	return "", ErrWrong
}

// newCode is ten characters of 5 bits each.
func newCode() string {
	var b [codeLength]byte
	_, _ = rand.Read(b[:]) // never fails (Go 1.24)
	for i := range b {
		b[i] = codeAlphabet[b[i]%byte(len(codeAlphabet))]
	}
	return string(b[:])
}

// shown is a code as it is read and printed: ABCDE-12345.
func shown(code string) string { return code[:codeLength/2] + "-" + code[codeLength/2:] }

// readLetters reads a code as people type it: in lower case, with or without
// the hyphen, with O for 0 and I or L for 1.
func readLetters(typed string) (code string, ok bool) {
	if len(typed) > 64 {
		return "", false
	}
	code = strings.Map(func(r rune) rune {
		switch r = unicode.ToUpper(r); {
		case unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || unicode.Is(unicode.Cf, r):
			return -1
		case r == 'O':
			return '0'
		case r == 'I' || r == 'L':
			return '1'
		}
		return r
	}, typed)
	return code, len(code) == codeLength && strings.Trim(code, codeAlphabet) == ""
}
