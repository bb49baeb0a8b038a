package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"stagedoor/testbed"
)

// moreTargets makes the list long enough to be searched.
func (r *rig) moreTargets() {
	r.t.Helper()
	var list strings.Builder
	list.WriteString(r.targets)
	for i, name := range []string{"Göteborg Åkareplatsen", "Göteborg Nordstan", "Malmö Västra hamnen", "Umeå Östra", "Luleå", "Kiruna"} {
		fmt.Fprintf(&list, "  - {id: site%d, name: %s, group: Landet runt, description: Passersystem, icon: door, host: 127.0.0.1, port: %d, security: tls, dangerously_ignore_certificate: true, visible_to: [\"AMIDO\\\\MultiAccess\"]}\n",
			i+1, name, r.silentPort())
	}
	r.targets = list.String()
}

// inList is an expression: a row of the list, outside of the short cuts on top.
func inList(id string) string { return `.rows a[data-target="` + id + `"]` }

// focused is what has the focus: the id of a target, else of the element.
const focused = `(document.activeElement.dataset.target ?? document.activeElement.id)`

// shown are the rows that are shown, by name.
func shown(page *testbed.Page) string {
	return testbed.Eval[string](page, `[...document.querySelectorAll(".rows:not([hidden]) li:not([hidden]) strong")].map(e => e.textContent).join(", ")`)
}

// The list as people use it: they search, mark, see what answers, go back to what
// they left, from another window too, and end it.
func TestBrowserList(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "xrdp", "chromium")
	r := newRig(t)
	r.withDesktops()
	r.moreTargets()
	r.serve()
	browser := testbed.StartBrowser(t, testbed.BrowserOptions{})
	page := browser.NewPage()
	page.Language("sv")
	r.logIn(page)

	r.status(page)
	r.search(page)
	page.WaitUntil(`document.querySelector(".pane.active")?.dataset.state === "connected"`) // search opened it
	page.WaitColour(1200, 700, colour)
	r.thumbnail(page)
	r.favourite(page)
	r.otherWindow(page, browser.NewPage())
	r.looks(page)

	out, exit := stagedoor(t, "audit", "--config", r.dir+"/config.yaml")
	for _, want := range []string{`"Reason":"left"`, `"Reason":"back"`, `"Reason":"taken-over"`, `"Kind":"desktop-end"`, `"Reason":"ended"`} {
		if exit != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, no %s in:\n%s", exit, want, out)
		}
	}
	noComplaints(t, page)
}

// status: what answers, what does not, each with its word.
func (r *rig) status(page *testbed.Page) {
	r.t.Helper()
	page.WaitUntil(`document.querySelector('` + inList("multiaccess01") + ` .state.up')?.textContent === "Svarar"`)
	page.WaitUntil(`document.querySelector('` + inList("multiaccess02") + ` .state.down')?.textContent === "Svarar inte"`)
	if testbed.Eval[bool](page, `!!document.querySelector('`+inList("handbook")+` .state')`) {
		r.t.Error("a document has a status")
	}
}

