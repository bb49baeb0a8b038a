package webroot

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// prose looks like words for people, wherever it stands.
	prose = regexp.MustCompile(`\pL{2,}[,:;]? \pL{2,}|\pL{2,}[.!?…]$|[\x{c0}-\x{24f}]`)
	// shownThere is where a single word is shown too.
	shownThere = regexp.MustCompile(`\.(?:textContent|innerText|title|placeholder|alt|label|aria\w+)\s*=\s*$|` +
		`\.say\((?:"[^"]*",\s*)?$|"(?:aria-\w+|title|placeholder|alt)",\s*$|\b(?:alert|confirm|prompt)\($`)
	// notShown is for whoever reads the console or the protocol, or is compared.
	notShown = regexp.MustCompile(`[!=]== $|const clientTimeout = $|new \w*Error\($|\b(?:querySelector(?:All)?|closest|matches)(?:<[^>]*>)?\($|\bsendAck\($|\bmatchMedia\($|\bconsole\.\w+\($`)
	oneWord  = regexp.MustCompile(`\pL{2,}`)
	roles    = regexp.MustCompile(`^(?:true|false|polite|assertive|off|page|[a-z]+(?:-[a-z0-9]+)+)$`) // values of aria-*, ids
)

// wordsIn are the literals of a script that people would read.
func wordsIn(source string) (found []string) {
	for _, one := range literals(source) {
		anywhere := prose.MatchString(one.text) && !notShown.MatchString(one.before)
		there := shownThere.MatchString(one.before) && oneWord.MatchString(one.text) && !roles.MatchString(one.text)
		if anywhere || there {
			found = append(found, one.text)
		}
	}
	return found
}

// A string in a script that people see is text that no translator sees.
func TestNoLiteralTextInScripts(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("src", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".ts" {
			return err
		}
		raw, err := os.ReadFile(name)
		seen += len(literals(string(raw)))
		for _, words := range wordsIn(string(raw)) {
			t.Errorf("%s: literal text: %q", name, words)
		}
		return err
	})
	if err != nil || seen < 100 {
		t.Errorf("%d literals were looked at: %v", seen, err)
	}
}

func TestWordsInScripts(t *testing.T) {
	for source, want := range map[string]string{
		`a.textContent = "Wait";`:                        "Wait",
		`whisper.say("Wait")`:                            "Wait",
		`this.say("status-text", "Wait")`:                "Wait",
		`b.setAttribute("aria-label", "Close")`:          "Close",
		`f("Det gick fel.")`:                             "Det gick fel.",
		`f('Försök')`:                                    "Försök",
		"f(`Please wait ${n} seconds`)":                  "Please wait {} seconds",
		"f(`${a ? \"yes we can\" : `x`}`)":               "yes we can",
		`f("do say \"no\" again")`:                       `do say \"no\" again`,
		`x = a / b; f("one two"); y = c / d`:             "one two",
		`a.textContent = "";`:                            "",
		`this.say("status-text", words)`:                 "",
		`throw new Error("no such part");`:               "",
		`q.querySelector<HTMLElement>("dialog button")`:  "",
		"// it's \"a comment\"\nf(1); /* \"and one\" */": "",
		`x.replace(/[/"]a "b c"/g, d)`:                   "",
		`event.key === "Escape"`:                         "",
		`w.setAttribute("aria-expanded", "false")`:       "",
	} {
		if got := strings.Join(wordsIn(source), "|"); got != want {
			t.Errorf("%s: found %q, want %q", source, got, want)
		}
	}
}

// literal is a string in a script, with the code before it.
type literal struct{ before, text string }

// literals reads as much of TypeScript as it takes to tell strings from
// comments and regular expressions. ${...} in a template becomes {}.
func literals(source string) (found []literal) {
	s := scriptScanner{source: source}
	s.code(&found, false)
	return found
}

type scriptScanner struct {
	source string
	at     int
}

func (s *scriptScanner) rest() string { return s.source[s.at:] }

// code reads to the end, or past the brace that closes a template's ${.
func (s *scriptScanner) code(found *[]literal, inTemplate bool) {
	for depth := 0; s.at < len(s.source); {
		start := s.at
		switch c := s.source[s.at]; {
		case strings.HasPrefix(s.rest(), "//"):
			s.past("\n")
		case strings.HasPrefix(s.rest(), "/*"):
			s.past("*/")
		case c == '/' && regexpMayStart.MatchString(s.source[:s.at]):
			s.at += len(regexpLiteral.FindString(s.rest()))
		case c == '"' || c == '\'' || c == '`':
			text := s.quoted(c, found)
			*found = append(*found, literal{s.source[:start], text})
		case c == '}' && inTemplate && depth == 0:
			s.at++
			return
		default:
			if c == '{' {
				depth++
			} else if c == '}' {
				depth--
			}
		}
		if s.at == start {
			s.at++
		}
	}
}

var (
	regexpMayStart = regexp.MustCompile(`(?:^|[(,=:\[!&|?{};]|=>|\breturn)\s*$`)
	regexpLiteral  = regexp.MustCompile(`^/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/`)
)

func (s *scriptScanner) past(end string) {
	if _, after, ok := strings.Cut(s.rest(), end); ok {
		s.at = len(s.source) - len(after)
	} else {
		s.at = len(s.source)
	}
}

func (s *scriptScanner) quoted(quote byte, found *[]literal) string {
	var text strings.Builder
	for s.at++; s.at < len(s.source); s.at++ {
		switch c := s.source[s.at]; {
		case c == quote:
			s.at++
			return text.String()
		case c == '\\' && s.at+1 < len(s.source):
			text.WriteString(s.source[s.at : s.at+2])
			s.at++
		case quote == '`' && strings.HasPrefix(s.rest(), "${"):
			s.at += 2
			s.code(found, true)
			s.at--
			text.WriteString("{}")
		default:
			text.WriteByte(c)
		}
	}
	return text.String()
}
