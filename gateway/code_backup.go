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
	check := p.Factors.CheckCode
	if s.Ready() {
		check = p.Factors.CheckBackup
	}
	used, err := p.codeUsed(v)
	if err != nil {
		return err
	}
	kind, err := check(v.Context(), p.Person(s), v.PostForm.Get("code"), used)
	if err == nil {
		return p.secondProven(w, v, kind)
	}
	t, status, err := p.RefusedFactor(w, v, factor.Backup, err)
	if err != nil {
		return err
	}
	return p.renderBackup(w, v, status, t)
}

// codeUsed is what somebody is told when such a code of theirs was right.
func (p *Gateway) codeUsed(v *portal.Visit) (used factor.Used, err error) {
	who := v.Session.Who
	tell := func(news factor.News) (store.Trace, error) {
		return p.Trace(v, v.Lang, who.Account, who.Phone, store.Event{}, news, "address", v.Address)
	}
	if used.Bypass, err = tell(factor.NewsBypassUsed); err != nil {
		return factor.Used{}, err
	}
	used.Backup, err = tell(factor.NewsBackupUsed)
	return used, err
}
