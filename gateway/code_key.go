package gateway

import (
	"errors"
	"fmt"
	"net/http"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
)

type codeKeyPage struct {
	portal.Page
	ways
	portal.Trouble
	Options string // for the browser, PublicKeyCredentialRequestOptionsJSON; empty: none now
}

// keyPage asks for a key. Its challenge is this session's, and good once: a page
// that is loaded again has another.
func (p *Gateway) keyPage(w http.ResponseWriter, v *portal.Visit) error {
	if !v.Session.Who.Factors.Offers(factor.Key) {
		return p.Redirect(w, v, "/code/other")
	}
	return p.renderKey(w, v, http.StatusOK, portal.Trouble{})
}

func (p *Gateway) renderKey(w http.ResponseWriter, v *portal.Visit, status int, t portal.Trouble) error {
	s := v.Session
	options, err := p.Factors.AskKey(v.Context(), s.ID, p.Person(s))
	if errors.Is(err, factor.ErrNotFound) { // removed meanwhile
		return p.Redirect(w, v, "/code/other")
	}
	if err != nil {
		return fmt.Errorf("key page: %w", err)
	}
	data := codeKeyPage{Page: p.Page(v, "title.code-key"), ways: p.waysOf(s), Trouble: t}
	if t.Wait == 0 && !t.Blocked {
		data.Options = string(options)
	}
	return p.Render(w, v, status, "code-key", data)
}

// checkKey takes the key's answer.
func (p *Gateway) checkKey(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	s := v.Session
	if !s.Who.Factors.Offers(factor.Key) {
		return p.Redirect(w, v, "/code/other")
	}
	err := p.Factors.CheckKey(v.Context(), s.ID, p.Person(s), []byte(v.PostForm.Get("answer")))
	if err == nil {
		return p.secondProven(w, v, factor.Key)
	}
	t, status, err := p.RefusedFactor(w, v, factor.Key, err)
	if err != nil {
		return err
	}
	return p.renderKey(w, v, status, t)
}
