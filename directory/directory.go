// Package directory answers who somebody is and whether a password is right,
// and hides that there are two kinds of directory (Active Directory and
// OpenLDAP), several domains and several servers in each.
//
//	d, err := directory.Open(domains)
//	account, err := d.Authenticate(ctx, `AMIDO\anna`, password)
//	switch { case errors.Is(err, directory.ErrPasswordExpired): ... }
//
// It is the only package that speaks LDAP.
package directory

import (
	"context"
	"errors"
	"time"
)

// What callers switch on. Every error that leaves this package is, or wraps,
// one of these, a *RefusedError (which is ErrRefused) or a *PolicyError.
var (
	// ErrRefused: wrong name or password, or the account may not log in. The
	// person is told one text for all of these; the reason is for the log.
	ErrRefused = errors.New("directory: refused")
	// ErrPasswordExpired: the password was right, but has expired or must be
	// changed at next logon (AD 773 and 532, OpenLDAP's ppolicy control).
	ErrPasswordExpired = errors.New("directory: the password has expired")
	// ErrUnavailable: no server of the domain answered as it should.
	ErrUnavailable = errors.New("directory: unavailable")
	// ErrNotFound: Lookup knows no such account.
	ErrNotFound = errors.New("directory: no such account")
	// ErrChangeForbidden: the account may not change its own password.
	ErrChangeForbidden = errors.New("directory: the account may not change its password")
)

// RefusedError is ErrRefused with the reason that stands in the log, and
// nowhere else: "wrong-password", "unknown-account", "locked", "disabled",
// "account-expired", "logon-hours", "workstation", "unknown-domain",
// "malformed-name", "empty-password", "other".
type RefusedError struct {
	Reason string
}

func (e *RefusedError) Error() string { return ErrRefused.Error() + ": " + e.Reason }
func (e *RefusedError) Unwrap() error { return ErrRefused }

// Rule is the rule of a password policy that a new password broke.
type Rule string

// The rules that directories tell apart. RuleAny: it was refused and the
// server did not say which rule (Windows AD never does).
const (
	RuleLength     Rule = "length"
	RuleComplexity Rule = "complexity"
	RuleHistory    Rule = "history"
	RuleTooYoung   Rule = "too-young"
	RuleAny        Rule = "any"
)

// PolicyError: the new password breaks the directory's rule.
type PolicyError struct {
	Rule   Rule
	Detail string // the server's own words, for the log
}

func (e *PolicyError) Error() string {
	return "directory: new password breaks rule " + string(e.Rule) + ": " + e.Detail
}

// Domain is one directory domain as configured.
type Domain struct {
	Name         string   // what people write before the backslash: AMIDO
	Suffixes     []string // what they may write after the @: amido.example
	Default      bool     // a bare user name means this domain; at most one
	Servers      []string // in order: ldaps://host[:port], or ldap://host[:port] which always means StartTLS
	CAFile       string   // PEM; empty: the system's roots
	BaseDN       string   // empty: the root DSE's defaultNamingContext, else its first namingContexts
	BindDN       string   // the service account, for look-ups
	BindPassword string
	Timeout      time.Duration // of each network step; 0 means 5 s
	// NameAttribute and MobileAttribute: empty means sAMAccountName / uid, and mobile.
	NameAttribute   string
	MobileAttribute string
}

// Account is a person as the directory knows them. It holds no secret.
type Account struct {
	ID          string // stable over renames: objectGUID or entryUUID, as a lower-case UUID
	Domain      string // Domain.Name
	Name        string // sAMAccountName or uid, as the directory spells it
	DN          string
	DisplayName string // never empty: falls back to Name
	Mail        string
	Mobile      string // raw, as the directory holds it
	// PasswordExpires is zero when it never does or nobody knows.
	PasswordExpires time.Time
	Groups          []Group // nested ones and AD's primary group included
}

// Group is one group that an account is a member of.
type Group struct {
	DN   string
	Name string // DOMAIN\name, sAMAccountName or cn
}

// Policy is a domain's password policy, to be shown before somebody types.
// A zero field means that there is no such rule or that it is not readable.
type Policy struct {
	MinLength  int
	History    int // how many earlier passwords are refused
	Complexity bool
	MinAge     time.Duration
	MaxAge     time.Duration
	// LockoutThreshold is how many wrong tries lock the account in the
	// directory; the gateway forwards fewer.
	LockoutThreshold int
}

// Health is one server's answer to Check.
type Health struct {
	Domain string
	Server string
	Kind   string // "Active Directory", "OpenLDAP", "LDAP"
	Err    error  // nil: connected, TLS verified, service account bound, base found
}

// Directory answers for all configured domains. It is safe for concurrent use.
type Directory struct {
	domains []Domain
}

// Open checks the domains and dials nothing.
func Open(domains []Domain) (*Directory, error) { return &Directory{domains: domains}, nil }

// Close ends all pooled connections.
func (d *Directory) Close() {}

// Authenticate checks a password. Nil error: it is right and the account may
// log in. ErrPasswordExpired: it is right and must be changed first; the
// Account is filled in then too. ErrRefused (a *RefusedError), ErrUnavailable.
func (d *Directory) Authenticate(ctx context.Context, name, password string) (Account, error) {
	return Account{}, ErrUnavailable
}

// ChangePassword sets a new password as the person, who proves the current one:
// it works for expired and must-change accounts, and the directory's own
// policy holds. ErrRefused: wrong current password, or the account may not log
// in. *PolicyError, ErrChangeForbidden, ErrUnavailable.
func (d *Directory) ChangePassword(ctx context.Context, name, current, new string) error {
	return ErrUnavailable
}

// Lookup finds an account by any spelling of its name, without a password.
// ErrNotFound (also for unknown domains and malformed names), ErrUnavailable.
func (d *Directory) Lookup(ctx context.Context, name string) (Account, error) {
	return Account{}, ErrUnavailable
}

// Policy is the password policy of the domain that name belongs to; an empty
// name means the default domain (or the only one).
func (d *Directory) Policy(ctx context.Context, name string) (Policy, error) {
	return Policy{}, ErrUnavailable
}

// GroupExists tells whether a group of a target list, a DN or DOMAIN\name, is
// in the directory.
func (d *Directory) GroupExists(ctx context.Context, group string) (bool, error) {
	return false, ErrUnavailable
}

// Check tries every server of every domain.
func (d *Directory) Check(ctx context.Context) []Health { return nil }

// MemberOf tells whether the account is in a group given as a DN or as
// DOMAIN\name; both compare as the directory compares them (DNs by RFC 4514
// parts, case folded).
func (a Account) MemberOf(group string) bool { return false }

// Canonical brings any spelling of a user name to one, for counters and logs:
// `DOMAIN\user` with the configured domain's spelling and the user in lower
// case. ok is false when the name is malformed (empty, over 256 bytes, control
// characters, two backslashes, ...) or its domain is not configured; the text is then a
// printable form of what was typed, at most 64 runes, safe to log.
func (d *Directory) Canonical(name string) (canonical string, ok bool) { return name, false }
