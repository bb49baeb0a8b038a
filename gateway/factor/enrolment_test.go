package factor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/store"
)

// enrols puts somebody down as their login does.
func (d *desk) enrols(p store.Person) {
	d.t.Helper()
	p.AccountID = p.Domain + "-" + p.Name
	d.must(d.store.PutPerson(d.t.Context(), p))
}

func (d *desk) hasFactor(account string, kinds ...Kind) {
	d.t.Helper()
	for _, kind := range kinds {
		_, err := d.store.AddFactor(d.t.Context(), store.Factor{ID: newID(), AccountID: account, Kind: string(kind), Name: "x", AddedAt: d.clock()}, 10, store.Trace{})
		d.must(err)
	}
}

// The enrolment says of everybody what their own login would: each policy, and
// those who help others, by the policy and the factors of today.
func TestEnrolment(t *testing.T) {
	date := time.Date(2026, 12, 3, 0, 0, 0, 0, time.UTC)
	field := `AMIDO\Field`
	all := []Kind{SMS, Mail, App, Key, Backup}
	d := newDesk(t, Policy{
		{Domain: "AMIDO", Groups: []string{field}, Allowed: []Kind{Key}, Need: Required}, // passkey only
		{Domain: "AMIDO", Allowed: all, Need: Required, From: date},
		{Domain: "LATER", Allowed: all, Need: Required, From: date.AddDate(0, 1, 0)},
		{Domain: "FREE", Allowed: all, Need: Voluntary, Remember: time.Hour},
		{Domain: "OFF", Allowed: all, Need: Off},
	})
	d.one.Mail = func(address string) bool { return strings.Contains(address, "@") }
	now := d.clock()
	for _, p := range []store.Person{
		{Domain: "AMIDO", Name: "number", Phone: "+46701740607", LastLogin: now},
		{Domain: "AMIDO", Name: "nothing", LastLogin: now.AddDate(0, 0, -60)},
		{Domain: "AMIDO", Name: "mail", Mail: "mail@amido.example", LastLogin: now},
		{Domain: "AMIDO", Name: "printed", LastLogin: now},                           // backup codes alone
		{Domain: "AMIDO", Name: "remembered", LastLogin: now},                        // a browser is no factor
		{Domain: "AMIDO", Name: "bypass", LastLogin: now},                            // nor is helpdesk's code
		{Domain: "AMIDO", Name: "agent", Strong: true, LastLogin: now},               // must now, whatever the date
		{Domain: "AMIDO", Name: "field", Groups: []string{field}, Phone: "+4670"},    // has what the policy does not take
		{Domain: "AMIDO", Name: "fieldkey", Groups: []string{field}, LastLogin: now}, // has a passkey
		{Domain: "FREE", Name: "nothing"},
		{Domain: "FREE", Name: "app"},
		{Domain: "OFF", Name: "nothing"},
		{Domain: "OFF", Name: "agent", Strong: true},
		{Domain: "OTHER", Name: "nothing"}, // no rule: required
		{Domain: "LATER", Name: "nothing"},
		// The last login knew of an app that helpdesk has removed since, of no number
		// where helpdesk has entered one, and of another policy.
		{Domain: "LATER", Name: "removed", Factors: []string{"app"}, Policy: "off"},
		{Domain: "LATER", Name: "entered", Policy: "required"},
	} {
		d.enrols(p)
	}
	d.hasFactor("AMIDO-fieldkey", Key, App)
	d.hasFactor("FREE-app", App)
	_, err := d.one.MakeBackup(t.Context(), "AMIDO-printed", store.Trace{})
	d.must(err)
	_, _, err = d.one.IssueBypass(t.Context(), "AMIDO-bypass", "agent", store.Trace{})
	d.must(err)
	cookie, _, err := d.one.RememberDevice(t.Context(), Person{AccountID: "AMIDO-remembered", Domain: "FREE"}, "", "", store.Trace{})
	d.must(err)
	if cookie == "" {
		t.Fatal("the browser is not remembered")
	}
	change := store.NumberChange{ID: "c", AccountID: "LATER-entered", New: "+46701740608", At: now, How: "agents", State: store.NumberApplied}
	d.must(d.store.AskNumber(t.Context(), store.Asked{Change: change}))

	amido := DomainEnrolment{Domain: "AMIDO", People: 9, Lately: 7, Codes: 1, Mails: 1, Keys: 1, Backups: 1, Without: 6, MustNow: 2, MustLater: 4, MustFrom: date}
	rest := []DomainEnrolment{
		{Domain: "FREE", People: 2, Apps: 1, Without: 1, NeverMust: 1},
		{Domain: "LATER", People: 3, Codes: 1, Without: 2, MustLater: 2, MustFrom: date.AddDate(0, 1, 0)},
		{Domain: "OFF", People: 2, Without: 2, MustNow: 1, NeverMust: 1},
		{Domain: "OTHER", People: 1, Without: 1, MustNow: 1},
	}
	check := func(when string, f *Factors, want ...DomainEnrolment) {
		t.Helper()
		got, err := f.EnrolmentByDomain(t.Context(), now.AddDate(0, 0, -30))
		d.must(err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	check("before the date", d.one, append([]DomainEnrolment{amido}, rest...)...)
	check("with the other node, which carries no mail", d.another, append([]DomainEnrolment{
		{Domain: "AMIDO", People: 9, Lately: 7, Codes: 1, Keys: 1, Backups: 1, Without: 7, MustNow: 2, MustLater: 5, MustFrom: date}}, rest...)...)

	// Each one's own state says the same.
	people, err := d.one.PeopleWithout(t.Context(), "", 100)
	d.must(err)
	without := map[string]store.Person{}
	for _, p := range people {
		without[p.AccountID] = p
	}
	d.must(d.one.eachEnrolment(t.Context(), "", func(p store.Person, state State) error {
		if _, is := without[p.AccountID]; is == state.enrolled() {
			return fmt.Errorf("%s is among those without: %v, and has %v", p.AccountID, is, state.Has)
		}
		return nil
	}))
	for account, want := range map[string]string{
		"AMIDO-nothing": "voluntary from 2026-12-03", "AMIDO-agent": "required", "AMIDO-field": "required", "AMIDO-printed": "voluntary from 2026-12-03",
		"LATER-removed": "voluntary from 2027-01-03", "FREE-nothing": "voluntary", "OFF-nothing": "off", "OFF-agent": "required", "OTHER-nothing": "required",
	} {
		p, is := without[account]
		got := p.Policy
		if !p.PolicyFrom.IsZero() {
			got += p.PolicyFrom.Format(" from 2006-01-02")
		}
		_, name, _ := strings.Cut(account, "-")
		person := Person{AccountID: account, Domain: p.Domain, Number: p.Phone != "", Strong: name == "agent",
			MemberOf: func(group string) bool { return group == field && name == "field" }}
		state, err := d.one.State(t.Context(), person)
		d.must(err)
		if !is || got != want || string(state.Need) != p.Policy || !state.From.Equal(p.PolicyFrom) || state.enrolled() {
			t.Errorf("%s: %q, want %q; at login %+v", account, got, want, state)
		}
	}
	some, err := d.one.PeopleWithout(t.Context(), "AMIDO", 2)
	d.must(err)
	if len(some) != 2 || some[0].Name != "agent" || some[1].Name != "bypass" {
		t.Errorf("the first two: %+v", some)
	}

	// The date comes; nobody has logged in since.
	d.advance(date.Sub(now))
	amido.MustNow, amido.MustLater, amido.MustFrom = 6, 0, time.Time{}
	check("from the date on", d.one, append([]DomainEnrolment{amido}, rest...)...)

	// So does another policy, which asks for a passkey.
	d.one.Policy = Policy{{Domain: "AMIDO", Allowed: []Kind{Key}, Need: Required}, {Allowed: all, Need: Off}}
	got, err := d.one.EnrolmentByDomain(t.Context(), now.AddDate(0, 0, -30))
	d.must(err)
	if want := (DomainEnrolment{Domain: "AMIDO", People: 9, Lately: 7, Keys: 1, Without: 8, MustNow: 8}); got[0] != want {
		t.Errorf("passkeys only: %+v", got[0])
	}
}

func TestGroupsOf(t *testing.T) {
	policy := Policy{{Groups: []string{"a", "b"}}, {Groups: []string{"b", "c"}}}
	got := policy.GroupsOf(Person{MemberOf: func(group string) bool { return group != "a" }})
	if diff := cmp.Diff([]string{"b", "c"}, got); diff != "" || policy.GroupsOf(Person{}) != nil {
		t.Error(diff)
	}
}
