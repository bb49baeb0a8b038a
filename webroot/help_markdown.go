package webroot

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
	"golang.org/x/text/unicode/norm"
)

// HelpPage is one language's help as the page shows it.
type HelpPage struct {
	Lang     string        // what it is written in
	Title    string        // its first line, # Title; "" when it has none
	Lead     template.HTML // what stands before the first heading
	Contents []HelpHeading
	Body     template.HTML
}

// HelpHeading is a line of the table of contents.
type HelpHeading struct{ ID, Text string }

// markdown reads one help text. Three walls keep a text from being more than
// text: the tree is rid of raw HTML and of every address that is not allowed
// (which is told), goldmark escapes the rest, and what comes out passes an
// allow-list of elements and attributes.
type markdown struct {
	words    map[string]string                       // of {placeholders}
	picture  func(name string) (*helpPicture, error) // of the text's own folder
	policy   *bluemonday.Policy
	source   []byte
	problems []string // what was left out
}

func (m *markdown) read(source []byte) (HelpPage, error) {
	m.source = source
	engine := goldmark.New(
		goldmark.WithExtensions(extension.Strikethrough, extension.Linkify,
			extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))),
		goldmark.WithParserOptions(parser.WithAttribute(), parser.WithInlineParsers(util.Prioritized(&placeholderParser{}, 50))),
	)
	document := engine.Parser().Parse(text.NewReader(source))
	var nodes []ast.Node // first listed, then changed: a walk does not survive changes
	_ = ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			nodes = append(nodes, n)
		}
		return ast.WalkContinue, nil
	})
	for _, n := range nodes {
		m.tame(n)
	}
	page := m.headings(document, nodes)
	lead := ast.NewDocument()
	for n := document.FirstChild(); n != nil && n.Kind() != ast.KindHeading; n = document.FirstChild() {
		lead.AppendChild(lead, n)
	}
	var err, bodyErr error
	page.Lead, err = m.render(engine.Renderer(), lead)
	page.Body, bodyErr = m.render(engine.Renderer(), document)
	return page, errors.Join(err, bodyErr)
}

func (m *markdown) render(r renderer.Renderer, document ast.Node) (template.HTML, error) {
	var b bytes.Buffer
	if err := r.Render(&b, m.source, document); err != nil {
		return "", fmt.Errorf("render: %w", err)
	}
	return template.HTML(m.policy.SanitizeBytes(b.Bytes())), nil // #nosec: the policy has passed it
}

func (m *markdown) problem(format string, args ...any) {
	m.problems = append(m.problems, fmt.Sprintf(format, args...))
}

// tame changes one node into what the page may hold.
func (m *markdown) tame(n ast.Node) {
	switch n := n.(type) {
	case *ast.HTMLBlock:
		m.problem("raw HTML is left out: %.60q", n.Lines().Value(m.source))
		n.Parent().RemoveChild(n.Parent(), n)
	case *ast.RawHTML:
		m.problem("raw HTML is left out: %.60q", n.Segments.Value(m.source))
		n.Parent().RemoveChild(n.Parent(), n)
	case *placeholder:
		m.fill(n)
	case *ast.Link:
		n.Destination = []byte(m.filled(string(n.Destination)))
		if !allowedLink(string(n.Destination)) {
			m.problem("the link to %.80q is left out: only https://, http://, mailto:, tel:, #heading and the portal's own /pages", n.Destination)
			unwrap(n)
		}
	case *ast.AutoLink:
		if to := string(n.URL(m.source)); n.AutoLinkType == ast.AutoLinkURL && !allowedLink(to) {
			m.problem("the link to %.80q is left out", to)
			n.Parent().ReplaceChild(n.Parent(), n, words(string(n.Label(m.source))))
		}
	case *ast.Image:
		m.place(n)
	}
}

var linkForm = regexp.MustCompile(`^(?:https?://[^/]|mailto:|tel:|#|/(?:[^/\\]|$))`)

// allowedLink: what browsers take for another site's address, such as //host
// and /\host, is none of our pages.
func allowedLink(to string) bool {
	_, err := url.Parse(to)
	return err == nil && linkForm.MatchString(to)
}

// place gives an image its address, or leaves its description in its place.
func (m *markdown) place(n *ast.Image) {
	name, err := url.PathUnescape(string(n.Destination))
	var found *helpPicture
	if err == nil {
		found, err = m.picture(name)
	}
	if err != nil {
		m.problem("the picture %.80q is left out: %v", n.Destination, err)
		unwrap(n)
		return
	}
	n.Destination = []byte(found.address)
	n.SetAttributeString("loading", []byte("lazy"))
	if found.width > 0 {
		n.SetAttributeString("width", []byte(strconv.Itoa(found.width)))
		n.SetAttributeString("height", []byte(strconv.Itoa(found.height)))
	}
}

// unwrap puts what a node holds in its place.
func unwrap(n ast.Node) {
	parent := n.Parent()
	for child := n.FirstChild(); child != nil; child = n.FirstChild() {
		parent.InsertBefore(parent, n, child)
	}
	parent.RemoveChild(parent, n)
}

// words is text that stands as it is: no Markdown, no entities, escaped.
func words(value string) *ast.String {
	s := ast.NewString([]byte(value))
	s.SetRaw(true)
	return s
}

// placeholder is a {name} in running text.
type placeholder struct {
	ast.BaseInline
	name string
}

var kindPlaceholder = ast.NewNodeKind("Placeholder")

