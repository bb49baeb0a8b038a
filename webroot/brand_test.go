package webroot

import (
	"bytes"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBrandFaults(t *testing.T) {
	brand := Brand{
		LogoDark: []byte("GIF89a"), LogoHasName: true, AccentLight: "#ffcc00", AccentDark: "teal",
		Texts: []BrandText{
			{"login.submit", "sv", "Kliv in"},
			{"login.submit", "sv", "Kom in"},
			{"no.such", "sv", "x"},
			{"login.submit", "xx", "x"},
			{"code.left", "en", "Attempts: {count}."},
			{"login.expired", "sv", "Ditt lösenord har gått ut."},
			{"login.submit", "en", "[Sign] in"},
			{"login.submit", "en", " "},
			{"login.password", "en", "a\nb"},
			{"login.username", "en", strings.Repeat("x", 1001)},
		},
	}
	want := []string{
		"logo_dark: it is none of SVG, PNG and WebP",
		"logo_dark: there is no logo that it could take the place of",
		"logo_has_name: there is no logo that could hold the name",
		"accent.light: #ffcc00 has a contrast of 1.31:1 against error messages #fbeceb in the light theme; links and buttons need 4.5:1 (WCAG 2.2, 1.4.3); #856a00 would do",
		`accent.dark: "teal" is not a colour such as #17606b`,
		`texts[1]: "login.submit" in "sv" stands here twice`,
		`texts[2]: "no.such" in "sv": there is no text of this key; stagedoor texts lists them`,
		`texts[3]: "login.submit" in "xx": the pages are not in this language, but in sv, en`,
		`texts[4]: "code.left" in "en": the text must have the placeholders {left}, not {count}`,
		`texts[5]: "login.expired" in "sv": the text must have its [link], in square brackets, once`,
		`texts[6]: "login.submit" in "en": the text must have no [link]`,
		`texts[7]: "login.submit" in "en": the text is empty`,
		`texts[7]: "login.submit" in "en" stands here twice`,
		`texts[8]: "login.password" in "en": the text must be one line of at most 1000 characters`,
		`texts[9]: "login.username" in "en": the text must be one line of at most 1000 characters`,
	}
	var got []string
	for _, fault := range brand.Faults() {
		got = append(got, regexp.MustCompile(`in sv, en.*`).ReplaceAllString(fault.Error(), "in sv, en"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := OpenBranded(brand); err == nil || !strings.Contains(err.Error(), "no.such") {
		t.Errorf("opened all the same: %v", err)
	}
}

func TestBranded(t *testing.T) {
	site, err := OpenBranded(Brand{
		Logo: []byte(plainSVG), LogoDark: picture(t, 8), AccentLight: "#7a1f5c",
		Texts: []BrandText{{"login.submit", "sv", "Kliv in <du>"}, {"app.js.show", "sv", "Titta"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	page := func(lang string) string {
		var b bytes.Buffer
		if err := site.Render(&b, lang, "login", loginPage{basePage: outside(lang, "x")}); err != nil {
			t.Fatal(err)
		}
		checkHTML(t, b.String())
		return b.String()
	}
	swedish := page("sv")
	logo := site.Asset("logo.svg")
	for _, want := range []string{
		"<button>Kliv in &lt;du&gt;</button>", `<i data-key="app.js.show">Titta</i>`,
		`<img src="` + logo + `" alt=""`, `<span>Amido Alliera Backstage</span>`,
		`<source srcset="` + site.Asset("logo-dark.png") + `" media="(prefers-color-scheme: dark)"`,
		`<link rel="icon" href="` + logo + `">`,
		`<link rel="stylesheet" href="` + site.Asset("brand.css") + `">`,
	} {
		if !strings.Contains(swedish, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(page("en"), "Kliv in") {
		t.Error("a Swedish text in the English page")
	}
	get := func(address string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		w.Header().Set("Content-Security-Policy", "the portal's")
		site.Static().ServeHTTP(w, httptest.NewRequest("GET", address, nil))
		return w
	}
	for _, address := range []string{logo, site.Asset("logo-dark.png")} {
		if got := get(address); got.Code != 200 || got.Header().Get("Content-Security-Policy") != logoPolicy {
			t.Errorf("%s: %d, %v", address, got.Code, got.Header())
		}
	}
	style := get(site.Asset("brand.css"))
	if style.Header().Get("Content-Security-Policy") != "the portal's" {
		t.Error("the stylesheet has the logo's policy")
	}
	want := ":root{--accent:#7a1f5c;--accent-strong:#581642;--on-accent:#ffffff;--tint:#f2e9ef}" +
		"@media (prefers-color-scheme:dark){:root{--accent:#c49cb7;--accent-strong:#d5b8cb;--on-accent:#1d171b;--tint:#282a2c}}\n"
	if diff := cmp.Diff(want, style.Body.String()); diff != "" {
		t.Error(diff)
	}
	if mark := get(site.Asset("mark.svg")).Body.String(); !strings.Contains(mark, "#7a1f5c") || strings.Contains(mark, markColour) {
		t.Errorf("the mark is not in the accent: %s", mark)
	}
}

func TestLogoThatHoldsTheName(t *testing.T) {
	site, err := OpenBranded(Brand{Logo: []byte(plainSVG), LogoHasName: true})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	base := outside("sv", "x")
	base.Portal = hostile
	if err := site.Render(&b, "sv", "login", loginPage{basePage: base}); err != nil {
		t.Fatal(err)
	}
	checkHTML(t, b.String())
	for _, want := range []string{
		`<img src="` + site.Asset("logo.svg") + `" alt="&#34;&gt;&lt;script&gt;`,
		`<link rel="icon" href="` + site.Asset("mark.svg") + `">`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %s:\n%s", want, b.String()[:1500])
		}
	}
	if strings.Contains(b.String(), "<span>&#34;") {
		t.Error("the name stands beside the logo that holds it")
	}
}

func TestOurTexts(t *testing.T) {
	ours, err := OurTexts("sv")
	if err != nil || len(ours) < 100 || ours[0].Key > ours[1].Key {
		t.Errorf("%d texts, %v", len(ours), err)
	}
	if _, err := OurTexts("xx"); err == nil || !strings.Contains(err.Error(), "sv, en") {
		t.Errorf("error %v", err)
	}
}

// A site of texts alone has them as the whole site has, and renders nothing.
func TestOpenTexts(t *testing.T) {
	brand := Brand{Texts: []BrandText{{"login.submit", "sv", "Kliv in"}}}
	site, err := OpenTexts(brand)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := OpenBranded(brand)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"login.submit", "desk.why.nothing"} {
		for _, lang := range []string{"sv", "de"} {
			if site.T(lang, key) != whole.T(lang, key) || site.T(lang, key) == key {
				t.Errorf("%s %s: %q, %q", lang, key, site.T(lang, key), whole.T(lang, key))
			}
		}
	}
	if err := site.Render(&bytes.Buffer{}, "sv", "login", nil); err == nil {
		t.Error("it renders a page")
	}
	if _, err := OpenTexts(Brand{Texts: []BrandText{{"no.such.key", "sv", "x"}}}); err == nil {
		t.Error("a text that replaces nothing was taken")
	}
}
