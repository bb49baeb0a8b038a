package factor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"stagedoor/store"
)

// DomainEnrolment is how far a domain has come with second factors, of those who
// have ever logged in: by the policy of today and what they have today.
type DomainEnrolment struct {
	Domain               string
	People               int
	Lately               int // of them who logged in lately
	Codes, Mails         int // who can get codes by SMS, and by mail
	Apps, Keys, Backups  int // who have an authenticator app, a passkey, backup codes
	Without              int // who have nothing of what they may use, or of what they may from MustFrom on; backup codes only stand in for it
	MustNow              int // of those without, who must have one already
	MustFrom             time.Time
	MustLater, NeverMust int // of those without: from a day on, MustFrom being the first; and not at all
}

// add counts one more person.
func (e *DomainEnrolment) add(state State, lately bool) {
	e.People++
	if lately {
		e.Lately++
	}
	for kind, count := range map[Kind]*int{SMS: &e.Codes, Mail: &e.Mails, App: &e.Apps, Key: &e.Keys, Backup: &e.Backups} {
		if slices.Contains(state.Has, kind) {
			*count++
		}
	}
	if state.enrolled() {
		return
	}
	e.Without++
	switch {
	case state.From.IsZero() && state.Need == Required:
		e.MustNow++
	case state.From.IsZero():
		e.NeverMust++
	default:
		e.MustLater++
		if e.MustFrom.IsZero() || state.From.Before(e.MustFrom) {
			e.MustFrom = state.From
		}
	}
}

// EnrolmentByDomain counts the people of each domain; lately is from when on a
// login is a late one.
func (f *Factors) EnrolmentByDomain(ctx context.Context, lately time.Time) ([]DomainEnrolment, error) {
	domains := map[string]*DomainEnrolment{}
	err := f.eachEnrolment(ctx, "", func(person store.Person, state State) error {
		if domains[person.Domain] == nil {
			domains[person.Domain] = &DomainEnrolment{Domain: person.Domain}
		}
		domains[person.Domain].add(state, !person.LastLogin.Before(lately))
		return nil
	})
	var found []DomainEnrolment
	for _, e := range domains {
		found = append(found, *e)
	}
	slices.SortFunc(found, func(a, b DomainEnrolment) int { return cmp.Compare(a.Domain, b.Domain) })
	return found, err
}

// errEnough ends a walk; it never leaves this package.
var errEnough = errors.New("factor: enough")

// PeopleWithout are those of a domain ("": of all) who have no second factor of
// those that they may use, or may from PolicyFrom on, who logged in last first, at
// most limit. Factors, Policy and PolicyFrom are today's.
func (f *Factors) PeopleWithout(ctx context.Context, domain string, limit int) (found []store.Person, err error) {
	err = f.eachEnrolment(ctx, domain, func(person store.Person, state State) error {
		if state.enrolled() {
			return nil
		}
		if len(found) == limit {
			return errEnough
		}
		person.Policy, person.PolicyFrom, person.Factors = string(state.Need), state.From, nil
		for _, kind := range state.Has {
			person.Factors = append(person.Factors, string(kind))
		}
		found = append(found, person)
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return found, err
}

// eachEnrolment goes through the people who have logged in. Whether they are in
// a group, help others, and have a number is known from their last login, unless
// the number is the portal's own.
func (f *Factors) eachEnrolment(ctx context.Context, domain string, each func(store.Person, State) error) error {
	now := f.Now()
	err := f.Store.Holdings(ctx, domain, now, func(h store.Holding) error {
		person := Person{
			AccountID: h.AccountID, Domain: h.Domain, Strong: h.Strong,
			MemberOf: func(group string) bool { return slices.Contains(h.Groups, group) },
		}
		there := map[Kind]bool{SMS: h.Number, App: h.App, Key: h.Key, Backup: h.Backup, Mail: f.Mail != nil && f.Mail(h.Mail)}
		return each(h.Person, stateOf(f.want(person, now), there, Kind(h.LastFactor)))
	})
	if err != nil && !errors.Is(err, errEnough) {
		return fmt.Errorf("factor: enrolment: %w", err)
	}
	return err
}

// GroupsOf are the groups that the policy names and a person is in.
func (p Policy) GroupsOf(person Person) (groups []string) {
	for _, rule := range p {
		for _, group := range rule.Groups {
			if person.MemberOf != nil && person.MemberOf(group) && !slices.Contains(groups, group) {
				groups = append(groups, group)
			}
		}
	}
	return groups
}
