package e2e

import (
	"path/filepath"
	"testing"

	"stagedoor/testbed"
)

// Two desktops in one window: opened from the first one's tools by keyboard, in
// tabs and side by side, each with its own keyboard and size; a reload brings
// both back, and closing one leaves the other.
func TestBrowserSeveralDesktops(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "xrdp", "chromium")
	r := newRig(t)
	r.withDesktops()
	page := r.atList(testbed.BrowserOptions{})
	page.Click(`a[data-target="multiaccess01"]`)
	connected(t, page)
	page.WaitColour(1200, 700, colour)

	page.Release()
	page.WaitFor("#tools[open]")
	page.Shot("desktop-tools")
	page.Click(`#tools [data-part="add"]`)
	page.WaitFor("#chooser[open]")
	page.Type("server") // the field has the focus
	page.WaitGone(`#chooser li:nth-child(2)`)
	page.Shot("desktop-chooser")
	page.Press("Tab")
	page.Press("Enter")
	page.WaitText("R-CARD M5 Server")
	connected(t, page)
	page.WaitColour(1200, 700, colour2)
	page.WaitURL("/desktop/multiaccess01?with=rcard-server")
	page.WaitUntil(`document.title.startsWith("R-CARD M5 Server")`)
	page.WaitColour(800, 500, terminal)
	second := filepath.Join(r.shared(), "second")
	command(page, "whoami > "+second)
	r.contains(second, r.second.Name)

	page.Release() // back to the first, with its keyboard
	page.WaitFor("#tools[open] .tab")
	page.Shot("desktop-tabs")
	page.Click(`#tools .tab:first-child [data-part="go"]`)
	page.WaitGone("#tools[open]")
	page.WaitColour(1200, 700, colour)
	first := filepath.Join(r.shared(), "first")
	command(page, "whoami > "+first)
	r.contains(first, r.user.Name)

	page.Release()
	page.Click(`#tools [data-part="turn"]`)
	page.WaitFor(`[data-layout="side-by-side"]`)
	page.WaitColour(620, 780, colour)
	page.WaitColour(1260, 780, colour2)
	size := filepath.Join(r.shared(), "size")
	command(page, "until xdpyinfo | grep dimensions | tee "+size+" | grep -q 63.x800; do sleep 0.2; done") // xrdp rounds the width
	r.contains(size, "x800")
	page.ClickAt(900, 400) // into the other one's terminal
	page.WaitUntil(`document.title.startsWith("R-CARD M5 Server")`)
	command(page, "echo sida > "+second)
	r.contains(second, "sida")
	page.Shot("desktop-side-by-side")

	page.Reload()
	page.WaitUntil(`document.querySelectorAll('.pane[data-state="connected"]').length === 2`)
	page.Release()
	page.WaitFor("#tools[open] .tab")
	page.Click(`#tools .tab:first-child [data-part="close"]`)
	page.WaitUntil(`document.querySelectorAll(".pane").length === 1`)
	page.WaitURL("/desktop/rcard-server")
	page.WaitGone("#tools[open]")
	page.WaitColour(1200, 700, colour2)
	noComplaints(t, page)
}
