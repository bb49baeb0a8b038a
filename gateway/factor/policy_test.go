package factor

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPolicy(t *testing.T) {
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	date := time.Date(2026, 12, 3, 0, 0, 0, 0, stockholm)
	allowed := []Kind{App, Key}
	policy := Policy{
		{Domain: "AMIDO", Groups: []string{`AMIDO\Office`}, Allowed: allowed, Need: Off},
		{Domain: "amido", Allowed: allowed, Need: Required, From: date, Enrol: []Kind{App}, Remember: time.Hour},
		{Domain: "ALLIERA", Allowed: allowed, Need: Voluntary},
	}
	office := func(group string) bool { return group == `AMIDO\Office` }
	day := func(hour, minute, second int, zone *time.Location) time.Time {
		return time.Date(2026, 12, 2, hour, minute, second, 0, zone)
	}
	before := Want{Need: Voluntary, From: date, Allowed: allowed, Enrol: []Kind{App}, Remember: time.Hour}
	after := Want{Need: Required, Allowed: allowed, Enrol: []Kind{App}, Remember: time.Hour}
	standardWant := Want{Need: Required, Allowed: []Kind{SMS, App, Key, Backup}}
	cases := []struct {
		name   string
		person Person
		at     time.Time
		want   Want
	}{
		{"the day before", Person{Domain: "AMIDO"}, day(12, 0, 0, stockholm), before},
		{"the last second", Person{Domain: "AMIDO"}, day(23, 59, 59, stockholm), before},
		{"midnight", Person{Domain: "AMIDO"}, date, after},
		{"midnight, told in UTC", Person{Domain: "AMIDO"}, day(23, 0, 0, time.UTC), after},
		{"a second before, told in UTC", Person{Domain: "AMIDO"}, day(22, 59, 59, time.UTC), before},
		{"midnight in London is past it", Person{Domain: "AMIDO"}, time.Date(2026, 12, 3, 0, 0, 0, 0, time.UTC), after},
		{"years after", Person{Domain: "AMIDO"}, date.AddDate(5, 0, 0), after},
		{"the domain in other letters", Person{Domain: "Amido"}, date, after},
		{"the first rule wins", Person{Domain: "AMIDO", MemberOf: office}, date, Want{Need: Off, Allowed: allowed}},
		{"not in the group of another domain", Person{Domain: "ALLIERA", MemberOf: office}, date, Want{Need: Voluntary, Allowed: allowed}},
		{"no rule", Person{Domain: "OTHER"}, date, standardWant},
		{"helpdesk before the date", Person{Domain: "AMIDO", Strong: true}, day(12, 0, 0, stockholm), Want{Need: Required, Allowed: allowed}},
		{"helpdesk where it is off", Person{Domain: "AMIDO", MemberOf: office, Strong: true}, date, Want{Need: Required, Allowed: allowed}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, policy.For(c.person, c.at)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if diff := cmp.Diff(standardWant, Policy(nil).For(Person{}, date)); diff != "" {
		t.Errorf("without a policy (-want +got):\n%s", diff)
	}
}

func TestState(t *testing.T) {
	cases := []struct {
		name                 string
		state                State
		asks, enrol, invites bool
	}{
		{"off", State{Want: Want{Need: Off}, Has: []Kind{App}}, false, false, false},
		{"voluntary with none", State{Want: Want{Need: Voluntary, Enrol: []Kind{App}}}, false, false, true},
		{"voluntary with backup codes only", State{Want: Want{Need: Voluntary}, Has: []Kind{Backup}}, true, false, true},
		{"voluntary with one", State{Want: Want{Need: Voluntary}, Has: []Kind{App}}, true, false, false},
		{"required with one", State{Want: Want{Need: Required, Enrol: []Kind{App}}, Has: []Kind{App}}, true, false, false},
		{"required with none", State{Want: Want{Need: Required}}, true, false, false},
		{"required with none, may enrol", State{Want: Want{Need: Required, Enrol: []Kind{App}}}, true, true, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.state.Asks() != c.asks || c.state.MustEnrol() != c.enrol || c.state.Invites() != c.invites {
				t.Errorf("asks %v, must enrol %v, invites %v", c.state.Asks(), c.state.MustEnrol(), c.state.Invites())
			}
		})
	}
}
