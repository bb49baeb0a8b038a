package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// openLDAP is OpenLDAP with the ppolicy overlay, or without it.
type openLDAP struct {
	domain  *domain
	generic bool // some other LDAP server, which is treated alike
}

func (k openLDAP) String() string {
	if k.generic {
		return "LDAP"
	}
	return "OpenLDAP"
}

func (openLDAP) groupFilter(name string) string {
	const classes = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=groupOfMembers)" +
		"(objectClass=groupOfEntries)(objectClass=groupOfURLs)(objectClass=posixGroup))"
	if name == "" {
		return classes
	}
	return "(&" + classes + "(cn=" + ldap.EscapeFilter(name) + "))"
}

func (k openLDAP) find(ctx context.Context, c *conn, who username) (Account, error) {
	name := k.domain.nameAttribute("uid")
	condition := "(" + name + "=" + ldap.EscapeFilter(who.user) + ")"
	if who.id != "" {
		condition = "(&(" + name + "=*)(entryUUID=" + ldap.EscapeFilter(who.id) + "))"
	}
	entries, err := c.search(ctx, query{
		base: c.dse.base, scope: ldap.ScopeWholeSubtree, limit: 2,
		filter: condition,
		attributes: append([]string{
			"entryUUID", name, "uid", "cn", "displayName", "mail", "memberOf",
			"pwdChangedTime", "pwdAccountLockedTime", "pwdPolicySubentry", "pwdReset", "pwdStartTime", "pwdEndTime",
		}, k.domain.config.MobileAttributes...),
	})
	if err != nil {
		return Account{}, err
	}
	switch len(entries) {
	case 0:
		return Account{}, errNoEntry
	case 1:
	default:
		return Account{}, c.unusable("account", errors.New("two accounts have this name"))
	}
	e := entries[0]
	a, err := k.account(e, who.user)
	if err != nil {
		return Account{}, c.unusable("account", err)
	}
	if err := k.usability(ctx, c, e, &a); err != nil {
		return Account{}, err
	}
	a.Groups, err = k.groups(ctx, c, a.DN, e)
	return a, err
}

func (k openLDAP) account(e *ldap.Entry, name string) (Account, error) {
	a, err := k.domain.person(e, uuidText(e.GetEqualFoldAttributeValue("entryUUID")), spelled(e, k.domain.nameAttribute("uid"), name))
	if cn := text(e, "cn", maxText); cn != "" && text(e, "displayName", maxText) == "" {
		a.DisplayName = cn
	}
	return a, err
}

func (k openLDAP) peopleFilter() string { return "(" + k.domain.nameAttribute("uid") + "=*)" }

func (k openLDAP) nameAttributes() []string {
	return []string{k.domain.nameAttribute("uid"), "cn", "displayName", "mail"}
}

// usability fills in what the ppolicy overlay (slapo-ppolicy(5)) keeps about
// the password and the account.
func (k openLDAP) usability(ctx context.Context, c *conn, e *ldap.Entry, a *Account) error {
	changed := generalizedTime(e.GetEqualFoldAttributeValue("pwdChangedTime"))
	locked := e.GetEqualFoldAttributeValue("pwdAccountLockedTime")
	if changed.IsZero() && locked == "" {
		a.Barred = k.barred(e, policyEntry{})
		return nil
	}
	p, err := k.policyOf(ctx, c, e.GetEqualFoldAttributeValue("pwdPolicySubentry"))
	if err != nil {
		return err
	}
	if p.MaxAge > 0 && !changed.IsZero() && !strings.EqualFold(e.GetEqualFoldAttributeValue("pwdReset"), "TRUE") {
		a.PasswordExpires = changed.Add(p.MaxAge)
	}
	a.Barred = k.barred(e, p)
	return nil
}

func (k openLDAP) barred(e *ldap.Entry, p policyEntry) string {
	now := k.domain.now()
	if end := generalizedTime(e.GetEqualFoldAttributeValue("pwdEndTime")); !end.IsZero() && !now.Before(end) {
		return "account-expired"
	}
	if start := generalizedTime(e.GetEqualFoldAttributeValue("pwdStartTime")); now.Before(start) {
		return "disabled"
	}
	since := e.GetEqualFoldAttributeValue("pwdAccountLockedTime")
	if since == "" {
		return ""
	}
	// 000001010000Z is for good, and so is any lock of a policy without a duration.
	if at := generalizedTime(since); at.IsZero() || p.lockoutDuration == 0 || now.Before(at.Add(p.lockoutDuration)) {
		return "locked"
	}
	return ""
}

// policyEntry is a pwdPolicy entry.
type policyEntry struct {
	Policy
	lockoutDuration time.Duration // 0: for good
}

