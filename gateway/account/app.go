package account

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/png"
	"net/http"
	"strings"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
)

type accountAppPage struct {
	portal.Page
	portal.Trouble
	QR     template.URL // data:image/png
	Secret string
	Name   string
	Back   string
}

// maxName is how long the name of an app or key may be, in characters.
const maxName = 40

// newAppPage shows the picture and the secret of a new authenticator app.
func (p *Pages) newAppPage(w http.ResponseWriter, v *portal.Visit) error {
	return p.renderNewApp(w, v, http.StatusOK, accountAppPage{})
}

// backFromEnrol is where somebody came from who sets up a factor.
func (p *Pages) backFromEnrol(s *portal.Session) string {
	if s.Ready() {
		return "/account"
	}
	return "/enrol"
}

// renderNewApp sends the page unpacked: it holds a secret, and the length of a
// packed page tells of what is in it.
func (p *Pages) renderNewApp(w http.ResponseWriter, v *portal.Visit, status int, data accountAppPage) error {
	s := v.Session
	setup, err := p.Factors.SetUpApp(v.Context(), s.ID, p.Person(s))
	if err != nil {
		return err
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, setup.QR); err != nil {
		return fmt.Errorf("new app: %w", err)
	}
	data.Page, data.Secret, data.Back = p.Page(v, "title.account-app"), setup.Secret, p.backFromEnrol(s)
	data.QR = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(picture.Bytes())) // #nosec: our own
	v.Header.Del("Accept-Encoding")
	return p.Render(w, v, status, "account-app", data)
}

// addApp adds the app when its first code is right.
func (p *Pages) addApp(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	s := v.Session
	name := portal.Printable(strings.TrimSpace(v.PostForm.Get("name")), maxName)
	trace, err := p.FactorTrace(v, factor.NewsAdded, factor.App, name)
	if err != nil {
		return err
	}
	err = p.Factors.ConfirmApp(v.Context(), s.ID, s.AccountID, name, v.PostForm.Get("code"), trace)
	if err != nil {
		t, status, err := p.RefusedFactor(w, v, factor.App, err)
		if err != nil {
			return err
		}
		return p.renderNewApp(w, v, status, accountAppPage{Trouble: t, Name: name})
	}
	return p.enrolled(w, v, factor.App, "/account?saved")
}
