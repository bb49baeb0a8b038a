package webroot

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Brand is what an organisation makes of the pages: its logo, its colour, its
// words. The zero Brand is Stagedoor's own look.
type Brand struct {
	Logo        []byte // SVG, PNG or WebP, at most MaxLogoBytes; nil: ours
	LogoDark    []byte // shown in the dark theme; nil: Logo
	LogoHasName bool   // the portal's name is in the logo, and is not written beside it
	AccentLight string // #rrggbb; "": derived from AccentDark, or ours
	AccentDark  string // #rrggbb; "": derived from AccentLight, or ours
	Texts       []BrandText
}

// BrandText takes the place of one text of locales/ in one language.
type BrandText struct{ Key, Language, Text string }

// BrandFault is one thing that is wrong with a Brand. Field is where: logo,
// logo_dark, logo_has_name, accent.light, accent.dark, texts[2].
type BrandFault struct{ Field, Text string }

func (f *BrandFault) Error() string { return f.Field + ": " + f.Text }

// maxBrandText is the most characters of a text: the longest of ours has 200.
const maxBrandText = 1000

// Faults is everything that is wrong with a brand, in words; it needs no build.
func (b Brand) Faults() []*BrandFault {
	var faults []*BrandFault
	add := func(field, format string, arguments ...any) {
		faults = append(faults, &BrandFault{field, fmt.Sprintf(format, arguments...)})
	}
	for _, logo := range []struct {
		field string
		data  []byte
	}{{"logo", b.Logo}, {"logo_dark", b.LogoDark}} {
		if logo.data == nil {
			continue
		}
		if _, err := logoType(logo.data); err != nil {
			add(logo.field, "%v", err)
		}
	}
	if b.LogoDark != nil && b.Logo == nil {
		add("logo_dark", "there is no logo that it could take the place of")
	}
	if b.LogoHasName && b.Logo == nil {
		add("logo_has_name", "there is no logo that could hold the name")
	}
	light, dark := themes()
	for _, accent := range []struct {
		theme
		text string
	}{{light, b.AccentLight}, {dark, b.AccentDark}} {
		c, ok := parseColour(accent.text)
		switch {
		case accent.text == "":
		case !ok:
			add("accent."+accent.name, "%q is not a colour such as #17606b", clipped(accent.text))
		default:
			if fault := accent.faultOf(c); fault != "" {
				add("accent."+accent.name, "%s", fault)
			}
		}
	}
	locales, err := loadLocales(embedded)
	if err != nil {
		add("texts", "%v", err)
		return faults
	}
	return append(faults, locales.faultsOf(b.Texts)...)
}

// faultsOf are the texts that could not take the place of ours.
func (l *locales) faultsOf(own []BrandText) []*BrandFault {
	var faults []*BrandFault
	seen := map[BrandText]bool{}
	for i, one := range own {
		if fault := l.faultOf(one); fault != "" {
			faults = append(faults, &BrandFault{fmt.Sprintf("texts[%d]", i), fmt.Sprintf("%q in %q: %s", clipped(one.Key), clipped(one.Language), fault)})
		}
		id := BrandText{Key: one.Key, Language: one.Language}
		if seen[id] {
			faults = append(faults, &BrandFault{fmt.Sprintf("texts[%d]", i), fmt.Sprintf("%q in %q stands here twice", clipped(one.Key), clipped(one.Language))})
		}
		seen[id] = true
	}
	return faults
}

func (l *locales) faultOf(one BrandText) string {
	of, ok := l.texts[one.Language]
	if !ok {
		return l.noLanguage()
	}
	ours, ok := of.byKey[one.Key]
	if !ok || isFormat(one.Key) {
		return "there is no text of this key; stagedoor texts lists them"
	}
	switch want, got := placeholders(ours), placeholders(one.Text); {
	case strings.TrimSpace(one.Text) == "":
		return "the text is empty"
	case utf8.RuneCountInString(one.Text) > maxBrandText || strings.ContainsFunc(one.Text, unicode.IsControl):
		return fmt.Sprintf("the text must be one line of at most %d characters", maxBrandText)
	case !slices.Equal(want, got):
		return fmt.Sprintf("the text must have the placeholders %s, not %s", braced(want), braced(got))
	case hasOneLink(ours) != hasOneLink(one.Text):
		if hasOneLink(ours) {
			return "the text must have its [link], in square brackets, once"
		}
		return "the text must have no [link]"
	}
	return ""
}

