package gateway

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/png"
	"net/http"
	"slices"
	"strings"

	"stagedoor/gateway/factor"
)

type accountAppPage struct {
	page
	trouble
	QR     template.URL // data:image/png
	Secret string
	Name   string
	Back   string
}

// maxName is how long the name of an app or key may be, in characters.
const maxName = 40

// newAppPage shows the picture and the secret of a new authenticator app.
func (p *Portal) newAppPage(w http.ResponseWriter, v *visit) error {
	if !slices.Contains(p.mayEnrol(v.session), factor.App) {
		return p.redirect(w, v, p.backFromEnrol(v.session))
	}
	return p.renderNewApp(w, v, http.StatusOK, accountAppPage{})
}

// backFromEnrol is where somebody came from who sets up a factor.
func (p *Portal) backFromEnrol(s *session) string {
	if s.Step == string(stepReady) {
		return "/account"
	}
	return "/enrol"
}

// renderNewApp sends the page unpacked: it holds a secret, and the length of a
// packed page tells of what is in it.
func (p *Portal) renderNewApp(w http.ResponseWriter, v *visit, status int, data accountAppPage) error {
	s := v.session
	setup, err := p.factors.SetUpApp(v.Context(), s.ID, p.person(s))
	if err != nil {
		return err
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, setup.QR); err != nil {
		return fmt.Errorf("new app: %w", err)
	}
	data.page, data.Secret, data.Back = p.page(v, "title.account-app"), setup.Secret, p.backFromEnrol(s)
	data.QR = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(picture.Bytes())) // #nosec: our own
	v.Header.Del("Accept-Encoding")
	return p.render(w, v, status, "account-app", data)
}

// addApp adds the app when its first code is right.
func (p *Portal) addApp(w http.ResponseWriter, v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	s := v.session
	if !slices.Contains(p.mayEnrol(s), factor.App) {
		return p.redirect(w, v, p.backFromEnrol(s))
	}
	name := printable(strings.TrimSpace(v.PostForm.Get("name")), maxName)
	err := p.factors.ConfirmApp(v.Context(), s.ID, s.AccountID, name, v.PostForm.Get("code"))
	if err != nil {
		t, status, err := p.refusedFactor(w, v, factor.App, err)
		if err != nil {
			return err
		}
		return p.renderNewApp(w, v, status, accountAppPage{trouble: t, Name: name})
	}
	if err := p.factorChanged(v, "factor-add", factor.App, name); err != nil {
		return err
	}
	return p.enrolled(w, v, factor.App, "/account?saved")
}
