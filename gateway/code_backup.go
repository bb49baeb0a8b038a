package gateway

import (
	"net/http"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
)

type codeBackupPage struct {
	portal.Page
	ways
	portal.Trouble
	Backup bool // they have printed codes; else only one that helpdesk gave can be typed
}

// backupPage asks for a printed code, or for one that helpdesk gave out.
func (p *Gateway) backupPage(w http.ResponseWriter, v *portal.Visit) error {
	return p.renderBackup(w, v, http.StatusOK, portal.Trouble{})
}

func (p *Gateway) renderBackup(w http.ResponseWriter, v *portal.Visit, status int, t portal.Trouble) error {
	return p.Render(w, v, status, "code-backup", codeBackupPage{
		Page: p.Page(v, "title.code"), ways: p.waysOf(v.Session), Trouble: t,
		Backup: v.Session.Who.Factors.Offers(factor.Backup),
	})
}

// checkBackup takes one try at such a code. Within a session a bypass code is no
// proof: it lets somebody in, and changes nothing.
func (p *Gateway) checkBackup(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	check := p.Factors.CheckCode
	if v.Session.Ready() {
		check = p.Factors.CheckBackup
	}
	kind, err := check(v.Context(), p.Person(v.Session), v.PostForm.Get("code"))
	if err == nil {
		return p.secondProven(w, v, kind)
	}
	t, status, err := p.RefusedFactor(w, v, factor.Backup, err)
	if err != nil {
		return err
	}
	return p.renderBackup(w, v, status, t)
}
