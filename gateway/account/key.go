package account

import (
	"net/http"
	"strings"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
)

type accountKeyPage struct {
	portal.Page
	portal.Trouble
	Options string // for the browser, PublicKeyCredentialCreationOptionsJSON
	Name    string
	Back    string
}

// newKeyPage lets the browser make a key.
func (p *Pages) newKeyPage(w http.ResponseWriter, v *portal.Visit) error {
	return p.renderNewKey(w, v, http.StatusOK, accountKeyPage{})
}

func (p *Pages) renderNewKey(w http.ResponseWriter, v *portal.Visit, status int, data accountKeyPage) error {
	s := v.Session
	options, err := p.Factors.NewKey(v.Context(), s.ID, p.Person(s))
	if err != nil {
		return err
	}
	data.Page, data.Options, data.Back = p.Page(v, "title.account-key"), string(options), p.backFromEnrol(s)
	return p.Render(w, v, status, "account-key", data)
}

// addKey adds the key that the browser has made.
func (p *Pages) addKey(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	s := v.Session
	name := portal.Printable(strings.TrimSpace(v.PostForm.Get("name")), maxName)
	trace, err := p.FactorTrace(v, factor.NewsAdded, factor.Key, name)
	if err != nil {
		return err
	}
	err = p.Factors.AddKey(v.Context(), s.ID, p.Person(s), name, []byte(v.PostForm.Get("answer")), trace)
	if err != nil {
		t, status, err := p.RefusedFactor(w, v, factor.Key, err)
		if err != nil {
			return err
		}
		return p.renderNewKey(w, v, status, accountKeyPage{Trouble: t, Name: name})
	}
	return p.enrolled(w, v, factor.Key, "/account?saved")
}
