package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stagedoor/testbed"
)

// startDemo runs what `make run` runs, on free ports.
func startDemo(t *testing.T, env ...string) (portal, phone string, demo *testbed.Process) {
	t.Helper()
	port, phonePort := must[int](t)(testbed.FreePort()), must[int](t)(testbed.FreePort())
	demo = must[*testbed.Process](t)(testbed.Start(testbed.Command{
		Path: filepath.Join(binaries, "demo"), Env: env,
		Args:  []string{"-port", fmt.Sprint(port), "-phone-port", fmt.Sprint(phonePort)},
		Grace: 20 * time.Second, // it takes its desktops down
	}))
	t.Cleanup(func() { ok(t, demo.Stop()) })
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	ok(t, demo.WaitReady(ctx, demo.Printing("Ctrl-C ends everything.")))
	return fmt.Sprintf("http://localhost:%d", port), fmt.Sprintf("http://localhost:%d", phonePort), demo
}

// A new user's first minutes: from the address that make run prints to a
// desktop, with the phone in a second tab.
func TestBrowserDemo(t *testing.T) {
	testbed.Need(t, "guacd", "xrdp", "chromium")
	portal, phone, demo := startDemo(t)
	for _, want := range []string{portal, phone, `AMIDO\anna`, "Gammalt-2025"} {
		if !strings.Contains(demo.Output(), want) {
			t.Errorf("the demo does not print %s:\n%s", want, demo.Output())
		}
	}
	browser := testbed.StartBrowser(t, testbed.BrowserOptions{})
	page := browser.NewPage()
	page.Language("sv")
	page.Open(portal)
	signIn(page, `AMIDO\anna`, "Gammalt-2025")
	page.WaitText("Ditt lösenord har gått ut.")
	page.Click("#fault a")
	page.WaitURL("/password")
	change(page, "Gammalt-2025", "Höstlöv-2026!", "Höstlöv-2026!")
	page.WaitText("Ditt lösenord har ändrats.")
	page.Click("main a")
	page.WaitURL("/login")
	signIn(page, `AMIDO\anna`, "Höstlöv-2026!")
	page.WaitURL("/code")
	handset := browser.NewPage()
	handset.Open(phone)
	handset.WaitText("är din kod till")
	handset.Shot("demo-phone")
	typeCode(page, sixDigits.FindString(handset.Text()))
	page.WaitText("Välj system")
	page.Shot("demo-targets")
	page.Click(`a[data-target="multiaccess01"]`)
	page.WaitUntil(`document.querySelector(".pane.active")?.dataset.state === "connected"`)
	page.WaitColour(1200, 700, "#1b4d5c")
	page.Shot("demo-desktop")
	noComplaints(t, page)
}

// Without guacd the demo runs all the same, and says how to get it.
func TestBrowserDemoWithoutGuacd(t *testing.T) {
	testbed.Need(t, "chromium")
	portal, phone, _ := startDemo(t, "STAGEDOOR_PEERS=none")
	browser := testbed.StartBrowser(t, testbed.BrowserOptions{})
	page := browser.NewPage()
	page.Language("sv")
	page.Open(portal)
	signIn(page, `AMIDO\cecilia`, "Sommar-2026")
	page.WaitURL("/code")
	handset := browser.NewPage()
	handset.Open(phone)
	typeCode(page, sixDigits.FindString(handset.Text()))
	page.WaitText("Välj system")
	page.Click(`a[data-target="multiaccess01"]`)
	page.WaitText("testbed/install run")
	page.Shot("demo-without-guacd")
}
