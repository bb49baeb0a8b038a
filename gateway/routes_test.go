package gateway

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every address and the login step that it needs: opening one to more people
// than before has to be written down here as well.
func TestSiteMap(t *testing.T) {
	want := map[string]step{
		"GET /login": stepAnyone, "POST /login": stepAnyone, "POST /logout": stepAnyone,
		"GET /password": stepAnyone, "POST /password": stepAnyone, "GET /help": stepAnyone,
		"GET /check": stepAnyone, "GET /check/portal": stepAnyone, "GET /check/socket": stepAnyone, "POST /check": stepAnyone,
		"GET /code": stepCode, "POST /code": stepCode, "POST /code/resend": stepCode,
		"GET /{$}": stepReady, "GET /desktop/{target}": stepReady, "GET /desktops": stepReady, "GET /document/{target}": stepReady,
		"GET /tunnel/{target}": stepReady, "GET /session": stepReady, "POST /session/extend": stepReady,
		"GET /targets/status": stepReady, "POST /favourite": stepReady, "POST /desktop/{target}/end": stepReady,
		"GET /desktop/{target}/view": stepReady, "POST /desktop/{target}/view": stepReady,
		"GET /desktop/{target}/second": stepReady, "POST /preference": stepReady,
		// A person's number, and the link in the notices about it.
		"GET /phone": stepEnrol, "POST /phone": stepEnrol,
		"GET /freeze/{change}": stepAnyone, "POST /freeze/{change}": stepAnyone,
		// What people have open, and the audit: helpdesk's.
		"GET /helpdesk/desktops": stepReady, "GET /helpdesk/desktops/now": stepReady,
		"POST /helpdesk/desktops/{id}/end": stepReady, "POST /helpdesk/desktops/{id}/message": stepReady,
		"GET /helpdesk/audit": stepReady, "GET /helpdesk/audit.csv": stepReady, "GET /helpdesk/audit.jsonl": stepReady,
		"GET /helpdesk/id": stepReady, "GET /helpdesk/id/{id}": stepReady,
		// Helpdesk: find a person, see why they cannot get in, help.
		"GET /helpdesk": stepReady, "GET /helpdesk/person/{account}": stepReady, "POST /helpdesk/person/{account}/{act}": stepReady,
		// Administrators'.
		"GET /admin": stepReady, "GET /admin/targets": stepReady, "POST /admin/targets": stepReady,
		"GET /admin/usage": stepReady, "GET /admin/usage.csv": stepReady,
		"GET /admin/enrolment": stepReady, "GET /admin/enrolment.csv": stepReady,
		// Second factors.
		"GET /code/other": stepCode, "POST /code/other": stepCode, "GET /code/app": stepCode, "POST /code/app": stepCode,
		"GET /code/key": stepCode, "POST /code/key": stepCode, "GET /account": stepReady, "POST /account/remove": stepReady,
		"GET /account/app": stepEnrol, "POST /account/app": stepEnrol, "GET /account/key": stepEnrol, "POST /account/key": stepEnrol,
		"POST /account/backup": stepReady, "POST /account/device": stepReady, "POST /account/session": stepReady,
		"GET /code/backup": stepCode, "POST /code/backup": stepCode,
		"GET /enrol": stepEnrol, "POST /enrol": stepEnrol, "GET /again": stepReady, "POST /again": stepReady,
		// What becomes of a code.
		"GET /code/way": stepCode, "GET /receipt/{sender}": stepAnyone, "POST /receipt/{sender}": stepAnyone,
		"GET /healthz": stepAnyone, "GET /readyz": stepAnyone, "/": stepAnyone,
	}
	got := map[string]step{}
	for _, r := range (&Portal{}).siteMap() {
		got[r.pattern] = r.needs
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("site map (-want +got):\n%s", diff)
	}
}

// Only the step itself opens a route: neither an earlier nor a later one does.
func TestAllowed(t *testing.T) {
	at := func(s step) *session {
		x := &session{}
		x.Step = string(s)
		return x
	}
	cases := []struct {
		name  string
		needs step
		at    *session
		want  bool
	}{
		{"a public page without a session", stepAnyone, nil, true},
		{"a public page when ready", stepAnyone, at(stepReady), true},
		{"the list without a session", stepReady, nil, false},
		{"the list before the code", stepReady, at(stepCode), false},
		{"the list with an expired password", stepReady, at(stepExpired), false},
		{"the list when ready", stepReady, at(stepReady), true},
		{"the code page with an expired password", stepCode, at(stepExpired), false},
		{"the code page when ready", stepCode, at(stepReady), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := allowed(c.needs, c.at); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
