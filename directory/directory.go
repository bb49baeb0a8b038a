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
	// ErrForbidden: the service account may not do that.
	ErrForbidden = errors.New("directory: the service account may not do that")
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
	Name          string   // what people write before the backslash: AMIDO
	Suffixes      []string // what they may write after the @: amido.example
	Default       bool     // a bare user name means this domain; at most one
	Servers       []string // in order: ldaps://host[:port], or ldap://host[:port] which always means StartTLS
	CAFile        string   // PEM; empty: the system's roots
	BaseDN        string   // empty: the root DSE's defaultNamingContext, else its first namingContexts
	BindDN        string   // the service account, for look-ups
	BindPassword  string
	Timeout       time.Duration // of each network step; 0 means 5 s
	NameAttribute string        // empty means sAMAccountName / uid
	// MobileAttributes are those that may hold the number of a mobile, in order;
	// none means mobile.
	MobileAttributes []string
}

// Account is a person as the directory knows them. It holds no secret.
type Account struct {
	ID          string // stable over renames: objectGUID or entryUUID, as a lower-case UUID
	Domain      string // Domain.Name
	Name        string // sAMAccountName or uid, as the directory spells it
	DN          string
	DisplayName string // never empty: falls back to Name
	Mail        string
	Mobile      string // raw, as the directory holds it; the first of Mobiles
	// Mobiles are the numbers of all of the domain's attributes for them, raw, in
	// their order; none where the directory has none.
	Mobiles []string
	// PasswordExpires is zero when it never does, when nobody knows, and when
	// the password must be changed at next logon; else it may lie in the past.
	PasswordExpires time.Time
	// Barred is why the account may not log in any more, for the periodic
	// re-check of somebody who is logged in: "disabled", "account-expired",
	// "locked", or "" when nothing bars it. A deleted account is ErrNotFound.
	Barred string
	Groups []Group // nested ones and AD's primary group included
}

// Group is one group that an account is a member of. In OpenLDAP two groups of
// different branches may share a name; their DNs tell them apart.
type Group struct {
	DN   string
	Name string // DOMAIN\name, sAMAccountName or cn; empty when it cannot be printed as it is
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
	// LockoutWindow is how long after the last wrong try the directory forgets
	// them all; Forever where only a right one makes it, 0 where it does not tell.
	LockoutWindow time.Duration
}

// Forever is a span that does not end.
const Forever = 100 * 365 * 24 * time.Hour

// Health is one server's answer to Check.
type Health struct {
	Domain string
	Server string
	Kind   string // "Active Directory", "OpenLDAP", "LDAP"
	Err    error  // nil: connected, TLS verified, service account bound, base found
}

// Directory answers for all configured domains. It is safe for concurrent use.
type Directory struct {
	// Now is the clock; nil means time.Now. Set it before the first call.
	Now func() time.Time

	domains []*domain
}

// Open checks the domains, all problems at once, and dials nothing.
func Open(domains []Domain) (*Directory, error) {
	d := &Directory{}
	if err := checkTogether(domains); err != nil {
		return nil, err
	}
	for _, config := range domains {
		opened, err := openDomain(config, d.now)
		if err != nil {
			return nil, err
		}
		d.domains = append(d.domains, opened)
	}
	return d, nil
}

// Close ends all pooled connections. Calls that are under way finish.
func (d *Directory) Close() {
	for _, domain := range d.domains {
		domain.close()
	}
}

func (d *Directory) now() time.Time {
	if d.Now != nil {
		return d.Now()
	}
	return time.Now()
}
