package gateway

import (
	"net/http"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
	"stagedoor/store"
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
	s := v.Session
	var kind factor.Kind
	var err error
	if s.Ready() {
		kind, err = p.Factors.CheckBackup(v.Context(), p.Person(s), v.PostForm.Get("code"))
	} else {
		kind, err = p.checkLetIn(v)
	}
	if err == nil {
		return p.secondProven(w, v, kind)
	}
	t, status, err := p.RefusedFactor(w, v, factor.Backup, err)
	if err != nil {
		return err
	}
	return p.renderBackup(w, v, status, t)
}

// checkLetIn takes a try at a code that lets somebody in: of a bypass code that is
// right they are told.
func (p *Gateway) checkLetIn(v *portal.Visit) (factor.Kind, error) {
	s := v.Session
	used, err := p.Trace(v, v.Lang, s.Who.Account, s.Who.Phone, store.Event{}, factor.NewsBypassUsed, "address", v.Address)
	if err != nil {
		return "", err
	}
	return p.Factors.CheckCode(v.Context(), p.Person(s), v.PostForm.Get("code"), used)
}
