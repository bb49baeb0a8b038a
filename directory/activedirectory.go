package directory

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"
)

// activeDirectory is Windows Server or Samba.
type activeDirectory struct{ domain *domain }

func (activeDirectory) String() string { return "Active Directory" }

func (activeDirectory) groupFilter(name string) string {
	if name == "" {
		return "(objectClass=group)"
	}
	return "(&(objectClass=group)(sAMAccountName=" + ldap.EscapeFilter(name) + "))"
}

// Bits of userAccountControl and msDS-User-Account-Control-Computed, MS-ADTS
// section 2.2.16.
const (
	uacDisabled = 0x2
	uacLocked   = 0x10
)

func (k activeDirectory) find(ctx context.Context, c *conn, who username) (Account, error) {
	dn, err := k.findDN(ctx, c, who)
	if err != nil {
		return Account{}, err
	}
	name := k.domain.nameAttribute("sAMAccountName")
	entries, err := c.search(ctx, query{
		base: dn, scope: ldap.ScopeBaseObject, filter: "(objectClass=user)", limit: 1,
		attributes: append([]string{
			"objectGUID", name, "displayName", "mail", "accountExpires",
			"userAccountControl", "msDS-User-Account-Control-Computed", "msDS-UserPasswordExpiryTimeComputed",
			"tokenGroups", // only a search of the entry itself may ask for it
		}, k.domain.config.MobileAttributes...),
	})
	if err != nil {
		return Account{}, err
	}
	if len(entries) == 0 {
		return Account{}, errNoEntry
	}
	e := entries[0]
	a, err := k.account(e, who.user)
	if err != nil {
		return Account{}, c.unusable("account", err)
	}
	a.PasswordExpires = filetime(e.GetEqualFoldAttributeValue("msDS-UserPasswordExpiryTimeComputed"))
	a.Barred = k.barred(e)
	a.Groups, err = k.groups(ctx, c, dn, e.GetEqualFoldRawAttributeValues("tokenGroups"))
	return a, err
}

func (k activeDirectory) account(e *ldap.Entry, name string) (Account, error) {
	return k.domain.person(e, guidText(e.GetEqualFoldRawAttributeValue("objectGUID")), spelled(e, k.domain.nameAttribute("sAMAccountName"), name))
}

// peopleFilter leaves computers out, which are users too.
func (activeDirectory) peopleFilter() string { return "(objectCategory=person)(objectClass=user)" }

func (k activeDirectory) nameAttributes() []string {
	return []string{k.domain.nameAttribute("sAMAccountName"), "displayName", "userPrincipalName", "mail"}
}

// findDN prefers userPrincipalName to the account whose name stands before the
// @, as Windows does.
func (k activeDirectory) findDN(ctx context.Context, c *conn, who username) (string, error) {
	condition := "(" + k.domain.nameAttribute("sAMAccountName") + "=" + ldap.EscapeFilter(who.user) + ")"
	if who.id != "" {
		condition = "(objectGUID=" + guidFilter(who.id) + ")"
	}
	if who.principal != "" {
		condition = "(|(userPrincipalName=" + ldap.EscapeFilter(who.principal) + ")" + condition + ")"
	}
	entries, err := c.search(ctx, query{
		base: c.dse.base, scope: ldap.ScopeWholeSubtree, limit: 2,
		filter:     "(&" + k.peopleFilter() + condition + ")",
		attributes: []string{"userPrincipalName"},
	})
	if err != nil {
		return "", err
	}
	if len(entries) == 2 && who.principal != "" {
		entries = slices.DeleteFunc(entries, func(e *ldap.Entry) bool {
			return !strings.EqualFold(e.GetEqualFoldAttributeValue("userPrincipalName"), who.principal)
		})
	}
	switch len(entries) {
	case 0:
		return "", errNoEntry
	case 1:
		return entries[0].DN, nil
	}
	return "", c.unusable("account", errors.New("two accounts have this name"))
}

