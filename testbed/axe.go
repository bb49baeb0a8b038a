package testbed

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Finding is what axe-core has against a page.
type Finding struct {
	Rule     string   `json:"rule"` // as in dequeuniversity.com/rules/axe
	Help     string   `json:"help"`
	Elements []string `json:"elements"` // selector, and what is wrong with it
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s\n    %s", f.Rule, f.Help, strings.Join(f.Elements, "\n    "))
}

// axeRun asks for every rule of WCAG 2.0 to 2.2, A and AA, and for the best
// practices. What axe cannot decide by itself is not a finding.
const axeRun = `(async () => {
  const result = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    resultTypes: ["violations"],
    preload: false,
  });
  return result.violations.map(({id, help, nodes}) => ({
    rule: id,
    help,
    elements: nodes.map((node) => node.target.join(" ") + ": " + node.failureSummary.replace(/\s+/g, " ")),
  }));
})()`

// Axe returns what axe-core finds wrong with the page as it stands. It comes in
// by the DevTools protocol, past the page's Content-Security-Policy, which stays
// as it was shipped.
func (p *Page) Axe() []Finding {
	p.t.Helper()
	if !Eval[bool](p, "typeof axe === 'object'") {
		root, err := moduleRoot()
		if err != nil {
			p.t.Fatalf("axe: %v", err)
		}
		source, err := os.ReadFile(filepath.Join(root, "node_modules/axe-core/axe.min.js"))
		if err != nil {
			p.t.Fatalf("axe: %v; npm ci brings it", err)
		}
		Eval[bool](p, string(source)+"; true")
	}
	p.Settle()
	return Eval[[]Finding](p, axeRun)
}
