package e2e

import (
	_ "embed"
	"testing"
	"time"

	"stagedoor/testbed"
)

//go:embed access.js
var accessScript string

// WCAG 2.2 AA, and axe-core's best practices, on every page in every state: axe
// in both themes, and what axe does not look at.
func TestBrowserAccess(t *testing.T) {
	s := newStage(t)
	for _, v := range s.views {
		start := time.Now()
		p := s.show(v, "sv")
		for _, theme := range []string{"light", "dark"} {
			p.Prefer("prefers-color-scheme", theme)
			for _, finding := range p.Axe() {
				t.Errorf("%s, %s: %v", v.name, theme, finding)
			}
		}
		for _, check := range []struct {
			name string
			run  func(*testbed.Page, view) []string
		}{
			{"targets", targetSize},
			{"focus, light", func(p *testbed.Page, v view) []string { return focusOrder(p, v, "light") }},
			{"focus, dark", func(p *testbed.Page, v view) []string { return focusOrder(p, v, "dark") }},
			{"motion", reducedMotion},
			{"spacing", spacing},
			{"zoom", zoom},
		} {
			for _, complaint := range check.run(p, v) {
				t.Errorf("%s, %s: %s", v.name, check.name, complaint)
			}
		}
		t.Logf("%s: %v", v.name, time.Since(start).Round(time.Millisecond))
	}
}

// asked evaluates one of the questions of access.js.
func asked[T any](p *testbed.Page, question string) T {
	return testbed.Eval[T](p, accessScript+"."+question+"()")
}

func targetSize(p *testbed.Page, v view) []string {
	complaints := asked[[]string](p, "targets")
	p.Size(360, 740)
	complaints = append(complaints, asked[[]string](p, "targets")...)
	p.Size(1280, 800)
	return complaints
}

// focusOrder goes once around with Tab: each stop shows its focus and is in
// view, they come in the page's order, and none is left out or holds on to it.
func focusOrder(p *testbed.Page, v view, theme string) []string {
	if v.grabs {
		return nil
	}
	p.Prefer("prefers-color-scheme", theme)
	type stop struct {
		Name       string
		Index      int
		Complaints []string
	}
	stops := asked[[]string](p, "stops")
	reached := make([]bool, len(stops))
	var complaints []string
	last := asked[stop](p, "focused").Index // maybe none: a fault that the page went to
	anywhere := last < 0
	for range len(stops) + 2 { // the page itself, or the browser's own buttons, take a turn or two
		p.Press("Tab")
		at := asked[stop](p, "focused")
		complaints = append(complaints, at.Complaints...)
		if at.Index < 0 {
			if at.Name != "" {
				complaints = append(complaints, at.Name+" has the focus and is no stop")
			}
			last = -1
			continue
		}
		if at.Index != last+1 && at.Index != 0 && !anywhere {
			complaints = append(complaints, "after "+nameOf(stops, last)+" comes "+at.Name)
		}
		reached[at.Index], last, anywhere = true, at.Index, false
	}
	for i, yes := range reached {
		if !yes {
			complaints = append(complaints, stops[i]+" is not reached with Tab")
		}
	}
	return complaints
}

func nameOf(stops []string, index int) string {
	if index < 0 {
		return "the page"
	}
	return stops[index]
}

func reducedMotion(p *testbed.Page, v view) []string {
	defer p.Prefer("", "")
	p.Settle()
	p.Prefer("prefers-reduced-motion", "reduce")
	return asked[[]string](p, "moving")
}

// spacing is text spaced as people may set it (WCAG 1.4.12).
func spacing(p *testbed.Page, v view) []string {
	complaints := asked[[]string](p, "space")
	p.Size(360, 740)
	complaints = append(complaints, asked[[]string](p, "space")...)
	p.Size(1280, 800)
	return complaints
}

// zoom is a window of 1280x1024 at 400 % (WCAG 1.4.10).
func zoom(p *testbed.Page, v view) []string {
	p.Zoom(1280, 1024, 4)
	defer p.Zoom(1280, 800, 1)
	return asked[[]string](p, "lost")
}