// isFormat: how a language writes times and dates is nobody's own words.
func isFormat(key string) bool { return strings.HasPrefix(key, "format.") }

func (l *locales) noLanguage() string {
	var codes []string
	for _, language := range l.languages {
		codes = append(codes, language.Code)
	}
	return "the pages are not in this language, but in " + strings.Join(codes, ", ")
}

func braced(names []string) string {
	if len(names) == 0 {
		return "(none)"
	}
	return "{" + strings.Join(names, "}, {") + "}"
}

// replace puts a brand's texts in the place of ours.
func (l *locales) replace(own []BrandText) {
	for _, one := range own {
		l.texts[one.Language].byKey[one.Key] = one.Text
	}
	for i := range l.languages {
		l.languages[i].Name = l.texts[l.languages[i].Code].byKey["language.name"]
	}
}

// look is what templates know of a brand: addresses of its files.
type look struct {
	Style      string // stylesheet; "" where the colours are ours
	Logo       string
	LogoDark   string // "" where it is the same
	HasName    bool   // the logo holds the name: it is the name's picture, not an ornament beside it
	Icon       string // favicon
	ThemeLight string // of the browser's own bars
	ThemeDark  string
}

// dress adds a brand's files to the assets and says where they are.
func (a *assets) dress(b Brand) (look, error) {
	if style, mark := b.style(a.byName["mark.svg"].plain); style != nil {
		for name, data := range map[string][]byte{"brand.css": style, "mark.svg": mark} {
			made, err := newAsset(data, assetType(name), nil)
			if err != nil {
				return look{}, err
			}
			a.byName[name] = made
		}
	}
	light, dark := themes()
	found := look{
		Style: a.address("brand.css"), Logo: a.address("mark.svg"), HasName: b.LogoHasName,
		ThemeLight: light.ground.String(), ThemeDark: dark.ground.String(),
	}
	found.Icon = found.Logo
	for _, logo := range []struct {
		name    string
		data    []byte
		address *string
	}{{"logo", b.Logo, &found.Logo}, {"logo-dark", b.LogoDark, &found.LogoDark}} {
		if logo.data == nil {
			continue
		}
		ending, err := logoType(logo.data)
		if err != nil {
			return look{}, err
		}
		made, err := newAsset(logo.data, assetType(ending), nil)
		if err != nil {
			return look{}, err
		}
		made.policy = logoPolicy
		a.byName[logo.name+ending] = made
		*logo.address = a.address(logo.name + ending)
		if logo.name == "logo" && !b.LogoHasName { // a name is no icon: it cannot be read at 16 pixels
			found.Icon = *logo.address
		}
	}
	return found, nil
}

// style is the stylesheet of a brand's colours, and our mark in them; nil where
// the colours are ours.
func (b Brand) style(mark []byte) (style, coloured []byte) {
	light, dark := themes()
	l, hasLight := parseColour(b.AccentLight)
	d, hasDark := parseColour(b.AccentDark)
	const derived = 6 // clearly legible, as our own accents are
	switch {
	case !hasLight && !hasDark:
		return nil, nil
	case !hasDark:
		d = dark.clearer(l, derived)
	case !hasLight:
		l = light.clearer(d, derived)
	}
	lightOnes, darkOnes := light.palette(l), dark.palette(d)
	style = fmt.Appendf(nil, ":root{%s}@media (prefers-color-scheme:dark){:root{%s}}\n", lightOnes.declarations(), darkOnes.declarations())
	return style, bytes.ReplaceAll(mark, []byte(markColour), []byte(l.String()))
}

// markColour is the ground of our mark, images/mark.svg.
const markColour = "#17606b"

func joined(faults []*BrandFault) error {
	var all []error
	for _, fault := range faults {
		all = append(all, fault)
	}
	return errors.Join(all...)
}

// OurTexts are the texts of a language, by key: what a brand's may replace.
func OurTexts(lang string) ([]BrandText, error) {
	locales, err := loadLocales(embedded)
	if err != nil {
		return nil, fmt.Errorf("webroot: locales: %w", err)
	}
	of, ok := locales.texts[lang]
	if !ok {
		return nil, fmt.Errorf("%q: %s", clipped(lang), locales.noLanguage())
	}
	var ours []BrandText
	for _, key := range slices.Sorted(maps.Keys(of.byKey)) {
		if !isFormat(key) {
			ours = append(ours, BrandText{Key: key, Language: lang, Text: of.byKey[key]})
		}
	}
	return ours, nil
}
