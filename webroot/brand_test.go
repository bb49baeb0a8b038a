package webroot

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"math"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const plainSVG = `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 8 8">
<style>.a{fill:url(#g)}@media (prefers-color-scheme:dark){.a{fill:#fff}}</style>
<defs><linearGradient id="g"/></defs><path class="a" d="M0 0h8v8z"/><use xlink:href="#g"/></svg>`

// A WebP of one pixel.
const plainWebP = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="

func picture(t *testing.T, width int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLogoType(t *testing.T) {
	webp, err := base64.StdEncoding.DecodeString(plainWebP)
	if err != nil {
		t.Fatal(err)
	}
	svg := func(inside string) string {
		return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">` + inside + `</svg>`
	}
	for name, test := range map[string]struct {
		data, ending, fault string
	}{
		"SVG":                 {plainSVG, ".svg", ""},
		"SVG with a doctype":  {`<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd">` + svg(""), ".svg", ""},
		"SVG with a picture":  {svg(`<image href="data:image/png;base64,iVBORw0KGgo="/>`), ".svg", ""},
		"PNG":                 {string(picture(t, 8)), ".png", ""},
		"WebP":                {string(webp), ".webp", ""},
		"nothing":             {"", "", "is empty"},
		"too large":           {"<svg" + strings.Repeat(" ", MaxLogoBytes), "", "larger than 64 KiB"},
		"a JPEG":              {"\xff\xd8\xff\xe0", "", "none of SVG, PNG and WebP"},
		"a page":              {`<html><body/></html>`, "", "outermost element is <html>"},
		"SVG without xmlns":   {`<svg/>`, "", "not an <svg> of"},
		"SVG cut short":       {`<svg xmlns="http://www.w3.org/2000/svg"><g>`, "", "cannot be read"},
		"PNG cut short":       {string(picture(t, 8)[:50]), "", "PNG cannot be read"},
		"PNG too wide":        {string(picture(t, 5000)), "", "5000 by 8 pixels"},
		"WebP cut short":      {string(webp[:20]), "", "WebP cannot be read"},
		"script":              {svg(`<script>alert(1)</script>`), "", "<script>"},
		"script in capitals":  {svg(`<SCRIPT/>`), "", "<SCRIPT>"},
		"foreignObject":       {svg(`<foreignObject/>`), "", "<foreignObject>"},
		"HTML":                {svg(`<b xmlns="http://www.w3.org/1999/xhtml"/>`), "", "<b>"},
		"link":                {svg(`<a href="https://evil.example/"/>`), "", "<a>"},
		"event handler":       {svg(`<g onload="x()"/>`), "", "event handler, onload"},
		"handler on the root": {`<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>`, "", "event handler"},
		"outside picture":     {svg(`<image href="https://evil.example/x.png"/>`), "", `refers to "https://evil.example/x.png"`},
		"outside use":         {svg(`<use xlink:href="other.svg#a"/>`), "", `refers to "other.svg#a"`},
		"SVG as data":         {svg(`<image href="data:image/svg+xml;base64,PHN2Zy8+"/>`), "", "refers to"},
		"javascript:":         {svg(`<use href="javascript:x()"/>`), "", "refers to"},
		"outside fill":        {svg(`<g fill="url('//evil.example/a')"/>`), "", "refers to"},
		"outside style":       {svg(`<g style="fill:url(http://evil.example/)"/>`), "", "refers to"},
		"import":              {svg(`<style>@import "a.css";</style>`), "", "@import"},
		"hidden in CSS":       {svg(`<style>g{fill:u\72l(//evil.example/)}</style>`), "", `\`},
		"animated link":       {svg(`<set attributeName="xlink:href" to="x"/>`), "", "animates xlink:href"},
		"entities":            {`<!DOCTYPE svg [<!ENTITY a "b">]>` + svg(""), "", "entities"},
		"style sheet":         {`<?xml-stylesheet href="a.css"?>` + svg(""), "", "<?xml-stylesheet?>"},
		"base":                {svg(`<g xml:base="https://evil.example/"/>`), "", "refers to"},
	} {
		t.Run(name, func(t *testing.T) {
			ending, err := logoType([]byte(test.data))
			switch {
			case test.fault == "" && (err != nil || ending != test.ending):
				t.Errorf("%q, %v; want %s", ending, err, test.ending)
			case test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)):
				t.Errorf("error %v; want one with %q", err, test.fault)
			}
		})
	}
}

func FuzzLogo(f *testing.F) {
	f.Add([]byte(plainSVG))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Add([]byte("RIFF\x08\x00\x00\x00WEBPVP8 "))
	f.Fuzz(func(t *testing.T, data []byte) {
		if ending, err := logoType(data); err == nil && assetType("x"+ending) == "" {
			t.Errorf("taken, but not served: %q", ending)
		}
	})
}

func TestContrast(t *testing.T) {
	for pair, want := range map[[2]string]float64{
		{"#000000", "#ffffff"}: 21,
		{"#777777", "#ffffff"}: 4.48,
		{"#767676", "#ffffff"}: 4.54, // known as the lightest grey for text
		{"#0000ff", "#ffffff"}: 8.59,
		{"#ff0000", "#00ff00"}: 2.91,
		{"#123456", "#123456"}: 1,
	} {
		a, _ := parseColour(pair[0])
		b, _ := parseColour(pair[1])
		if got := contrast(a, b); math.Abs(got-want) > 0.01 {
			t.Errorf("%v: %.3f, want %.2f", pair, got, want)
		}
	}
}

// colour.go and base.css know the same surfaces, and the built-in accents and
// texts can be read on them.
func TestStylesheetSurfaces(t *testing.T) {
	raw, err := os.ReadFile("styles/base.css")
	if err != nil {
		t.Fatal(err)
	}
	lightCSS, darkCSS, _ := strings.Cut(string(raw), "@media (prefers-color-scheme: dark)")
	declared := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)
	light, dark := themes()
	for _, one := range []struct {
		theme
		css string
	}{{light, lightCSS}, {dark, darkCSS}} {
		have := map[string]colour{}
		for _, m := range declared.FindAllStringSubmatch(one.css, -1) {
			have[m[1]], _ = parseColour(m[2])
		}
		surfaces := map[string]colour{"ground": one.ground, "surface": one.surface, "fault-tint": one.faultTint}
		for name, want := range surfaces {
			if have[name] != want {
				t.Errorf("%s: --%s is %s in base.css and %s in colour.go", one.name, name, have[name], want)
			}
		}
		surfaces["tint"] = have["tint"]
		if fault := one.faultOf(have["accent"]); fault != "" {
			t.Error(fault)
		}
		for name, surface := range surfaces {
			for _, text := range []string{"text", "muted", "accent", "accent-strong", "fault"} {
				if got := contrast(have[text], surface); got < leastContrast {
					t.Errorf("%s: --%s on --%s is %.2f:1", one.name, text, name, got)
				}
			}
			if got := contrast(have["edge"], surface); name != "fault-tint" && got < 3 {
				t.Errorf("%s: --edge on --%s is %.2f:1, and a field could not be seen", one.name, name, got)
			}
		}
		for _, button := range []string{"accent", "accent-strong"} {
			if got := contrast(have["on-accent"], have[button]); got < leastContrast {
				t.Errorf("%s: --on-accent on --%s is %.2f:1", one.name, button, got)
			}
		}
	}
}

// Whatever accent is let through, everything that is derived from it can be read.
func TestEveryAccentThatIsTaken(t *testing.T) {
	light, dark := themes()
	taken := 0
	for r := 0.0; r < 256; r += 51 {
		for g := 0.0; g < 256; g += 51 {
			for b := 0.0; b < 256; b += 51 {
				for _, theme := range []theme{light, dark} {
					accent := colour{r, g, b}
					if theme.faultOf(accent) != "" {
						accent = theme.clearer(accent, leastContrast)
						if fault := theme.faultOf(accent); fault != "" {
							t.Fatalf("what would do does not: %s", fault)
						}
						continue
					}
					taken++
					p := theme.palette(accent)
					for _, pair := range [][2]colour{
						{p.on, p.accent}, {p.on, p.strong}, {p.accent, p.tint}, {p.strong, p.tint}, {p.strong, p.ground}, {p.strong, p.faultTint},
					} {
						if got := contrast(pair[0], pair[1]); got < leastContrast {
							t.Fatalf("accent %s in the %s theme: %s on %s is %.2f:1", accent, theme.name, pair[0], pair[1], got)
						}
					}
				}
			}
		}
	}
	if taken < 100 {
		t.Errorf("only %d accents are taken", taken)
	}
}

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
