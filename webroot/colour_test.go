package webroot

import (
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
)

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
