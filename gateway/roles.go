package gateway

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
)

// isAdministrator and isAgent tell what a session's person may do besides
// working: by the groups that the directory last named. Administrators may do
// all that helpdesk may.
func (p *Portal) isAdministrator(s *session) bool {
	return s != nil && s.Step == string(stepReady) && slices.ContainsFunc(p.set.AdministratorGroups, s.who.Account.MemberOf)
}

func (p *Portal) isAgent(s *session) bool {
	return p.isAdministrator(s) ||
		s != nil && s.Step == string(stepReady) && slices.ContainsFunc(p.set.HelpdeskGroups, s.who.Account.MemberOf)
}

// strong tells whether somebody helps others or administers: they need a factor
// of their own whatever the policy says.
func (p *Portal) strong(account directory.Account) bool {
	return slices.ContainsFunc(p.set.AdministratorGroups, account.MemberOf) ||
		slices.ContainsFunc(p.set.HelpdeskGroups, account.MemberOf)
}

// barred is an error where a route is for a role that the person does not have.
// The page is then not there: who may what is nobody else's business.
func (p *Portal) barred(options option, s *session) error {
	if options&desk != 0 && !p.isAgent(s) || options&admins != 0 && !p.isAdministrator(s) {
		return errNotFound
	}
	return nil
}

// stale tells whether the proof of a session is too old for a route. On the way
// in everything has just been proven.
func (p *Portal) stale(options option, s *session) bool {
	if s == nil || s.Step != string(stepReady) {
		return false
	}
	age := p.Now().Sub(s.who.ProvenAt)
	if options&fresh != 0 && age > p.set.Fresh {
		return true
	}
	// Where one helps others the password alone does not do, nor what helpdesk gave.
	own := s.who.Factor != "" && s.who.Factor != factor.Bypass
	return options&(desk|admins) != 0 && (age > p.set.DeskFresh || !own)
}

// askAgain has the person prove themselves once more, and brings them back. What
// was sent with a form is not kept: it is typed again.
func (p *Portal) askAgain(w http.ResponseWriter, v *visit, r route) error {
	if r.options&machine != 0 {
		return p.overJSON(w, v)
	}
	to := v.URL.RequestURI()
	if v.Method != http.MethodGet {
		to = "/"
		if from, err := url.Parse(v.Referer()); err == nil && from.Host == p.set.PublicURL.Host {
			to = from.RequestURI()
		}
	}
	return p.redirect(w, v, "/again?to="+url.QueryEscape(to))
}

const (
	standardFresh     = 10 * time.Minute
	standardDeskFresh = time.Hour
)
