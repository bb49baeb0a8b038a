package gateway

import (
	"errors"
	"fmt"
	"net/http"

	"stagedoor/gateway/factor"
)

type codeKeyPage struct {
	page
	ways
	trouble
	Options string // for the browser, PublicKeyCredentialRequestOptionsJSON; empty: none now
}

// keyPage asks for a key. Its challenge is this session's, and good once: a page
// that is loaded again has another.
func (p *Portal) keyPage(w http.ResponseWriter, v *visit) error {
	if !v.session.who.Factors.Offers(factor.Key) {
		return p.redirect(w, v, "/code/other")
	}
	return p.renderKey(w, v, http.StatusOK, trouble{})
}

func (p *Portal) renderKey(w http.ResponseWriter, v *visit, status int, t trouble) error {
	s := v.session
	options, err := p.factors.AskKey(v.Context(), s.ID, p.person(s))
	if errors.Is(err, factor.ErrNotFound) { // removed meanwhile
		return p.redirect(w, v, "/code/other")
	}
	if err != nil {
		return fmt.Errorf("key page: %w", err)
	}
	data := codeKeyPage{page: p.page(v, "title.code-key"), ways: p.waysOf(s), trouble: t}
	if t.Wait == 0 && !t.Blocked {
		data.Options = string(options)
	}
	return p.render(w, v, status, "code-key", data)
}

// checkKey takes the key's answer.
func (p *Portal) checkKey(w http.ResponseWriter, v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	s := v.session
	if !s.who.Factors.Offers(factor.Key) {
		return p.redirect(w, v, "/code/other")
	}
	err := p.factors.CheckKey(v.Context(), s.ID, p.person(s), []byte(v.PostForm.Get("answer")))
	if err == nil {
		return p.secondProven(w, v, factor.Key)
	}
	t, status, err := p.refusedFactor(w, v, factor.Key, err)
	if err != nil {
		return err
	}
	return p.renderKey(w, v, status, t)
}
