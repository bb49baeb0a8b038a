package webroot

import (
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"text/template/parse"
	"time"
)

// layouts are the templates that others stand on; they are no pages.
var layouts = []string{"layout.html", "parts.html"}

type page struct {
	template *template.Template
}

// Render writes templates/<page>.html in a language. A fault may come after the
// first bytes: who must not send half a page renders into memory. data's fields are the page's contract: the gateway declares them beside the
// handler that fills them.
func (s *Site) Render(w io.Writer, lang, name string, data any) error {
	pages, ok := s.pages[lang]
	if !ok {
		pages = s.pages[firstLanguage]
	}
	p, ok := pages[name]
	if !ok {
		return fmt.Errorf("webroot: there is no page %q", name)
	}
	if err := p.template.Execute(w, data); err != nil {
		return fmt.Errorf("webroot: page %q: %w", name, err)
	}
	return nil
}

// Part renders one definition of a page's template, for what is made once and
// shown often: a row of the list. The result stands as it is in the page.
func (s *Site) Part(lang, name, part string, data any) (template.HTML, error) {
	pages, ok := s.pages[lang]
	if !ok {
		pages = s.pages[firstLanguage]
	}
	p, ok := pages[name]
	if !ok {
		return "", fmt.Errorf("webroot: there is no page %q", name)
	}
	var body strings.Builder
	if err := p.template.ExecuteTemplate(&body, part, data); err != nil {
		return "", fmt.Errorf("webroot: page %q, part %q: %w", name, part, err)
	}
	return template.HTML(body.String()), nil // #nosec: html/template has escaped it
}

// parsePages makes one template set per page of templates/*.html.
func parsePages(files fs.FS, code string, t *texts, a *assets, l look) (map[string]*page, error) {
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*page{}
	var faults []error
	for _, name := range names {
		base := path.Base(name)
		page := strings.TrimSuffix(base, ".html")
		if slices.Contains(layouts, base) {
			continue
		}
		p, err := parsePage(files, page, code, t, a, l)
		pages[page] = p
		faults = append(faults, err)
	}
	return pages, errors.Join(faults...)
}

func parsePage(files fs.FS, name, code string, t *texts, a *assets, l look) (*page, error) {
	patterns := []string{"templates/layout.html", "templates/parts.html", "templates/" + name + ".html"}
	set, err := template.New("layout.html").Funcs(functions(t, a, l)).Option("missingkey=error").ParseFS(files, patterns...)
	if err != nil {
		return nil, err
	}
	if own := set.Lookup("document"); own != nil {
		set = own // the page brings its whole document, not the common frame
	}
	if err := checkNames(set, t, a); err != nil {
		return nil, fmt.Errorf("page %q, language %q: %w", name, code, err)
	}
	return &page{template: set}, nil
}

// functions are what templates call: t for a text, link for a text with a
// [link] in it, texts for what scripts say, asset for a file's address, brand
// for the files of the organisation's look, breakable for a long name, and number, clock, time, until,
// date, minutes and seconds for what each language writes in its own way (format.go).
func functions(t *texts, a *assets, l look) template.FuncMap {
	return template.FuncMap{
		"t":     t.text,
		"link":  t.link,
		"texts": t.below,
		"asset": a.address,
		"brand": func() look { return l },
		"lower": strings.ToLower,
		"dial":  dial,

		"breakable": breakable,

		"number":  t.number,
		"clock":   t.clock,
		"time":    t.time,
		"until":   t.until,
		"date":    t.date,
		"minutes": func(n int) string { return t.span(time.Duration(n) * time.Minute) },
		"seconds": func(n int) string { return t.span(time.Duration(n) * time.Second) },
	}
}

// breakable is a name that may be broken after its dots and underscores, as in
// XXX.Stockholm.MultiAccess02, before it is broken anywhere.
func breakable(name string) template.HTML {
	return template.HTML(strings.NewReplacer(".", ".<wbr>", "_", "_<wbr>").Replace(html.EscapeString(name))) // #nosec: escaped here
}

