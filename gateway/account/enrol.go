package account

import (
	"net/http"
	"slices"
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
)

type enrolPage struct {
	portal.Page
	SMS, App, Key bool      // what may be set up
	From          time.Time // from when a second factor is asked for; zero: now
	Other         bool      // what there is now does not count from then on
	Later         bool      // it can wait
}

// enrolPage tells what is missing, and leads to the ways to set it up: on the
// way in where the policy insists, and any time after.
func (p *Pages) enrolPage(w http.ResponseWriter, v *portal.Visit) error {
	s := v.Session
	if s.Ready() {
		if err := p.RefreshFactors(v, ""); err != nil {
			return err
		}
	}
	own := p.mayEnrol(s)
	if s.Step == string(portal.StepEnrol) && !p.mayWait(s) && s.Who.Phone == "" && slices.Equal(own, []factor.Kind{factor.SMS}) {
		return p.Redirect(w, v, "/phone") // nothing to choose from
	}
	return p.Render(w, v, http.StatusOK, "enrol", enrolPage{
		Page: p.Page(v, "title.enrol"), From: s.Who.Factors.From, Other: s.Who.Factors.Changes(), Later: p.mayWait(s),
		SMS: slices.Contains(own, factor.SMS) && s.Who.Phone == "",
		App: slices.Contains(own, factor.App), Key: slices.Contains(own, factor.Key),
	})
}

// mayEnrol are the kinds that a session's person may set up: on the way in with
// the password alone those that the policy names, else all.
func (p *Pages) mayEnrol(s *portal.Session) []factor.Kind {
	if s.Step == string(portal.StepEnrol) && s.Who.Factor != factor.Bypass {
		return s.Who.Factors.Enrol
	}
	return s.Who.Factors.Owns()
}

// mayWait: nothing has to be set up now. Whom helpdesk has let in is in.
func (p *Pages) mayWait(s *portal.Session) bool {
	return s.Ready() || s.Who.Factor == factor.Bypass
}

// enrolLater goes on without.
func (p *Pages) enrolLater(w http.ResponseWriter, v *portal.Visit) error {
	s := v.Session
	switch {
	case s.Ready():
		return p.Redirect(w, v, "/")
	case !p.mayWait(s):
		return p.Redirect(w, v, "/enrol")
	}
	if err := p.LoggedIn(w, v, s.Who.Factor, "enrol-later"); err != nil {
		return err
	}
	return p.Proceed(w, v)
}

// enrolled goes on after a factor has been set up: on the way in it has just
// been proven, and the person is logged in; else they are back at their account.
func (p *Pages) enrolled(w http.ResponseWriter, v *portal.Visit, kind factor.Kind, to string) error {
	if err := p.RefreshFactors(v, kind); err != nil {
		return err
	}
	if v.Session.Ready() {
		return p.Redirect(w, v, to)
	}
	if err := p.LoggedIn(w, v, kind, "enrolled"); err != nil {
		return err
	}
	return p.Proceed(w, v)
}
