package webroot

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"stagedoor/testbed"
)

// tooWide names the elements whose words stick out of them or of the window.
// What is for screen readers only is a pixel wide on purpose, and what somebody
// has typed scrolls in its field.
const tooWide = `[...document.querySelectorAll("body *")].filter((e) => {
  const box = e.getBoundingClientRect();
  if (box.width <= 1 || box.height <= 1 || e.closest(".skip, .unseen, svg, option")) return false;
  const scrolls = e.tagName === "INPUT" || ["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowX);
  return box.right > innerWidth + 1 || box.left < -1 || (!scrolls && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1);
}).map((e) => e.tagName.toLowerCase() + (e.id && "#" + e.id) + (e.dataset.part ? "/" + e.dataset.part : "") + " " + e.textContent.trim().slice(0, 60)).join("; ")`

// everyText puts each of the texts that a script may show where it shows them,
// one after the other, and tells which do not fit.
const everyText = `[...document.querySelector("#texts").content.querySelectorAll("[data-key^='desktop.js.']")].map((text) => {
  const words = text.textContent.replace(/\{\w+\}/g, "XXX.Stockholm.MultiAccess02");
  const faults = [];
  for (const id of ["status-text", "status-more", "whisper"]) {
    const place = document.querySelector("#panes [data-part=" + id + "]");
    place.hidden = false;
    place.textContent = words;
    const wide = ` + tooWide + `;
    if (wide) faults.push(id + ": " + wide);
    if (id === "whisper") place.hidden = true;
    place.textContent = "";
  }
  return faults.join("; ");
}).filter(Boolean).join("\n")`

// Every page in every state and language, on the narrowest phone: words that
// are longer than the Swedish ones stay within their buttons and boxes.
func TestBrowserWordsFit(t *testing.T) {
	testbed.Need(t, "chromium")
	site := opened(t)
	pages := map[string][]byte{}
	for _, language := range site.Languages() {
		for _, sample := range samples(t, site, language.Code) {
			var b bytes.Buffer
			if err := site.Render(&b, language.Code, sample.page, sample.data); err != nil {
				t.Fatal(err)
			}
			pages["/"+language.Code+"/"+strings.NewReplacer(" ", "-", ",", "").Replace(sample.name)] = b.Bytes()
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if page, ok := pages[r.URL.Path]; ok {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write(page)
			return
		}
		if r.URL.Path == "/session" { // the idle clock asks
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"state":"ready","idle_left":900,"absolute_left":9000,"warn":120}`)
			return
		}
		site.Static().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	browser := testbed.StartBrowser(t, testbed.BrowserOptions{})
	browser.Size(360, 720)
	for _, path := range slices.Sorted(maps.Keys(pages)) {
		browser.Open(server.URL + path)
		fits(t, browser, path, "")
		if strings.Contains(path, "desktop") {
			if found := testbed.Eval[string](browser.Page, everyText); found != "" {
				t.Errorf("%s: %s", path, found)
			}
		}
		for _, dialog := range []string{"#idle", "#tools", "#chooser", "#panes .sign-in"} {
			if testbed.Eval[bool](browser.Page, opens(dialog)) {
				fits(t, browser, path, dialog)
				testbed.Eval[bool](browser.Page, "(document.querySelector('"+dialog+"').close(), true)")
			}
		}
	}
}

// opens shows a dialog with all that it can hold; false where the page has none.
func opens(dialog string) string {
	return `(() => {
  const dialog = document.querySelector("` + dialog + `");
  if (!dialog) return false;
  for (const one of dialog.querySelectorAll("[hidden]:not([data-case])")) one.hidden = false;
  dialog.showModal();
  return true;
})()`
}

func fits(t *testing.T, browser *testbed.Browser, path, dialog string) {
	t.Helper()
	if found := testbed.Eval[string](browser.Page, tooWide); found != "" {
		t.Errorf("%s%s: too wide: %s", path, dialog, found)
	}
}
