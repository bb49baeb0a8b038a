package e2e

import (
	"context"
	"strings"
	"time"

	"stagedoor/testbed"
)

// A view is a page in one of its states. The table below is what
// TestBrowserAccess holds to WCAG and what `make shots` takes pictures of: a new
// page is one more line.
type view struct {
	name    string // of its pictures: lower case letters, digits and hyphens
	who     string // in whose browser; each name of the table has cookies of its own
	desktop bool   // it takes guacd, xrdp and a target that wants NLA
	grabs   bool   // the keyboard is the remote desktop's: Tab does not leave it
	reach   func(*stage, *testbed.Page)
}

// A view is reached from wherever its browser was left, once in each language
// and in the order of the table.
var views = []view{
	{name: "login", who: "nobody", reach: at("/login")},
	{name: "login-refused", who: "nobody", reach: func(s *stage, p *testbed.Page) {
		p.Open(s.address + "/login")
		signIn(p, `AMIDO\annika`, "helt fel")
		p.WaitFor("#fault")
	}},
	{name: "login-expired", who: "anna", reach: (*stage).expired},
	{name: "login-ended", who: "nobody", reach: at("/login?ended=logout")},
	{name: "password", who: "anna", reach: (*stage).atPassword},
	{name: "password-broken", who: "anna", reach: func(s *stage, p *testbed.Page) {
		s.atPassword(p)
		change(p, "Gammalt-2025", "Kort-1", "Kort-1")
		p.WaitFor("#fault")
	}},
	{name: "password-mismatch", who: "anna", reach: func(s *stage, p *testbed.Page) {
		s.atPassword(p)
		change(p, "Gammalt-2025", "Höstlöv-2026!", "Höstlov-2026!")
		p.WaitFor("#fault")
	}},
	{name: "password-changed", who: "nobody", reach: at("/password?changed")},
	{name: "code", who: "frida", reach: (*stage).atCode},
	{name: "code-wrong", who: "frida", reach: func(s *stage, p *testbed.Page) {
		s.atCode(p)
		typeCode(p, "000000")
		p.WaitFor("#fault")
	}},
	{name: "code-resent", who: "frida", reach: func(s *stage, p *testbed.Page) {
		s.atCode(p)
		p.Open(s.address + "/code?resent")
	}},
	{name: "code-used-up", who: "harald", reach: func(s *stage, p *testbed.Page) {
		s.atCode(p)
		for !testbed.Eval[bool](p, `!!document.querySelector("#fault") && !document.querySelector(".resend .second")`) {
			testbed.Eval[bool](p, "window.answered = true") // this page; the next has another window
			typeCode(p, "000000")
			p.WaitUntil(`!window.answered && !!document.querySelector("#fault")`)
		}
	}},
	{name: "code-not-sent", who: "gunnar", reach: func(s *stage, p *testbed.Page) {
		s.sms.SetMode(testbed.SMSRefuse)
		defer s.sms.SetMode(testbed.SMSTake)
		s.atCode(p)
	}},
	{name: "code-mail", who: "mats", reach: (*stage).atCode},
	{name: "code-no-phone", who: "iris", reach: (*stage).atCode},
	// A person's number, and the link in the notices about it.
	{name: "phone", who: "erik", reach: (*stage).atPhone},
	{name: "phone-unreadable", who: "erik", reach: func(s *stage, p *testbed.Page) {
		s.atPhone(p)
		p.Fill("#number", "070-1")
		p.Press("Enter")
		p.WaitFor("#fault")
	}},
	{name: "phone-code", who: "erik", reach: func(s *stage, p *testbed.Page) {
		s.atPhone(p)
		p.Fill("#number", "070-174 06 77")
		p.Press("Enter")
		p.WaitFor("#code")
	}},
	{name: "phone-have", who: "cecilia", reach: (*stage).atNumber},
	{name: "phone-old", who: "cecilia", reach: (*stage).atOldCode},
	{name: "phone-another", who: "cecilia", reach: func(s *stage, p *testbed.Page) {
		loggedIn("/phone")(s, p)
		if testbed.Eval[bool](p, `!document.querySelector("#number")`) {
			s.atOldCode(p)
			typeCode(p, s.code(people[s.person].number))
		}
		p.WaitFor("#country-button")
	}},
	{name: "freeze", who: "nils", reach: (*stage).atFreeze},
	{name: "freeze-stopped", who: "nobody", reach: func(s *stage, p *testbed.Page) { p.Open(s.stopGunnars()) }},
	{name: "freeze-unknown", who: "nobody", reach: at("/freeze/NONE?t=none")},
	// Second factors. Gustav has several: the app is asked for first.
	{name: "code-other", who: "gustav", reach: atFactors("/code/other")},
	{name: "code-app", who: "gustav", reach: atFactors("/code/app")},
	{name: "code-app-wrong", who: "gustav", reach: func(s *stage, p *testbed.Page) {
		atFactors("/code/app")(s, p)
		typeCode(p, "00000")
		p.WaitFor("#fault")
	}},
	{name: "code-key", who: "gustav", reach: atFactors("/code/key")},
	{name: "code-backup", who: "gustav", reach: atFactors("/code/backup")},
	{name: "account", who: "greta", reach: loggedIn("/account")},
	{name: "account-app", who: "greta", reach: fresh("/account/app")},
	{name: "account-key", who: "greta", reach: fresh("/account/key")},
	{name: "account-backup", who: "greta", reach: func(s *stage, p *testbed.Page) {
		fresh("/account")(s, p)
		p.Click(`form[action="/account/backup"] button`)
		p.WaitFor(".codes li")
	}},
	{name: "enrol", who: "greta", reach: loggedIn("/enrol")},
	{name: "again", who: "greta", reach: loggedIn("/again?to=/account/app")},
	{name: "targets", who: "cecilia", reach: (*stage).atList},
	{name: "targets-search", who: "cecilia", reach: func(s *stage, p *testbed.Page) {
		s.atList(p)
		p.Fill("#find", "göteborg")
		p.WaitUntil(`!!document.querySelector("#found").textContent`)
	}},
	{name: "targets-nothing", who: "cecilia", reach: func(s *stage, p *testbed.Page) {
		s.atList(p)
		p.Fill("#find", "zzz")
		p.WaitFor("#nothing")
	}},
	{name: "targets-empty", who: "gerd", reach: (*stage).atList},
	{name: "targets-idle", who: "cecilia", reach: func(s *stage, p *testbed.Page) {
		s.atList(p)
		runOutOfTime(p)
	}},
	{name: "password-chosen", who: "cecilia", reach: loggedIn("/password")},
	{name: "help", who: "nobody", reach: at("/help")},
	{name: "check", who: "nobody", reach: func(s *stage, p *testbed.Page) {
		p.Open(s.address + "/check")
		p.WaitUntil(`document.querySelector("#verdict")?.dataset.state !== "waiting"`)
	}},
	{name: "message-not-found", who: "nobody", reach: at("/no-such-page")},
	{name: "message-no-target", who: "cecilia", reach: loggedIn("/desktop/no-such")},
	{name: "message-wrong-host", who: "nobody", reach: func(s *stage, p *testbed.Page) {
		p.Open(strings.Replace(s.address, "localhost", "127.0.0.1", 1) + "/login")
	}},
	// Administrators'.
	{name: "admin", who: "ada", reach: loggedIn("/admin")},
	{name: "admin-targets", who: "ada", reach: func(s *stage, p *testbed.Page) {
		loggedIn("/admin/targets")(s, p)
		p.Fill("#name", `AMIDO\anna`)
		p.Press("Enter")
		p.WaitFor("#person")
	}},
	{name: "admin-targets-nobody", who: "ada", reach: func(s *stage, p *testbed.Page) {
		loggedIn("/admin/targets")(s, p)
		p.Fill("#name", `AMIDO\ingen`)
		p.Press("Enter")
		p.WaitFor("#fault")
	}},
	{name: "admin-usage", who: "ada", reach: loggedIn("/admin/usage")},
	// What people have open, and the audit: helpdesk's.
	{name: "open-desktops-none", who: "hanna", reach: loggedIn("/helpdesk/desktops")},
	{name: "audit", who: "hanna", reach: loggedIn("/helpdesk/audit")},
	{name: "audit-fault", who: "hanna", reach: loggedIn("/helpdesk/audit?from=igår&kind=login")},
	{name: "support-id", who: "hanna", reach: func(s *stage, p *testbed.Page) {
		loggedIn("/helpdesk/audit?kind=code")(s, p)
		p.Open(testbed.Eval[string](p, `document.querySelector("td a[href^='/helpdesk/id/']").href`))
	}},
	{name: "support-id-none", who: "hanna", reach: loggedIn("/helpdesk/id/ZZZZZZZZ")},
	// Helpdesk: a person and why they cannot get in.
	{name: "helpdesk", who: "hanna", reach: loggedIn("/helpdesk")},
	{name: "helpdesk-enrolment", who: "hanna", reach: loggedIn("/helpdesk/enrolment")},
	{name: "helpdesk-found", who: "hanna", reach: loggedIn("/helpdesk?q=an")},
	{name: "helpdesk-none", who: "hanna", reach: loggedIn("/helpdesk?q=zzzz")},
	{name: "helpdesk-short", who: "hanna", reach: loggedIn("/helpdesk?q=z")},
	{name: "person", who: "hanna", reach: atPerson("erik")},
	{name: "person-oneself", who: "hanna", reach: atPerson("hanna")},
	{name: "person-act", who: "hanna", reach: func(s *stage, p *testbed.Page) {
		atPerson("greta")(s, p)
		p.Click("#act-number summary")
		p.WaitFor("#act-number[open] form")
	}},
	{name: "person-refused", who: "hanna", reach: func(s *stage, p *testbed.Page) {
		atPerson("greta")(s, p)
		act(p, "bypass", "Tappat mobilen")
		p.WaitFor("#fault")
	}},
	{name: "person-pending", who: "hanna", reach: func(s *stage, p *testbed.Page) { s.correctNumber(p, "gerd", "070-174 06 78") }},
	{name: "person-frozen", who: "hanna", reach: func(s *stage, p *testbed.Page) {
		s.stopGunnars()
		atPerson("gunnar")(s, p)
	}},
	{name: "person-caller", who: "hanna", reach: func(s *stage, p *testbed.Page) {
		atPerson("gerd")(s, p)
		if testbed.Eval[bool](p, `!document.querySelector("#caller-code")`) {
			act(p, "caller", "Ringer om koderna")
			p.WaitFor("#caller-code")
			atPerson("gerd")(s, p)
		}
		p.WaitFor("#caller-code")
	}},
	{name: "person-bypass", who: "hanna", reach: func(s *stage, p *testbed.Page) {
		atPerson("gerd")(s, p)
		p.Click("#act-bypass summary")
		p.Click("#tick-bypass")
		act(p, "bypass", "Har glömt telefonen hemma")
		p.WaitFor(".code-out")
	}},
	{name: "login-idle", who: "ingrid", reach: (*stage).leftAlone},

	{name: "desktop-connecting", who: "cecilia", desktop: true, reach: func(s *stage, p *testbed.Page) {
		loggedIn("/desktop/silent")(s, p)
		p.WaitUntil(desktopState + ` === "waiting"`)
	}},
	{name: "desktop", who: "cecilia", desktop: true, grabs: true, reach: (*stage).atDesktop},
	{name: "desktop-tools", who: "cecilia", desktop: true, reach: func(s *stage, p *testbed.Page) {
		s.atDesktop(p)
		p.Release()
		p.WaitFor("#tools[open]")
	}},
	{name: "desktop-files", who: "cecilia", desktop: true, reach: func(s *stage, p *testbed.Page) {
		s.atDesktop(p)
		untilFolder(p, func() { s.atDesktop(p) })
		p.Release()
		p.Click(`#tools [data-part="files"]`)
		p.WaitFor("#folder[open]")
	}},
	{name: "targets-running", who: "cecilia", desktop: true, reach: func(s *stage, p *testbed.Page) {
		s.atDesktop(p)
		p.Open(s.address + "/")
		p.WaitFor(".running li")
		if testbed.Eval[bool](p, `!document.querySelector("#favourites")`) {
			p.Click(`.star[value="rcard-server"]`)
			p.WaitFor(`.star[value="rcard-server"][aria-pressed="true"]`)
			p.Open(s.address + "/")
			p.WaitFor("#favourites")
		}
	}},
	{name: "desktop-key-row", who: "cecilia", desktop: true, grabs: true, reach: func(s *stage, p *testbed.Page) {
		s.atDesktop(p)
		p.Release()
		p.Click(`#tools [data-part="key-row"]`)
		p.Click(`#key-row [aria-controls]`)
		p.WaitFor("#key-row-functions")
	}},
	{name: "desktop-chooser", who: "cecilia", desktop: true, reach: func(s *stage, p *testbed.Page) {
		s.atDesktop(p)
		p.Release()
		p.Click(`#tools [data-part="add"]`)
		p.WaitFor("#chooser[open] li")
	}},
	{name: "desktop-tabs", who: "cecilia", desktop: true, reach: func(s *stage, p *testbed.Page) {
		s.atTwoDesktops(p)
		p.Release()
		p.WaitFor("#tools[open] .tab")
	}},
	{name: "desktop-side-by-side", who: "cecilia", desktop: true, grabs: true, reach: func(s *stage, p *testbed.Page) {
		s.atTwoDesktops(p)
		p.Release()
		p.Click(`#tools [data-part="turn"]`)
		p.WaitGone("#tools[open]")
	}},
	{name: "desktop-idle", who: "cecilia", desktop: true, reach: func(s *stage, p *testbed.Page) {
		s.atDesktop(p)
		runOutOfTime(p)
	}},
	{name: "open-desktops", who: "hanna", desktop: true, reach: func(s *stage, p *testbed.Page) {
		s.person = "cecilia"
		s.atDesktop(s.page("cecilia"))
		s.person = "hanna"
		s.atOpenDesktops(p)
	}},
	{name: "desktop-message", who: "cecilia", desktop: true, grabs: true, reach: func(s *stage, p *testbed.Page) {
		s.atDesktop(p)
		s.person = "hanna"
		s.atOpenDesktops(s.page("hanna"))
		s.person = "cecilia"
		sendMessage(s.page("hanna"), "Vi startar om servern kl. 15. Spara det du arbetar med.")
		p.WaitFor("#message[open]")
		p.WaitUntil(`document.activeElement.id === "message-ok"`)
	}},
	{name: "desktop-failed", who: "cecilia", desktop: true, reach: func(s *stage, p *testbed.Page) {
		loggedIn("/desktop/multiaccess02")(s, p)
		p.WaitUntil(desktopState + ` === "error"`)
	}},
	{name: "desktop-sign-in", who: "cecilia", desktop: true, reach: (*stage).atSignIn},
	{name: "desktop-sign-in-refused", who: "cecilia", desktop: true, reach: func(s *stage, p *testbed.Page) {
		s.atSignIn(p)
		p.Fill("#username-rcard-m5", "cecilia")
		p.Fill("#password-rcard-m5", "helt fel")
		p.Press("Enter")
		p.WaitUntil(desktopState + ` === "error"`)
		p.Click(pane + ` [data-part="again"]`)
		p.WaitFor(".sign-in[open] .fault")
	}},
}

