package directory

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxPassword    = 1024 // bytes of a password that is checked
	maxNewPassword = 256  // characters of a new one; AD's own limit
)

// Authenticate checks a password. Nil error: it is right and the account may
// log in. ErrPasswordExpired: it is right and must be changed first; the
// Account is filled in then too. ErrRefused (a *RefusedError), ErrUnavailable.
func (d *Directory) Authenticate(ctx context.Context, name, password string) (Account, error) {
	who, err := d.admissible(name, password)
	if err != nil {
		return Account{}, err
	}
	var account Account
	err = who.domain.each(ctx, func(s *server) error {
		return s.withProof(ctx, who, password, func(_ *conn, _ kind, a Account, v verdict) error {
			account = a
			return v.err
		})
	})
	if err != nil && !errors.Is(err, ErrPasswordExpired) {
		return Account{}, err
	}
	return account, err
}

// ChangePassword sets a new password as the person, who proves the current one:
// it works for expired and must-change accounts, and the directory's own
// policy holds. ErrRefused: wrong current password, or the account may not log
// in. *PolicyError, ErrChangeForbidden, ErrUnavailable.
func (d *Directory) ChangePassword(ctx context.Context, name, current, new string) error {
	who, err := d.admissible(name, current)
	if err != nil {
		return err
	}
	if err := typable(new); err != nil {
		return err
	}
	return who.domain.each(ctx, func(s *server) error {
		return s.withProof(ctx, who, current, func(c *conn, k kind, a Account, v verdict) error {
			err := k.change(ctx, c, v, a.DN, current, new)
			var f *fault
			if errors.As(err, &f) {
				f.last = true
			}
			return err
		})
	})
}

// admissible refuses what need not be asked of a server. An empty password must
// not be: AD answers an unauthenticated bind (RFC 4513 section 5.1.2) with success.
func (d *Directory) admissible(name, password string) (username, error) {
	who, err := d.parseName(name)
	switch {
	case err != nil:
		return username{}, err
	case password == "":
		return username{}, &RefusedError{Reason: "empty-password"}
	case len(password) > maxPassword, !utf8.ValidString(password), strings.ContainsRune(password, 0):
		// Some servers end a password at its NUL.
		return username{}, &RefusedError{Reason: "wrong-password"}
	}
	return who, nil
}

// typable refuses new passwords that nobody could type again.
func typable(password string) error {
	switch {
	case password == "":
		return &PolicyError{Rule: RuleLength, Detail: "it is empty"}
	case utf8.RuneCountInString(password) > maxNewPassword:
		return &PolicyError{Rule: RuleAny, Detail: "it is longer than 256 characters"}
	case !utf8.ValidString(password), strings.ContainsFunc(password, unicode.IsControl):
		return &PolicyError{Rule: RuleAny, Detail: "it holds control characters"}
	}
	return nil
}

// withProof finds the account, checks the password on a connection of its own
// and, if it is right, goes on with that connection.
func (s *server) withProof(ctx context.Context, who username, password string, proceed func(*conn, kind, Account, verdict) error) error {
	var account Account
	var dse rootDSE
	err := s.read(ctx, func(c *conn) (err error) {
		dse = c.dse
		account, err = c.dse.kind.find(ctx, c, who)
		return err
	})
	if errors.Is(err, errNoEntry) {
		s.bindNobody(ctx, dse.base)
		return &RefusedError{Reason: "unknown-account"}
	}
	if err != nil {
		return err
	}
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	v := dse.kind.bind(ctx, c, account.DN, password)
	if !v.right() {
		return refine(v.err, account.Barred)
	}
	switch account.Barred {
	case "":
	case "locked": // the bind has just shown that it is over
		account.Barred = ""
	default:
		return &RefusedError{Reason: account.Barred}
	}
	if !v.expires.IsZero() {
		account.PasswordExpires = v.expires
	}
	return proceed(c, dse.kind, account, v)
}

// refine names the reason of a refusal better where the account tells it:
// slapd calls an account locked that has only ended.
func refine(err error, barred string) error {
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Reason == "locked" && barred != "" {
		return &RefusedError{Reason: barred}
	}
	return err
}
