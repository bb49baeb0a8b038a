// Package desk is helpdesk's pages: who cannot get in and why, who has not enrolled
// a second factor, the desktops that people have open, and the audit. The rules of
// helping are gateway/helpdesk's.
package desk

import (
	"context"

	"stagedoor/gateway/portal"
	"stagedoor/store"
)

// Gateway is what helpdesk's pages have the gateway do.
type Gateway struct {
	// Order gives an order about a desktop, wherever it runs; store.ErrNotFound.
	Order func(context.Context, store.DesktopOrder) error
	// PasswordTries is how many wrong passwords a user name has in a window: from
	// anywhere, and more from browsers that its account has logged in from.
	PasswordTries func(ctx context.Context, name string) (anywhere, familiar int)
}

// Pages are what the routes lead to.
type Pages struct {
	*portal.Portal
	gateway Gateway
}

// Routes are the addresses of helpdesk's pages.
func Routes(on *portal.Portal, gateway Gateway) []portal.Route {
	p := &Pages{on, gateway}
	return []portal.Route{
		portal.On("GET /helpdesk/desktops", portal.StepReady, p.openDesktops, portal.Desk),
		portal.On("GET /helpdesk/desktops/now", portal.StepReady, p.openDesktopsNow, portal.Desk|portal.Machine|portal.Silent),
		portal.On("POST /helpdesk/desktops/{id}/end", portal.StepReady, p.endOpenDesktop, portal.Desk),
		portal.On("POST /helpdesk/desktops/{id}/message", portal.StepReady, p.messageOpenDesktop, portal.Desk),
		portal.On("GET /helpdesk/audit", portal.StepReady, p.searchAudit, portal.Desk),
		portal.On("GET /helpdesk/audit.csv", portal.StepReady, p.exportCSV, portal.Desk),
		portal.On("GET /helpdesk/audit.jsonl", portal.StepReady, p.exportJSONL, portal.Desk),
		portal.On("GET /helpdesk/id", portal.StepReady, p.findSupportID, portal.Desk),
		portal.On("GET /helpdesk/id/{id}", portal.StepReady, p.aboutSupportID, portal.Desk),
		portal.On("GET /helpdesk/enrolment", portal.StepReady, p.enrolment, portal.Desk),
		portal.On("GET /helpdesk/enrolment.csv", portal.StepReady, p.exportEnrolment, portal.Desk),
		portal.On("GET /helpdesk", portal.StepReady, p.findPeople, portal.Desk),
		portal.On("GET /helpdesk/person/{account}", portal.StepReady, p.personPage, portal.Desk),
		portal.On("POST /helpdesk/person/{account}/{act}", portal.StepReady, p.helpPerson, portal.Desk),
	}
}
