package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
)

// step puts the login step, the session and the limits of the body around a
// handler.
func (p *Gateway) step(r portal.Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		v := portal.VisitOf(req)
		v.Request, v.Route = req, r.Pattern
		limit := int64(8 << 10)
		if r.Options&portal.Picture != 0 {
			limit = viewBytes
		}
		req.Body = http.MaxBytesReader(w, req.Body, limit)
		p.Answer(w, v, p.enter(w, v, r))
	})
}

// enter checks, in this order, the host name, the language switch, the session
// and its step, and then calls the handler.
func (p *Gateway) enter(w http.ResponseWriter, v *portal.Visit, r portal.Route) error {
	if r.Options&portal.Probe != 0 {
		return r.Handler(w, v)
	}
	if !sameHost(v.Host, p.Set.PublicURL) {
		return p.wrongHost(v)
	}
	if done, err := p.ChooseLanguage(w, v); done || err != nil {
		return err
	}
	if err := p.loadSession(w, v); err != nil {
		return err
	}
	if !allowed(r.Needs, v.Session) {
		if r.Options&portal.Machine != 0 {
			return p.overJSON(w, v)
		}
		if v.Method == http.MethodGet && v.Session == nil {
			v.ReturnTo = v.PathValue("target")
			if beside := v.URL.Query().Get("with"); v.ReturnTo != "" && placeForm.MatchString(beside) {
				v.ReturnTo += "," + beside
			}
		}
		return p.toStep(w, v)
	}
	if barred := p.barred(r.Options, v.Session); barred != nil {
		return barred
	}
	if p.stale(r.Options, v.Session) {
		return p.askAgain(w, v, r)
	}
	if r.Options&portal.Silent == 0 && v.Session.Ready() {
		if err := p.recordInput(v.Context(), v.Session); err != nil {
			return err
		}
	}
	return r.Handler(w, v)
}

// allowed tells whether a visit has come to the step that a route needs. A
// session that is ready is past the code, unless its person proves themselves
// once more, and nothing is past being ready. What has to be set up on the way
// in may be set up later too.
func allowed(needs portal.Step, s *portal.Session) bool {
	if needs == portal.StepAnyone || s == nil {
		return needs == portal.StepAnyone
	}
	ready := s.Ready()
	return s.Step == string(needs) || ready && (needs == portal.StepEnrol || needs == portal.StepCode && s.Who.Again != nil)
}

// toStep is proceed for somebody who asked for a page that is not theirs yet:
// the target they wanted is kept for after the login.
func (p *Gateway) toStep(w http.ResponseWriter, v *portal.Visit) error {
	to := p.Next(v.Session)
	if v.Session == nil && v.ReturnTo != "" {
		to += "?target=" + url.QueryEscape(v.ReturnTo)
	}
	return p.Redirect(w, v, to)
}

// barred is an error where a route is for a role that the person does not have.
// The page is then not there: who may what is nobody else's business.
func (p *Gateway) barred(options portal.Option, s *portal.Session) error {
	if options&portal.Desk != 0 && !p.IsAgent(s) || options&portal.Admins != 0 && !p.IsAdministrator(s) {
		return portal.ErrNotFound
	}
	return nil
}

// stale tells whether the proof of a session is too old for a route. On the way
// in everything has just been proven.
func (p *Gateway) stale(options portal.Option, s *portal.Session) bool {
	if !s.Ready() {
		return false
	}
	age := p.Now().Sub(s.Who.ProvenAt)
	if options&portal.Fresh != 0 && age > p.Set.Fresh {
		return true
	}
	// Where one helps others the password alone does not do, nor what helpdesk gave.
	own := s.Who.Factor != "" && s.Who.Factor != factor.Bypass
	return options&(portal.Desk|portal.Admins) != 0 && (age > p.Set.DeskFresh || !own)
}

// askAgain has the person prove themselves once more, and brings them back. What
// was sent with a form is not kept: it is typed again.
func (p *Gateway) askAgain(w http.ResponseWriter, v *portal.Visit, r portal.Route) error {
	if r.Options&portal.Machine != 0 {
		return p.overJSON(w, v)
	}
	to := v.URL.RequestURI()
	if v.Method != http.MethodGet {
		to = p.pageOf(r.Pattern, v.URL.EscapedPath())
	}
	return p.Redirect(w, v, "/again?to="+url.QueryEscape(to))
}

// pageOf is the page that a form stands on: the nearest one at or above the
// address that it is sent to. Browsers do not tell, since pages send no referrer.
func (p *Gateway) pageOf(pattern, address string) string {
	_, pattern, _ = strings.Cut(pattern, " ")
	for pattern != "" && address != "" {
		if p.Patterns["GET "+pattern] {
			return address
		}
		pattern, address = pattern[:strings.LastIndexByte(pattern, '/')], address[:strings.LastIndexByte(address, '/')]
	}
	return "/"
}

// recordInput moves the idle clock: somebody did something by hand.
func (p *Gateway) recordInput(ctx context.Context, s *portal.Session) error {
	now := p.Now()
	if now.Sub(s.SeenAt) < p.flushEvery() {
		return nil
	}
	s.SeenAt = now
	return p.Store.Touch(ctx, s.ID, now)
}

// wrongHost: the portal was asked for under another name than its public one.
// Saying so beats the refusals that would follow (cookies, Origin).
func (p *Gateway) wrongHost(v *portal.Visit) error {
	return &portal.Fault{Status: http.StatusMisdirectedRequest, Message: "wrong-host",
		Err:     errors.New("asked for as host " + strconv.Quote(portal.Printable(v.Host, 200))),
		Actions: []portal.Action{{Href: p.Origin + "/", Label: p.Origin, Primary: true}}}
}

func (p *Gateway) notFound(w http.ResponseWriter, v *portal.Visit) error { return portal.ErrNotFound }