// dial is a telephone number as a tel: address holds it (RFC 3966): digits and +.
func dial(number string) string {
	return strings.Map(func(r rune) rune {
		if r == '+' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, number)
}

// link gives a text whose [bracketed] words lead to href; the rest is escaped.
func (t *texts) link(key, href string, args ...any) template.HTML {
	before, rest, _ := strings.Cut(t.text(key, args...), "[")
	words, after, _ := strings.Cut(rest, "]")
	return template.HTML(html.EscapeString(before) + // #nosec: every part is escaped here
		`<a href="` + html.EscapeString(href) + `">` + html.EscapeString(words) + `</a>` +
		html.EscapeString(after))
}

func hasOneLink(texts ...string) bool {
	return !slices.ContainsFunc(texts, func(text string) bool {
		open, closed := strings.Index(text, "["), strings.Index(text, "]")
		return strings.Count(text, "[") != 1 || strings.Count(text, "]") != 1 || open > closed
	})
}

// scriptText is one that a script shows.
type scriptText struct{ Key, Text string }

// below lists the texts whose keys start with a prefix, for a script, by key.
func (t *texts) below(prefix string) []scriptText {
	var found []scriptText
	for key, text := range t.byKey {
		if strings.HasPrefix(key, prefix) {
			found = append(found, scriptText{key, text})
		}
	}
	slices.SortFunc(found, func(a, b scriptText) int { return strings.Compare(a.Key, b.Key) })
	return found
}

// checkNames walks the parsed templates: every key and asset that they name
// must be a literal that exists, so that a wrong one cannot wait for its page.
func checkNames(set *template.Template, t *texts, a *assets) error {
	var faults []error
	for _, one := range set.Templates() {
		if one.Tree == nil {
			continue
		}
		walkCalls(one.Tree.Root, func(function string, argument parse.Node) {
			literal, ok := argument.(*parse.StringNode)
			switch {
			case !ok:
				faults = append(faults, fmt.Errorf("%s: %s wants a literal, not %v", one.Name(), function, argument))
			case function == "template" && set.Lookup(literal.Text) == nil:
				faults = append(faults, fmt.Errorf("%s: there is no template %q", one.Name(), literal.Text))
			case function == "asset" && a.address(literal.Text) == "":
				faults = append(faults, fmt.Errorf("%s: there is no asset %q", one.Name(), literal.Text))
			case function == "texts" && len(t.below(literal.Text)) == 0:
				faults = append(faults, fmt.Errorf("%s: there is no text below %q", one.Name(), literal.Text))
			case (function == "t" || function == "link") && t.forms(literal.Text) == nil:
				faults = append(faults, fmt.Errorf("%s: there is no text %q", one.Name(), literal.Text))
			case function == "link" && !hasOneLink(t.forms(literal.Text)...):
				faults = append(faults, fmt.Errorf("%s: the text %q has not exactly one [link]", one.Name(), literal.Text))
			}
		})
	}
	return errors.Join(faults...)
}

// walkCalls visits each call of a template or of a function of ours, with its
// first argument.
func walkCalls(node parse.Node, visit func(function string, argument parse.Node)) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			walkCalls(child, visit)
		}
	case *parse.ActionNode:
		walkCalls(n.Pipe, visit)
	case *parse.IfNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.WithNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.RangeNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.TemplateNode:
		visit("template", &parse.StringNode{Text: n.Name})
		walkCalls(n.Pipe, visit)
	case *parse.PipeNode:
		if n == nil {
			return
		}
		for _, command := range n.Cmds {
			walkCalls(command, visit)
		}
	case *parse.CommandNode:
		visitCommand(n, visit)
	}
}

func walkBranch(n *parse.BranchNode, visit func(string, parse.Node)) {
	walkCalls(n.Pipe, visit)
	walkCalls(n.List, visit)
	walkCalls(n.ElseList, visit)
}

func visitCommand(n *parse.CommandNode, visit func(string, parse.Node)) {
	if name, ok := n.Args[0].(*parse.IdentifierNode); ok {
		switch name.Ident {
		case "t", "link", "texts", "asset":
			argument := parse.Node(n) // piped into the call: no literal, and so a fault
			if len(n.Args) > 1 {
				argument = n.Args[1]
			}
			visit(name.Ident, argument)
		}
	}
	for _, argument := range n.Args {
		walkCalls(argument, visit)
	}
}
