package portal

import (
	"strings"
	"testing"
)

func TestInert(t *testing.T) {
	for cell, want := range map[string]string{
		"":                   "",
		"Anna":               "Anna",
		"070-174":            "070-174",
		"AMIDO\\anna":        "AMIDO\\anna",
		"=1+1":               "'=1+1",
		"+46701740605":       "'+46701740605",
		"-1":                 "'-1",
		"@SUM(A1)":           "'@SUM(A1)",
		"\t=1":               "'\t=1",
		"\r=1":               "'\r=1",
		"\n=1":               "'\n=1",
		"  =1":               "'  =1",
		"\u00a0=1":           "'\u00a0=1",
		"＝1":                 "'＝1",
		"|calc":              "'|calc",
		"a=1":                "a=1",
		"Åsa, \"x\"; y\nand": "Åsa, \"x\"; y\nand",
	} {
		if got := Inert(cell); got != want {
			t.Errorf("%q: %q, want %q", cell, got, want)
		}
	}
}

// Whatever a cell is, a spreadsheet does not take it for a formula, and nothing
// of it is lost.
func FuzzInert(f *testing.F) {
	f.Add("=1")
	f.Add(" \u00a0\t=")
	f.Fuzz(func(t *testing.T, cell string) {
		got := Inert(cell)
		if got != cell && got != "'"+cell {
			t.Fatalf("%q became %q", cell, got)
		}
		if begin := strings.TrimLeft(got, " \u00a0"); begin != "" && strings.Contains("=+-@\t\r\n", begin[:1]) {
			t.Fatalf("%q is a formula", got)
		}
	})
}