func (k activeDirectory) barred(e *ldap.Entry) string {
	control := number(e.GetEqualFoldAttributeValue("userAccountControl"))
	computed := number(e.GetEqualFoldAttributeValue("msDS-User-Account-Control-Computed"))
	expires := filetime(e.GetEqualFoldAttributeValue("accountExpires"))
	switch {
	case control&uacDisabled != 0:
		return "disabled"
	case !expires.IsZero() && !k.domain.now().Before(expires):
		return "account-expired"
	case computed&uacLocked != 0:
		return "locked"
	}
	return ""
}

// groups resolves the SIDs of tokenGroups: all groups, nested ones and the
// primary one included. Groups of other domains of the forest stay unresolved.
// Everybody has a primary group, so no SIDs means that the service account may
// not read them (a hardened Windows domain): then the groups are searched.
func (k activeDirectory) groups(ctx context.Context, c *conn, dn string, sids [][]byte) ([]Group, error) {
	if len(sids) > maxGroups {
		return nil, c.unusable("groups", fmt.Errorf("the account is in %d groups; %d are the limit", len(sids), maxGroups))
	}
	var conditions []string
	for _, sid := range sids {
		conditions = append(conditions, "(objectSid="+binaryFilter(sid)+")")
	}
	if len(sids) == 0 {
		const inChain = "1.2.840.113556.1.4.1941" // LDAP_MATCHING_RULE_TRANSITIVE_EVAL, MS-ADTS section 3.1.1.3.4.4.3
		conditions = []string{"(member:" + inChain + ":=" + ldap.EscapeFilter(dn) + ")"}
	}
	entries, err := c.searchAny(ctx, query{
		base: c.dse.root, scope: ldap.ScopeWholeSubtree, filter: k.groupFilter(""), limit: maxGroups,
		attributes: []string{"sAMAccountName"},
	}, conditions)
	if err != nil {
		return nil, err
	}
	groups := make([]Group, 0, len(entries))
	for _, e := range entries {
		if usableDN(e.DN) {
			groups = append(groups, k.domain.group(e.DN, e.GetEqualFoldAttributeValue("sAMAccountName")))
		}
	}
	return groups, nil
}

func (k activeDirectory) bind(ctx context.Context, c *conn, dn, password string) verdict {
	err := c.request(ctx, "bind", func(l *ldap.Conn) error { return l.Bind(dn, password) })
	switch {
	case err == nil:
		return verdict{bound: true}
	case !isAnswer(err):
		return verdict{err: err}
	case resultCode(err) == ldap.LDAPResultInvalidCredentials:
		return verdict{err: adRefusal(diagnostic(err))}
	}
	return verdict{err: c.unusable("bind", err)}
}

// adRefusal reads the Windows error code in the words that go with result code
// 49: "80090308: LdapErr: DSID-..., comment: AcceptSecurityContext error, data
// 52e, v1db1". The codes are those of MS-ERREF section 2.2.
func adRefusal(words string) error {
	_, after, _ := strings.Cut(words, ", data ")
	code, _, _ := strings.Cut(after, ",")
	switch strings.ToLower(strings.TrimSpace(code)) {
	case "52e":
		return &RefusedError{Reason: "wrong-password"}
	case "525":
		return &RefusedError{Reason: "unknown-account"}
	case "530":
		return &RefusedError{Reason: "logon-hours"}
	case "531":
		return &RefusedError{Reason: "workstation"}
	case "532", "773":
		return ErrPasswordExpired
	case "533":
		return &RefusedError{Reason: "disabled"}
	case "701":
		return &RefusedError{Reason: "account-expired"}
	case "775":
		return &RefusedError{Reason: "locked"}
	}
	return &RefusedError{Reason: "other"}
}

