package targets

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Lines says on which line of a file each key stands, by its path:
// "session.idle", "directories[0].base_dn". What is not in it was not written.
type Lines map[string]int

// Of is the line of a key or, where it was not written, of the nearest parent
// that was; 0 where there is none.
func (l Lines) Of(path string) int {
	for {
		if line, ok := l[path]; ok {
			return line
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return l[""]
		}
		path = path[:cut]
	}
}

// Has tells whether a key was written.
func (l Lines) Has(path string) bool {
	_, ok := l[path]
	return ok
}

// A nodeReader reads its own YAML form. Its answer is a fault in words, or
// nothing.
type nodeReader interface {
	readNode(n *yaml.Node) string
}

// ReadYAML reads one YAML document into a struct with yaml tags, and finds
// every fault of form at once: a key that is unknown or stands twice, a value
// of the wrong type, a second document, anchors, aliases, merge keys and tags
// (which make a file mean what a reader does not see), text that is not UTF-8.
// It knows strings, bools, ints, durations such as 15m, lists, structs and
// maps of text. file is for the problems only.
func ReadYAML(file string, data []byte, into any) (Lines, []Problem) {
	root, problems := parseDocument(file, data)
	if len(problems) > 0 {
		return Lines{}, problems
	}
	lines, problems := readStruct(file, root, into)
	return lines, sorted(problems)
}

// readStruct reads one node.
func readStruct(file string, root *yaml.Node, into any) (Lines, []Problem) {
	r := &reading{file: file, lines: Lines{"": root.Line}}
	r.value(root, reflect.ValueOf(into).Elem(), "")
	return r.lines, r.problems
}

// parseDocument is the one document of a file.
func parseDocument(file string, data []byte) (*yaml.Node, []Problem) {
	fault := func(line int, format string, arguments ...any) (*yaml.Node, []Problem) {
		return nil, []Problem{{file, line, fmt.Sprintf(format, arguments...)}}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return fault(lineOfBadUTF8(data), "not UTF-8: save the file as UTF-8")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return fault(0, "the file is empty")
	case err != nil:
		return nil, syntaxProblems(file, data, err)
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		return fault(second.Line, "a second document starts here (---): one file holds one document")
	case !errors.Is(err, io.EOF):
		return nil, syntaxProblems(file, data, err)
	}
	if len(document.Content) != 1 || document.Content[0].ShortTag() == "!!null" {
		return fault(0, "the file is empty")
	}
	return document.Content[0], nil
}

func lineOfBadUTF8(data []byte) int {
	line := 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size <= 1 {
			break
		}
		if r == '\n' {
			line++
		}
		data = data[size:]
	}
	return line
}

// syntaxProblems says where the text stops being YAML. Tabs are the usual
// reason, and the parser's words for them are of no help.
func syntaxProblems(file string, data []byte, err error) []Problem {
	var problems []Problem
	for i, line := range strings.Split(string(data), "\n") {
		indentation := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if strings.Contains(indentation, "\t") && strings.TrimSpace(line) != "" {
			problems = append(problems, Problem{file, i + 1, "a tab in the indentation: YAML allows spaces only"})
		}
	}
	if len(problems) > 0 {
		return problems
	}
	text, own := strings.TrimPrefix(err.Error(), "yaml: "), 0
	if n, scanErr := fmt.Sscanf(text, "line %d:", &own); n == 1 && scanErr == nil {
		_, text, _ = strings.Cut(text, ": ")
	}
	if strings.Contains(text, "unknown escape character") {
		text += ` (in double quotes a backslash starts an escape: write 'DOMAIN\name', in single quotes)`
	}
	line := lineOfSyntaxError(data)
	if own == line-1 || strings.Contains(text, "unexpected end of stream") {
		line = max(own, 1)
	}
	return []Problem{{file, line, "not YAML: " + text}}
}

// lineOfSyntaxError is the line that the parser had reached when it gave up,
// or the one after. Its own message names the line where the surrounding list
// began, which in a long list says nothing; so the text is handed to it line
// by line.
func lineOfSyntaxError(data []byte) int {
	source := &lineByLine{rest: data}
	decoder := yaml.NewDecoder(source)
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); err != nil {
			return max(source.line, 1)
		}
	}
}

type lineByLine struct {
	rest []byte
	line int
}

func (l *lineByLine) Read(buffer []byte) (int, error) {
	if len(l.rest) == 0 {
		return 0, io.EOF
	}
	end := bytes.IndexByte(l.rest, '\n') + 1
	if end == 0 {
		end = len(l.rest)
	}
	n := copy(buffer, l.rest[:end])
	l.rest = l.rest[n:]
	if n == end {
		l.line++
	}
	return n, nil
}

// sorted brings problems into the order of the file.
func sorted(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return problems
}
