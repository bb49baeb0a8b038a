package desk

import (
	"slices"
	"testing"

	"stagedoor/gateway/helpdesk"
	"stagedoor/otp"
	"stagedoor/webroot"
)

// Every cause, act and refusal has its words in every language.
func TestHelpdeskHasWords(t *testing.T) {
	site, err := webroot.Open()
	if err != nil {
		t.Fatal(err)
	}
	has := func(key string) {
		t.Helper()
		if site.T("sv", key, "count", 2) == key {
			t.Errorf("there is no text %q", key)
		}
	}
	for _, cause := range helpdesk.Causes {
		has("desk.why." + cause)
		has("desk.advice." + cause)
	}
	for _, purpose := range []string{otp.PurposeEnrol, otp.PurposeChange} {
		has("desk.why.for-" + purpose)
		has("desk.advice.for-" + purpose)
	}
	for _, rule := range helpdesk.Rules {
		has("desk.refused." + string(rule))
		if !slices.Contains([]helpdesk.Rule{helpdesk.RuleSearches, helpdesk.RuleText}, rule) {
			has("event.reason." + string(rule)) // those are of searches, which are no acts
		}
	}
	for _, act := range deskActs {
		has("desk.done." + act.name)
		if act.name != "caller-code" {
			has("desk.act." + act.name)
			has("desk.effect." + act.name)
		}
	}
}
