package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stagedoor/testbed"
)

// The help in every language, before any login; an administrator changes it while
// people read.
func TestBrowserHelp(t *testing.T) {
	testbed.Need(t, "samba", "chromium")
	r := newRig(t)
	help := r.folder("help")
	r.blocks["portal"] = strings.Replace(r.blocks["portal"], "portal: {", "portal: {help_dir: help, ", 1)
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Language("sv")

	page.Open(r.address + "/help")
	page.WaitText("Instruktioner och felsökning")
	page.WaitText(`AMIDO\användarnamn`)
	page.WaitText("Amido Support, 08-465 004 99, support@amido.example")
	page.Shot("help")
	decoded := `Promise.all([...document.querySelectorAll(".prose img")].map(i => { i.loading = "eager"; return i.decode() })).then(all => all.length)`
	if n := testbed.Eval[int](page, decoded); n < 5 {
		t.Errorf("%d pictures", n)
	}
	page.Click(`.contents a[href="#sms"]`)
	page.WaitUntil(`Math.abs(document.querySelector("#sms").getBoundingClientRect().top) < 200`)
	page.Shot("help-sms")
	page.Prefer("prefers-color-scheme", "dark")
	page.Shot("help-dark")
	page.Size(360, 740)
	for _, language := range []string{"en", "nb", "da", "fi", "de", "sv"} {
		page.Open(r.address + "/help?lang=" + language)
		page.WaitFor(`html[lang="` + language + `"] article:not([lang]) #contact`)
		if n := testbed.Eval[int](page, decoded); n < 5 {
			t.Errorf("%s: %d pictures", language, n)
		}
		if testbed.Eval[bool](page, "document.documentElement.scrollWidth > innerWidth") {
			t.Errorf("%s: the help is wider than a phone", language)
		}
		page.Shot("help-phone-" + language)
	}
	page.Size(1280, 800)
	page.Prefer("prefers-color-scheme", "")
	page.Click(`.languages a[hreflang="en"]`)
	page.WaitText("No text message?")
	page.Shot("help-en")

	page.Language("sv,en")
	page.Open(r.address + "/help?lang=sv")
	picture := must[[]byte](t)(os.ReadFile("../../webroot/help/images/login.sv.png"))
	ok(t, os.WriteFile(filepath.Join(help, "jour.png"), picture, 0o644))
	ok(t, os.WriteFile(filepath.Join(help, "sv.md"), []byte("# Vår egen hjälp\n\n## Jouren {#jour}\n\nRing {phone}.\n\n![Jouren](jour.png)\n\n<script>document.title = 'evil'</script>\n"), 0o644))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !strings.Contains(page.Text(), "Vår egen hjälp") {
		if ctx.Err() != nil {
			t.Fatalf("the new text is not seen:\n%s", r.process.Output())
		}
		page.Reload()
	}
	if n := testbed.Eval[int](page, decoded); n != 1 || testbed.Eval[string](page, "document.title") != "Vår egen hjälp – Amido Alliera Backstage" {
		t.Errorf("%d pictures, title %q", n, testbed.Eval[string](page, "document.title"))
	}
	page.Shot("help-own")
	page.Open(r.address + "/help?lang=en")
	page.WaitText("No text message?")
	if out, exit := stagedoor(t, "check", "--config", filepath.Join(r.dir, "config.yaml")); exit != 1 || !strings.Contains(out, filepath.Join(help, "sv.md")+": raw HTML is left out") {
		t.Errorf("exit %d: %s", exit, out)
	}
	noComplaints(t, page)
}

