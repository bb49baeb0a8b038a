package gateway

import (
	"context"
	"net/http"
	"net/url"

	"stagedoor/targets"
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

// next is the one place that knows which page comes after what has been
// learned. Handlers store what they learned and proceed.
func (p *Portal) next(s *session) string {
	switch {
	case s == nil:
		return "/login"
	case s.Step == string(stepExpired):
		return "/password"
	case s.Step == string(stepCode):
		return codeAddress(s.who.Way)
	case s.Step == string(stepEnrol):
		return "/enrol"
	case s.Return != "":
		return desktopAddress(s.Return)
	case s.Step == string(stepReady):
		return p.home(s)
	default:
		return "/"
	}
}

// home is where somebody starts who wants nothing particular: at their list, or
// at once in the only system that they have, unless the list has something to
// tell them.
func (p *Portal) home(s *session) string {
	visible := p.Targets.List().VisibleTo(s.who.Account.MemberOf)
	if len(visible) == 1 && visible[0].Kind == targets.Desktop && p.expiryDays(s) < 0 && !s.who.Factors.Invites() {
		return item(visible[0]).Href
	}
	return "/"
}

// proceed sends the browser to where its session belongs now.
func (p *Portal) proceed(w http.ResponseWriter, v *visit) error {
	return p.redirect(w, v, p.next(v.session))
}

func (p *Portal) redirect(w http.ResponseWriter, v *visit, to string) error {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, v.Request, to, http.StatusSeeOther)
	return nil
}

// allowed tells whether a visit has come to the step that a route needs. A
// session that is ready is past the code, unless its person proves themselves
// once more, and nothing is past being ready. What has to be set up on the way
// in may be set up later too.
func allowed(needs step, s *session) bool {
	if needs == stepAnyone || s == nil {
		return needs == stepAnyone
	}
	ready := s.Step == string(stepReady)
	return s.Step == string(needs) || ready && (needs == stepEnrol || needs == stepCode && s.who.Again != nil)
}

// step puts the login step, the session and the limits of the body around a
// handler.
func (p *Portal) step(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		v := visitOf(req)
		v.Request, v.route = req, r.pattern
		limit := int64(8 << 10)
		if r.options&picture != 0 {
			limit = viewBytes
		}
		req.Body = http.MaxBytesReader(w, req.Body, limit)
		p.answer(w, v, p.enter(w, v, r))
	})
}

// enter checks, in this order, the host name, the language switch, the session
// and its step, and then calls the handler.
func (p *Portal) enter(w http.ResponseWriter, v *visit, r route) error {
	if r.options&probe != 0 {
		return r.handler(w, v)
	}
	if !sameHost(v.Host, p.set.PublicURL) {
		return p.wrongHost(v)
	}
	if done, err := p.chooseLanguage(w, v); done || err != nil {
		return err
	}
	if err := p.loadSession(w, v); err != nil {
		return err
	}
	if !allowed(r.needs, v.session) {
		if r.options&machine != 0 {
			return p.overJSON(w, v)
		}
		if v.Method == http.MethodGet && v.session == nil {
			v.returnTo = v.PathValue("target")
			if beside := v.URL.Query().Get("with"); v.returnTo != "" && placeForm.MatchString(beside) {
				v.returnTo += "," + beside
			}
		}
		return p.toStep(w, v)
	}
	if barred := p.barred(r.options, v.session); barred != nil {
		return barred
	}
	if p.stale(r.options, v.session) {
		return p.askAgain(w, v, r)
	}
	if r.options&silent == 0 && v.session != nil && v.session.Step == string(stepReady) {
		if err := p.recordInput(v.Context(), v.session); err != nil {
			return err
		}
	}
	return r.handler(w, v)
}

// toStep is proceed for somebody who asked for a page that is not theirs yet:
// the target they wanted is kept for after the login.
func (p *Portal) toStep(w http.ResponseWriter, v *visit) error {
	to := p.next(v.session)
	if v.session == nil && v.returnTo != "" {
		to += "?target=" + url.QueryEscape(v.returnTo)
	}
	return p.redirect(w, v, to)
}

// recordInput moves the idle clock: somebody did something by hand.
func (p *Portal) recordInput(ctx context.Context, s *session) error {
	now := p.Now()
	if now.Sub(s.SeenAt) < p.flushEvery() {
		return nil
	}
	s.SeenAt = now
	return p.Store.Touch(ctx, s.ID, now)
}
