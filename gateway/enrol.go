package gateway

import (
	"net/http"
	"slices"
	"time"

	"stagedoor/gateway/factor"
)

type enrolPage struct {
	page
	SMS, App, Key bool      // what may be set up
	From          time.Time // from when a second factor is asked for; zero: now
	Later         bool      // it can wait
}

// enrolPage tells what is missing, and leads to the ways to set it up: on the
// way in where the policy insists, and any time after.
func (p *Portal) enrolPage(w http.ResponseWriter, v *visit) error {
	s := v.session
	if s.Step == string(stepReady) {
		if err := p.refreshFactors(v, ""); err != nil {
			return err
		}
	}
	own := p.mayEnrol(s)
	if s.Step == string(stepEnrol) && !p.mayWait(s) && s.who.Phone == "" && slices.Equal(own, []factor.Kind{factor.SMS}) {
		return p.redirect(w, v, "/phone") // nothing to choose from
	}
	return p.render(w, v, http.StatusOK, "enrol", enrolPage{
		page: p.page(v, "title.enrol"), From: s.who.Factors.From, Later: p.mayWait(s),
		SMS: slices.Contains(own, factor.SMS) && s.who.Phone == "",
		App: slices.Contains(own, factor.App), Key: slices.Contains(own, factor.Key),
	})
}

// mayEnrol are the kinds that a session's person may set up: on the way in with
// the password alone those that the policy names, else all.
func (p *Portal) mayEnrol(s *session) []factor.Kind {
	if s.Step == string(stepEnrol) && s.who.Factor != factor.Bypass {
		return s.who.Factors.Enrol
	}
	return s.who.Factors.Owns()
}

// mayWait: nothing has to be set up now. Whom helpdesk has let in is in.
func (p *Portal) mayWait(s *session) bool {
	return s.Step == string(stepReady) || s.who.Factor == factor.Bypass
}

// enrolLater goes on without.
func (p *Portal) enrolLater(w http.ResponseWriter, v *visit) error {
	s := v.session
	switch {
	case s.Step == string(stepReady):
		return p.redirect(w, v, "/")
	case !p.mayWait(s):
		return p.redirect(w, v, "/enrol")
	}
	if err := p.loggedIn(w, v, s.who.Factor, "enrol-later"); err != nil {
		return err
	}
	return p.proceed(w, v)
}

// enrolled goes on after a factor has been set up: on the way in it has just
// been proven, and the person is logged in; else they are back at their account.
func (p *Portal) enrolled(w http.ResponseWriter, v *visit, kind factor.Kind, to string) error {
	if err := p.refreshFactors(v, kind); err != nil {
		return err
	}
	if v.session.Step == string(stepReady) {
		return p.redirect(w, v, to)
	}
	if err := p.loggedIn(w, v, kind, "enrolled"); err != nil {
		return err
	}
	return p.proceed(w, v)
}
