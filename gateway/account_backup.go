package gateway

import (
	"net/http"

	"stagedoor/gateway/factor"
)

type accountBackupPage struct {
	page
	Codes []string
	Who   string // DOMAIN\name, for whoever finds the paper's owner
}

// makeBackup shows new backup codes, once: they are on this answer's page and
// nowhere else. It is sent unpacked, since it holds secrets.
func (p *Portal) makeBackup(w http.ResponseWriter, v *visit) error {
	s := v.session
	if !p.factors.Policy.For(p.person(s), p.Now()).Allows(factor.Backup) {
		return p.redirect(w, v, "/account")
	}
	codes, err := p.factors.MakeBackup(v.Context(), s.AccountID)
	if err != nil {
		return err
	}
	if err := p.factorChanged(v, "factor-add", factor.Backup, ""); err != nil {
		return err
	}
	if err := p.refreshFactors(v, ""); err != nil {
		return err
	}
	v.Header.Del("Accept-Encoding")
	return p.render(w, v, http.StatusOK, "account-backup", accountBackupPage{
		page: p.page(v, "title.account-backup"), Codes: codes, Who: p.person(s).Name})
}
