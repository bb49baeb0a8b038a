package directory

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/go-ldap/ldap/v3"
)

// Lookup finds an account by any spelling of its name, without a password.
// ErrNotFound (also for unknown domains and malformed names), ErrUnavailable.
func (d *Directory) Lookup(ctx context.Context, name string) (Account, error) {
	who, err := d.parseName(name)
	if err != nil {
		return Account{}, ErrNotFound
	}
	return who.domain.lookup(ctx, who)
}

// lookup is Lookup for a name that has been understood.
func (d *domain) lookup(ctx context.Context, who username) (Account, error) {
	var account Account
	err := d.readEach(ctx, func(c *conn) (err error) {
		account, err = c.dse.kind.find(ctx, c, who)
		return err
	})
	if errors.Is(err, errNoEntry) {
		return Account{}, ErrNotFound
	}
	return account, err
}

// Policy is the password policy of the domain that name belongs to; an empty
// name means the default domain (or the only one). It is the domain's own:
// whether the account exists is not asked. ErrNotFound for a malformed name or
// an unknown domain, ErrUnavailable.
func (d *Directory) Policy(ctx context.Context, name string) (Policy, error) {
	domain := d.standard()
	if name != "" {
		who, err := d.parseName(name)
		if err != nil {
			return Policy{}, ErrNotFound
		}
		domain = who.domain
	}
	if domain == nil {
		return Policy{}, ErrNotFound
	}
	var policy Policy
	err := domain.readEach(ctx, func(c *conn) (err error) {
		policy, err = c.dse.kind.policy(ctx, c)
		return err
	})
	if errors.Is(err, errNoEntry) {
		return Policy{}, nil
	}
	return policy, err
}

// GroupExists tells whether a group of a target list, a DN or DOMAIN\name, is
// in the directory.
func (d *Directory) GroupExists(ctx context.Context, group string) (bool, error) {
	switch formOf(group) {
	case formName:
		before, name, _ := strings.Cut(group, `\`)
		domain := d.byName(before)
		if domain == nil {
			return false, nil
		}
		return domain.hasGroup(ctx, "", name)
	case formDN:
		if !usableDN(group) {
			return false, nil
		}
		var problems []error
		for _, domain := range d.domains {
			found, err := domain.hasGroup(ctx, group, "")
			if found {
				return true, nil
			}
			problems = append(problems, err)
		}
		return false, errors.Join(problems...)
	}
	return false, nil
}

// hasGroup looks for a group at a DN, or by name anywhere.
func (d *domain) hasGroup(ctx context.Context, dn, name string) (bool, error) {
	found := false
	err := d.readEach(ctx, func(c *conn) error {
		q := query{
			base: c.dse.root, scope: ldap.ScopeWholeSubtree, limit: 1, some: true,
			filter: c.dse.kind.groupFilter(name), attributes: []string{"cn"},
		}
		if dn != "" {
			q.base, q.scope = dn, ldap.ScopeBaseObject
		}
		entries, err := c.search(ctx, q)
		found = len(entries) > 0
		return err
	})
	if errors.Is(err, errNoEntry) {
		return false, nil
	}
	return found, err
}

// readEach lends read a service connection to the first server that answers.
func (d *domain) readEach(ctx context.Context, read func(*conn) error) error {
	return d.each(ctx, func(s *server) error { return s.read(ctx, read) })
}

// Check tries every server of every domain, all at the same time. The results
// stand in the order of the configuration.
func (d *Directory) Check(ctx context.Context) []Health {
	var servers []*server
	for _, domain := range d.domains {
		servers = append(servers, domain.servers...)
	}
	results := make([]Health, len(servers))
	var all sync.WaitGroup
	for i, s := range servers {
		all.Go(func() { results[i] = s.check(ctx) })
	}
	all.Wait()
	return results
}

// check makes a connection of its own: an idle one proves nothing.
func (s *server) check(ctx context.Context) Health {
	h := Health{Domain: s.domain.config.Name, Server: s.address.text}
	c, err := s.openService(ctx)
	if err != nil {
		h.Err = err
		return h
	}
	defer c.close()
	h.Kind = c.dse.kind.String()
	entries, err := c.search(ctx, query{
		base: c.dse.base, scope: ldap.ScopeBaseObject, filter: "(objectClass=*)", attributes: []string{"1.1"}, limit: 1,
	})
	if errors.Is(err, errNoEntry) || err == nil && len(entries) == 0 {
		err = c.unusable("base DN", errors.New(c.dse.base+" is not there, or the service account may not see it"))
	}
	h.Err = err
	return h
}
