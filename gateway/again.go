package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"stagedoor/gateway/factor"
	"stagedoor/store"
)

type againPage struct {
	page
	Username    string
	To          string
	Refused     bool
	Unavailable bool
	Wait        int // minutes
}

// againPage asks for the password once more, before something that changes who
// can log in.
func (p *Portal) againPage(w http.ResponseWriter, v *visit) error {
	return p.renderAgain(w, v, http.StatusOK, againPage{To: localPath(v.URL.Query().Get("to"))})
}

func (p *Portal) renderAgain(w http.ResponseWriter, v *visit, status int, data againPage) error {
	data.page = p.page(v, "title.again")
	data.Username = v.session.who.Account.Domain + `\` + v.session.who.Account.Name
	return p.render(w, v, status, "again", data)
}

// proveAgain checks the password, of this session's account and under the
// limits of a login, and goes on to a second factor that the person has. Whose
// policy needs none and who has none has proven all there is.
func (p *Portal) proveAgain(w http.ResponseWriter, v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	s := v.session
	data := againPage{To: localPath(v.PostForm.Get("to"))}
	password := v.PostForm.Get("password")
	if password == "" {
		data.Refused = true
		return p.renderAgain(w, v, http.StatusForbidden, data)
	}
	proof, err := p.prove(v, "again-password", s.who.Account.Domain+`\`+s.who.Account.Name, password)
	if err != nil {
		return err
	}
	switch {
	case proof.outcome == throttled:
		data.Wait = p.minutesUntil(proof.retry)
		w.Header().Set("Retry-After", retryAfter(proof.retry.Sub(p.Now())))
		return p.renderAgain(w, v, http.StatusTooManyRequests, data)
	case proof.outcome == unavailable:
		data.Unavailable = true
		return p.renderAgain(w, v, http.StatusServiceUnavailable, data)
	case proof.outcome == expired:
		return p.redirect(w, v, "/password")
	case proof.outcome != proven || proof.account.ID != s.AccountID:
		data.Refused = true
		return p.renderAgain(w, v, http.StatusForbidden, data)
	}
	return p.askSecondAgain(w, v, data.To)
}

func (p *Portal) askSecondAgain(w http.ResponseWriter, v *visit, to string) error {
	s := v.session
	if _, err := p.refreshNumber(v, s); err != nil {
		return err
	}
	var err error
	if s.who.Factors, err = p.factors.State(v.Context(), p.person(s)); err != nil {
		return err
	}
	s.who.Again = &again{To: to, At: p.Now()}
	if len(s.who.Factors.Has) == 0 && s.who.Factors.Need != factor.Required {
		return p.provenAgain(w, v, "")
	}
	if s.who.Way = s.who.Factors.First(); s.who.Way == "" {
		s.who.Way = factor.SMS
	}
	s.Challenge, s.who.Notice = "", ""
	if err := p.keepWho(v); err != nil {
		return err
	}
	if err := p.startWay(v); err != nil {
		return err
	}
	return p.redirect(w, v, codeAddress(s.who.Way))
}

// provenAgain gives the session a new secret and brings the person to where they
// wanted to go. The session keeps its id, and with it its desktops.
func (p *Portal) provenAgain(w http.ResponseWriter, v *visit, kind factor.Kind) error {
	s := v.session
	to := s.who.Again.To
	s.Challenge, s.who.Notice, s.who.Way, s.who.Again = "", "", "", nil
	s.who.Factor, s.who.ProvenAt = kind, p.Now()
	if err := p.stepUp(w, v, stepReady, s.ExpiresAt); err != nil {
		return err
	}
	detail := map[string]string{"factor": string(kind)}
	if kind == "" {
		detail = nil
	}
	if err := p.audit(v, store.Event{Kind: "again", Result: "ok", Detail: detail}); err != nil {
		return err
	}
	return p.redirect(w, v, to)
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
