package portal

import (
	"net/http"
)

// Handler answers one visit. It returns an error instead of writing one:
// Answer (render.go) is the one place that renders, logs and counts faults.
type Handler func(http.ResponseWriter, *Visit) error

// Route is one line of the site map. A handler cannot be registered without
// the login step that it needs.
type Route struct {
	Pattern string
	Needs   Step
	Handler Handler
	Options Option
}

// On is a route.
func On(pattern string, needs Step, handler Handler, options ...Option) Route {
	r := Route{Pattern: pattern, Needs: needs, Handler: handler}
	for _, o := range options {
		r.Options |= o
	}
	return r
}

// Option says how a route differs from an ordinary page.
type Option uint

const (
	Machine Option = 1 << iota // answered in JSON or text to a script: refusals are not redirects
	Silent                     // not human input: does not move the idle clock
	Picture                    // takes a small picture: a body of 24 KiB instead of 8
	Probe                      // asked by a load balancer: under any host name, without a session
	Fresh                      // changes who can log in: asks for password and second factor again
	Desk                       // helpdesk's and administrators', with a second factor of their own that is not old
	Admins                     // administrators' alone, likewise
)

// Step is how far a browser has come on the way in (gateway/flow.go).
type Step string

const (
	StepAnyone  Step = ""        // a route that needs no session
	StepExpired Step = "expired" // the password was right, and has to be changed
	StepCode    Step = "code"    // the password was right; a code has been asked for
	StepEnrol   Step = "enrol"   // all that there is was right; what the policy asks for besides has to be set up
	StepReady   Step = "ready"   // logged in
)

// Proceed sends the browser to where its session belongs now.
func (p *Portal) Proceed(w http.ResponseWriter, v *Visit) error {
	return p.Redirect(w, v, p.Next(v.Session))
}

// Redirect answers with 303 See Other: whatever was sent, the browser goes on with GET.
func (p *Portal) Redirect(w http.ResponseWriter, v *Visit, to string) error {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, v.Request, to, http.StatusSeeOther)
	return nil
}
