package gateway

import (
	"stagedoor/gateway/portal"
	"stagedoor/targets"
)

// The steps of a session, portal.Step, are how far a browser has come on the way in:
//
//	                    wrong                wrong
//	                     ┌─┐                  ┌─┐
//	(no session) ── password ─┬────────────> code ─┬─────> ready ── again
//	                     │    ├─ must set up ──────┴> enrol ─┘ ^      │
//	                     │    └─ none asked for, remembered ───┘ <────┘
//	                     └──> expired                          │
//	                             │ changed                     │ logout, idle, absolute, revoked
//	                             └────────> (no session) <─────┘
//
// The password's proof asks package factor what the account has and what the
// policy wants (Session.Who.Factors), and that decides between the three ways.
// Again (again.go) is no step: the session stays ready while its person proves
// themselves once more.

// nextPage is the one place that knows which page comes after what has been
// learned. Handlers store what they learned and proceed.
func (p *Gateway) nextPage(s *portal.Session) string {
	switch {
	case s == nil:
		return "/login"
	case s.Step == string(portal.StepExpired):
		return "/password"
	case s.Step == string(portal.StepCode):
		return codeAddress(s.Who.Way)
	case s.Step == string(portal.StepEnrol):
		return "/enrol"
	case s.Return != "":
		return desktopAddress(s.Return)
	case s.Ready():
		return p.home(s)
	default:
		return "/"
	}
}

// home is where somebody starts who wants nothing particular: at their list, or
// at once in the only system that they have, unless the list has something to
// tell them.
func (p *Gateway) home(s *portal.Session) string {
	visible := p.Targets.List().VisibleTo(s.Who.Account.MemberOf)
	if len(visible) == 1 && visible[0].Kind == targets.Desktop && p.expiryDays(s) < 0 && !s.Who.Factors.Invites() {
		return item(visible[0]).Href
	}
	return "/"
}