// pane is the desktop that one is in; its state is also a connection's.
const (
	pane         = ".pane.active"
	desktopState = `document.querySelector("` + pane + `")?.dataset.state`
)

// at is a view that is nothing but an address.
func at(path string) func(*stage, *testbed.Page) {
	return func(s *stage, p *testbed.Page) { p.Open(s.address + path) }
}

// loggedIn is a view that is an address, for somebody who is logged in.
func loggedIn(path string) func(*stage, *testbed.Page) {
	return func(s *stage, p *testbed.Page) {
		s.atList(p)
		p.Open(s.address + path)
	}
}

// expired is the login page of anna, whose password has to be changed.
func (s *stage) expired(p *testbed.Page) {
	p.Open(s.address + "/login")
	signIn(p, `AMIDO\anna`, "Gammalt-2025")
	p.WaitFor("#fault")
}

// atPassword goes to the page that anna is sent to, which knows who she is.
func (s *stage) atPassword(p *testbed.Page) {
	p.Open(s.address + "/password")
	if testbed.Eval[string](p, `document.querySelector("#username").value`) == "" {
		s.expired(p)
		p.Open(s.address + "/password")
	}
}

// atCode goes to the code page as the person whose browser it is.
func (s *stage) atCode(p *testbed.Page) {
	p.Open(s.address + "/code")
	if strings.Contains(p.URL(), "/login") {
		s.signIn(p)
		p.WaitURL("/code")
	}
}

