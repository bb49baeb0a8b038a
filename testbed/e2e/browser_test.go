package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stagedoor/testbed"
)

// The whole way with a real Active Directory, a real guacd and xrdp, in a real
// browser: what a person does who logs in once a month.
func TestBrowserWholeWay(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "xrdp", "chromium")
	r := newRig(t)
	r.withDesktops()
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Language("sv")

	page.Open(r.address + "/")
	page.WaitURL("/login")
	page.Shot("login")
	signIn(page, `AMIDO\anna`, "helt fel")
	page.WaitText("Fel användarnamn eller lösenord, eller så är kontot inte tillgängligt.")
	page.Shot("login-refused")
	signIn(page, `AMIDO\anna`, "Gammalt-2025")
	page.WaitText("Ditt lösenord har gått ut.")
	page.Shot("login-expired")

	page.Click("#fault a")
	page.WaitURL("/password")
	page.WaitText("Minst 10 tecken.")
	page.Shot("password")
	change(page, "Gammalt-2025", "Kort-1", "Kort-1")
	page.WaitText("Det nya lösenordet är för kort.")
	page.Shot("password-broken")
	change(page, "Gammalt-2025", "Höstlöv-2026!", "Höstlov-2026!")
	page.WaitText("inte likadana")
	change(page, "Gammalt-2025", "Höstlöv-2026!", "Höstlöv-2026!")
	page.WaitText("Ditt lösenord har ändrats.")
	page.Shot("password-changed")
	page.Click("main a")
	page.WaitURL("/login")

	signIn(page, "anna@amido.example", "Höstlöv-2026!")
	page.WaitURL("/code")
	page.Shot("code")
	code := r.code("+46701740605")
	typeCode(page, "000000")
	page.WaitText("Fel kod")
	page.Shot("code-wrong")
	typeCode(page, code[:3]+" "+code[3:])
	page.WaitText("Klicka på det system du vill koppla upp dig mot.")
	page.WaitText("INSTRUKTIONER OCH HJÄLPVERKTYG")
	page.Shot("targets")
	page.Prefer("prefers-color-scheme", "dark")
	page.Reload()
	page.WaitText("INSTRUKTIONER OCH HJÄLPVERKTYG")
	page.Shot("targets-dark")
	page.Prefer("prefers-color-scheme", "")

	r.work(page)
	r.failures(page)

	page.Open(r.address + "/help")
	page.Shot("help")
	page.Open(r.address + "/")
	page.Click(`form[action="/logout"] button`)
	page.WaitText("Du är utloggad.")
	page.Shot("logged-out")
	noComplaints(t, page)
	log := r.process.Output()
	for _, secret := range []string{"Höstlöv", "Gammalt-2025", code, r.user.Password} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// noComplaints fails the test on what the browser's console says: script
// errors, what the Content-Security-Policy stopped. That a refusal is answered
// with its HTTP status is not a complaint.
func noComplaints(t *testing.T, page *testbed.Page) {
	t.Helper()
	for _, problem := range page.Problems() {
		if !strings.Contains(problem.Text, "responded with a status of 4") {
			t.Errorf("the browser complained: %v", problem)
		}
	}
}

