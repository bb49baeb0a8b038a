package webroot

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"stagedoor/testbed"
)

// strictPolicy is no looser than the portal's, in gateway/headers.go.
const strictPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// faultsOfLook is what a page may not do at any width, in words; a link inside a
// sentence may be as small as its line (WCAG 2.2, 2.5.8).
const faultsOfLook = `(() => {
  const faults = [];
  const name = e => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + (e.className && e.className.baseVal === undefined ? "." + e.className : "");
  if (document.documentElement.scrollWidth > innerWidth) faults.push("scrolls sideways: " + document.documentElement.scrollWidth);
  for (const e of document.querySelectorAll("body *")) {
    if (!e.checkVisibility({visibilityProperty: true}) || e.closest("svg, .unseen, .skip, option")) continue;
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (box.right > innerWidth + 0.5 || box.left < -0.5) faults.push(name(e) + " leaves the window");
    if (style.overflowX === "visible" && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && style.display !== "inline") faults.push(name(e) + " is too narrow for what it holds");
    if (e.matches("input, textarea, select") && parseFloat(style.fontSize) < 16) faults.push(name(e) + ": telephones zoom in on " + style.fontSize);
    if (e.matches("button, input, textarea:not(.sink), summary, .button, .bar a, footer a, .target") && (box.width < 24 || box.height < 24)) faults.push(name(e) + ": target of " + box.width + " by " + box.height);
    for (const t of style.transitionDuration.split(", ")) if (parseFloat(t) * (t.endsWith("ms") ? 1 : 1000) > 200) faults.push(name(e) + " moves for " + t);
  }
  return faults.join("; ");
})()`

// Every page in every state, from the narrowest (a phone, or 400% of a laptop's
// window) to a 4K screen, with an organisation whose names are long and six
// languages: nothing is cut off, too small to hit or typed in too small.
func TestBrowserLook(t *testing.T) {
	testbed.Need(t, "chromium")
	site := opened(t)
	mux := http.NewServeMux()
	mux.Handle("/static/", site.Static())
	all := samples(t, site, "sv")
	for i, sample := range all {
		mux.HandleFunc(fmt.Sprintf("/%d", i), func(w http.ResponseWriter, r *http.Request) {
			var b bytes.Buffer
			if err := site.Render(&b, "sv", sample.page, sample.data); err != nil {
				t.Error(err)
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", strictPolicy)
			_, _ = w.Write([]byte(crowded(b.String())))
		})
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	for i, sample := range all {
		if sample.page == "desktop" {
			continue
		}
		page.Size(320, 640)
		page.Open(fmt.Sprintf("%s/%d", server.URL, i))
		for _, size := range [][2]int{{320, 640}, {360, 740}, {1280, 800}, {3840, 2160}} {
			page.Size(size[0], size[1])
			if faults := testbed.Eval[string](page, faultsOfLook); faults != "" {
				t.Errorf("%s at %d px: %s", sample.name, size[0], faults)
			}
		}
	}
	for _, problem := range page.Problems() {
		asked := strings.Contains(problem.Text, "/session") || strings.Contains(problem.Text, "/targets/status") ||
			problem.Kind == "network" && strings.Contains(problem.Text, "/check")
		if !asked { // the idle clock, the list and the connection check ask; there is no portal here
			t.Errorf("the browser complained: %v", problem)
		}
	}
}

// crowded gives a sample page a long name, a long person and more languages.
func crowded(page string) string {
	return strings.NewReplacer(
		"Amido Alliera Backstage", "Fastighetsövervakningsbolaget Nordvästra Storstadsregionens portal",
		"Anna Åkesson", "Maria-Magdalena Lewenhaupt-Oxenstierna af Sjundby",
		`<a lang="en"`, `<a href="/no">Norsk</a> <a href="/da">Dansk</a> <a href="/fi">Suomi</a> <a href="/de">Deutsch</a> <a lang="en"`,
		"helpdesk@amido.example", "servicedesk.passersystem@fastighetsovervakningsbolaget.example",
	).Replace(page)
}

// An organisation's colour, logo and words are what a browser shows, in both
// themes, under the strict policy; a logo with a style of its own is drawn.
func TestBrowserBrand(t *testing.T) {
	testbed.Need(t, "chromium")
	site, err := OpenBranded(Brand{Logo: []byte(plainSVG), LogoDark: picture(t, 16), AccentLight: "#7a1f5c", AccentDark: "#f0a0d0",
		Texts: []BrandText{{"login.submit", "sv", "Kliv in"}}})
	if err != nil {
		t.Fatal(err)
	}
	page := served(t, site, "login", loginPage{basePage: outside("sv", "Logga in")})
	for theme, want := range map[string]string{
		"light": "rgb(122, 31, 92) rgb(255, 255, 255) /logo.svg Kliv in",
		"dark":  "rgb(240, 160, 208) rgb(36, 24, 31) /logo-dark.png Kliv in",
	} {
		page.Prefer("prefers-color-scheme", theme)
		page.Reload()
		page.WaitUntil(`document.querySelector(".brand img").naturalWidth > 0`)
		got := testbed.Eval[string](page, `(() => { const b = document.querySelector("form.form > button"), s = getComputedStyle(b);
			return [s.backgroundColor, s.color, document.querySelector(".brand img").currentSrc.replace(/.*\//, "/"), b.textContent].join(" ") })()`)
		if got != want {
			t.Errorf("%s: %s, want %s", theme, got, want)
		}
	}
	if problems := page.Problems(); len(problems) > 0 {
		t.Errorf("the browser complained: %v", problems)
	}
}

// The rules for a password are ticked as they are met, and no longer when they
// are not, with a word for who cannot see the tick.
func TestBrowserRules(t *testing.T) {
	testbed.Need(t, "chromium")
	page := served(t, opened(t), "password", passwordPage{basePage: outside("sv", "Ändra lösenord"),
		Rules: []rule{{"Minst 12 tecken.", 12}, {"Inte något av dina 5 senaste lösenord.", 0}}})
	met := func() string {
		return testbed.Eval[string](page, `[...document.querySelectorAll(".rules .met")].map(e => e.textContent.trim()).join("; ")`)
	}
	const length, alike = "Minst 12 tecken. (uppfyllt)", "De två nya lösenorden är likadana. (uppfyllt)"
	for _, step := range []struct{ field, text, want string }{
		{"#new", "Höstlöv-202", ""},
		{"#new", "Höstlöv-2026", length},
		{"#confirm", "Höstlöv-202", length},
		{"#confirm", "Höstlöv-2026", length + "; " + alike},
		{"#new", "kort", ""},
		{"#confirm", "kort", alike},
	} {
		page.Fill(step.field, step.text)
		if got := met(); got != step.want {
			t.Errorf("%s is %q: ticked %q, want %q", step.field, step.text, got, step.want)
		}
	}
}

// served opens one page of a site in a browser, under the strict policy.
func served(t *testing.T, site *Site, name string, data any) *testbed.Page {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/static/", site.Static())
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", strictPolicy)
		if err := site.Render(w, "sv", name, data); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	page := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	page.Open(server.URL + "/")
	return page
}