// atPhone goes to the form for a number, as somebody who has none.
func (s *stage) atPhone(p *testbed.Page) {
	p.Open(s.address + "/phone?edit")
	if strings.Contains(p.URL(), "/login") {
		s.signIn(p)
		p.WaitURL("/phone")
	}
	p.WaitFor("#country-button")
}

// atNumber shows the number that there is, and no change of it.
func (s *stage) atNumber(p *testbed.Page) {
	loggedIn("/phone")(s, p)
	if testbed.Eval[bool](p, `!!document.querySelector('main button[value="restart"]')`) {
		p.Click(`main button[value="restart"]`)
	}
	p.WaitFor(`main button[value="old"]`)
}

// atOldCode asks for the code from the number that there is, where none waits.
func (s *stage) atOldCode(p *testbed.Page) {
	loggedIn("/phone")(s, p)
	if testbed.Eval[bool](p, `!document.querySelector("#code")`) {
		s.atNumber(p)
		p.Click(`main button[value="old"]`)
	}
	p.WaitFor("#code")
}

// correctNumber is helpdesk's page of a person whose number it has changed.
func (s *stage) correctNumber(p *testbed.Page, name, number string) {
	atPerson(name)(s, p)
	if testbed.Eval[bool](p, `!!document.querySelector("#act-number")`) {
		p.Click("#act-number summary")
		p.Fill("#field-number", number)
		act(p, "number", "Har bytt mobil")
		p.WaitFor("#act-change-cancel")
		atPerson(name)(s, p) // as it is found from now on
	}
}

