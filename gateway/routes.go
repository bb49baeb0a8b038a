package gateway

import (
	"net/http"
	"slices"

	"stagedoor/gateway/account"
	"stagedoor/gateway/admin"
	"stagedoor/gateway/desk"
	"stagedoor/gateway/portal"
)

// siteMap is every address that the portal answers at.
func (p *Gateway) siteMap() []portal.Route {
	own := []portal.Route{
		portal.On("GET /login", portal.StepAnyone, p.loginPage),
		portal.On("POST /login", portal.StepAnyone, p.login),
		portal.On("GET /password", portal.StepAnyone, p.passwordPage),
		portal.On("POST /password", portal.StepAnyone, p.changePassword),
		portal.On("GET /code", portal.StepCode, p.codePage),
		portal.On("POST /code", portal.StepCode, p.checkCode),
		portal.On("POST /code/resend", portal.StepCode, p.resendCode),
		// Second factors besides codes by SMS.
		portal.On("GET /code/other", portal.StepCode, p.otherWays),
		portal.On("POST /code/other", portal.StepCode, p.otherWay),
		portal.On("GET /code/app", portal.StepCode, p.appPage),
		portal.On("POST /code/app", portal.StepCode, p.checkApp),
		portal.On("GET /code/key", portal.StepCode, p.keyPage),
		portal.On("POST /code/key", portal.StepCode, p.checkKey),
		portal.On("GET /code/backup", portal.StepCode, p.backupPage),
		portal.On("POST /code/backup", portal.StepCode, p.checkBackup),
		portal.On("GET /again", portal.StepReady, p.againPage),
		portal.On("POST /again", portal.StepReady, p.proveAgain),
		portal.On("GET /{$}", portal.StepReady, p.targetList),
		portal.On("GET /targets/status", portal.StepReady, p.targetStatus, portal.Machine|portal.Silent),
		portal.On("POST /favourite", portal.StepReady, p.favourite),
		portal.On("GET /desktop/{target}", portal.StepReady, p.desktopPage),
		portal.On("GET /desktop/{target}/second", portal.StepReady, p.secondWindow, portal.Silent),
		portal.On("POST /preference", portal.StepReady, p.setPreference, portal.Machine),
		portal.On("GET /desktops", portal.StepReady, p.moreDesktops, portal.Machine|portal.Silent),
		portal.On("POST /desktop/{target}/end", portal.StepReady, p.endDesktop),
		portal.On("GET /desktop/{target}/view", portal.StepReady, p.view, portal.Machine|portal.Silent),
		portal.On("POST /desktop/{target}/view", portal.StepReady, p.takeView, portal.Machine|portal.Silent|portal.Picture),
		portal.On("GET /document/{target}", portal.StepReady, p.document),
		portal.On("GET /tunnel/{target}", portal.StepReady, p.openTunnel, portal.Machine|portal.Silent),
		portal.On("GET /session", portal.StepReady, p.clock, portal.Machine|portal.Silent),
		portal.On("POST /session/extend", portal.StepReady, p.extend, portal.Machine),
		portal.On("POST /logout", portal.StepAnyone, p.logout),
		portal.On("GET /help", portal.StepAnyone, p.helpPage, portal.Silent),
		portal.On("GET /check", portal.StepAnyone, p.checkPage, portal.Silent),
		portal.On("GET /check/portal", portal.StepAnyone, p.checkPortal, portal.Machine|portal.Silent),
		portal.On("GET /check/socket", portal.StepAnyone, p.checkSocket, portal.Machine|portal.Silent),
		portal.On("POST /check", portal.StepAnyone, p.recordCheck, portal.Machine|portal.Silent),
		// What becomes of a code.
		portal.On("GET /code/way", portal.StepCode, p.codeWay, portal.Machine|portal.Silent),
		portal.On("GET /receipt/{sender}", portal.StepAnyone, p.receipt, portal.Machine|portal.Silent),
		portal.On("POST /receipt/{sender}", portal.StepAnyone, p.receipt, portal.Machine|portal.Silent),
		portal.On("GET /healthz", portal.StepAnyone, p.alive, portal.Probe),
		portal.On("GET /readyz", portal.StepAnyone, p.readiness, portal.Probe),
		portal.On("/", portal.StepAnyone, p.notFound, portal.Silent),
	}
	return slices.Concat(own,
		account.Routes(p.Portal),
		desk.Routes(p.Portal, desk.Gateway{Order: p.order, PasswordTries: p.triesPerAccount}),
		admin.Routes(p.Portal, p.noteNode),
	)
}

// routes builds the handler of the whole site: the middleware, outermost
// first, around the site map.
func (p *Gateway) routes() http.Handler {
	mux := http.NewServeMux()
	p.Patterns = map[string]bool{}
	for _, r := range p.siteMap() {
		p.Patterns[r.Pattern] = true
		mux.Handle(r.Pattern, p.step(r))
	}
	mux.Handle("GET /static/", p.Site.Static())
	mux.Handle("GET /help/images/", p.help.Images())
	return p.wrap(mux,
		p.begin,           // request id, client address, access log, recover
		p.securityHeaders, // on every answer, errors too
		p.refuseForeign,   // requests that another site's page made
	)
}
