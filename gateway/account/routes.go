// Package account is a person's own pages: how they log in, where they are logged
// in, and the number that codes go to.
package account

import (
	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
)

// Pages are what the routes lead to.
type Pages struct {
	*portal.Portal
}

// Routes are the addresses of a person's own pages.
func Routes(on *portal.Portal) []portal.Route {
	p := &Pages{on}
	return []portal.Route{
		portal.On("GET /enrol", portal.StepEnrol, p.enrolPage),
		portal.On("POST /enrol", portal.StepEnrol, p.enrolLater),
		portal.On("GET /account", portal.StepReady, p.accountPage),
		portal.On("POST /account/remove", portal.StepReady, p.removeFactor, portal.Fresh),
		portal.On("GET /account/app", portal.StepEnrol, p.setsUp(factor.App, p.newAppPage), portal.Fresh),
		portal.On("POST /account/app", portal.StepEnrol, p.setsUp(factor.App, p.addApp), portal.Fresh),
		portal.On("GET /account/key", portal.StepEnrol, p.setsUp(factor.Key, p.newKeyPage), portal.Fresh),
		portal.On("POST /account/key", portal.StepEnrol, p.setsUp(factor.Key, p.addKey), portal.Fresh),
		portal.On("POST /account/backup", portal.StepReady, p.makeBackup, portal.Fresh),
		portal.On("POST /account/device", portal.StepReady, p.forgetDevice),
		portal.On("POST /account/session", portal.StepReady, p.endOwn),
		portal.On("GET /phone", portal.StepEnrol, p.phonePage, portal.Fresh),
		portal.On("GET /phone/way", portal.StepEnrol, p.phoneWay, portal.Machine|portal.Silent),
		portal.On("POST /phone", portal.StepEnrol, p.phone, portal.Fresh),
		portal.On("GET /freeze/{change}", portal.StepAnyone, p.freezeAsk, portal.Silent),
		portal.On("POST /freeze/{change}", portal.StepAnyone, p.freeze, portal.Silent),
	}
}
