package gateway

import (
	"slices"
	"time"

	"stagedoor/directory"
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

const (
	standardFresh     = 10 * time.Minute
	standardDeskFresh = time.Hour
)
