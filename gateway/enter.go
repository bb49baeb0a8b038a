package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"stagedoor/gateway/factor"
	"strconv"
)

// barred is an error where a route is for a role that the person does not have.
// The page is then not there: who may what is nobody else's business.
func (p *Portal) barred(options option, s *session) error {
	if options&desk != 0 && !p.isAgent(s) || options&admins != 0 && !p.isAdministrator(s) {
		return errNotFound
	}
	return nil
}

// stale tells whether the proof of a session is too old for a route. On the way
// in everything has just been proven.
func (p *Portal) stale(options option, s *session) bool {
	if s == nil || s.Step != string(stepReady) {
		return false
	}
	age := p.Now().Sub(s.who.ProvenAt)
	if options&fresh != 0 && age > p.set.Fresh {
		return true
	}
	// Where one helps others the password alone does not do, nor what helpdesk gave.
	own := s.who.Factor != "" && s.who.Factor != factor.Bypass
	return options&(desk|admins) != 0 && (age > p.set.DeskFresh || !own)
}

// askAgain has the person prove themselves once more, and brings them back. What
// was sent with a form is not kept: it is typed again.
func (p *Portal) askAgain(w http.ResponseWriter, v *visit, r route) error {
	if r.options&machine != 0 {
		return p.overJSON(w, v)
	}
	to := v.URL.RequestURI()
	if v.Method != http.MethodGet {
		to = "/"
		if from, err := url.Parse(v.Referer()); err == nil && from.Host == p.set.PublicURL.Host {
			to = from.RequestURI()
		}
	}
	return p.redirect(w, v, "/again?to="+url.QueryEscape(to))
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

func (p *Portal) notFound(w http.ResponseWriter, v *visit) error { return errNotFound }

// wrongHost: the portal was asked for under another name than its public one.
// Saying so beats the refusals that would follow (cookies, Origin).
func (p *Portal) wrongHost(v *visit) error {
	return &fault{status: http.StatusMisdirectedRequest, message: "wrong-host",
		err:     errors.New("asked for as host " + strconv.Quote(printable(v.Host, 200))),
		actions: []action{{Href: p.origin + "/", Label: p.origin, Primary: true}}}
}