// search, by keyboard alone, up to an open desktop.
func (r *rig) search(page *testbed.Page) {
	r.t.Helper()
	expect := func(key, want string) {
		r.t.Helper()
		page.Press(key)
		if got := testbed.Eval[string](page, focused); got != want {
			r.t.Errorf("after %s the focus is at %q, want %q", key, got, want)
		}
	}
	if got := testbed.Eval[string](page, focused); got != "find" {
		r.t.Errorf("the list begins at %q", got)
	}
	page.Type("goteborg AKARE")
	page.WaitText("1 av 12 system visas.")
	if got := shown(page); got != "Göteborg Åkareplatsen" {
		r.t.Errorf("found %s", got)
	}
	page.Shot("list-search")
	r.accessible(page, "the list while searching")
	expect("Escape", "find")
	page.Type("landet göteborg passer") // heading, name and description
	page.WaitText("2 av 12 system visas.")
	expect("ArrowDown", "site1")
	expect("ArrowRight", "site2")
	expect("ArrowUp", "find")
	expect("Escape", "find")
	page.Type("zzz")
	page.WaitText("Inget system passar in på det du söker.")
	page.Shot("list-nothing-found")
	r.accessible(page, "the list with nothing found")
	expect("Escape", "find")
	if got := strings.Count(shown(page), ","); got != 11 {
		r.t.Errorf("%d rows after Escape: %s", got+1, shown(page))
	}
	expect("ArrowDown", "multiaccess01")
	expect("End", "site6")
	expect("Home", "multiaccess01")
	expect("ArrowDown", "rcard-m5") // the next line of the screen
	expect("ArrowUp", "multiaccess01")
	expect("m", "find") // typing goes to the search
	page.Type("ultiaccess01")
	page.WaitText("1 av 12 system visas.")
	page.Press("Enter")
	page.WaitURL("/desktop/multiaccess01")
}

// thumbnail: the list shows what the desktop looked like, which no other page gets.
func (r *rig) thumbnail(page *testbed.Page) {
	r.t.Helper()
	page.WaitColour(800, 500, terminal)
	before := r.guacd.Children()
	page.Open(r.address + "/")
	page.WaitFor(".running .open")
	page.WaitUntil(`document.querySelector(".running .open").dataset.state === "held"`)
	page.WaitText("Väntar på dig.")
	page.Reload() // the picture was sent as the page was left
	page.WaitUntil(`document.querySelector(".running img.sight")?.naturalWidth === 320`)
	const corner = `(() => { const c = document.createElement("canvas"); c.width = 320; c.height = 200; const p = c.getContext("2d");
		p.drawImage(document.querySelector(".running img.sight"), 0, 0); return [...p.getImageData(310, 190, 1, 1).data.slice(0, 3)].join(" ") })()`
	var red, green, blue int
	if _, err := fmt.Sscan(testbed.Eval[string](page, corner), &red, &green, &blue); err != nil || red > 70 || green < 100 || green > 150 || blue > 75 {
		r.t.Errorf("the corner of the picture is %d %d %d, %v; want about 46 125 50", red, green, blue, err)
	}
	page.WaitUntil(`document.querySelector('` + inList("multiaccess01") + ` .state.yours')?.textContent === "Används av dig"`)
	page.Shot("list-running")
	page.Click(".running a.button")
	connected(r.t, page)
	page.WaitColour(800, 500, terminal)
	page.Reload()
	connected(r.t, page)
	page.WaitColour(800, 500, terminal)
	if after := r.guacd.Children(); len(before) != 1 || !slices.Equal(before, after) {
		r.t.Errorf("guacd's processes were %v and are %v", before, after)
	}
}

// favourite, by keyboard: marked at once, on top from the next page on.
func (r *rig) favourite(page *testbed.Page) {
	r.t.Helper()
	page.Open(r.address + "/")
	page.WaitFor(inList("site3"))
	testbed.Eval[bool](page, `(document.querySelector('`+inList("site3")+`').focus(), true)`)
	page.Press("Tab")
	page.Press("Enter")
	page.WaitUntil(`document.activeElement.getAttribute("aria-pressed") === "true"`)
	page.WaitUntil(`document.querySelector("#said").textContent === "Malmö Västra hamnen är nu en favorit."`)
	page.Reload()
	page.WaitText("Favoriter")
	if got := shown(page); !strings.HasPrefix(got, "Malmö Västra hamnen, ") || strings.Count(got, "Malmö") != 1 {
		r.t.Errorf("the rows are %s", got)
	}
	page.Click(`.rows button[value="site3"]`)
	page.WaitUntil(`document.querySelector("#said").textContent.includes("inte längre")`)
	page.Scripts(false) // and without JavaScript
	page.Reload()
	page.Click(`.rows button[value="site4"]`)
	page.WaitURL("#t-site4")
	page.WaitText("Favoriter")
	page.Shot("list-without-scripts")
	page.Scripts(true)
	page.Reload()
}

