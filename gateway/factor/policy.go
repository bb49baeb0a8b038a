package factor

import (
	"slices"
	"strings"
	"time"
)

// Need is whether a second factor is asked for.
type Need string

// The needs.
const (
	Off       Need = "off"       // never asked for
	Voluntary Need = "voluntary" // asked of those who have one
	Required  Need = "required"
)

// Rule says what a part of the people needs.
type Rule struct {
	Domain  string   // "": of any
	Groups  []string // DNs or DOMAIN\name, membership in one of them is enough; none: everybody
	Allowed []Kind
	Need    Need
	// From is the midnight, in the portal's time zone, from which Need holds. It
	// is voluntary before; zero: Need holds at once.
	From time.Time
	// Enrol are the kinds that somebody who has none may set up at login with
	// nothing but the password. None: helpdesk's bypass code comes first.
	Enrol []Kind
	// Remember is how long a device stays remembered; 0: none is.
	Remember time.Duration
}

// Policy is a list of rules: the first that fits somebody is theirs, and
// standard is everybody else's.
type Policy []Rule

func standard() Rule {
	return Rule{Need: Required, Allowed: []Kind{SMS, App, Key, Backup}}
}

// Person is whom a policy is about, and what others know of them.
type Person struct {
	AccountID   string
	Domain      string
	Name        string // DOMAIN\name
	DisplayName string
	MemberOf    func(group string) bool
	Number      bool // there is a number that a code can be sent to
	Mail        bool // there is an address that a code can be sent to
	// Strong: helps others or administers. They always need a factor of their
	// own, whatever the policy; they set none up with the password alone, no device
	// is remembered and no agent's bypass code helps, only one from the portal's own
	// machine.
	Strong bool
}

// Want is what the policy wants of somebody now.
type Want struct {
	Need     Need
	From     time.Time // when voluntary becomes required; zero: it does not
	Allowed  []Kind
	Enrol    []Kind
	Remember time.Duration
}

// For is what the policy wants of a person at a time.
func (p Policy) For(person Person, now time.Time) Want {
	rule := standard()
	if i := slices.IndexFunc(p, func(r Rule) bool { return r.fits(person) }); i >= 0 {
		rule = p[i]
	}
	want := Want{Need: rule.Need, Allowed: rule.Allowed, Enrol: rule.Enrol, Remember: rule.Remember}
	if person.Strong {
		want.Need, want.Enrol, want.Remember = Required, nil, 0
		return want
	}
	if rule.Need == Required && now.Before(rule.From) {
		want.Need, want.From = Voluntary, rule.From
	}
	return want
}

func (r Rule) fits(person Person) bool {
	if r.Domain != "" && !strings.EqualFold(r.Domain, person.Domain) {
		return false
	}
	return len(r.Groups) == 0 || person.MemberOf != nil && slices.ContainsFunc(r.Groups, person.MemberOf)
}

// Allows tells whether a kind may be used.
func (w Want) Allows(kind Kind) bool { return slices.Contains(w.Allowed, kind) }