// policyOf reads the policy at dn, or the default one for "": the pwdPolicy that
// is called "default", else the only one there is. slapd does not tell which it
// is. Nothing readable is the zero policyEntry.
func (k openLDAP) policyOf(ctx context.Context, c *conn, dn string) (policyEntry, error) {
	const all = "(objectClass=pwdPolicy)"
	tries := []query{
		{base: c.dse.root, scope: ldap.ScopeWholeSubtree, filter: "(&" + all + "(cn=default))"},
		{base: c.dse.root, scope: ldap.ScopeWholeSubtree, filter: all},
	}
	if usableDN(dn) {
		tries = []query{{base: dn, scope: ldap.ScopeBaseObject, filter: all}}
	}
	for _, q := range tries {
		q.limit, q.some = 2, true
		q.attributes = []string{
			"pwdMinLength", "pwdInHistory", "pwdCheckQuality", "pwdUseCheckModule", "pwdCheckModule", "pwdMinAge",
			"pwdMaxAge", "pwdLockout", "pwdMaxFailure", "pwdLockoutDuration", "pwdFailureCountInterval",
		}
		entries, err := c.search(ctx, q)
		if err != nil && !errors.Is(err, errNoEntry) {
			return policyEntry{}, err
		}
		if len(entries) == 1 {
			return readPolicy(entries[0]), nil
		}
	}
	return policyEntry{}, nil
}

func readPolicy(e *ldap.Entry) policyEntry {
	is := func(attribute string) bool { return strings.EqualFold(e.GetEqualFoldAttributeValue(attribute), "TRUE") }
	p := policyEntry{Policy: Policy{
		History: number(e.GetEqualFoldAttributeValue("pwdInHistory")),
		MinAge:  seconds(e.GetEqualFoldAttributeValue("pwdMinAge")),
		MaxAge:  seconds(e.GetEqualFoldAttributeValue("pwdMaxAge")),
	}}
	if number(e.GetEqualFoldAttributeValue("pwdCheckQuality")) > 0 { // else neither is looked at
		p.MinLength = number(e.GetEqualFoldAttributeValue("pwdMinLength"))
		p.Complexity = is("pwdUseCheckModule") || e.GetEqualFoldAttributeValue("pwdCheckModule") != ""
	}
	if is("pwdLockout") {
		p.LockoutThreshold = number(e.GetEqualFoldAttributeValue("pwdMaxFailure"))
		p.LockoutWindow = cmp.Or(seconds(e.GetEqualFoldAttributeValue("pwdFailureCountInterval")), Forever)
		p.lockoutDuration = seconds(e.GetEqualFoldAttributeValue("pwdLockoutDuration"))
	}
	return p
}

func (k openLDAP) policy(ctx context.Context, c *conn) (Policy, error) {
	p, err := k.policyOf(ctx, c, "")
	return p.Policy, err
}

// groups walks from the account to the groups that list it, and to those that
// list them. memberOf starts it where the memberof or dynlist overlay has filled
// it in; which groups are readable, and whether memberOf is nested, differs
// between servers.
func (k openLDAP) groups(ctx context.Context, c *conn, dn string, account *ldap.Entry) ([]Group, error) {
	const maxDepth = 20
	w := walk{domain: k.domain, seen: map[string]bool{}}
	for _, group := range account.GetEqualFoldAttributeValues("memberOf") {
		w.add(group, commonName(group, nil))
	}
	conditions := append(membership(dn), "(memberUid="+ldap.EscapeFilter(account.GetEqualFoldAttributeValue("uid"))+")")
	for depth := 0; len(conditions) > 0; depth++ {
		if depth == maxDepth {
			return nil, c.unusable("groups", fmt.Errorf("groups are nested deeper than %d", maxDepth))
		}
		entries, err := c.searchAny(ctx, query{
			base: c.dse.root, scope: ldap.ScopeWholeSubtree, filter: k.groupFilter(""), limit: maxGroups,
			attributes: []string{"cn"},
		}, conditions)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			w.add(e.DN, commonName(e.DN, e.GetEqualFoldAttributeValues("cn")))
		}
		if len(w.found) > maxGroups {
			return nil, c.unusable("groups", fmt.Errorf("the account is in more than %d groups", maxGroups))
		}
		conditions = w.next()
	}
	return w.found, nil
}

// walk is the way up through nested groups.
type walk struct {
	domain *domain
	seen   map[string]bool
	found  []Group
	asked  int // how many of found have been asked for their own groups
}

func (w *walk) add(dn, name string) {
	if !usableDN(dn) {
		return
	}
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return
	}
	key := strings.ToLower(parsed.String())
	if w.seen[key] {
		return
	}
	w.seen[key] = true
	w.found = append(w.found, w.domain.group(dn, name))
}

// next returns the conditions that find the groups of what is new.
func (w *walk) next() []string {
	var conditions []string
	for _, g := range w.found[w.asked:] {
		conditions = append(conditions, membership(g.DN)...)
	}
	w.asked = len(w.found)
	return conditions
}

func membership(dn string) []string {
	escaped := ldap.EscapeFilter(dn)
	return []string{"(member=" + escaped + ")", "(uniqueMember=" + escaped + ")"}
}

// commonName is the cn that a group's DN begins with, else the first that the
// entry holds.
func commonName(dn string, values []string) string {
	if parsed, err := ldap.ParseDN(dn); err == nil && len(parsed.RDNs) > 0 {
		for _, part := range parsed.RDNs[0].Attributes {
			if strings.EqualFold(part.Type, "cn") {
				return part.Value
			}
		}
	}
	if len(values) > 0 {
		return values[0]
	}
	return ""
}
