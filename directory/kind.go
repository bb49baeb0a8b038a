package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// kind is what differs between Active Directory and OpenLDAP.
type kind interface {
	String() string
	// find returns the account, errNoEntry or a *fault.
	find(ctx context.Context, c *conn, who username) (Account, error)
	// bind checks a password on a fresh connection.
	bind(ctx context.Context, c *conn, dn, password string) verdict
	// change sets a new password. c is the connection of the verdict, which
	// lets the person in or says that the password has expired.
	change(ctx context.Context, c *conn, v verdict, dn, current, new string) error
	policy(ctx context.Context, c *conn) (Policy, error)
	// account is what an entry tells by itself; name is how it was asked for.
	account(e *ldap.Entry, name string) (Account, error)
	// state adds to an account what helpdesk asks about.
	state(ctx context.Context, c *conn, a Account) (State, error)
	// unlock takes the directory's lock off an account. It may be run twice.
	unlock(ctx context.Context, c *conn, dn string) error
	// peopleFilter matches entries of people, nameAttributes are where the
	// words of a search are looked for.
	peopleFilter() string
	nameAttributes() []string
	// groupFilter matches a group by its name, all groups for "".
	groupFilter(name string) string
}

// verdict is what a directory says about a password.
type verdict struct {
	// err is nil, ErrPasswordExpired, a *RefusedError or a *fault.
	err error
	// bound: the connection is bound as the person. OpenLDAP also binds
	// somebody who must change the password first.
	bound   bool
	expires time.Time // of the password, where the bind tells
}

// right tells whether the password is the account's.
func (v verdict) right() bool { return v.err == nil || errors.Is(v.err, ErrPasswordExpired) }

// rootDSE is what a server says about itself (RFC 4512 section 5.1).
type rootDSE struct {
	kind kind
	base string // where accounts are looked for
	root string // the naming context around base, where groups are looked for
}

// activeDirectoryOID in supportedCapabilities: LDAP_CAP_ACTIVE_DIRECTORY_OID,
// MS-ADTS section 3.1.1.3.4.3.1.
const activeDirectoryOID = "1.2.840.113556.1.4.800"

func (c *conn) readRootDSE(ctx context.Context) error {
	entries, err := c.search(ctx, query{
		scope: ldap.ScopeBaseObject, filter: "(objectClass=*)", limit: 1,
		attributes: []string{"objectClass", "supportedCapabilities", "defaultNamingContext", "namingContexts"},
	})
	if err == nil && len(entries) != 1 {
		err = errNoEntry
	}
	if err != nil {
		return c.server.fault("root DSE", err)
	}
	contexts := entries[0].GetEqualFoldAttributeValues("namingContexts")
	standard := entries[0].GetEqualFoldAttributeValue("defaultNamingContext")
	if standard == "" && len(contexts) > 0 {
		standard = contexts[0]
	}
	domain := c.server.domain
	c.dse.base = domain.config.BaseDN
	if c.dse.base == "" {
		c.dse.base = standard
	}
	if !usableDN(c.dse.base) {
		return c.server.fault("root DSE", errors.New("it names no naming context, and no base DN is configured"))
	}
	c.dse.root = contextOf(c.dse.base, append([]string{standard}, contexts...))
	switch {
	case slices.Contains(entries[0].GetEqualFoldAttributeValues("supportedCapabilities"), activeDirectoryOID):
		c.dse.kind = activeDirectory{domain}
	default:
		openLDAPSays := slices.ContainsFunc(entries[0].GetEqualFoldAttributeValues("objectClass"), func(class string) bool {
			return strings.EqualFold(class, "OpenLDAProotDSE")
		})
		c.dse.kind = openLDAP{domain: domain, generic: !openLDAPSays}
	}
	return nil
}

// contextOf returns the naming context that base lies in, or base itself.
func contextOf(base string, contexts []string) string {
	under, err := ldap.ParseDN(base)
	if err != nil {
		return base
	}
	for _, text := range contexts {
		if !usableDN(text) {
			continue
		}
		if above, err := ldap.ParseDN(text); err == nil && above.AncestorOfFold(under) {
			return text
		}
	}
	return base
}

// errNoEntry: the base of a search is not there, or it found nothing.
var errNoEntry = errors.New("no such entry")

// query is a search. Aliases are not followed, nor referrals.
type query struct {
	base       string
	scope      int
	filter     string
	attributes []string
	limit      int  // entries; more than that make it fail,
	some       bool // or are left out
}

// search returns errNoEntry when the base is not there.
func (c *conn) search(ctx context.Context, q query) ([]*ldap.Entry, error) {
	seconds := int(c.server.timeout/time.Second) + 1
	r := ldap.NewSearchRequest(q.base, q.scope, ldap.NeverDerefAliases, q.limit, seconds, false, q.filter, q.attributes, nil)
	r.EnforceSizeLimit = true
	var found []*ldap.Entry
	err := c.request(ctx, "search", func(l *ldap.Conn) error {
		result, err := l.Search(r)
		if result != nil {
			found = result.Entries
		}
		return err
	})
	switch {
	case err == nil, q.some && resultCode(err) == ldap.LDAPResultSizeLimitExceeded:
		return found, nil
	case !isAnswer(err):
		return nil, err
	case resultCode(err) == ldap.LDAPResultNoSuchObject, resultCode(err) == ldap.LDAPResultReferral,
		resultCode(err) == ldap.LDAPResultInvalidDNSyntax:
		return nil, errNoEntry
	case resultCode(err) == ldap.LDAPResultSizeLimitExceeded:
		return nil, c.unusable("search", fmt.Errorf("more than %d entries match", q.limit))
	}
	return nil, c.unusable("search", err)
}

// searchAny finds entries that match any of the given conditions, asking for a
// few of them at a time so that no filter grows without bound.
func (c *conn) searchAny(ctx context.Context, q query, conditions []string) ([]*ldap.Entry, error) {
	const atOnce = 50
	var found []*ldap.Entry
	filter := q.filter
	for some := range slices.Chunk(conditions, atOnce) {
		q.filter = "(&" + filter + "(|" + strings.Join(some, "") + "))"
		entries, err := c.search(ctx, q)
		if err != nil && !errors.Is(err, errNoEntry) {
			return nil, err
		}
		found = append(found, entries...)
	}
	return found, nil
}
