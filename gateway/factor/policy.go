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
	// From is the midnight, in the portal's time zone, from which the rule holds.
	// Before it the next rule that fits does, and where none is left a factor is
	// voluntary; people are invited. Zero: it holds at once.
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
	// FirstNumber: there is no number, and they may give one with the password
	// alone. Then a code by SMS is among what they may enrol, whatever their rule
	// names, unless they are Strong or Held.
	FirstNumber bool
	// Strong: helps others or administers. They always need a factor of their
	// own, whatever the policy; they set none up with the password alone, no device
	// is remembered and no agent's bypass code helps, only one from the portal's own
	// machine.
	Strong bool
}

// Want is what the policy wants of somebody now.
type Want struct {
	Need     Need
	Allowed  []Kind
	Enrol    []Kind
	Remember time.Duration
	// From is when a rule takes effect that waits for its date, Then the kinds that
	// it allows: a factor is required from then on, and one of these. Zero: no rule
	// waits.
	From time.Time
	Then []Kind
}

// For is what the policy wants of a person at a time. Until the date of their
// rule what would hold without that rule goes on (before).
func (p Policy) For(person Person, now time.Time) Want {
	i := p.ruleOf(person)
	if i < 0 {
		return standard().want(person)
	}
	rule, rest := p[i], p[i+1:]
	want := rule.want(person)
	if rule.Need != Required || !now.Before(rule.From) {
		return want
	}
	former := rest.For(person, now)
	if rest.ruleOf(person) < 0 && !person.Strong {
		former.Need = Voluntary // nobody has written that it is required
	}
	return want.before(rule.From, former)
}

// before is what holds until a date, from which on w does: nothing that the
// former rule asks becomes weaker. Its factors count besides those of w, so that
// who has one is asked for it, and who sets up another ahead of time can use it.
func (w Want) before(date time.Time, former Want) Want {
	until := w
	until.Need, until.From, until.Then = former.Need, date, w.Allowed
	if !former.From.IsZero() && former.From.Before(date) { // the next date comes first
		until.From, until.Then = former.From, former.Then
	}
	if former.Need == Off { // what asks for nothing has no factors to go on with
		until.Need = Voluntary
		return until
	}
	if former.Need == Required {
		until.Enrol = former.Enrol
	}
	until.Remember = min(w.Remember, former.Remember)
	// A code by SMS or mail is there without anybody having set it up: where the
	// former rule takes none, it would open the door to who has an app.
	until.Allowed = slices.DeleteFunc(slices.Clone(w.Allowed), func(k Kind) bool {
		return (k == SMS || k == Mail) && !former.Allows(k)
	})
	for _, kind := range former.Allowed {
		if !until.Allows(kind) {
			until.Allowed = append(until.Allowed, kind)
		}
	}
	return until
}

// ruleOf is the first rule that fits a person; -1: none does.
func (p Policy) ruleOf(person Person) int {
	return slices.IndexFunc(p, func(r Rule) bool { return r.fits(person) })
}

// want is what a rule wants of a person once it is in force.
func (r Rule) want(person Person) Want {
	want := Want{Need: r.Need, Allowed: r.Allowed, Enrol: r.Enrol, Remember: r.Remember}
	if person.Strong {
		want.Need, want.Enrol, want.Remember = Required, nil, 0
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
