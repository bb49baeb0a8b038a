package account

import (
	"net/http"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
)

type accountBackupPage struct {
	portal.Page
	Codes []string
	Who   string // DOMAIN\name, for whoever finds the paper's owner
}

// makeBackup shows new backup codes, once: they are on this answer's page and
// nowhere else. It is sent unpacked, since it holds secrets.
func (p *Pages) makeBackup(w http.ResponseWriter, v *portal.Visit) error {
	s := v.Session
	held, err := p.held(v)
	if err != nil {
		return err
	}
	if held || !p.Factors.Policy.For(p.Person(s), p.Now()).Allows(factor.Backup) {
		return p.Redirect(w, v, "/account")
	}
	trace, err := p.FactorTrace(v, factor.NewsAdded, factor.Backup, "")
	if err != nil {
		return err
	}
	codes, err := p.Factors.MakeBackup(v.Context(), s.AccountID, trace)
	if err != nil {
		t, status, err := p.RefusedFactor(w, v, factor.Backup, err)
		if err != nil {
			return err
		}
		return p.renderAccount(w, v, status, t)
	}
	// The old codes are void: the new ones are shown whatever else fails.
	if err := p.RefreshFactors(v, ""); err != nil {
		v.Log.Error("the session does not know of new backup codes", "error", err)
	}
	v.Header.Del("Accept-Encoding")
	return p.Render(w, v, http.StatusOK, "account-backup", accountBackupPage{
		Page: p.Page(v, "title.account-backup"), Codes: codes, Who: p.Person(s).Name})
}