// otherWindow: a desktop is brought from one window into another and back, and
// ended from the list.
func (r *rig) otherWindow(page, other *testbed.Page) {
	r.t.Helper()
	before := r.guacd.Children()
	other.Language("sv")
	other.Open(r.address + "/")
	other.Click(".running a.button")
	connected(r.t, other)
	other.WaitColour(800, 500, terminal)
	page.Reload()
	page.WaitText("Öppet i en annan flik")
	page.Shot("list-other-window")
	page.Click(".running a.button")
	connected(r.t, page)
	page.WaitColour(800, 500, terminal)
	other.WaitText("Förbindelsen flyttades dit.")
	if after := r.guacd.Children(); len(before) != 1 || !slices.Equal(before, after) {
		r.t.Errorf("guacd's processes were %v and are %v", before, after)
	}
	other.Open(r.address + "/")
	other.WaitFor(".running form button")
	testbed.Eval[bool](other, `(document.querySelector(".running a.button").focus(), true)`)
	other.Press("Tab")
	other.Press("Enter")
	other.WaitGone(".running")
	other.WaitText("Senast använda")
	page.WaitText("Du har kopplat ner från listan")
	page.Open(r.address + "/")
	page.WaitFor(`.recent a[data-target="multiaccess01"]`)
	page.Shot("list-recent")
	r.accessible(page, "the list with a short cut")
}

// accessible holds the page as it is now to WCAG 2.2 AA.
func (r *rig) accessible(page *testbed.Page, name string) {
	r.t.Helper()
	for _, finding := range page.Axe() {
		r.t.Errorf("%s: %v", name, finding)
	}
}

// looks: light and dark, on a phone and on a large screen, with one desktop that
// goes on.
func (r *rig) looks(page *testbed.Page) {
	r.t.Helper()
	page.Open(r.address + "/desktop/multiaccess01")
	connected(r.t, page)
	page.WaitColour(800, 500, terminal)
	page.Open(r.address + "/")
	page.WaitUntil(`document.querySelector(".running .open")?.dataset.state === "held"`)
	for _, scheme := range []string{"light", "dark"} {
		page.Prefer("prefers-color-scheme", scheme)
		for _, width := range []int{360, 1280, 2560} {
			page.Size(width, max(1400, width*5/8))
			if status := page.Open(r.address + "/"); status != http.StatusOK {
				r.t.Errorf("the list: %d", status)
			}
			if wide := testbed.Eval[int](page, "document.documentElement.scrollWidth"); wide > width {
				r.t.Errorf("the list at %d px is %d px wide", width, wide)
			}
			page.WaitUntil(`document.querySelectorAll(".rows .state.up").length > 0`)
			page.Shot(fmt.Sprintf("list-%s-%d", scheme, width))
			r.accessible(page, fmt.Sprintf("the list, %s, %d px", scheme, width))
		}
	}
	page.Prefer("prefers-color-scheme", "")
	page.Size(1280, 800)
}

// Whoever has one system only is taken straight to it.
func TestBrowserOnlyTarget(t *testing.T) {
	testbed.Need(t, "samba", "chromium")
	r := newRig(t)
	r.targets = "targets:\n  - {id: only, name: XXX.MultiAccess01, host: 127.0.0.1, port: 1, visible_to: everyone}\n"
	r.serve()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Limit = 30 * time.Second
	page.Language("sv")
	page.Open(r.address + "/login")
	signIn(page, `AMIDO\greta`, "Sommar-2026-ok")
	page.WaitURL("/code")
	typeCode(page, r.code("+46701740611"))
	page.WaitURL("/desktop/only")
	page.Open(r.address + "/")
	page.WaitText("Välj system")
	page.WaitText("XXX.MultiAccess01")
}
