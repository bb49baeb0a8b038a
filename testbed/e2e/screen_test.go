package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stagedoor/testbed"
)

// pick chooses in a list of the tools, as by keyboard.
func pick(page *testbed.Page, name, value string) {
	page.Release()
	page.WaitFor("#tools[open]")
	choose(page, name, value)
}

func choose(page *testbed.Page, name, value string) {
	testbed.Eval[bool](page, fmt.Sprintf(`(() => {
		const list = document.querySelector('#tools [data-part=%q]');
		list.value = %q;
		list.dispatchEvent(new Event("change"));
		return true;
	})()`, name, value))
}

// dimensions waits until the desktop has a size: in the browser and then, asked
// for in its terminal, on the desktop. xrdp drops keys that come while it changes.
func (r *rig) dimensions(page *testbed.Page, width, height int) {
	r.t.Helper()
	want := fmt.Sprintf("%dx%d", width, height)
	page.WaitUntil(fmt.Sprintf(`document.querySelector(".pane.active .display > div > div").style.width === "%dpx"`, width))
	page.WaitUntil(fmt.Sprintf(`document.querySelector(".pane.active .display > div > div").style.height === "%dpx"`, height))
	size := filepath.Join(r.shared(), "size")
	_ = os.Remove(size) // of the time before
	command(page, fmt.Sprintf("until xdpyinfo | grep dimensions | tee %s | grep -q %s; do sleep 0.2; done", size, want))
	r.contains(size, want)
}

// What is typed without plain keys arrives as text: dead keys, an input method,
// dictation after it.
func (r *rig) typesText(page *testbed.Page) {
	r.t.Helper()
	typed := filepath.Join(r.shared(), "composed")
	page.Type("echo '")
	page.Dead("ê", 69)
	page.Compose("´", "é")
	page.Compose("¨", "ü")
	page.Compose("n", "ni", "år")
	page.Insert("Öl på @ \\ {[]}") // the library loses plain text after a composition
	command(page, "' > "+typed)
	r.contains(typed, `êéüårÖl på @ \ {[]}`)
}

// The size that the desktop has and is shown at.
func (r *rig) sizes(page *testbed.Page) {
	r.t.Helper()
	const shown = `document.querySelector(".pane.active .display > div").getBoundingClientRect().width`
	pick(page, "view", "200")
	page.WaitUntil(shown + " === 2560")
	page.WaitFor(`#tools [data-part="pan"]`)
	page.Shot("desktop-zoom-tools")
	page.Click(`#tools [data-part="pan"] [data-x="1"]`)
	page.WaitUntil(`document.querySelector(".pane.active .display").scrollLeft === 120`)
	page.Click(`#tools .tool-row [data-part="close"]`)
	page.ClickAt(600, 400)
	pointer := filepath.Join(r.shared(), "zoomed")
	command(page, "xdotool getmouselocation > "+pointer)
	r.contains(pointer, "x:360 y:200") // (120+600)/2, 400/2
	page.Shot("desktop-zoomed")

	pick(page, "view", "50")
	page.Click(`#tools .tool-row [data-part="close"]`)
	r.dimensions(page, 2560, 1600)
	page.WaitUntil(shown + " === 1280")
	page.Shot("desktop-smaller")

	pick(page, "view", "pixels")
	page.Click(`#tools .tool-row [data-part="close"]`)
	page.Dense(1200, 800, 1.5) // the density alone would be no event in a headless browser
	r.dimensions(page, 1800, 1200)
	page.WaitUntil(shown + " === 1200")
	page.Dense(1280, 800, 1)
	r.dimensions(page, 1280, 800)
	page.Size(3840, 2160)
	r.dimensions(page, 3840, 2160)
	page.Release()
	page.WaitFor("#tools[open]")
	page.Shot("desktop-4k")
	page.Click(`#tools .tool-row [data-part="close"]`)
	page.Size(1280, 800)
	r.dimensions(page, 1280, 800)
	page.Reload() // the choice is remembered
	connected(r.t, page)
	page.Release()
	page.WaitUntil(`document.querySelector('#tools [data-part="view"]').value === "pixels"`)
	choose(page, "view", "fit")
}