func (*placeholder) Kind() ast.NodeKind              { return kindPlaceholder }
func (p *placeholder) Dump(source []byte, level int) { ast.DumpHelper(p, source, level, nil, nil) }

// placeholderParser finds them while the text is parsed: not in code, where { is {.
type placeholderParser struct{}

var placeholderForm = regexp.MustCompile(`^\{([a-z]{1,20})\}`)

func (*placeholderParser) Trigger() []byte { return []byte{'{'} }

func (*placeholderParser) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	line, _ := block.PeekLine()
	match := placeholderForm.FindSubmatch(line)
	if match == nil {
		return nil
	}
	block.Advance(len(match[0]))
	return &placeholder{name: string(match[1])}
}

// fill puts the word in a placeholder's place; a telephone number and a mail
// address become links, unless they stand in one.
func (m *markdown) fill(n *placeholder) {
	parent := n.Parent()
	if n.name == "contact" {
		m.contact(n)
		return
	}
	value, known := m.words[n.name]
	if !known {
		m.problem("{%s} is no word that the portal knows", n.name)
		value = "{" + n.name + "}"
	}
	parent.ReplaceChild(parent, n, m.word(n.name, value, parent))
}

// contact is the helpdesk's name and every way to reach it.
func (m *markdown) contact(n ast.Node) {
	parent := n.Parent()
	parent.InsertBefore(parent, n, words(m.words["helpdesk"]))
	for _, name := range []string{"phone", "mail"} {
		if value := m.words[name]; value != "" {
			parent.InsertBefore(parent, n, words(", "))
			parent.InsertBefore(parent, n, m.word(name, value, parent))
		}
	}
	parent.RemoveChild(parent, n)
}

func (m *markdown) word(name, value string, parent ast.Node) ast.Node {
	to := map[string]string{"phone": "tel:" + dial(value), "mail": "mailto:" + value}[name]
	if to == "" || value == "" || within(parent, ast.KindLink, ast.KindImage, ast.KindHeading) {
		return words(value)
	}
	link := ast.NewLink()
	link.Destination = []byte(to)
	link.AppendChild(link, words(value))
	return link
}

func within(n ast.Node, kinds ...ast.NodeKind) bool {
	for ; n != nil; n = n.Parent() {
		for _, kind := range kinds {
			if n.Kind() == kind {
				return true
			}
		}
	}
	return false
}

// filled is an address with its placeholders filled in.
func (m *markdown) filled(address string) string {
	for name, value := range m.words {
		if name == "phone" {
			value = dial(value)
		}
		address = strings.ReplaceAll(address, "{"+name+"}", value)
	}
	return address
}

// headings takes the title off the document, makes the rest fit below it, and
// gives each heading an id that nothing else on the page has.
func (m *markdown) headings(document ast.Node, nodes []ast.Node) (page HelpPage) {
	used := map[string]bool{}
	for _, n := range nodes {
		h, ok := n.(*ast.Heading)
		if !ok {
			continue
		}
		if h.Level == 1 && h == document.FirstChild() {
			page.Title = plain(h, m.source)
			document.RemoveChild(document, h)
			continue
		}
		h.Level = max(2, h.Level)
		wanted, _ := h.AttributeString("id")
		given, _ := wanted.([]byte)
		id := free(cmp.Or(idOf(string(given)), idOf(plain(h, m.source)), "part"), used)
		h.RemoveAttributes()
		h.SetAttributeString("id", []byte(id))
		if h.Level == 2 && h.Parent() == document {
			page.Contents = append(page.Contents, HelpHeading{ID: id, Text: plain(h, m.source)})
		}
	}
	return page
}

// plain is a node's text.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(n.Value(source)))))
			}
		case *ast.String:
			if entering {
				b.Write(n.Value)
			}
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

// idOf is a text as an id: "Får du inget sms?" is far-du-inget-sms.
func idOf(text string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(text)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r): // the dots of å, ä and ö
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String()[:min(b.Len(), 64)], "-")
}

// pageIDs are those of the frame around the text.
var pageIDs = regexp.MustCompile(`^(?:main|texts|helpdesk|fault|contents|idle.*)$`)

func free(id string, used map[string]bool) string {
	if pageIDs.MatchString(id) {
		id = "h-" + id
	}
	unique := id
	for n := 2; used[unique]; n++ {
		unique = id + "-" + strconv.Itoa(n)
	}
	used[unique] = true
	return unique
}

// helpPolicy is everything that may stand in a help text's HTML.
func helpPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "li",
		"table", "thead", "tbody", "tr")
	p.AllowAttrs("id").Matching(regexp.MustCompile(`^[a-z0-9-]{1,80}$`)).OnElements("h2", "h3", "h4", "h5", "h6")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowElements("ol", "h2", "h3", "h4", "h5", "h6")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(?:left|center|right)$`)).OnElements("th", "td")
	p.AllowElements("th", "td")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true)
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.RequireNoReferrerOnFullyQualifiedLinks(true)
	p.AllowAttrs("href").Matching(linkForm).OnElements("a")
	p.AllowAttrs("src").Matching(regexp.MustCompile(`^/help/images/[0-9a-f]{16}/[A-Za-z0-9._/-]+$`)).OnElements("img")
	p.AllowAttrs("alt").OnElements("img")
	p.AllowAttrs("width", "height").Matching(bluemonday.Integer).OnElements("img")
	p.AllowAttrs("loading").Matching(regexp.MustCompile(`^lazy$`)).OnElements("img")
	p.AllowAttrs("title").Matching(bluemonday.Paragraph).OnElements("a", "img")
	return p
}