// stopGunnars has helpdesk change gunnar's number and him stop it; it returns
// the link that he did it with.
func (s *stage) stopGunnars() (link string) {
	if s.stopped == "" {
		person := s.person
		s.person = "hanna"
		s.correctNumber(s.page("hanna"), "gunnar", "070-174 06 79")
		s.person = person
		s.stopped = s.freezeLink(people["gunnar"].number)
		p := s.page("nobody")
		p.Open(s.stopped)
		p.Click("main form button")
		p.WaitUntil(`!document.querySelector("main form")`)
	}
	return s.stopped
}

// atFreeze is what the link in a notice opens; nils gives a number for it.
func (s *stage) atFreeze(p *testbed.Page) {
	if s.link == "" {
		const number = "+46701740688"
		s.atPhone(p)
		p.Fill("#number", number)
		p.Press("Enter")
		p.WaitFor("#code")
		typeCode(p, s.code(number))
		p.WaitUntil(`location.pathname === "/"`)
		s.link = s.freezeLink(number)
	}
	p.Open(s.link)
}

// freezeLink is the one in the next notice to a number.
func (s *stage) freezeLink(number string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	for {
		sms, err := s.sms.WaitMessage(ctx)
		if err != nil {
			s.t.Fatalf("no notice to %s: %v", number, err)
		}
		if at := strings.Index(sms.Text, s.address+"/freeze/"); sms.To == number && at >= 0 {
			return strings.Fields(sms.Text[at:])[0]
		}
	}
}

