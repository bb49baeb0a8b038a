package gateway

import (
	"net/http"
	"slices"
)

// siteMap is every address that the portal answers at.
func (p *Portal) siteMap() []route {
	own := []route{
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
		{"GET /again", stepReady, p.againPage, 0},
		{"POST /again", stepReady, p.proveAgain, 0},
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
		// What becomes of a code.
		{"GET /code/way", stepCode, p.codeWay, machine | silent},
		{"GET /receipt/{sender}", stepAnyone, p.receipt, machine | silent},
		{"POST /receipt/{sender}", stepAnyone, p.receipt, machine | silent},
		{"GET /healthz", stepAnyone, p.alive, probe},
		{"GET /readyz", stepAnyone, p.readiness, probe},
		{"/", stepAnyone, p.notFound, silent},
	}
	return slices.Concat(own, p.accountRoutes(), p.deskRoutes(), p.adminRoutes())
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
