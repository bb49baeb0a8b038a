package gateway

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"stagedoor/gateway/portal"
)

// Every address, with the login step that it needs and how it differs from an
// ordinary page: opening one to more people than before, or to an older proof,
// has to be written down here as well.
func TestSiteMap(t *testing.T) {
	want := map[string][]string{
		"anyone": {
			"GET /login", "GET /password", "POST /login", "POST /logout", "POST /password",
		},
		"anyone machine silent": {
			"GET /check/portal", "GET /check/socket", "GET /receipt/{sender}", "POST /check", "POST /receipt/{sender}",
		},
		"anyone probe": {
			"GET /healthz", "GET /readyz",
		},
		"anyone silent": {
			"/", "GET /check", "GET /freeze/{change}", "GET /help", "POST /freeze/{change}",
		},
		"code": {
			"GET /code", "GET /code/app", "GET /code/backup", "GET /code/key", "GET /code/other", "POST /code",
			"POST /code/app", "POST /code/backup", "POST /code/key", "POST /code/other", "POST /code/resend",
		},
		"code machine silent": {
			"GET /code/way",
		},
		"enrol": {
			"GET /enrol", "POST /enrol",
		},
		"enrol machine silent": {
			"GET /phone/way",
		},
		"enrol fresh": {
			"GET /account/app", "GET /account/key", "GET /phone", "POST /account/app", "POST /account/key", "POST /phone",
		},
		"ready": {
			"GET /account", "GET /again", "GET /desktop/{target}", "GET /document/{target}", "GET /{$}",
			"POST /account/device", "POST /account/session", "POST /again", "POST /desktop/{target}/end", "POST /favourite",
		},
		"ready admins": {
			"GET /admin", "GET /admin/targets", "GET /admin/usage",
			"GET /admin/usage.csv", "POST /admin/targets",
		},
		"ready desk": {
			"GET /helpdesk", "GET /helpdesk/audit", "GET /helpdesk/audit.csv", "GET /helpdesk/audit.jsonl",
			"GET /helpdesk/desktops", "GET /helpdesk/enrolment", "GET /helpdesk/enrolment.csv", "GET /helpdesk/id", "GET /helpdesk/id/{id}", "GET /helpdesk/person/{account}",
			"POST /helpdesk/desktops/{id}/end", "POST /helpdesk/desktops/{id}/message",
			"POST /helpdesk/person/{account}/{act}",
		},
		"ready fresh": {
			"POST /account/backup", "POST /account/remove",
		},
		"ready machine": {
			"POST /preference", "POST /session/extend",
		},
		"ready machine silent": {
			"GET /desktop/{target}/view", "GET /desktops", "GET /session", "GET /targets/status", "GET /tunnel/{target}",
		},
		"ready machine silent desk": {
			"GET /helpdesk/desktops/now",
		},
		"ready machine silent picture": {
			"POST /desktop/{target}/view",
		},
		"ready silent": {
			"GET /desktop/{target}/second",
		},
	}
	words := map[portal.Option]string{portal.Machine: "machine", portal.Silent: "silent", portal.Picture: "picture", portal.Probe: "probe",
		portal.Fresh: "fresh", portal.Desk: "desk", portal.Admins: "admins"}
	got := map[string][]string{}
	for _, r := range (&Gateway{}).siteMap() {
		kind := cmp.Or(string(r.Needs), "anyone")
		for bit := portal.Machine; bit <= portal.Admins; bit <<= 1 {
			if r.Options&bit != 0 {
				kind += " " + words[bit]
			}
		}
		got[kind] = append(got[kind], r.Pattern)
	}
	for _, patterns := range got {
		slices.Sort(patterns)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("site map (-want +got):\n%s", diff)
	}
}

// A form that comes with a proof that is too old leads by way of /again to the
// page that it stands on, wherever that is.
func TestPageOf(t *testing.T) {
	want := map[string]string{
		"POST /account/app":                     "/account/app",
		"POST /account/backup":                  "/account",
		"POST /account/device":                  "/account",
		"POST /account/key":                     "/account/key",
		"POST /account/remove":                  "/account",
		"POST /account/session":                 "/account",
		"POST /admin/targets":                   "/admin/targets",
		"POST /again":                           "/again",
		"POST /code":                            "/code",
		"POST /code/app":                        "/code/app",
		"POST /code/backup":                     "/code/backup",
		"POST /code/key":                        "/code/key",
		"POST /code/other":                      "/code/other",
		"POST /code/resend":                     "/code",
		"POST /desktop/{target}/end":            "/desktop/a%2Fb",
		"POST /enrol":                           "/enrol",
		"POST /favourite":                       "/",
		"POST /helpdesk/desktops/{id}/end":      "/helpdesk/desktops",
		"POST /helpdesk/desktops/{id}/message":  "/helpdesk/desktops",
		"POST /helpdesk/person/{account}/{act}": "/helpdesk/person/a%2Fb",
		"POST /phone":                           "/phone",
	}
	routes := (&Gateway{}).siteMap()
	p := &Gateway{Portal: &portal.Portal{Patterns: map[string]bool{}}}
	for _, r := range routes {
		p.Patterns[r.Pattern] = true
	}
	wildcard := regexp.MustCompile(`\{[a-z]+\}`)
	got := map[string]string{}
	for _, r := range routes {
		method, pattern, _ := strings.Cut(r.Pattern, " ")
		if method != "POST" || r.Needs == portal.StepAnyone || r.Options&portal.Machine != 0 {
			continue // a script's, or nobody's whose proof could be old
		}
		page := p.pageOf(r.Pattern, wildcard.ReplaceAllString(pattern, "a%2Fb"))
		if got[r.Pattern] = page; localPath(page) != page {
			t.Errorf("%s: /again does not lead to %s", r.Pattern, page)
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

// Only the step itself opens a route: neither an earlier nor a later one does.
func TestAllowed(t *testing.T) {
	at := func(s portal.Step) *portal.Session {
		x := &portal.Session{}
		x.Step = string(s)
		return x
	}
	cases := []struct {
		name  string
		needs portal.Step
		at    *portal.Session
		want  bool
	}{
		{"a public page without a session", portal.StepAnyone, nil, true},
		{"a public page when ready", portal.StepAnyone, at(portal.StepReady), true},
		{"the list without a session", portal.StepReady, nil, false},
		{"the list before the code", portal.StepReady, at(portal.StepCode), false},
		{"the list with an expired password", portal.StepReady, at(portal.StepExpired), false},
		{"the list when ready", portal.StepReady, at(portal.StepReady), true},
		{"the code page with an expired password", portal.StepCode, at(portal.StepExpired), false},
		{"the code page when ready", portal.StepCode, at(portal.StepReady), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := allowed(c.needs, c.at); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
