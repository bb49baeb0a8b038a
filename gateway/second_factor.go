package gateway

import (
	"net/http"
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/store"
)

// afterPassword asks what the account has and what the policy wants, and tells
// which step comes next; reason is why no second factor is asked for.
func (p *Portal) afterPassword(v *visit, s *session) (to step, reason string, err error) {
	number, err := p.refreshNumber(v, s)
	if err != nil {
		return "", "", err
	}
	person := p.person(s)
	if s.who.Factors, err = p.factors.State(v.Context(), person); err != nil {
		return "", "", err
	}
	p.offerPhone(s, number)
	state := s.who.Factors
	if !state.Asks() {
		return stepReady, string(state.Need), nil
	}
	if cookie, err := v.Cookie(p.cookieName(deviceCookie)); err == nil {
		remembered, err := p.factors.Remembers(v.Context(), person, cookie.Value, v.address)
		if err != nil {
			return "", "", err
		}
		if remembered {
			return stepReady, "remembered", nil
		}
	}
	if state.MustEnrol() {
		return stepEnrol, "", nil
	}
	if s.who.Way = state.First(); s.who.Way == "" {
		s.who.Way = factor.SMS // whose page tells that a code can go nowhere, and what to do
	}
	return stepCode, "", nil
}

// codeAddress is the page that asks for a kind of second factor.
func codeAddress(way factor.Kind) string {
	switch way {
	case factor.App:
		return "/code/app"
	case factor.Key:
		return "/code/key"
	case factor.Backup, factor.Bypass:
		return "/code/backup"
	}
	return "/code"
}

// startWay sends a code where the way takes one. The session has one on its way
// where it has a challenge: Start sends that one's again, if it is time to.
func (p *Portal) startWay(v *visit) error {
	s := v.session
	if codeAddress(s.who.Way) != "/code" {
		return nil
	}
	switch phone, mail := p.recipient(s, s.who.Way); {
	case phone != "" || mail != "":
		return p.startCode(v, phone, mail)
	case s.who.Phone != "": // which the policy does not allow
		return p.auditCode(v, s, "code-sent", "refused", "no-factor")
	}
	return p.auditCode(v, s, "code-sent", "refused", "no-phone")
}

// ways is what every page that asks for a second factor shows besides.
type ways struct {
	Again        bool // within a session; else on the way in
	RememberDays int  // for how long the browser may be remembered; 0: it may not
}

func (p *Portal) waysOf(s *session) ways {
	again := s.who.Again != nil && s.Step == string(stepReady)
	w := ways{Again: again}
	if !again {
		w.RememberDays = int((s.who.Factors.Remember + 12*time.Hour) / (24 * time.Hour))
	}
	return w
}

// secondProven: a second factor was right.
func (p *Portal) secondProven(w http.ResponseWriter, v *visit, kind factor.Kind) error {
	s := v.session
	if s.Step == string(stepReady) {
		return p.provenAgain(w, v, kind)
	}
	if kind == factor.Bypass && len(s.who.Factors.Has) == 0 && len(s.who.Factors.Owns()) > 0 {
		// Helpdesk knows who this is: they may set up what they lack.
		s.Challenge, s.who.Way, s.who.Factor = "", "", kind
		if err := p.stepUp(w, v, stepEnrol, p.Now().Add(p.set.PreAuth)); err != nil {
			return err
		}
		if err := p.auditFactor(v, kind, "ok", ""); err != nil {
			return err
		}
		return p.proceed(w, v)
	}
	if err := p.loggedIn(w, v, kind, ""); err != nil {
		return err
	}
	if kind != factor.Bypass && v.PostForm.Get("remember") != "" {
		if err := p.remember(w, v); err != nil {
			return err
		}
	}
	return p.proceed(w, v)
}

const deviceCookie = "stagedoor-device" // id.secret of a remembered device

// remember has this browser asked for the password only from now on, as long as
// the policy lets it.
func (p *Portal) remember(w http.ResponseWriter, v *visit) error {
	s := v.session
	value, expires, err := p.factors.RememberDevice(v.Context(), p.person(s), s.UserAgent, v.address)
	if err != nil || value == "" {
		return err
	}
	http.SetCookie(w, &http.Cookie{
		Name: p.cookieName(deviceCookie), Value: value, Path: "/", Expires: expires,
		HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode,
	})
	return p.audit(v, store.Event{Kind: "device-remember", Result: "ok"})
}
