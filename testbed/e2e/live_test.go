package e2e

import (
	"testing"
	"time"

	"stagedoor/testbed"
)

// Helpdesk sees an open desktop, says something to its person and ends it: what
// is said stands over the desktop, is read aloud, takes no key from whoever is
// typing, and helpdesk is told that it was shown.
func TestBrowserHelpdeskMessage(t *testing.T) {
	testbed.Need(t, "samba", "chromium")
	r := newRig(t)
	guacd := startFakeGuacd(t, []byte(pdf), []byte(png))
	r.withFake(guacd)
	r.serve()
	browser := testbed.StartBrowser(t, testbed.BrowserOptions{})
	cecilia, hanna := browser.NewPerson(), browser.NewPerson()
	for _, p := range []*testbed.Page{cecilia, hanna} {
		p.Limit = 30 * time.Second
		p.Language("sv")
	}
	r.logIn(cecilia)
	cecilia.Open(r.address + "/desktop/all")
	connected(t, cecilia)

	hanna.Open(r.address + "/login")
	signIn(hanna, `AMIDO\hanna`, "Sommar-2026-ok")
	hanna.WaitURL("/code")
	typeCode(hanna, r.code("+46701740609"))
	hanna.WaitUntil(`location.pathname === "/"`)
	hanna.Open(r.address + "/helpdesk/desktops")
	hanna.WaitText("Cecilia Lind")
	hanna.Click("#rows summary")
	const words = `Vi startar om servern <img src=x onerror="document.title='x'">`
	sendMessage(hanna, words)

	cecilia.WaitFor("#message[open]")
	cecilia.WaitUntil(`document.activeElement.id === "message-ok"`)
	for expression, want := range map[string]string{
		`document.querySelector("#message-text").textContent`:                                                     words,
		`document.querySelector("#message-said").textContent`:                                                     "Meddelande från Helpdesk: " + words,
		`document.querySelector("#message-said").getAttribute("role")`:                                            "alert",
		`document.querySelector("#message").getAttribute("role")`:                                                 "alertdialog",
		`document.getElementById(document.querySelector("#message").getAttribute("aria-labelledby")).textContent`: "Meddelande från Helpdesk",
		`String(document.querySelectorAll("#message img").length)`:                                                "0",
	} {
		if got := testbed.Eval[string](cecilia, expression); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
	cecilia.Shot("desktop-message")
	hanna.WaitText("Meddelande visat") // the list is up to date by itself

	// What helpdesk types next is not touched when the list is brought up to date.
	hanna.Click("#rows summary")
	hanna.Fill("#rows textarea", "Nästa medd")
	testbed.Eval[bool](hanna, `document.querySelector('[data-cell="idle"]').textContent = "?", document.querySelector("#rows textarea").focus(), true`)
	hanna.WaitUntil(`document.querySelector('[data-cell="idle"]').textContent !== "?"`)
	if !testbed.Eval[bool](hanna, `document.activeElement.value === "Nästa medd"`) {
		t.Error("what was being typed is gone")
	}

	cecilia.WaitUntil(`(document.querySelector("#message-ok").click(), !document.querySelector("#message").open)`)
	guacd.forget()
	cecilia.Type("x")
	wait(t, func() bool { return guacd.said("key 120 1") })

	// Somebody types all the time: the message comes, and the keys go on.
	testbed.Eval[bool](cecilia, `window.typist = setInterval(() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "x", bubbles: true})), 100), true`)
	sendMessage(hanna, "En gång till")
	cecilia.WaitFor("#message[open]")
	guacd.forget()
	cecilia.Type("y")
	wait(t, func() bool { return guacd.said("key 121 1") })
	if testbed.Eval[bool](cecilia, `document.querySelector("#message").contains(document.activeElement)`) {
		t.Error("the message took the keyboard from somebody who was typing")
	}
	testbed.Eval[bool](cecilia, `clearInterval(window.typist), true`)
	cecilia.WaitUntil(`document.activeElement.id === "message-ok"`)

	hanna.Click("#rows summary")
	hanna.Fill("#rows [id^=why-end-]:not(.hint)", "Fel person")
	hanna.Click("#rows form[action$='/end'] button")
	hanna.WaitText("får veta att Helpdesk stängde det")
	cecilia.WaitText("Helpdesk har stängt skrivbordet.")
	hanna.WaitText("Inget skrivbord är öppet.")
}