// The keyboard, the size and the connection, on a real desktop.
func TestBrowserScreen(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "xrdp", "chromium")
	r := newRig(t)
	r.withDesktops()
	r.serve()
	browser := testbed.StartBrowser(t, testbed.BrowserOptions{})
	page := browser.NewPage()
	page.Limit = 30 * time.Second
	page.Language("sv")
	r.logIn(page)
	page.Click(`a[data-target="multiaccess01"]`)
	connected(t, page)
	page.WaitColour(800, 500, terminal)
	r.typesText(page)

	page.Release()
	page.WaitUntil(`/^\d+ ms, god förbindelse$/.test(document.querySelector('#tools [data-part="quality-text"]').textContent)`)
	for _, scheme := range []string{"light", "dark"} {
		page.Prefer("prefers-color-scheme", scheme)
		page.Shot("desktop-screen-tools-" + scheme)
	}
	page.Prefer("prefers-color-scheme", "")
	page.Click(`#tools .tool-row [data-part="close"]`)
	r.sizes(page)

	choose(page, "keyboard", "de-de-qwertz")
	page.Click(`#tools [data-part="keyboard-apply"]`)
	page.WaitGone("#tools[open]")
	connected(t, page)
	page.WaitColour(800, 500, terminal)
	german := filepath.Join(r.shared(), "german")
	command(page, "echo 'zyüß@{' > "+german)
	r.contains(german, "zyüß@{")
	page.Reload()
	connected(t, page)
	page.WaitUntil(`document.querySelector('#tools [data-part="keyboard"]').value === "de-de-qwertz"`)

	other := browser.NewPage() // somebody who takes the desktop over
	other.Language("sv")
	other.Open(r.address + "/desktop/multiaccess01")
	connected(t, other)
	page.WaitUntil(`document.querySelector(".pane.active").dataset.state === "closed"`)
	page.WaitText("togs det över från ett annat ställe")
	noComplaints(t, page)
}

// Waiting says what for, and for how long.
func TestBrowserWaiting(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "chromium")
	r := newRig(t)
	guacd := must[*testbed.Guacd](t)(testbed.StartGuacd(t.Context(), testbed.GuacdOptions{}))
	t.Cleanup(func() { ok(t, guacd.Stop()) })
	nla := must[*testbed.NLA](t)(testbed.StartNLA(t.Context(), "nlauser", "NlaPass1"))
	t.Cleanup(func() { ok(t, nla.Stop()) })
	host, port, _ := net.SplitHostPort(nla.Address)
	r.blocks["guacd"] = "guacd:\n  - address: " + guacd.Address + "\n"
	r.targets = fmt.Sprintf(`targets:
  - {id: silent, name: XXX.Stockholm.MultiAccess03, group: MultiAccess, host: 127.0.0.1, port: %d, security: tls, dangerously_ignore_certificate: true, visible_to: everyone}
  - {id: nla, name: XXX.MultiAccess01, group: MultiAccess, host: %s, port: %s, security: nla, dangerously_ignore_certificate: true, visible_to: everyone}
  - {id: strict, name: XXX.MultiAccess02, group: MultiAccess, host: %s, port: %s, security: nla, visible_to: everyone}
`, r.silentPort(), host, port, host, port)
	page := r.atList(testbed.BrowserOptions{})

	page.Open(r.address + "/desktop/silent")
	page.WaitText("Väntar på att XXX.Stockholm.MultiAccess03 svarar")
	page.WaitText("Har väntat i 6 s.")
	page.Shot("desktop-waiting")
	page.Click(`.pane.active [data-part="cancel"]`)
	page.WaitText("Du har kopplat ner från XXX.Stockholm.MultiAccess03.")

	page.Open(r.address + "/desktop/nla") // a real refusal of a real NLA server
	page.Fill(`[data-parameter="username"] input`, "nlauser")
	page.Fill(`[data-parameter="password"] input`, "fel")
	page.Press("Enter")
	page.WaitText("Fel användarnamn eller lösenord för XXX.MultiAccess01.")
	page.WaitFor(`.pane.active [data-part="again"]`)
	page.Shot("desktop-refused")
	page.Click(`.pane.active [data-part="again"]`) // never by itself
	page.WaitFor(".sign-in[open] .fault")
	page.Fill(`[data-parameter="password"] input`, "NlaPass1")
	page.Press("Enter")
	connected(t, page)

	page.Open(r.address + "/desktop/strict") // a certificate that nobody vouches for: no password is asked for
	page.WaitText("Det går inte att kontrollera att XXX.MultiAccess02 är rätt system.")
	page.WaitGone(`.pane.active [data-part="again"]`)
	noComplaints(t, page)
}

