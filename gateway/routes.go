package gateway

import (
	"net/http"
)

// A handler answers one visit. It returns an error instead of writing one:
// answer (render.go) is the one place that renders, logs and counts faults.
type handler func(http.ResponseWriter, *visit) error

// route is one line of the site map. A handler cannot be registered without
// the login step that it needs.
type route struct {
	pattern string
	needs   step
	handler handler
	options option
}

// option says how a route differs from an ordinary page.
type option uint

const (
	machine option = 1 << iota // answered in JSON or text to a script: refusals are not redirects
	silent                     // not human input: does not move the idle clock
	picture                    // takes a small picture: a body of 24 KiB instead of 8
	probe                      // asked by a load balancer: under any host name, without a session
	fresh                      // changes who can log in: asks for password and second factor again
	desk                       // helpdesk's and administrators', with a second factor of their own that is not old
	admins                     // administrators' alone, likewise
)

// siteMap is every address that the portal answers at.
func (p *Portal) siteMap() []route {
	return []route{
		{"GET /login", stepAnyone, p.loginPage, 0},
		{"POST /login", stepAnyone, p.login, 0},
		{"GET /password", stepAnyone, p.passwordPage, 0},
		{"POST /password", stepAnyone, p.changePassword, 0},
		{"GET /code", stepCode, p.codePage, 0},
		{"POST /code", stepCode, p.checkCode, 0},
		{"POST /code/resend", stepCode, p.resendCode, 0},
		// Second factors besides codes by SMS.
		{"GET /code/other", stepCode, p.otherWays, 0},
		{"POST /code/other", stepCode, p.otherWay, 0},
		{"GET /code/app", stepCode, p.appPage, 0},
		{"POST /code/app", stepCode, p.checkApp, 0},
		{"GET /code/key", stepCode, p.keyPage, 0},
		{"POST /code/key", stepCode, p.checkKey, 0},
		{"GET /code/backup", stepCode, p.backupPage, 0},
		{"POST /code/backup", stepCode, p.checkBackup, 0},
		{"GET /enrol", stepEnrol, p.enrolPage, 0},
		{"POST /enrol", stepEnrol, p.enrolLater, 0},
		{"GET /again", stepReady, p.againPage, 0},
		{"POST /again", stepReady, p.proveAgain, 0},
		{"GET /account", stepReady, p.accountPage, 0},
		{"POST /account/remove", stepReady, p.removeFactor, fresh},
		{"GET /account/app", stepEnrol, p.newAppPage, fresh},
		{"POST /account/app", stepEnrol, p.addApp, fresh},
		{"GET /account/key", stepEnrol, p.newKeyPage, fresh},
		{"POST /account/key", stepEnrol, p.addKey, fresh},
		{"POST /account/backup", stepReady, p.makeBackup, fresh},
		{"POST /account/device", stepReady, p.forgetDevice, 0},
		{"POST /account/session", stepReady, p.endOwn, 0},
		{"GET /{$}", stepReady, p.targetList, 0},
		{"GET /targets/status", stepReady, p.targetStatus, machine | silent},
		{"POST /favourite", stepReady, p.favourite, 0},
		{"GET /desktop/{target}", stepReady, p.desktopPage, 0},
		{"GET /desktop/{target}/second", stepReady, p.secondWindow, silent},
		{"POST /preference", stepReady, p.setPreference, machine},
		{"GET /desktops", stepReady, p.moreDesktops, machine | silent},
		{"POST /desktop/{target}/end", stepReady, p.endDesktop, 0},
		{"GET /desktop/{target}/view", stepReady, p.view, machine | silent},
		{"POST /desktop/{target}/view", stepReady, p.takeView, machine | silent | picture},
		{"GET /document/{target}", stepReady, p.document, 0},
		{"GET /tunnel/{target}", stepReady, p.openTunnel, machine | silent},
		{"GET /session", stepReady, p.clock, machine | silent},
		{"POST /session/extend", stepReady, p.extend, machine},
		{"POST /logout", stepAnyone, p.logout, 0},
		{"GET /help", stepAnyone, p.helpPage, silent},
		{"GET /check", stepAnyone, p.checkPage, silent},
		{"GET /check/portal", stepAnyone, p.checkPortal, machine | silent},
		{"GET /check/socket", stepAnyone, p.checkSocket, machine | silent},
		{"POST /check", stepAnyone, p.recordCheck, machine | silent},
		// A person's number, and the link in the notices about it.
		{"GET /phone", stepEnrol, p.phonePage, fresh},
		{"POST /phone", stepEnrol, p.phone, fresh},
		{"GET /freeze/{change}", stepAnyone, p.freezeAsk, silent},
		{"POST /freeze/{change}", stepAnyone, p.freeze, silent},
		// What people have open, and the audit: helpdesk's.
		{"GET /helpdesk/desktops", stepReady, p.openDesktops, desk},
		{"GET /helpdesk/desktops/now", stepReady, p.openDesktopsNow, desk | machine | silent},
		{"POST /helpdesk/desktops/{id}/end", stepReady, p.endOpenDesktop, desk},
		{"POST /helpdesk/desktops/{id}/message", stepReady, p.messageOpenDesktop, desk},
		{"GET /helpdesk/audit", stepReady, p.searchAudit, desk},
		{"GET /helpdesk/audit.csv", stepReady, p.exportCSV, desk},
		{"GET /helpdesk/audit.jsonl", stepReady, p.exportJSONL, desk},
		{"GET /helpdesk/id", stepReady, p.findSupportID, desk},
		{"GET /helpdesk/id/{id}", stepReady, p.aboutSupportID, desk},
		// Administrators'.
		{"GET /admin", stepReady, p.overview, admins},
		{"GET /admin/targets", stepReady, p.adminTargets, admins},
		{"POST /admin/targets", stepReady, p.viewTargetsAs, admins},
		{"GET /admin/usage", stepReady, p.adminUsage, admins},
		{"GET /admin/usage.csv", stepReady, p.exportUsage, admins},
		{"GET /admin/enrolment", stepReady, p.adminEnrolment, admins},
		{"GET /admin/enrolment.csv", stepReady, p.exportEnrolment, admins},
		// What becomes of a code.
		{"GET /code/way", stepCode, p.codeWay, machine | silent},
		{"GET /receipt/{sender}", stepAnyone, p.receipt, machine | silent},
		{"POST /receipt/{sender}", stepAnyone, p.receipt, machine | silent},
		{"GET /healthz", stepAnyone, p.alive, probe},
		{"GET /readyz", stepAnyone, p.readiness, probe},
		// Helpdesk: find a person, see why they cannot get in, help.
		{"GET /helpdesk", stepReady, p.findPeople, desk},
		{"GET /helpdesk/person/{account}", stepReady, p.personPage, desk},
		{"POST /helpdesk/person/{account}/{act}", stepReady, p.helpPerson, desk},
		{"/", stepAnyone, p.notFound, silent},
	}
}

// routes builds the handler of the whole site: the middleware, outermost
// first, around the site map.
func (p *Portal) routes() http.Handler {
	mux := http.NewServeMux()
	for _, r := range p.siteMap() {
		mux.Handle(r.pattern, p.step(r))
	}
	mux.Handle("GET /static/", p.Site.Static())
	mux.Handle("GET /help/images/", p.help.Images())
	return p.wrap(mux,
		p.begin,           // request id, client address, access log, recover
		p.securityHeaders, // on every answer, errors too
		p.refuseForeign,   // requests that another site's page made
	)
}
