package gateway

import (
	"testing"
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
)

// Helpdesk's pages want a factor of one's own that is not old; what changes who
// can log in, a proof of whatever the policy asks for.
func TestStale(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	p := &Gateway{Portal: &portal.Portal{Parts: portal.Parts{Now: func() time.Time { return now }}, Set: portal.Settings{}.WithDefaults()}}
	at := func(s portal.Step, factor factor.Kind, age time.Duration) *portal.Session {
		x := &portal.Session{Who: portal.Who{Factor: factor}}
		x.Step = string(s)
		if age >= 0 {
			x.Who.ProvenAt = now.Add(-age)
		}
		return x
	}
	const never = -1
	cases := []struct {
		name    string
		options portal.Option
		at      *portal.Session
		want    bool
	}{
		{"fresh, just proven", portal.Fresh, at(portal.StepReady, factor.SMS, time.Minute), false},
		{"fresh, with the password alone", portal.Fresh, at(portal.StepReady, "", time.Minute), false},
		{"fresh, an old proof", portal.Fresh, at(portal.StepReady, factor.App, 11*time.Minute), true},
		{"fresh, never proven", portal.Fresh, at(portal.StepReady, "", never), true},
		{"fresh, after a bypass code", portal.Fresh, at(portal.StepReady, factor.Bypass, never), true},
		{"fresh, on the way in", portal.Fresh, at(portal.StepEnrol, "", never), false},
		{"desk, proven within the hour", portal.Desk, at(portal.StepReady, factor.Key, 59*time.Minute), false},
		{"desk, an old proof", portal.Desk, at(portal.StepReady, factor.Key, 61*time.Minute), true},
		{"desk, with the password alone", portal.Desk, at(portal.StepReady, "", time.Minute), true},
		{"desk, with a bypass code", portal.Desk, at(portal.StepReady, factor.Bypass, time.Minute), true},
		{"admins, with the password alone", portal.Admins, at(portal.StepReady, "", 0), true},
		{"an ordinary page", 0, at(portal.StepReady, "", never), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := p.stale(c.options, c.at); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// The code's pages are open to a session only on its way in, or while its person
// proves themselves once more.
func TestAllowedAgain(t *testing.T) {
	s := &portal.Session{}
	s.Step = string(portal.StepReady)
	if allowed(portal.StepCode, s) || !allowed(portal.StepEnrol, s) {
		t.Error("a session that is ready: the code's pages are open, or those of setting up are not")
	}
	s.Who.Again = &portal.Again{To: "/"}
	if !allowed(portal.StepCode, s) || !allowed(portal.StepReady, s) {
		t.Error("a session that is proven again: the code's pages are closed, or its own are")
	}
	s.Step = string(portal.StepEnrol)
	if allowed(portal.StepCode, s) || allowed(portal.StepReady, s) {
		t.Error("what has to be set up can be gone round")
	}
}