// change deletes the old password and adds the new one in one request, which
// makes it the person's own change: the old password is checked and the policy
// holds (MS-ADTS section 3.1.1.3.1.5). It runs as the service account, which
// needs no right for it, because a person whose password has expired cannot bind.
func (k activeDirectory) change(ctx context.Context, c *conn, _ verdict, dn, current, new string) error {
	service, err := c.server.openService(ctx) // not a pooled one: this must not be sent twice
	if err != nil {
		return err
	}
	defer service.close()
	r := ldap.NewModifyRequest(dn, nil)
	r.Delete("unicodePwd", []string{quotedUTF16(current)})
	r.Add("unicodePwd", []string{quotedUTF16(new)})
	err = service.request(ctx, "password change", func(l *ldap.Conn) error { return l.Modify(r) })
	if err == nil || !isAnswer(err) {
		return err
	}
	if answer := adChangeRefusal(resultCode(err), diagnostic(err)); answer != nil {
		return answer
	}
	return service.unusable("password change", err)
}

// adChangeRefusal says what a refused change of unicodePwd means; nil when it
// means that something is broken.
func adChangeRefusal(code uint16, words string) error {
	windows, hasCode := adErrorCode(words)
	switch {
	case code == ldap.LDAPResultInsufficientAccessRights:
		return ErrChangeForbidden
	case code == ldap.LDAPResultUnwillingToPerform:
		return &PolicyError{Rule: adRule(words), Detail: words}
	case code != ldap.LDAPResultConstraintViolation:
		return nil
	case !hasCode:
		return ErrChangeForbidden
	case windows == 0x56: // ERROR_INVALID_PASSWORD
		return &RefusedError{Reason: "wrong-password"}
	case windows == 0x775: // ERROR_ACCOUNT_LOCKED_OUT
		return &RefusedError{Reason: "locked"}
	}
	return &PolicyError{Rule: adRule(words), Detail: words} // 0x52D, ERROR_PASSWORD_RESTRICTION
}

// adErrorCode reads the 8 hex digits that AD's words begin with.
func adErrorCode(words string) (uint32, bool) {
	digits, _, found := strings.Cut(words, ":")
	if !found || len(digits) != 8 {
		return 0, false
	}
	code, err := strconv.ParseUint(digits, 16, 32)
	return uint32(code), err == nil
}

// adRule finds the broken rule in Samba's words. Windows does not tell it.
func adRule(words string) Rule {
	words = strings.ToLower(words)
	switch {
	case strings.Contains(words, "too short"):
		return RuleLength
	case strings.Contains(words, "complexity"):
		return RuleComplexity
	case strings.Contains(words, "history"), strings.Contains(words, "already used"):
		return RuleHistory
	case strings.Contains(words, "too young"):
		return RuleTooYoung
	}
	return RuleAny
}

// quotedUTF16 writes a password as unicodePwd wants it: in quotes, UTF-16LE.
func quotedUTF16(password string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}

// policy reads the domain head. Fine-grained policies are not readable for an
// ordinary account.
func (activeDirectory) policy(ctx context.Context, c *conn) (Policy, error) {
	entries, err := c.search(ctx, query{
		base: c.dse.root, scope: ldap.ScopeBaseObject, filter: "(objectClass=*)", limit: 1,
		attributes: []string{"minPwdLength", "pwdProperties", "pwdHistoryLength", "minPwdAge", "maxPwdAge", "lockoutThreshold", "lockOutObservationWindow"},
	})
	if err != nil {
		return Policy{}, err
	}
	if len(entries) == 0 {
		return Policy{}, errNoEntry
	}
	e := entries[0]
	const complexity = 1 // DOMAIN_PASSWORD_COMPLEX
	return Policy{
		MinLength:        number(e.GetEqualFoldAttributeValue("minPwdLength")),
		History:          number(e.GetEqualFoldAttributeValue("pwdHistoryLength")),
		Complexity:       number(e.GetEqualFoldAttributeValue("pwdProperties"))&complexity != 0,
		MinAge:           interval(e.GetEqualFoldAttributeValue("minPwdAge")),
		MaxAge:           interval(e.GetEqualFoldAttributeValue("maxPwdAge")),
		LockoutThreshold: number(e.GetEqualFoldAttributeValue("lockoutThreshold")),
		LockoutWindow:    interval(e.GetEqualFoldAttributeValue("lockOutObservationWindow")),
	}, nil
}
