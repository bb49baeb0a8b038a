package directory

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// State is what helpdesk wants to know of an account. A zero time: there is
// none, or the service account may not read it.
type State struct {
	Account // with its groups

	Disabled    bool
	Locked      bool      // after wrong passwords
	LockedSince time.Time // of the lock
	LockedUntil time.Time // zero where only somebody's hand lifts it

	MustChange      bool // the password, at the next logon
	PasswordExpired bool // PasswordExpires lies in the past; MustChange is not counted
	PasswordSet     time.Time
	Ended           bool      // AccountExpires lies in the past
	AccountExpires  time.Time // zero: never
	LastLogon       time.Time // as the directory replicates it: AD may be two weeks late
	WrongPasswords  int       // in a row, as this server has counted them
}

// State finds an account by any spelling of its name and says how it is.
// ErrNotFound (also for unknown domains and malformed names), ErrUnavailable.
func (d *Directory) State(ctx context.Context, name string) (State, error) {
	who, err := d.parseName(name)
	if err != nil {
		return State{}, ErrNotFound
	}
	var state State
	err = who.domain.readEach(ctx, func(c *conn) error {
		account, err := c.dse.kind.find(ctx, c, who)
		if err != nil {
			return err
		}
		state, err = c.dse.kind.state(ctx, c, account)
		return err
	})
	if errors.Is(err, errNoEntry) {
		return State{}, ErrNotFound
	}
	return state, err
}

// Unlock takes the lock of wrong passwords off an account, where the service
// account may. An account that is not locked stays as it is. ErrForbidden,
// ErrNotFound, ErrUnavailable.
func (d *Directory) Unlock(ctx context.Context, name string) error {
	who, err := d.parseName(name)
	if err != nil {
		return ErrNotFound
	}
	err = who.domain.readEach(ctx, func(c *conn) error {
		account, err := c.dse.kind.find(ctx, c, who)
		if err != nil {
			return err
		}
		return c.dse.kind.unlock(ctx, c, account.DN)
	})
	if errors.Is(err, errNoEntry) {
		return ErrNotFound
	}
	return err
}

// entryOf reads one entry again, with other attributes.
func (c *conn) entryOf(ctx context.Context, dn string, attributes ...string) (*ldap.Entry, error) {
	entries, err := c.search(ctx, query{
		base: dn, scope: ldap.ScopeBaseObject, filter: "(objectClass=*)", limit: 1, attributes: attributes,
	})
	if err == nil && len(entries) == 0 {
		err = errNoEntry
	}
	if err != nil {
		return nil, err
	}
	return entries[0], nil
}

// change sends a change as the service account.
func (c *conn) change(ctx context.Context, op string, r *ldap.ModifyRequest) error {
	err := c.request(ctx, op, func(l *ldap.Conn) error { return l.Modify(r) })
	switch {
	case err == nil || !isAnswer(err):
		return err
	case resultCode(err) == ldap.LDAPResultInsufficientAccessRights:
		return ErrForbidden
	case resultCode(err) == ldap.LDAPResultNoSuchObject:
		return errNoEntry
	}
	return c.unusable(op, err)
}