// A second window shows the right part of a desktop that is as wide as both, and
// has its keyboard and pointer.
func TestBrowserSecondWindow(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "xrdp", "chromium")
	r := newRig(t)
	r.withDesktops()
	page := r.atList(testbed.BrowserOptions{})
	page.Click(`a[data-target="multiaccess01"]`)
	connected(t, page)
	page.WaitColour(800, 500, terminal)

	page.Release()
	second := page.Opens(func() { page.Click(`#tools [data-part="second"]`) })
	second.WaitFor("canvas")
	second.WaitGone(`[data-part="note"]`)
	second.Size(800, 600)
	r.dimensions(page, 2080, 800)
	command(page, "for again in 1 2 3 4 5; do xrefresh; sleep 1; done &") // xrdp drops what is drawn while it changes its size
	second.WaitColour(700, 500, colour)
	pointer := filepath.Join(r.shared(), "pointer")
	command(second, "until xdotool getmouselocation | tee "+pointer+" | grep -q x:1380; do sleep 0.2; done")
	second.WaitUntil(`document.hasFocus()`)
	for range 50 { // xrdp drops what comes while it changes its size
		second.MoveTo(99, 300)
		second.MoveTo(100, 300)
		if where, _ := os.ReadFile(pointer); strings.HasPrefix(string(where), "x:1380 y:300") {
			break
		}
		waitABit(t.Context())
	}
	r.contains(pointer, "x:1380 y:300")
	second.Shot("desktop-second-window")
	second.Release() // the tools are in the first window
	page.WaitFor("#tools[open]")
	page.Shot("desktop-first-window")
	page.Click(`#tools [data-part="second"]`)
	page.WaitUntil(`document.querySelector('#tools [data-part="second"]').getAttribute("aria-pressed") === "false"`)
	r.dimensions(page, 1280, 800)

	page.Release()
	second = page.Opens(func() { page.Click(`#tools [data-part="second"]`) })
	second.WaitFor("canvas")
	ok(t, r.guacd.Stop()) // with the desktop the second window goes
	page.WaitUntil(`document.querySelector(".pane.active").dataset.state !== "connected"`)
	page.WaitUntil(`document.querySelector('#tools [data-part="second"]').getAttribute("aria-pressed") === "false"`)
	page.WaitUntil(`document.querySelector('.pane.active [data-part="status-said"]').textContent.startsWith("Ansluter igen om")`)
	page.WaitText("Ansluter igen om")
	page.Click(`.pane.active [data-part="cancel"]`) // and the countdown is over
	page.WaitText("Du har kopplat ner från XXX.MultiAccess01.")
	noComplaints(t, page)
	if left, _ := os.ReadFile(pointer); len(left) == 0 {
		t.Error("nothing was typed in the second window")
	}
}
