package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
	"stagedoor/store"
)

type againPage struct {
	portal.Page
	Username    string
	To          string
	Refused     bool
	Unavailable bool
	Wait        int // minutes
}

// againPage asks for the password once more, before something that changes who
// can log in.
func (p *Gateway) againPage(w http.ResponseWriter, v *portal.Visit) error {
	return p.renderAgain(w, v, http.StatusOK, againPage{To: localPath(v.URL.Query().Get("to"))})
}

func (p *Gateway) renderAgain(w http.ResponseWriter, v *portal.Visit, status int, data againPage) error {
	data.Page = p.Page(v, "title.again")
	data.Username = v.Session.Login()
	return p.Render(w, v, status, "again", data)
}

// proveAgain checks the password, of this session's account and under the
// limits of a login, and goes on to a second factor that the person has. Whose
// policy needs none and who has none has proven all there is.
func (p *Gateway) proveAgain(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	s := v.Session
	data := againPage{To: localPath(v.PostForm.Get("to"))}
	password := v.PostForm.Get("password")
	if password == "" {
		data.Refused = true
		return p.renderAgain(w, v, http.StatusForbidden, data)
	}
	proof, err := p.prove(v, "again-password", s.Who.Account.Domain+`\`+s.Who.Account.Name, password)
	if err != nil {
		return err
	}
	switch {
	case proof.outcome == throttled:
		data.Wait = p.MinutesUntil(proof.retry)
		w.Header().Set("Retry-After", portal.RetryAfter(proof.retry.Sub(p.Now())))
		return p.renderAgain(w, v, http.StatusTooManyRequests, data)
	case proof.outcome == unavailable:
		data.Unavailable = true
		return p.renderAgain(w, v, http.StatusServiceUnavailable, data)
	case proof.outcome == expired:
		return p.Redirect(w, v, "/password")
	case proof.outcome != proven || proof.account.ID != s.AccountID:
		data.Refused = true
		return p.renderAgain(w, v, http.StatusForbidden, data)
	}
	v.Session.Who.Account = proof.account
	return p.askSecondAgain(w, v, data.To)
}

func (p *Gateway) askSecondAgain(w http.ResponseWriter, v *portal.Visit, to string) error {
	s := v.Session
	if _, err := p.SeeNumber(v, s); err != nil {
		return err
	}
	var err error
	if s.Who.Factors, err = p.Factors.State(v.Context(), p.Person(s)); err != nil {
		return err
	}
	s.Who.Again = &portal.Again{To: to, At: p.Now()}
	if len(s.Who.Factors.Has) == 0 && s.Who.Factors.Need != factor.Required {
		return p.provenAgain(w, v, "")
	}
	if s.Who.Way = s.Who.Factors.First(); s.Who.Way == "" {
		s.Who.Way = factor.SMS
	}
	s.Challenge, s.Who.Notice = "", ""
	if err := p.KeepWho(v); err != nil {
		return err
	}
	if err := p.startWay(v); err != nil {
		return err
	}
	return p.Redirect(w, v, codeAddress(s.Who.Way))
}

// provenAgain gives the session a new secret and brings the person to where they
// wanted to go. The session keeps its id, and with it its desktops.
func (p *Gateway) provenAgain(w http.ResponseWriter, v *portal.Visit, kind factor.Kind) error {
	s := v.Session
	to := s.Who.Again.To
	s.Challenge, s.Who.Notice, s.Who.Way, s.Who.Again = "", "", "", nil
	s.Who.Factor, s.Who.ProvenAt = kind, p.Now()
	if err := p.StepUp(w, v, portal.StepReady, s.ExpiresAt); err != nil {
		return err
	}
	detail := map[string]string{"factor": string(kind)}
	if kind == "" {
		detail = nil
	}
	if err := p.Audit(v, store.Event{Kind: "again", Result: "ok", Detail: detail}); err != nil {
		return err
	}
	return p.Redirect(w, v, to)
}

// localPath is a path of this portal with its query, or "/" for all else: an
// address that leads elsewhere would make the portal vouch for a stranger's page.
func localPath(to string) string {
	if len(to) > 512 || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") ||
		strings.ContainsFunc(to, func(r rune) bool { return r == '\\' || r < ' ' || r == 0x7f }) {
		return "/"
	}
	parsed, err := url.Parse(to)
	if err != nil || parsed.IsAbs() || parsed.Host != "" || parsed.User != nil ||
		strings.HasPrefix(parsed.Path, "//") || strings.Contains(parsed.Path, `\`) {
		return "/"
	}
	return parsed.RequestURI()
}
