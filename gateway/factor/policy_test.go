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
	before := Want{Need: Voluntary, From: date, Then: allowed, Allowed: []Kind{App, Key, SMS, Backup}, Enrol: []Kind{App}}
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
		{"helpdesk before the date", Person{Domain: "AMIDO", Strong: true}, day(12, 0, 0, stockholm), Want{Need: Required, From: date, Then: allowed, Allowed: before.Allowed}},
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

// Before its date a rule changes nothing for the worse: what held without it goes
// on, whatever that was.
func TestPolicyBeforeTheDate(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	date, nearer := now.AddDate(0, 0, 11), now.AddDate(0, 0, 4)
	strict := []Kind{App, Key}
	rule := Rule{Allowed: strict, Need: Required, From: date, Enrol: []Kind{App}, Remember: 2 * time.Hour}
	with := func(allowed ...Kind) Rule {
		changed := rule
		changed.Allowed = allowed
		return changed
	}
	cases := []struct {
		name   string
		policy Policy
		want   Want
	}{
		{"over nothing that is written", Policy{rule},
			Want{Need: Voluntary, From: date, Then: strict, Allowed: []Kind{App, Key, SMS, Backup}, Enrol: rule.Enrol}},
		{"over what is required", Policy{rule, {Allowed: []Kind{SMS}, Need: Required, Enrol: []Kind{Key}, Remember: time.Hour}},
			Want{Need: Required, From: date, Then: strict, Allowed: []Kind{App, Key, SMS}, Enrol: []Kind{Key}, Remember: time.Hour}},
		{"over what is voluntary", Policy{rule, {Allowed: []Kind{SMS}, Need: Voluntary, Remember: 3 * time.Hour}},
			Want{Need: Voluntary, From: date, Then: strict, Allowed: []Kind{App, Key, SMS}, Enrol: rule.Enrol, Remember: 2 * time.Hour}},
		{"over what is off", Policy{rule, {Allowed: []Kind{SMS}, Need: Off}},
			Want{Need: Voluntary, From: date, Then: strict, Allowed: strict, Enrol: rule.Enrol, Remember: 2 * time.Hour}},
		{"codes that the former rule does not take wait", Policy{with(SMS, Mail, App), {Allowed: []Kind{Key}, Need: Required}},
			Want{Need: Required, From: date, Then: []Kind{SMS, Mail, App}, Allowed: []Kind{App, Key}}},
		{"the nearer date first", Policy{rule, {Allowed: []Kind{SMS, App}, Need: Required, From: nearer}, {Allowed: []Kind{SMS}, Need: Voluntary}},
			Want{Need: Voluntary, From: nearer, Then: []Kind{SMS, App}, Allowed: []Kind{App, Key, SMS}, Enrol: rule.Enrol}},
		{"the farther date below", Policy{{Allowed: []Kind{SMS, App}, Need: Required, From: nearer}, rule},
			Want{Need: Voluntary, From: nearer, Then: []Kind{SMS, App}, Allowed: []Kind{SMS, App, Key, Backup}}},
		{"a rule of others does not go on", Policy{rule, {Domain: "OTHER", Allowed: []Kind{Mail}, Need: Off}},
			Want{Need: Voluntary, From: date, Then: strict, Allowed: []Kind{App, Key, SMS, Backup}, Enrol: rule.Enrol}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.policy.For(Person{Domain: "AMIDO"}, now)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			after := c.policy.For(Person{Domain: "AMIDO"}, date)
			if !after.From.IsZero() || after.Then != nil || after.Need != Required {
				t.Errorf("from the date on: %+v", after)
			}
		})
	}
}

// What somebody has before the date: who is asked for what, and who is invited.
func TestStateBeforeTheDate(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	date := now.AddDate(0, 0, 11)
	below := func(need Need, allowed ...Kind) Policy {
		return Policy{{Allowed: []Kind{App, Mail}, Need: Required, From: date}, {Allowed: allowed, Need: need}}
	}
	alone := below(Off)[:1]
	cases := []struct {
		name                   string
		policy                 Policy
		there                  []Kind
		has                    []Kind
		asks, invites, changes bool
	}{
		{"a number, over nothing written", alone, []Kind{SMS}, []Kind{SMS}, true, true, true},
		{"an app as well", alone, []Kind{SMS, App}, []Kind{App, SMS}, true, false, false},
		{"mail only, which is better than nothing", alone, []Kind{Mail}, []Kind{Mail}, true, false, false},
		{"a number and mail: mail waits", alone, []Kind{SMS, Mail}, []Kind{SMS}, true, false, false},
		{"nothing, over nothing written", alone, nil, nil, false, true, false},
		{"a number, over required", below(Required, SMS), []Kind{SMS}, []Kind{SMS}, true, true, true},
		{"mail only, over required", below(Required, SMS), []Kind{Mail}, nil, true, false, false},
		{"nothing, over required", below(Required, SMS), nil, nil, true, false, false},
		{"a number, over off", below(Off, SMS), []Kind{SMS}, nil, false, true, false},
		{"printed codes only", alone, []Kind{Backup}, []Kind{Backup}, true, true, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			there := map[Kind]bool{}
			for _, kind := range c.there {
				there[kind] = true
			}
			state := stateOf(c.policy.For(Person{}, now), there, "")
			if diff := cmp.Diff(c.has, state.Has); diff != "" {
				t.Errorf("has (-want +got):\n%s", diff)
			}
			if state.Asks() != c.asks || state.Invites() != c.invites || state.Changes() != c.changes {
				t.Errorf("asks %v, invites %v, changes %v: %+v", state.Asks(), state.Invites(), state.Changes(), state)
			}
			for _, kind := range state.Has {
				if !state.Allows(kind) {
					t.Errorf("%s is asked for, and not allowed", kind)
				}
			}
		})
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
