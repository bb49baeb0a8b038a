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
	// Held: nothing may be set up, since helpdesk has removed a factor lately.
	Held bool
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
	own, err := p.mayEnrol(v)
	if err != nil {
		return err
	}
	if s.Step == string(portal.StepEnrol) && !p.mayWait(s) && s.Who.Phone == "" && slices.Equal(own, []factor.Kind{factor.SMS}) {
		return p.Redirect(w, v, "/phone") // nothing to choose from
	}
	return p.Render(w, v, http.StatusOK, "enrol", enrolPage{
		Page: p.Page(v, "title.enrol"), From: s.Who.Factors.From, Other: s.Who.Factors.Changes(), Later: p.mayWait(s),
		SMS: slices.Contains(own, factor.SMS) && s.Who.Phone == "",
		App: slices.Contains(own, factor.App), Key: slices.Contains(own, factor.Key), Held: onlyPassword(s) && s.Who.Factors.Held,
	})
}

// mayEnrol are the kinds that a session's person may set up: on the way in with
// the password alone those that the policy names, else all; none with the password
// alone where helpdesk has removed a factor lately.
func (p *Pages) mayEnrol(v *portal.Visit) ([]factor.Kind, error) {
	s := v.Session
	held, err := p.held(v)
	switch {
	case err != nil || held:
		return nil, err
	case s.Step == string(portal.StepEnrol) && s.Who.Factor != factor.Bypass:
		return s.Who.Factors.Enrol, nil
	}
	return s.Who.Factors.Owns(), nil
}

// setsUp is a handler that sets up a factor of a kind; whose person may not is
// brought back to where the reason stands.
func (p *Pages) setsUp(kind factor.Kind, handler portal.Handler) portal.Handler {
	return func(w http.ResponseWriter, v *portal.Visit) error {
		own, err := p.mayEnrol(v)
		switch {
		case err != nil:
			return err
		case !slices.Contains(own, kind):
			return p.Redirect(w, v, p.backFromEnrol(v.Session))
		}
		return handler(w, v)
	}
}

// onlyPassword: nothing but the password was shown in a session.
func onlyPassword(s *portal.Session) bool { return s.Who.Factor == "" }

// held tells whether a session's person sets up nothing for now (State.Held). It
// is asked anew, and the session told, which may be older than the removal.
func (p *Pages) held(v *portal.Visit) (held bool, err error) {
	s := v.Session
	if s.Who.Factors.Held, err = p.Factors.RemovedLately(v.Context(), s.AccountID); err != nil {
		return true, err
	}
	return onlyPassword(s) && s.Who.Factors.Held, nil
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