// work is a desktop in use: picture, keys with Swedish letters, pointer, size.
func (r *rig) work(page *testbed.Page) {
	r.t.Helper()
	page.Click(`a[data-target="multiaccess01"]`)
	connected(r.t, page)
	page.WaitColour(1200, 700, colour)
	page.WaitColour(800, 500, terminal) // before it is there, keys go nowhere
	page.Shot("desktop")
	typed := filepath.Join(r.shared(), "typed")
	command(page, fmt.Sprintf("echo 'Räksmörgås @{}[]\\' > %s", typed))
	r.contains(typed, `Räksmörgås @{}[]\`)
	pointer := filepath.Join(r.shared(), "pointer")
	page.ClickAt(600, 400)
	command(page, fmt.Sprintf("xdotool getmouselocation > %s", pointer))
	r.contains(pointer, "x:600 y:400")
	size := filepath.Join(r.shared(), "size")
	command(page, fmt.Sprintf("until xdpyinfo | grep dimensions | tee %s | grep -q 1000x600; do sleep 0.2; done", size))
	page.Size(1000, 600)
	r.contains(size, "1000x600")
	page.WaitColour(950, 550, colour)
	page.Shot("desktop-resized")
	page.Size(1280, 800)
	page.Open(r.address + "/")
	page.WaitText("Välj system")
}

// command types a line into the desktop's terminal.
func command(page *testbed.Page, line string) {
	page.Type(line)
	page.Press("Enter")
}

// connected waits for the desktop's picture. A person whose desktop does not
// come at first presses the button once, and so does this; it is logged.
func connected(t *testing.T, page *testbed.Page) {
	t.Helper()
	const state = `document.querySelector(".pane.active")?.dataset.state`
	limit := page.Limit
	defer func() { page.Limit = limit }()
	page.Limit = 45 * time.Second // the gateway itself gives a first picture 30
	page.WaitUntil(state + ` === "connected" || ` + state + ` === "error"`)
	if testbed.Eval[string](page, state) == "error" {
		t.Logf("the desktop did not come at first: %s", page.Text())
		page.Click(`.pane.active [data-part="again"]`)
		page.WaitUntil(state + ` === "connected"`)
	}
}

// shared is a folder that the desktop's user may write to.
func (r *rig) shared() string {
	path := filepath.Join(os.TempDir(), "sd-e2e-"+filepath.Base(r.user.Name))
	if _, err := os.Stat(path); err != nil {
		ok(r.t, os.Mkdir(path, 0o777))
		ok(r.t, os.Chmod(path, 0o777))
		r.t.Cleanup(func() { os.RemoveAll(path) })
	}
	return path
}

// contains waits until a file has a text.
func (r *rig) contains(path, text string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 15*time.Second)
	defer cancel()
	var data []byte
	for ctx.Err() == nil {
		if data, _ = os.ReadFile(path); strings.Contains(string(data), text) {
			return
		}
		waitABit(ctx)
	}
	r.t.Fatalf("%s holds %q, not %q", filepath.Base(path), data, text)
}

// waitABit is a turn of polling for what no event tells.
func waitABit(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(50 * time.Millisecond):
	}
}

// failures are the ways a desktop does not come, or goes, in words.
func (r *rig) failures(page *testbed.Page) {
	r.t.Helper()
	page.Open(r.address + "/desktop/multiaccess02") // nothing listens there
	page.WaitUntil(`document.querySelector(".pane.active")?.dataset.state === "error"`)
	page.WaitText("XXX.Stockholm.MultiAccess02 svarar inte.")
	page.WaitUntil(`document.querySelector('.pane.active [data-part="status-help"]')?.getAttribute("href") === "/help#no-answer"`)
	page.Shot("desktop-dead")
	page.Open(r.address + "/desktop/no-such")
	page.WaitText("Systemet finns inte i din lista")
	page.Shot("no-target")

	page.Open(r.address + "/desktop/multiaccess01")
	connected(r.t, page)
	ok(r.t, r.guacd.Stop()) // guacd dies in mid-session
	page.WaitUntil(`document.querySelector(".pane.active")?.dataset.state !== "connected"`)
	page.WaitText("Förbindelsen med XXX.MultiAccess01 bröts.")
	page.Shot("desktop-lost")
}

// Left alone, a person is warned over the desktop and then logged out, whatever
// the desktop paints; afterwards they come back to it.
func TestBrowserIdle(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "xrdp", "chromium")
	r := newRig(t)
	r.withDesktops()
	r.blocks["session"] = "session: {idle: 40s, warning: 30s}\n"
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Limit = 45 * time.Second
	page.Language("sv")
	r.logIn(page)
	page.Open(r.address + "/desktop/multiaccess01?with=rcard-server")
	page.WaitUntil(`document.querySelectorAll('.pane[data-state="connected"]').length === 2`)
	page.WaitColour(800, 500, terminal)
	leaked := filepath.Join(r.shared(), "leaked")
	command(page, "(while true; do date; sleep 1; done) & stty -icanon; cat > "+leaked) // the screen goes on moving
	page.Type("x")
	r.contains(leaked, "x")
	page.WaitFor("#idle[open]")
	page.WaitText("Är du kvar?")
	page.WaitUntil(`document.querySelector("#idle").contains(document.activeElement)`)
	page.WaitUntil(`document.querySelector("#idle-announce").textContent.includes("30 sekunder")`)
	page.WaitUntil(`document.title.startsWith("Loggas ut om")`)
	page.WaitUntil(`document.title.startsWith("XXX.MultiAccess01")`) // it flashes
	page.Type("hemligt")                                             // the desktop no longer has the keyboard
	page.Shot("idle-warning")
	page.WaitUntil(`document.querySelector("#idle-announce").textContent.includes("10 sekunder")`)
	if typed, _ := os.ReadFile(leaked); string(typed) != "x" {
		t.Errorf("the desktop got %q while the dialog was open", typed)
	}
	page.Click("#idle-keep")
	page.WaitGone("#idle[open]")
	page.WaitFor("#idle[open]")
	page.WaitURL("/login")
	page.WaitText("utan aktivitet")
	page.WaitText("Dina program är fortfarande öppna på XXX.MultiAccess01, R-CARD M5 Server.")
	page.Shot("idle-logged-out")
	signIn(page, `AMIDO\cecilia`, "Sommar-2026-åäö")
	page.WaitURL("/code")
	typeCode(page, r.code("+46701740607"))
	page.WaitURL("/desktop/multiaccess01?with=rcard-server")
	page.WaitUntil(`document.querySelectorAll('.pane[data-state="connected"]').length === 2`)
}

// Over TLS the cookies are bound to the host and the desktop's tunnel is wss.
func TestBrowserTLS(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "xrdp", "chromium")
	r := newRig(t)
	r.withDesktops()
	certificate := r.withTLS()
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{Trust: []string{certificate.CertFile}}).NewPage()
	page.Language("sv")
	r.logIn(page)
	for _, cookie := range page.Cookies() {
		if !cookie.Secure || !cookie.HTTPOnly {
			t.Errorf("cookie %s: Secure %v, HttpOnly %v", cookie.Name, cookie.Secure, cookie.HTTPOnly)
		}
	}
	page.Click(`a[data-target="multiaccess01"]`)
	connected(r.t, page)
	page.WaitColour(1200, 700, colour)
	page.Open(r.address + "/")
	page.Click(`form[action="/logout"] button`)
	page.WaitText("Du är utloggad.")
	for _, cookie := range page.Cookies() {
		if cookie.Name != "__Host-stagedoor-familiar" { // which says where somebody has logged in, and opens nothing
			t.Errorf("cookie %s is left after the logout", cookie.Name)
		}
	}
	noComplaints(t, page)
}

// Up to the list the pages need no JavaScript.
func TestBrowserWithoutScripts(t *testing.T) {
	testbed.Need(t, "samba", "chromium")
	r := newRig(t)
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Scripts(false)
	page.Language("en")
	page.Open(r.address + "/login")
	signIn(page, "bertil", "Tillfalligt-1")
	page.WaitText("expired")
	page.Click("#fault a")
	page.WaitURL("/password")
	change(page, "Tillfalligt-1", "Mitt-eget-2026", "Mitt-eget-2026")
	page.WaitURL("changed")
	page.Click("main a")
	signIn(page, `amido\BERTIL`, "Mitt-eget-2026")
	page.WaitURL("/code")
	typeCode(page, r.code("+46701740606"))
	page.WaitText("Contact Amido Support") // an empty list says whom to ask
	page.Shot("targets-empty-en")
}

// The pages in both languages, dark, and on a phone.
func TestBrowserLooks(t *testing.T) {
	testbed.Need(t, "samba", "chromium")
	r := newRig(t)
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	for _, language := range []string{"sv", "en"} {
		page.Language(language)
		for _, path := range []string{"login", "password", "help"} {
			for _, scheme := range []string{"light", "dark"} {
				page.Prefer("prefers-color-scheme", scheme)
				for width, height := range map[int]int{360: 740, 1280: 800} {
					page.Size(width, height)
					if status := page.Open(r.address + "/" + path); status != http.StatusOK {
						t.Errorf("%s: %d", path, status)
					}
					if wide := testbed.Eval[int](page, "document.documentElement.scrollWidth"); wide > width {
						t.Errorf("%s at %d px is %d px wide", path, width, wide)
					}
					page.Shot(fmt.Sprintf("%s-%s-%s-%d", path, language, scheme, width))
				}
			}
		}
	}
	noComplaints(t, page)
}

// An organisation's own look, from the configuration to the browser.
func TestBrowserBrand(t *testing.T) {
	testbed.Need(t, "samba", "chromium")
	r := newRig(t)
	r.file("logo.svg", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 32"><style>path{fill:#7a1f5c}@media (prefers-color-scheme:dark){path{fill:#fff}}</style><path d="M0 0h32v32H0zm40 0h56v32H40z"/></svg>`)
	r.blocks["portal"] = `portal:
  name: Amido Alliera Backstage
  logo: logo.svg
  logo_has_name: true
  accent: {light: "#7a1f5c"}
  texts:
    - {key: security.policy, language: sv, text: Datorn ska följa Amidos säkerhetspolicy.}
helpdesk: {name: Amido Support}
`
	if out, exit := stagedoor(t, "check", "--config", r.config()); exit != 0 {
		t.Fatalf("check: exit %d: %s", exit, out)
	}
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Language("sv")
	page.Open(r.address + "/login")
	page.WaitText("Datorn ska följa Amidos säkerhetspolicy.")
	page.WaitUntil(`document.querySelector(".brand img[alt='Amido Alliera Backstage']").naturalWidth > 0`)
	if got := testbed.Eval[string](page, `getComputedStyle(document.querySelector("form.form > button")).backgroundColor`); got != "rgb(122, 31, 92)" {
		t.Errorf("the button is %s", got)
	}
	page.Shot("login-branded")
	logo := testbed.Eval[string](page, `document.querySelector(".brand img").src`)
	noComplaints(t, page)
	if status := page.Open(logo); status != http.StatusOK {
		t.Errorf("the logo by itself: %d", status)
	}
	if origin := testbed.Eval[string](page, "self.origin"); origin != "null" {
		t.Errorf("the logo by itself has the origin %s: it is not in a sandbox", origin)
	}
}
