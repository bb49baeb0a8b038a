package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stagedoor/testbed"
)

// On a phone: fingers are a mouse, two of them scroll and zoom, and the keys that
// a phone lacks are in a row.
func TestBrowserTouch(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "xrdp", "chromium")
	r := newRig(t)
	r.withDesktops()
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Limit = 30 * time.Second
	page.Language("sv")
	page.Size(360, 740)
	r.logIn(page)
	page.Open(r.address + "/desktop/multiaccess01")
	connected(t, page)
	page.WaitColour(200, 300, terminal)
	r.touches(page)
	r.keyRow(page)

	page.TapOn("#handle") // a finger as on a touchpad
	page.WaitFor("#tools[open]")
	page.Shot("phone-tools")
	choose(page, "touch", "pad")
	page.TapOn(`#tools .tool-row [data-part="close"]`)
	command(page, "xdotool mousemove 100 100")
	page.Touch(testbed.Finger{X: 300, Y: 600})
	for y := 580; y >= 500; y -= 20 {
		page.Touch(testbed.Finger{X: 300, Y: y})
	}
	page.Touch()
	pointer := filepath.Join(r.shared(), "pad")
	command(page, "xdotool getmouselocation > "+pointer)
	r.contains(pointer, "x:")
	if where, _ := os.ReadFile(pointer); strings.Contains(string(where), "y:500") {
		t.Errorf("the pointer jumped to the finger: %s", where)
	}
	noComplaints(t, page)
}

// touches has the terminal tell which buttons it gets (xterm's mouse tracking,
// SGR form: 0 left, 2 right, 64 and 65 the wheel).
func (r *rig) touches(page *testbed.Page) {
	r.t.Helper()
	mouse := filepath.Join(r.shared(), "mouse")
	command(page, `printf '\e[?1000h\e[?1006h'; stty -icanon -echo; cat -v > `+mouse)
	waitForFile(r, mouse)
	page.Tap(testbed.Finger{X: 200, Y: 200})
	r.contains(mouse, "[<0;")
	page.Touch(testbed.Finger{X: 200, Y: 240}) // and stays
	r.contains(mouse, "[<2;")
	page.Touch()
	before, _ := os.ReadFile(mouse)
	page.Tap(testbed.Finger{X: 150, Y: 260}, testbed.Finger{X: 190, Y: 260})
	r.grows(mouse, "[<2;", strings.Count(string(before), "[<2;"))
	for _, scroll := range []struct {
		to   int
		sign string
	}{{340, "[<64;"}, {180, "[<65;"}} {
		page.Touch(testbed.Finger{X: 150, Y: 260}, testbed.Finger{X: 190, Y: 260})
		page.Touch(testbed.Finger{X: 150, Y: (260 + scroll.to) / 2}, testbed.Finger{X: 190, Y: (260 + scroll.to) / 2})
		page.Touch(testbed.Finger{X: 150, Y: scroll.to}, testbed.Finger{X: 190, Y: scroll.to})
		page.Touch()
		r.contains(mouse, scroll.sign)
	}
	const shown = `document.querySelector(".pane.active .display > div").getBoundingClientRect().width`
	page.Touch(testbed.Finger{X: 150, Y: 300}, testbed.Finger{X: 210, Y: 300})
	for spread := 40; spread <= 80; spread += 10 {
		page.Touch(testbed.Finger{X: 180 - spread, Y: 300}, testbed.Finger{X: 180 + spread, Y: 300})
	}
	page.Touch()
	page.WaitUntil(shown + " > 700")
	page.Shot("phone-pinched")
	const left = `document.querySelector(".pane.active .display").scrollLeft`
	was := testbed.Eval[float64](page, left)
	page.Touch(testbed.Finger{X: 250, Y: 400})
	page.Touch(testbed.Finger{X: 200, Y: 400})
	page.Touch(testbed.Finger{X: 150, Y: 400})
	page.Touch()
	if now := testbed.Eval[float64](page, left); now <= was {
		r.t.Errorf("the picture did not move with the finger: %v, then %v", was, now)
	}
	page.Touch(testbed.Finger{X: 20, Y: 300}, testbed.Finger{X: 340, Y: 300})
	for spread := 140; spread >= 20; spread -= 20 {
		page.Touch(testbed.Finger{X: 180 - spread, Y: 300}, testbed.Finger{X: 180 + spread, Y: 300})
	}
	page.Touch()
	page.WaitUntil(shown + " < 300")
	page.WaitUntil(shown + " > 350") // and the desktop has grown to fill the window
	page.Shot("phone-smaller")
}

// keyRow types with the row of keys; Ctrl stays down for one key.
func (r *rig) keyRow(page *testbed.Page) {
	r.t.Helper()
	page.WaitUntil(`document.activeElement.inputMode === "none"`) // a tap brings no keyboard up
	page.TapOn("#key-row-handle")
	page.WaitFor("#key-row")
	page.WaitUntil(`document.activeElement.inputMode === "text"`)
	const pressed = `document.querySelector('#key-row [data-hold="65507"]').getAttribute("aria-pressed")`
	page.TapOn(`#key-row [data-hold="65507"]`)
	page.WaitUntil(pressed + ` === "true"`)
	page.Insert("c") // a phone sends no key; Ctrl+C ends what the terminal runs
	page.WaitUntil(pressed + ` === "false"`)
	typed := filepath.Join(r.shared(), "row")
	command(page, `stty sane; printf '\e[?1000l'`)
	page.Type("echo ab")
	page.TapOn(`#key-row [data-key="65361"]`) // left
	page.Type("X")
	page.TapOn(`#key-row [aria-controls]`)
	page.WaitFor("#key-row-functions")
	page.Shot("phone-key-row")
	page.TapOn(`#key-row [data-key="65367"]`) // End
	command(page, " > "+typed)
	r.contains(typed, "aXb")
	page.TapOn("#key-row-handle")
	page.WaitGone("#key-row")
}

// grows waits until a file holds a text more often than before.
func (r *rig) grows(path, text string, before int) {
	r.t.Helper()
	r.contains(path, text)
	for deadline := time.Now().Add(15 * time.Second); ; waitABit(r.t.Context()) {
		data, _ := os.ReadFile(path)
		if strings.Count(string(data), text) > before {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("%s has not got another %q", path, text)
		}
	}
}

func waitForFile(r *rig, path string) {
	r.t.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; waitABit(r.t.Context()) {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("no file %s", path)
		}
	}
}
