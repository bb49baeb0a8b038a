package gateway

import (
	"testing"
	"time"

	"stagedoor/gateway/factor"
)

// Helpdesk's pages want a factor of one's own that is not old; what changes who
// can log in, a proof of whatever the policy asks for.
func TestStale(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	p := &Portal{Parts: Parts{Now: func() time.Time { return now }}, set: Settings{}.withDefaults()}
	at := func(s step, factor factor.Kind, age time.Duration) *session {
		x := &session{who: who{Factor: factor}}
		x.Step = string(s)
		if age >= 0 {
			x.who.ProvenAt = now.Add(-age)
		}
		return x
	}
	const never = -1
	cases := []struct {
		name    string
		options option
		at      *session
		want    bool
	}{
		{"fresh, just proven", fresh, at(stepReady, factor.SMS, time.Minute), false},
		{"fresh, with the password alone", fresh, at(stepReady, "", time.Minute), false},
		{"fresh, an old proof", fresh, at(stepReady, factor.App, 11*time.Minute), true},
		{"fresh, never proven", fresh, at(stepReady, "", never), true},
		{"fresh, after a bypass code", fresh, at(stepReady, factor.Bypass, never), true},
		{"fresh, on the way in", fresh, at(stepEnrol, "", never), false},
		{"desk, proven within the hour", desk, at(stepReady, factor.Key, 59*time.Minute), false},
		{"desk, an old proof", desk, at(stepReady, factor.Key, 61*time.Minute), true},
		{"desk, with the password alone", desk, at(stepReady, "", time.Minute), true},
		{"desk, with a bypass code", desk, at(stepReady, factor.Bypass, time.Minute), true},
		{"admins, with the password alone", admins, at(stepReady, "", 0), true},
		{"an ordinary page", 0, at(stepReady, "", never), false},
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
	s := &session{}
	s.Step = string(stepReady)
	if allowed(stepCode, s) || !allowed(stepEnrol, s) {
		t.Error("a session that is ready: the code's pages are open, or those of setting up are not")
	}
	s.who.Again = &again{To: "/"}
	if !allowed(stepCode, s) || !allowed(stepReady, s) {
		t.Error("a session that is proven again: the code's pages are closed, or its own are")
	}
	s.Step = string(stepEnrol)
	if allowed(stepCode, s) || allowed(stepReady, s) {
		t.Error("what has to be set up can be gone round")
	}
}
