package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"stagedoor/testbed"
)

// withReceipts has the provider tell what becomes of messages.
func (r *rig) withReceipts() {
	r.file("receipt-secret", "a-secret-of-receipts\n")
	r.blocks["sms"] = strings.Replace(r.blocks["sms"], "&message=", "&whendelivered={{urlquery .Callback}}&message=", 1) +
		"        reference: id\n" +
		"      receipts: {auth: query-secret, secret_file: receipt-secret, id: id, status: status, delivered: [delivered], failed: [failed]}\n"
}

func (r *rig) message() testbed.SMS {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
	defer cancel()
	return must[testbed.SMS](r.t)(r.sms.WaitMessage(ctx))
}

func (r *rig) receipt(sms testbed.SMS, status string) {
	r.t.Helper()
	if got := must[int](r.t)(r.sms.Receipt(r.t.Context(), sms, status, "")); got != 204 {
		r.t.Errorf("the receipt was answered with %d", got)
	}
}

// Whoever waits for a code sees, without doing anything, that it did not arrive,
// and at once asks for another, which does.
func TestBrowserWayOfACode(t *testing.T) {
	testbed.Need(t, "samba", "chromium")
	r := newRig(t)
	r.withReceipts()
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Language("sv")
	page.Open(r.address + "/login")
	signIn(page, `AMIDO\cecilia`, "Sommar-2026-åäö")
	page.WaitURL("/code")
	page.WaitText("Sms:et lämnades till operatören kl.")
	page.WaitUntil(`document.querySelector(".resend button").disabled`)
	page.Fill("#code", "12")
	r.receipt(r.message(), "failed")
	page.WaitText("Sms:et kom inte fram.")
	page.WaitText("Kontakta Amido Support om numret är fel")
	page.WaitUntil(`document.querySelector("#code").value === "12"`)
	page.WaitUntil(`!document.querySelector(".resend button").disabled`)
	page.Shot("code-undelivered")
	page.Click(".resend button")
	page.WaitURL("resent")
	sms := r.message()
	page.WaitUntil(`document.querySelector("#way").textContent.includes("lämnades") && !document.querySelector("#way").textContent.includes("kom inte fram")`)
	r.receipt(sms, "delivered")
	page.WaitText("Sms:et kom fram till telefonen kl.")
	page.WaitUntil(fmt.Sprintf(`document.querySelector("#way").getAttribute("role") === %q`, "status"))
	page.Shot("code-delivered")
	typeCode(page, sixDigits.FindString(sms.Text))
	page.WaitFor(".targets, main")
	page.WaitUntil(`location.pathname === "/"`)
	noComplaints(t, page)
}

// The same where somebody on their way in gives their first number; without
// scripts the page tells how it stood when it was opened.
func TestBrowserWayOfAnEnrolmentCode(t *testing.T) {
	testbed.Need(t, "samba", "chromium")
	r := newRig(t)
	r.blocks["phones"] = "phones: {enrol: self}\n"
	r.withReceipts()
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Language("sv")
	page.Size(1280, 800)
	page.Open(r.address + "/login")
	signIn(page, `AMIDO\erik`, "Sommar-2026-ok")
	page.WaitURL("/phone")
	page.Fill("#number", "070-174 06 77")
	page.Press("Enter")
	page.WaitText("Sms:et lämnades till operatören kl.")
	page.Shot("phone-code-handed-1280")
	r.receipt(r.message(), "failed")
	page.WaitText("Sms:et kom inte fram.")
	page.WaitUntil(`!document.querySelector(".resend button").disabled`)
	page.Size(360, 800)
	page.Shot("phone-code-undelivered-360")
	if findings := page.Axe(); len(findings) > 0 {
		t.Errorf("%+v", findings)
	}
	r.sms.SetMode(testbed.SMSRefuse)
	page.Click(".resend button")
	page.WaitText("Sms-tjänsten tog inte emot sms:et kl.")
	page.Shot("phone-code-refused-360")
	r.sms.SetMode(testbed.SMSTake)
	page.Scripts(false)
	page.Size(1280, 800)
	page.Reload()
	page.WaitText("Sms-tjänsten tog inte emot sms:et kl.")
	page.Shot("phone-code-refused-1280")
	noComplaints(t, page)
}
