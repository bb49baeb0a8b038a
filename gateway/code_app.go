package gateway

import (
	"net/http"

	"stagedoor/gateway/factor"
)

type codeAppPage struct {
	page
	ways
	trouble
}

// appPage asks for a code of the authenticator app.
func (p *Portal) appPage(w http.ResponseWriter, v *visit) error {
	if !v.session.who.Factors.Offers(factor.App) {
		return p.redirect(w, v, "/code/other")
	}
	return p.renderApp(w, v, http.StatusOK, trouble{})
}

func (p *Portal) renderApp(w http.ResponseWriter, v *visit, status int, t trouble) error {
	return p.render(w, v, status, "code-app", codeAppPage{page: p.page(v, "title.code"), ways: p.waysOf(v.session), trouble: t})
}

// checkApp takes one try at the app's code.
func (p *Portal) checkApp(w http.ResponseWriter, v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	s := v.session
	if !s.who.Factors.Offers(factor.App) {
		return p.redirect(w, v, "/code/other")
	}
	err := p.factors.CheckApp(v.Context(), s.AccountID, v.PostForm.Get("code"))
	if err == nil {
		return p.secondProven(w, v, factor.App)
	}
	t, status, err := p.refusedFactor(w, v, factor.App, err)
	if err != nil {
		return err
	}
	return p.renderApp(w, v, status, t)
}
