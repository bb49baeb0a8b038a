package portal

import (
	"slices"
	"time"

	"stagedoor/directory"
)

// IsAdministrator tells whether a session's person administers, by the groups
// that the directory last named.
func (p *Portal) IsAdministrator(s *Session) bool {
	return s.Ready() && slices.ContainsFunc(p.Set.AdministratorGroups, s.Who.Account.MemberOf)
}

// IsAgent tells whether they are helpdesk: administrators may do all that it may.
func (p *Portal) IsAgent(s *Session) bool {
	return p.IsAdministrator(s) ||
		s.Ready() && slices.ContainsFunc(p.Set.HelpdeskGroups, s.Who.Account.MemberOf)
}

// strong tells whether somebody helps others or administers: they need a factor
// of their own whatever the policy says.
func (p *Portal) strong(account directory.Account) bool {
	return slices.ContainsFunc(p.Set.AdministratorGroups, account.MemberOf) ||
		slices.ContainsFunc(p.Set.HelpdeskGroups, account.MemberOf)
}

const (
	standardFresh     = 10 * time.Minute
	standardDeskFresh = time.Hour
)
