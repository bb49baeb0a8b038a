package e2e

import (
	"strings"
	"testing"

	"stagedoor/directory/directorytest"
	"stagedoor/testbed"
)

// TestBrowserCodeByMail logs somebody in whose policy has codes by mail: the page
// says where the code went, without telling it to who looks over a shoulder, and
// a real mail server has the mail.
func TestBrowserCodeByMail(t *testing.T) {
	testbed.Need(t, "chromium")
	r := bareRig(t)
	users := []directorytest.User{{Name: "mats", Password: "Sommar-2026-ok", DisplayName: "Mats Ölund", Mail: "mats@amido.example", Groups: []string{"Codes-By-Mail"}}}
	people := must[*directorytest.Server](t)(directorytest.Start(directorytest.Config{Domain: "AMIDO", Suffix: "amido.example",
		Users: users, Groups: []directorytest.Group{{Name: "Codes-By-Mail"}}}))
	t.Cleanup(func() { ok(t, people.Stop()) })
	domain := people.Domain()
	r.directory(people.URL(), domain.CAFile, domain.BindDN, domain.BindPassword)
	r.withMail()
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Language("sv")

	page.Open(r.address + "/")
	signIn(page, `AMIDO\mats`, "Sommar-2026-ok")
	page.WaitURL("/code")
	page.WaitText("Vi har skickat en engångskod med e-post till m•••@amido.example.")
	page.WaitText("E-posten lämnades till e-postservern")
	page.Shot("code-mail")
	if text := page.Text(); strings.Contains(text, "mats@") || strings.Contains(text, "sms") {
		t.Errorf("the page tells the address, or speaks of SMS:\n%s", text)
	}
	code := r.mailCode("mats@amido.example")
	typeCode(page, "000000")
	page.WaitText("Fel kod")
	typeCode(page, code)
	page.WaitText("Välj system")
	page.Open(r.address + "/account")
	page.WaitText("De skickas till m•••@amido.example.")

	// The same without scripts.
	page.Click(`header form[action="/logout"] button`)
	page.WaitURL("/login")
	page.Scripts(false)
	page.Open(r.address + "/login")
	signIn(page, `AMIDO\mats`, "Sommar-2026-ok")
	page.WaitText("m•••@amido.example")
	typeCode(page, r.mailCode("mats@amido.example"))
	page.WaitText("Välj system")
	if messages := r.sms.Messages(); len(messages) > 0 {
		t.Errorf("%d messages went to phones", len(messages))
	}
}