// atList goes to the list, through the login where that is needed.
func (s *stage) atList(p *testbed.Page) {
	p.Open(s.address + "/")
	if strings.Contains(p.URL(), "/login") {
		number := s.signIn(p)
		p.WaitURL("/code")
		typeCode(p, s.code(number))
		p.WaitUntil(`location.pathname === "/"`)
	}
	p.WaitFor("main h1")
}

// atPerson is helpdesk's page of a person, found by their user name.
func atPerson(name string) func(*stage, *testbed.Page) {
	return func(s *stage, p *testbed.Page) {
		loggedIn("/helpdesk?q="+name)(s, p)
		p.Click("tbody a")
		p.WaitFor(".causes")
	}
}

// act opens an act of a person's page, gives a reason and does it.
func act(p *testbed.Page, name, reason string) {
	if !testbed.Eval[bool](p, `document.querySelector("#act-`+name+`").open`) {
		p.Click("#act-" + name + " summary")
	}
	p.Fill("#reason-"+name, reason)
	p.Click("#act-" + name + " button")
}

func (s *stage) atDesktop(p *testbed.Page) {
	loggedIn("/desktop/multiaccess01")(s, p)
	connected(s.t, p)
	s.wholeDesktop(p)
}

func (s *stage) atTwoDesktops(p *testbed.Page) {
	loggedIn("/desktop/multiaccess01?with=rcard-server")(s, p)
	p.WaitUntil(`document.querySelectorAll('.pane[data-state="connected"]').length === 2`)
	s.wholeDesktop(p)
}

