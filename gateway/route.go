package gateway

import (
	"net/http"
	"time"
)

// A handler answers one visit. It returns an error instead of writing one:
// answer (render.go) is the one place that renders, logs and counts faults.
type handler func(http.ResponseWriter, *visit) error

// route is one line of the site map. A handler cannot be registered without
// the login step that it needs.
type route struct {
	pattern string
	needs   step
	handler handler
	options option
}

// option says how a route differs from an ordinary page.
type option uint

const (
	machine option = 1 << iota // answered in JSON or text to a script: refusals are not redirects
	silent                     // not human input: does not move the idle clock
	picture                    // takes a small picture: a body of 24 KiB instead of 8
	probe                      // asked by a load balancer: under any host name, without a session
	fresh                      // changes who can log in: asks for password and second factor again
	desk                       // helpdesk's and administrators', with a second factor of their own that is not old
	admins                     // administrators' alone, likewise
)

// step is how far a browser has come on the way in.
//
//	                    wrong                wrong
//	                     ┌─┐                  ┌─┐
//	(no session) ── password ─┬────────────> code ─┬─────> ready ── again
//	                     │    ├─ must set up ──────┴> enrol ─┘ ^      │
//	                     │    └─ none asked for, remembered ───┘ <────┘
//	                     └──> expired                          │
//	                             │ changed                     │ logout, idle, absolute, revoked
//	                             └────────> (no session) <─────┘
//
// The password's proof asks package factor what the account has and what the
// policy wants (session.who.Factors), and that decides between the three ways.
// Again (again.go) is no step: the session stays ready while its person proves
// themselves once more.
type step string

const (
	stepAnyone  step = ""        // a route that needs no session
	stepExpired step = "expired" // the password was right, and has to be changed
	stepCode    step = "code"    // the password was right; a code has been asked for
	stepEnrol   step = "enrol"   // all that there is was right; what the policy asks for besides has to be set up
	stepReady   step = "ready"   // logged in
)

// proceed sends the browser to where its session belongs now.
func (p *Portal) proceed(w http.ResponseWriter, v *visit) error {
	return p.redirect(w, v, p.next(v.session))
}

func (p *Portal) redirect(w http.ResponseWriter, v *visit, to string) error {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, v.Request, to, http.StatusSeeOther)
	return nil
}

// clockAnswer is what the idle dialog in the browser goes by. Seconds.
type clockAnswer struct {
	State        string `json:"state"` // "ready", or "over"
	Reason       string `json:"reason,omitempty"`
	IdleLeft     int    `json:"idle_left"`
	AbsoluteLeft int    `json:"absolute_left"`
	Warn         int    `json:"warn"`
}

// overJSON answers a script of a page whose session is over.
func (p *Portal) overJSON(w http.ResponseWriter, v *visit) error {
	answer := clockAnswer{State: "over"}
	if v.ended != nil {
		answer.Reason = v.ended.EndReason
	}
	return p.renderJSON(w, http.StatusUnauthorized, answer)
}

// seconds rounds to the nearest whole second.
func seconds(d time.Duration) int { return max(0, int(d.Round(time.Second)/time.Second)) }
