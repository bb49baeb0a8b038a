package gateway

import (
	"errors"
	"net/http"
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
	"stagedoor/store"
)

// afterPassword asks what the account has and what the policy wants, and tells
// which step comes next; reason is why no second factor is asked for.
func (p *Gateway) afterPassword(v *portal.Visit, s *portal.Session) (to portal.Step, reason string, err error) {
	number, err := p.SeeNumber(v, s)
	if err != nil {
		return "", "", err
	}
	person := p.Person(s)
	person.FirstNumber = p.Numbers.MayEnrol(number, false)
	if s.Who.Factors, err = p.Factors.State(v.Context(), person); err != nil {
		return "", "", err
	}
	state := s.Who.Factors
	if !state.Asks() {
		return portal.StepReady, string(state.Need), nil
	}
	// A remembered browser stands for a factor that its person still has: one that
	// the policy takes no more, or that is gone, is not gone around.
	if cookie, err := v.Cookie(p.CookieName(deviceCookie)); err == nil && len(state.Has) > 0 {
		remembered, err := p.Factors.Remembers(v.Context(), person, cookie.Value, v.Address)
		if err != nil {
			return "", "", err
		}
		if remembered {
			return portal.StepReady, "remembered", nil
		}
	}
	if state.MustEnrol() {
		return portal.StepEnrol, "", nil
	}
	if s.Who.Way = state.First(); s.Who.Way == "" {
		s.Who.Way = factor.SMS // whose page tells that a code can go nowhere, and what to do
	}
	return portal.StepCode, "", nil
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
func (p *Gateway) startWay(v *portal.Visit) error {
	s := v.Session
	if codeAddress(s.Who.Way) != "/code" {
		return nil
	}
	switch phone, mail := p.Recipient(s, s.Who.Way); {
	case phone != "" || mail != "":
		return p.startCode(v, phone, mail)
	case s.Who.Phone != "": // which the policy does not allow
		return p.AuditCode(v, s, "code-sent", "refused", "no-factor")
	}
	return p.AuditCode(v, s, "code-sent", "refused", "no-phone")
}

// ways is what every page that asks for a second factor shows besides.
type ways struct {
	Again        bool // within a session; else on the way in
	RememberDays int  // for how long the browser may be remembered; 0: it may not
}

func (p *Gateway) waysOf(s *portal.Session) ways {
	again := s.Who.Again != nil && s.Ready()
	w := ways{Again: again}
	if !again {
		w.RememberDays = int((s.Who.Factors.Remember + 12*time.Hour) / (24 * time.Hour))
	}
	return w
}

// secondProven: a second factor was right.
func (p *Gateway) secondProven(w http.ResponseWriter, v *portal.Visit, kind factor.Kind) error {
	s := v.Session
	if s.Ready() {
		return p.provenAgain(w, v, kind)
	}
	if kind == factor.Bypass && len(s.Who.Factors.Has) == 0 && len(s.Who.Factors.Owns()) > 0 {
		// Helpdesk knows who this is: they may set up what they lack.
		s.Challenge, s.Who.Way, s.Who.Factor = "", "", kind
		if err := p.StepUp(w, v, portal.StepEnrol, p.Now().Add(p.Set.PreAuth)); err != nil {
			return err
		}
		if err := p.AuditFactor(v, kind, "ok", ""); err != nil {
			return err
		}
		return p.Proceed(w, v)
	}
	if err := p.LoggedIn(w, v, kind, ""); err != nil {
		return err
	}
	if kind != factor.Bypass && v.PostForm.Get("remember") != "" {
		if err := p.remember(w, v); err != nil {
			return err
		}
	}
	return p.Proceed(w, v)
}

const deviceCookie = "stagedoor-device" // id.signature of a remembered device

// remember has this browser asked for the password only from now on, as long as
// the policy lets it. Where the person cannot be told it is not remembered, and
// they are in all the same.
func (p *Gateway) remember(w http.ResponseWriter, v *portal.Visit) error {
	s := v.Session
	event := store.Event{Kind: "device-remember", Result: "ok"}
	trace, err := p.Trace(v, v.Lang, s.Who.Account, s.Who.Phone, event, factor.NewsDevice,
		"browser", p.ClientName(v.Lang, s.UserAgent), "address", v.Address)
	if err != nil {
		return err
	}
	value, expires, err := p.Factors.RememberDevice(v.Context(), p.Person(s), s.UserAgent, v.Address, trace)
	if errors.Is(err, factor.ErrUntold) {
		event.Result, event.Reason = "refused", "too-many"
		return p.Audit(v, event)
	}
	if err != nil || value == "" {
		return err
	}
	http.SetCookie(w, &http.Cookie{
		Name: p.CookieName(deviceCookie), Value: value, Path: "/", Expires: expires,
		HttpOnly: true, Secure: p.Secure, SameSite: http.SameSiteLaxMode,
	})
	return nil
}
