//go:build pictures

package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"stagedoor/testbed"
)

// The pictures in webroot/help/images are made of the real pages, in every
// language that has a help text, by `make help-pictures`: run it when a page
// has changed its looks, and commit what it made. A text names them as
// images/PAGE.LANGUAGE.png.
func TestHelpPictures(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "xrdp", "chromium")
	texts := must[[]string](t)(filepath.Glob("../../webroot/help/*.md"))
	r := newRig(t)
	r.withDesktops()
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPerson()
	page.Language("sv")
	// each takes one picture a language of where the person is now: the language
	// switch comes back to the same page.
	each := func(name, path, shows string, height int, prepare func()) {
		page.Size(800, height)
		for _, text := range texts {
			lang := strings.TrimSuffix(filepath.Base(text), ".md")
			page.Open(r.address + path + "?lang=" + lang)
			page.WaitFor(shows)
			if prepare != nil {
				prepare()
			}
			testbed.Eval[bool](page, "document.activeElement.blur(), true") // a caret blinks: no two pictures alike
			page.Picture("webroot/help/images/" + name + "." + lang + ".png")
		}
	}

	each("login", "/login", "#username", 600, func() { page.Fill("#username", `AMIDO\anna`) })
	signIn(page, `AMIDO\anna`, "Gammalt-2025")
	page.WaitFor(`#fault a[href="/password"]`)
	each("password", "/password", "#new", 940, nil)
	page.Open(r.address + "/login")
	signIn(page, `AMIDO\cecilia`, "Sommar-2026-åäö")
	page.WaitURL("/code")
	each("code", "/code", "#code", 600, nil)
	typeCode(page, r.code("+46701740607"))
	page.WaitFor(`[data-target="multiaccess01"]`)
	each("list", "/", `[data-target="multiaccess01"]`, 760, nil)
	each("desktop", "/desktop/multiaccess01", "#panes", 720, func() {
		connected(t, page)
		page.WaitColour(780, 700, colour)
		page.WaitColour(400, 540, "#fdf6e3") // the terminal: in the first language the desktop has just started
		page.Release()
		page.WaitFor("#tools[open] .quality:not([hidden])")
	})
}