// state reads what AD keeps about an account, MS-ADA1, MS-ADA2 and MS-ADA3.
func (k activeDirectory) state(ctx context.Context, c *conn, a Account) (State, error) {
	e, err := c.entryOf(ctx, a.DN, "userAccountControl", "msDS-User-Account-Control-Computed", "accountExpires",
		"msDS-UserPasswordExpiryTimeComputed", "lockoutTime", "pwdLastSet", "lastLogonTimestamp", "lastLogon", "badPwdCount")
	if err != nil {
		return State{}, err
	}
	const expired = 0x800000 // UF_PASSWORD_EXPIRED, also of a password that must be changed
	text := e.GetEqualFoldAttributeValue
	computed := number(text("msDS-User-Account-Control-Computed"))
	s := State{
		Account: a, Disabled: number(text("userAccountControl"))&uacDisabled != 0, Locked: computed&uacLocked != 0,
		MustChange:     text("msDS-UserPasswordExpiryTimeComputed") == "0",
		PasswordSet:    filetime(text("pwdLastSet")),
		AccountExpires: filetime(text("accountExpires")),
		LastLogon:      later(filetime(text("lastLogonTimestamp")), filetime(text("lastLogon"))),
		WrongPasswords: number(text("badPwdCount")),
	}
	s.PasswordExpired = computed&expired != 0 && !s.MustChange
	s.Ended = !s.AccountExpires.IsZero() && !k.domain.now().Before(s.AccountExpires)
	if !s.Locked {
		return s, nil
	}
	s.LockedSince = filetime(text("lockoutTime"))
	head, err := c.entryOf(ctx, c.dse.root, "lockoutDuration")
	if err != nil {
		return State{}, err
	}
	if lasts := interval(head.GetEqualFoldAttributeValue("lockoutDuration")); lasts > 0 && !s.LockedSince.IsZero() {
		s.LockedUntil = s.LockedSince.Add(lasts)
	}
	return s, nil
}

// unlock also has AD forget the wrong passwords (MS-SAMR section 3.1.1.8.10).
func (activeDirectory) unlock(ctx context.Context, c *conn, dn string) error {
	r := ldap.NewModifyRequest(dn, nil)
	r.Replace("lockoutTime", []string{"0"})
	return c.change(ctx, "unlock", r)
}

// lockedForGood is pwdAccountLockedTime of an account that somebody has locked,
// slapo-ppolicy(5): OpenLDAP's way to disable one.
const lockedForGood = "000001010000Z"

// state reads what the ppolicy overlay and slapd itself keep about an account.
func (k openLDAP) state(ctx context.Context, c *conn, a Account) (State, error) {
	e, err := c.entryOf(ctx, a.DN, "pwdAccountLockedTime", "pwdFailureTime", "pwdChangedTime", "pwdReset",
		"pwdEndTime", "pwdPolicySubentry", "authTimestamp", "pwdLastSuccess")
	if err != nil {
		return State{}, err
	}
	text := e.GetEqualFoldAttributeValue
	s := State{
		Account: a, MustChange: strings.EqualFold(text("pwdReset"), "TRUE"),
		PasswordSet:    generalizedTime(text("pwdChangedTime")),
		AccountExpires: generalizedTime(text("pwdEndTime")),
		LastLogon:      later(generalizedTime(text("authTimestamp")), generalizedTime(text("pwdLastSuccess"))),
		WrongPasswords: len(e.GetEqualFoldAttributeValues("pwdFailureTime")),
	}
	now := k.domain.now()
	s.PasswordExpired = !a.PasswordExpires.IsZero() && !now.Before(a.PasswordExpires)
	s.Ended = a.Barred == "account-expired"
	s.Disabled = a.Barred == "disabled" || text("pwdAccountLockedTime") == lockedForGood
	if s.Locked = a.Barred == "locked" && !s.Disabled; !s.Locked {
		return s, nil
	}
	s.LockedSince = generalizedTime(text("pwdAccountLockedTime"))
	p, err := k.policyOf(ctx, c, text("pwdPolicySubentry"))
	if err != nil {
		return State{}, err
	}
	if p.lockoutDuration > 0 && !s.LockedSince.IsZero() {
		s.LockedUntil = s.LockedSince.Add(p.lockoutDuration)
	}
	return s, nil
}

// unlock has the overlay forget the wrong passwords too, but leaves an account
// locked that somebody has disabled by locking it for good.
func (k openLDAP) unlock(ctx context.Context, c *conn, dn string) error {
	e, err := c.entryOf(ctx, dn, "pwdAccountLockedTime")
	if err != nil {
		return err
	}
	since := e.GetEqualFoldAttributeValue("pwdAccountLockedTime")
	if since == "" || since == lockedForGood {
		return nil
	}
	r := ldap.NewModifyRequest(dn, nil)
	r.Delete("pwdAccountLockedTime", []string{since})
	return c.change(ctx, "unlock", r)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
