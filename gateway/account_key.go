package gateway

import (
	"net/http"
	"slices"
	"strings"

	"stagedoor/gateway/factor"
)

type accountKeyPage struct {
	page
	trouble
	Options string // for the browser, PublicKeyCredentialCreationOptionsJSON
	Name    string
	Back    string
}

// newKeyPage lets the browser make a key.
func (p *Portal) newKeyPage(w http.ResponseWriter, v *visit) error {
	if !slices.Contains(p.mayEnrol(v.session), factor.Key) {
		return p.redirect(w, v, p.backFromEnrol(v.session))
	}
	return p.renderNewKey(w, v, http.StatusOK, accountKeyPage{})
}

func (p *Portal) renderNewKey(w http.ResponseWriter, v *visit, status int, data accountKeyPage) error {
	s := v.session
	options, err := p.factors.NewKey(v.Context(), s.ID, p.person(s))
	if err != nil {
		return err
	}
	data.page, data.Options, data.Back = p.page(v, "title.account-key"), string(options), p.backFromEnrol(s)
	return p.render(w, v, status, "account-key", data)
}

// addKey adds the key that the browser has made.
func (p *Portal) addKey(w http.ResponseWriter, v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	s := v.session
	if !slices.Contains(p.mayEnrol(s), factor.Key) {
		return p.redirect(w, v, p.backFromEnrol(s))
	}
	name := printable(strings.TrimSpace(v.PostForm.Get("name")), maxName)
	err := p.factors.AddKey(v.Context(), s.ID, p.person(s), name, []byte(v.PostForm.Get("answer")))
	if err != nil {
		t, status, err := p.refusedFactor(w, v, factor.Key, err)
		if err != nil {
			return err
		}
		return p.renderNewKey(w, v, status, accountKeyPage{trouble: t, Name: name})
	}
	if err := p.factorChanged(v, "factor-add", factor.Key, name); err != nil {
		return err
	}
	return p.enrolled(w, v, factor.Key, "/account?saved")
}