func (s *stage) atSignIn(p *testbed.Page) {
	loggedIn("/desktop/rcard-m5")(s, p)
	p.WaitFor(".sign-in[open]")
}

// atOpenDesktops is helpdesk's list with a row unfolded.
func (s *stage) atOpenDesktops(p *testbed.Page) {
	loggedIn("/helpdesk/desktops")(s, p)
	p.Click("#rows summary")
	p.WaitFor("#rows details[open]")
}

// sendMessage sends the first desktop of helpdesk's list a message.
func sendMessage(p *testbed.Page, words string) {
	p.Fill("#rows textarea", words)
	p.Fill("#rows [id^=why-message-]:not(.hint)", "Prov")
	p.Click("#rows form[action$='/message'] button")
	p.WaitURL("done=message")
}

// runOutOfTime has the server's clock say, as the page hears it, that the
// session ends in 95 s. TestBrowserIdle waits for a real one.
func runOutOfTime(p *testbed.Page) {
	testbed.Eval[bool](p, `window.truth = window.fetch, window.fetch = async () => new Response(
		'{"state": "ready", "idle_left": 95, "absolute_left": 9999, "warn": 120}'), dispatchEvent(new Event("online"))`)
	// Asked again until it is heard: the page's first question may still be on its way.
	p.WaitUntil(`document.querySelector("#idle").open || (dispatchEvent(new Event("online")), false)`)
}

// hearTheServer lets the page hear the server itself again.
func hearTheServer(p *testbed.Page) {
	testbed.Eval[bool](p, "window.fetch = window.truth, true")
}
