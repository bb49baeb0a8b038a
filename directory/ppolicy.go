package directory

import (
	"context"
	"errors"
	"strings"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Errors of the password policy control, draft-behera-ldap-password-policy-10
// section 6.2.
const (
	ppolicyNone              = -1 // as go-ldap says it
	ppolicyExpired           = 0
	ppolicyLocked            = 1
	ppolicyMustChange        = 2
	ppolicyChangeForbidden   = 3
	ppolicyPoorQuality       = 5
	ppolicyTooShort          = 6
	ppolicyTooYoung          = 7
	ppolicyInHistory         = 8
	passwordModifyOID        = "1.3.6.1.4.1.4203.1.11.1" // RFC 3062
	passwordModifyTagUser    = 0
	passwordModifyTagCurrent = 1
	passwordModifyTagNew     = 2
)

// bind sends the password policy control: without it an account that must
// change its password looks like any other.
func (k openLDAP) bind(ctx context.Context, c *conn, dn, password string) verdict {
	var controls []ldap.Control
	err := c.request(ctx, "bind", func(l *ldap.Conn) error {
		r := ldap.NewSimpleBindRequest(dn, password, []ldap.Control{ldap.NewControlBeheraPasswordPolicy()})
		result, err := l.SimpleBind(r)
		if result != nil {
			controls = result.Controls
		}
		return err
	})
	p := ppolicyIn(controls)
	switch {
	case err == nil && (p.Error == ppolicyMustChange || p.Error == ppolicyExpired || p.Grace > 0):
		// A grace login counts as expired: the person would be let in a few
		// times more, and then no longer.
		return verdict{err: ErrPasswordExpired, bound: true}
	case err == nil && p.Error != ppolicyNone:
		return verdict{err: &RefusedError{Reason: "other"}}
	case err == nil:
		return verdict{bound: true, expires: k.expiry(p.Expire)}
	case !isAnswer(err):
		return verdict{err: err}
	case resultCode(err) != ldap.LDAPResultInvalidCredentials:
		return verdict{err: c.unusable("bind", err)}
	case p.Error == ppolicyExpired, p.Error == ppolicyMustChange:
		return verdict{err: ErrPasswordExpired}
	case p.Error == ppolicyLocked:
		return verdict{err: &RefusedError{Reason: "locked"}}
	}
	return verdict{err: &RefusedError{Reason: "wrong-password"}}
}

// expiry is when a password expires that is good for so many seconds more;
// zero when the server did not say.
func (k openLDAP) expiry(seconds int64) time.Time {
	const century = 100 * 365 * 24 * 3600
	if seconds <= 0 || seconds > century {
		return time.Time{}
	}
	return k.domain.now().Add(time.Duration(seconds) * time.Second)
}

// ppolicyIn finds the password policy control among others.
func ppolicyIn(controls []ldap.Control) *ldap.ControlBeheraPasswordPolicy {
	for _, control := range controls {
		if p, ok := control.(*ldap.ControlBeheraPasswordPolicy); ok {
			return p
		}
	}
	return ldap.NewControlBeheraPasswordPolicy()
}

// controlsOf reads the controls that came with a result code: go-ldap drops
// them from everything but a bind.
func controlsOf(err error) []ldap.Control {
	var e *ldap.Error
	if !errors.As(err, &e) || e.Packet == nil || len(e.Packet.Children) < 3 || e.Packet.Children[2] == nil {
		return nil
	}
	var controls []ldap.Control
	for _, child := range e.Packet.Children[2].Children {
		if control, err := ldap.DecodeControl(child); err == nil {
			controls = append(controls, control)
		}
	}
	return controls
}

// change uses RFC 3062: as the person where the bind let them in, else (their
// password has expired, so they cannot bind) as the service account. slapd
// checks the old password in both cases.
func (k openLDAP) change(ctx context.Context, c *conn, v verdict, dn, current, new string) error {
	if !v.bound {
		service, err := c.server.openService(ctx) // not a pooled one: this must not be sent twice
		if err != nil {
			return err
		}
		defer service.close()
		c = service
	}
	r := ldap.NewExtendedRequest(passwordModifyOID, passwordModify(dn, current, new))
	r.Controls = []ldap.Control{ldap.NewControlBeheraPasswordPolicy()}
	var controls []ldap.Control
	err := c.request(ctx, "password change", func(l *ldap.Conn) error {
		_, err := l.Extended(r)
		controls = controlsOf(err)
		return err
	})
	if err == nil || !isAnswer(err) {
		return err
	}
	if answer := changeRefusal(resultCode(err), ppolicyIn(controls).Error, diagnostic(err)); answer != nil {
		return answer
	}
	return c.unusable("password change", err)
}

// passwordModify is the PasswdModifyRequestValue of RFC 3062 section 2.
func passwordModify(dn, current, new string) *ber.Packet {
	value := ber.NewSequence("PasswdModifyRequestValue")
	value.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, passwordModifyTagUser, dn, "userIdentity"))
	value.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, passwordModifyTagCurrent, current, "oldPasswd"))
	value.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, passwordModifyTagNew, new, "newPasswd"))
	return value
}

// changeRefusal says what a refused change means; nil when it means that
// something is broken.
func changeRefusal(code uint16, ppolicy int8, words string) error {
	rules := map[int8]Rule{
		ppolicyPoorQuality: RuleComplexity, ppolicyTooShort: RuleLength,
		ppolicyTooYoung: RuleTooYoung, ppolicyInHistory: RuleHistory,
	}
	rule, known := rules[ppolicy]
	switch {
	case known:
		return &PolicyError{Rule: rule, Detail: words}
	case ppolicy == ppolicyLocked:
		return &RefusedError{Reason: "locked"}
	case ppolicy == ppolicyChangeForbidden, code == ldap.LDAPResultInsufficientAccessRights:
		return ErrChangeForbidden
	case code == ldap.LDAPResultInvalidCredentials:
		return &RefusedError{Reason: "wrong-password"}
	case code == ldap.LDAPResultUnwillingToPerform && strings.Contains(words, "unwilling to verify old password"):
		// slapd says so when the service account may not check userPassword
		// (its access must be =xw); the password itself was right.
		return nil
	case code == ldap.LDAPResultConstraintViolation, code == ldap.LDAPResultUnwillingToPerform:
		return &PolicyError{Rule: RuleAny, Detail: words}
	}
	return nil
}