// The connection check, to its verdict; helpdesk finds it by its support id.
func TestBrowserCheck(t *testing.T) {
	testbed.Need(t, "samba", "chromium")
	r := newRig(t)
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Language("sv")
	page.Open(r.address + "/login")
	page.Click(`footer a[href="/check"]`)
	page.WaitText("Allt är bra. Du kan använda portalen härifrån.")
	page.WaitText("Supportnummer: ")
	page.WaitText("WebSocket kommer fram.")
	first := supportID(page, "#record-text")
	page.Click("#keyboard")
	page.Type("åäö@{[")
	page.WaitText("6 av 9 tecken har kommit fram.")
	page.Type(`]}\`)
	page.WaitText("Alla tecken kommer fram.")
	page.Click("#keyboard-send")
	page.WaitUntil(`!document.querySelector("#record-text").textContent.includes("` + first + `")`)
	page.Click("#check-copy")
	page.WaitUntil(`document.querySelector("#copy-text").textContent !== ""`)
	page.Shot("check")
	page.Size(360, 740)
	page.Prefer("prefers-color-scheme", "dark")
	if testbed.Eval[bool](page, "document.documentElement.scrollWidth > innerWidth") {
		t.Error("the check is wider than a phone")
	}
	page.Shot("check-phone")
	page.Size(1280, 800)
	second := supportID(page, "#record-text")
	r.audited(second[:4]+" "+strings.ToLower(second[4:]), `"Kind":"check","Result":"ok"`, `"keyboard":"åäö@{[]}\\"`, `"earlier":"`+first+`"`, `"socket":"ok"`, `"trips":"10"`)
	if out, exit := stagedoor(t, "audit", "--config", filepath.Join(r.dir, "config.yaml"), "--id", "ZZZZZZZZ"); exit != 1 || !strings.Contains(out, "no event under support id ZZZZZZZZ") {
		t.Errorf("exit %d: %s", exit, out)
	}
	noComplaints(t, page)

	page.Scripts(false)
	page.Open(r.address + "/check")
	page.WaitText("Den behöver JavaScript")
	page.Shot("check-no-script")
}

// supportID is the id at the end of what a place of the page says.
func supportID(page *testbed.Page, selector string) string {
	words := strings.Fields(testbed.Eval[string](page, "document.querySelector(`"+selector+"`).textContent"))
	if len(words) == 0 {
		return ""
	}
	return strings.TrimSuffix(words[len(words)-1], ".")
}

// audited fails the test unless the audit has an event under the id that holds
// all of that.
func (r *rig) audited(id string, want ...string) {
	r.t.Helper()
	out, exit := stagedoor(r.t, "audit", "--config", filepath.Join(r.dir, "config.yaml"), "--id", id)
	for _, text := range want {
		if exit != 0 || !strings.Contains(out, text) {
			r.t.Errorf("exit %d; no %s under %s in\n%s", exit, text, id, out)
		}
	}
}

// A proxy that lets pages through and stops WebSockets: the check says so, and
// a desktop that cannot open has a number that helpdesk finds.
func TestBrowserWithoutWebSockets(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "chromium")
	r := newRig(t)
	guacd := must[*testbed.Guacd](t)(testbed.StartGuacd(t.Context(), testbed.GuacdOptions{}))
	t.Cleanup(func() { ok(t, guacd.Stop()) })
	r.blocks["guacd"] = "guacd:\n  - address: " + guacd.Address + "\n"
	r.targets = "targets:\n  - {id: dead, name: XXX.MultiAccess01, host: 127.0.0.1, port: 1, visible_to: everyone}\n  - {id: other, name: R-CARD M5, host: 127.0.0.1, port: 1, visible_to: everyone}\n"
	direct := r.address
	backend := must[*url.URL](t)(url.Parse(direct))
	stops := true
	forward := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(backend)
		p.Out.Host = p.In.Host
		p.Out.Header.Set("Via", "1.1 proxy")
	}}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if stops && req.Header.Get("Upgrade") != "" {
			http.Error(w, "no", http.StatusBadGateway)
			return
		}
		forward.ServeHTTP(w, req)
	}))
	t.Cleanup(proxy.Close)
	through := strings.Replace(proxy.URL, "127.0.0.1", "localhost", 1)
	r.blocks["listen"] = fmt.Sprintf("listen: localhost:%d\npublic_url: %s\n", r.port, through)
	r.address = through
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Language("sv")
	page.Open(r.address + "/check")
	page.WaitText("Det här hindrar dig från att använda portalen: förbindelse för skrivbord.")
	page.WaitText("stoppar den")
	page.WaitText("En proxy mellan dig och portalen")
	page.WaitText("Supportnummer: ")
	page.Shot("check-blocked")
	r.audited(supportID(page, "#record-text"), `"Kind":"check","Result":"error","Reason":"websocket"`, `"socket":"blocked"`)

	r.logIn(page)
	page.Click(`a[data-target="dead"]`)
	page.WaitText("Supportnummer: ")
	page.Shot("desktop-without-websocket")
	r.audited(supportID(page, `[data-part="status-support"]`), `"Kind":"desktop-page"`, `"Target":"dead"`)
	stops = false
	page.Open(r.address + "/desktop/dead")
	page.WaitText("svarar inte")
	page.WaitText("Supportnummer: ")
	r.audited(supportID(page, `[data-part="status-support"]`), `"Kind":"desktop-open"`, `"Kind":"desktop-close","Result":"error"`)
}
