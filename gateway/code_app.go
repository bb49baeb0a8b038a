package gateway

import (
	"net/http"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
)

type codeAppPage struct {
	portal.Page
	ways
	portal.Trouble
}

// appPage asks for a code of the authenticator app.
func (p *Gateway) appPage(w http.ResponseWriter, v *portal.Visit) error {
	if !v.Session.Who.Factors.Offers(factor.App) {
		return p.Redirect(w, v, "/code/other")
	}
	return p.renderApp(w, v, http.StatusOK, portal.Trouble{})
}

func (p *Gateway) renderApp(w http.ResponseWriter, v *portal.Visit, status int, t portal.Trouble) error {
	return p.Render(w, v, status, "code-app", codeAppPage{Page: p.Page(v, "title.code"), ways: p.waysOf(v.Session), Trouble: t})
}

// checkApp takes one try at the app's code.
func (p *Gateway) checkApp(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	s := v.Session
	if !s.Who.Factors.Offers(factor.App) {
		return p.Redirect(w, v, "/code/other")
	}
	err := p.Factors.CheckApp(v.Context(), s.AccountID, v.PostForm.Get("code"))
	if err == nil {
		return p.secondProven(w, v, factor.App)
	}
	t, status, err := p.RefusedFactor(w, v, factor.App, err)
	if err != nil {
		return err
	}
	return p.renderApp(w, v, status, t)
}
