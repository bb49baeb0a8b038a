package webroot

import (
	"fmt"
	"math"
	"strconv"
)

// colour is an sRGB colour, 0 to 255 each.
type colour struct{ r, g, b float64 }

// parseColour reads #rrggbb.
func parseColour(text string) (colour, bool) {
	if len(text) != 7 || text[0] != '#' {
		return colour{}, false
	}
	n, err := strconv.ParseUint(text[1:], 16, 32)
	if err != nil {
		return colour{}, false
	}
	return colour{float64(n >> 16), float64(n >> 8 & 0xff), float64(n & 0xff)}, true
}

func (c colour) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c.r)), int(math.Round(c.g)), int(math.Round(c.b)))
}

// toward is c with a share, 0 to 1, of another colour. It is rounded as a
// stylesheet holds it, so that what was computed is what is seen.
func (c colour) toward(other colour, share float64) colour {
	mix := func(a, b float64) float64 { return math.Round(a + (b-a)*share) }
	return colour{mix(c.r, other.r), mix(c.g, other.g), mix(c.b, other.b)}
}

// luminance is WCAG 2.2's relative luminance.
func (c colour) luminance() float64 {
	channel := func(v float64) float64 {
		v /= 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(c.r) + 0.7152*channel(c.g) + 0.0722*channel(c.b)
}

// contrast is WCAG 2.2's contrast ratio, 1 to 21.
func contrast(a, b colour) float64 {
	la, lb := a.luminance(), b.luminance()
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// leastContrast is what WCAG 2.2 asks of text at level AA (1.4.3).
const leastContrast = 4.5

// theme is what an accent has to live with: the surfaces of styles/base.css
// (a test holds the two together), and where shades of it go.
type theme struct {
	name                       string
	ground, surface, faultTint colour
	away                       colour // from the surfaces: what makes an accent clearer
	onAccent                   func(accent colour) colour
}

var (
	black = colour{}
	white = colour{255, 255, 255}
)

func themes() (light, dark theme) {
	light = theme{
		name: "light", ground: colour{0xf7, 0xf8, 0xf7}, surface: white, faultTint: colour{0xfb, 0xec, 0xeb},
		away: black, onAccent: func(colour) colour { return white },
	}
	dark = theme{
		name: "dark", ground: colour{0x0f, 0x14, 0x14}, surface: colour{0x17, 0x1d, 0x1d}, faultTint: colour{0x33, 0x19, 0x1a},
		away: white, onAccent: func(accent colour) colour { return accent.toward(black, 0.85) },
	}
	return light, dark
}

// palette is an accent with what is derived from it.
type palette struct {
	theme
	accent, strong, tint, on colour
}

func (t theme) palette(accent colour) palette {
	return palette{
		theme: t, accent: accent, strong: accent.toward(t.away, 0.28),
		tint: t.surface.toward(accent, 0.1), on: t.onAccent(accent),
	}
}

// worst is where the accent is hardest to read: as a link on any surface, and
// under the words of a button.
func (p palette) worst() (ratio float64, where string) {
	ratio = math.Inf(1)
	for _, one := range []struct {
		where string
		c     colour
	}{
		{"the background " + p.ground.String(), p.ground},
		{"fields and cards " + p.surface.String(), p.surface},
		{"notices " + p.tint.String(), p.tint},
		{"error messages " + p.faultTint.String(), p.faultTint},
		{"the words of a button " + p.on.String(), p.on},
	} {
		if r := contrast(p.accent, one.c); r < ratio {
			ratio, where = r, one.where
		}
	}
	return ratio, where
}

// clearer is the nearest shade of an accent with at least this contrast
// everywhere.
func (t theme) clearer(accent colour, ratio float64) colour {
	for share := 0.0; share < 1; share += 0.01 {
		shade := accent.toward(t.away, share)
		if got, _ := t.palette(shade).worst(); got >= ratio {
			return shade
		}
	}
	return t.away
}

// faultOf says in words why an accent cannot be used; "" where it can.
func (t theme) faultOf(accent colour) string {
	ratio, where := t.palette(accent).worst()
	if ratio >= leastContrast {
		return ""
	}
	return fmt.Sprintf("%s has a contrast of %.2f:1 against %s in the %s theme; links and buttons need %.1f:1 (WCAG 2.2, 1.4.3); %s would do",
		accent, math.Floor(ratio*100)/100, where, t.name, leastContrast, t.clearer(accent, leastContrast))
}

// declarations are the palette as custom properties.
func (p palette) declarations() string {
	return fmt.Sprintf("--accent:%s;--accent-strong:%s;--on-accent:%s;--tint:%s", p.accent, p.strong, p.on, p.tint)
}
