package gateway

import (
	"net/http"

	"stagedoor/gateway/factor"
)

type codeBackupPage struct {
	page
	ways
	trouble
	Backup bool // they have printed codes; else only one that helpdesk gave can be typed
}

// backupPage asks for a printed code, or for one that helpdesk gave out.
func (p *Portal) backupPage(w http.ResponseWriter, v *visit) error {
	return p.renderBackup(w, v, http.StatusOK, trouble{})
}

func (p *Portal) renderBackup(w http.ResponseWriter, v *visit, status int, t trouble) error {
	return p.render(w, v, status, "code-backup", codeBackupPage{
		page: p.page(v, "title.code"), ways: p.waysOf(v.session), trouble: t,
		Backup: v.session.who.Factors.Offers(factor.Backup),
	})
}

// checkBackup takes one try at such a code. Within a session a bypass code is no
// proof: it lets somebody in, and changes nothing.
func (p *Portal) checkBackup(w http.ResponseWriter, v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	person := p.person(v.session)
	person.Strong = person.Strong || v.session.Step == string(stepReady)
	kind, err := p.factors.CheckCode(v.Context(), person, v.PostForm.Get("code"))
	if err == nil {
		return p.secondProven(w, v, kind)
	}
	t, status, err := p.refusedFactor(w, v, factor.Backup, err)
	if err != nil {
		return err
	}
	return p.renderBackup(w, v, status, t)
}
