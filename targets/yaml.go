package targets

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
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

// reading walks a document and notes what is wrong.
type reading struct {
	file     string
	lines    Lines
	problems []Problem
}

func (r *reading) fault(n *yaml.Node, path, format string, arguments ...any) {
	text := fmt.Sprintf(format, arguments...)
	if path != "" {
		text = path + ": " + text
	}
	r.problems = append(r.problems, Problem{r.file, n.Line, text})
}

func (r *reading) value(n *yaml.Node, v reflect.Value, path string) {
	if node, ok := v.Addr().Interface().(**yaml.Node); ok { // to be read later
		*node = n
		return
	}
	if fault := hiddenMeaning(n); fault != "" {
		r.fault(n, path, "%s", fault)
		return
	}
	if own, ok := v.Addr().Interface().(nodeReader); ok {
		if fault := own.readNode(n); fault != "" {
			r.fault(n, path, "%s", fault)
		}
		return
	}
	null := n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
	switch v.Kind() {
	case reflect.Struct:
		if !null { // a section whose keys are all commented out
			r.structure(n, v, path)
		}
	case reflect.Map:
		if !null {
			r.textMap(n, v, path)
		}
	case reflect.Slice:
		r.list(n, v, path)
	default:
		if fault := scalar(n, v); fault != "" {
			r.fault(n, path, "%s", fault)
		}
	}
}

// hiddenMeaning refuses what makes YAML mean something else than it shows.
func hiddenMeaning(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.AliasNode:
		return "an alias (*" + n.Value + ") is not allowed: write the value out"
	case n.Anchor != "":
		return "an anchor (&" + n.Anchor + ") is not allowed: write each value out"
	case n.Style&yaml.TaggedStyle != 0:
		return "a tag (" + n.Tag + ") is not allowed"
	}
	return ""
}

func (r *reading) structure(n *yaml.Node, v reflect.Value, path string) {
	fields := map[string]reflect.Value{}
	var names []string
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("yaml"); name != "" {
			fields[name] = v.Field(i)
			names = append(names, name)
		}
	}
	r.pairs(n, path, func(key, value *yaml.Node, at string) {
		field, ok := fields[key.Value]
		if !ok {
			r.fault(key, path, "unknown key %q%s", key.Value, DidYouMean(key.Value, names))
			return
		}
		r.lines[at] = key.Line
		r.value(value, field, at)
	})
}

// textMap reads names chosen by the writer; numbers and booleans are taken as
// they are written.
func (r *reading) textMap(n *yaml.Node, v reflect.Value, path string) {
	texts := map[string]string{}
	r.pairs(n, path, func(key, value *yaml.Node, at string) {
		r.lines[at] = key.Line
		switch fault := hiddenMeaning(value); {
		case fault != "":
			r.fault(value, at, "%s", fault)
		case value.Kind != yaml.ScalarNode:
			r.fault(value, at, "must be text, a number or true or false")
		case value.ShortTag() == "!!null":
			r.fault(value, at, "has no value")
		default:
			texts[key.Value] = value.Value
		}
	})
	v.Set(reflect.ValueOf(texts))
}

// pairs calls each for the keys of a mapping, without the faulty ones.
func (r *reading) pairs(n *yaml.Node, path string, each func(key, value *yaml.Node, at string)) {
	if n.Kind != yaml.MappingNode {
		r.fault(n, path, "must be keys with values (key: value), not %s", describe(n))
		return
	}
	first := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch fault := hiddenMeaning(key); {
		case fault != "":
			r.fault(key, path, "%s", fault)
		case key.Kind != yaml.ScalarNode:
			r.fault(key, path, "a key must be text")
		case key.ShortTag() == "!!merge":
			r.fault(key, path, "a merge key (<<) is not allowed: write the keys out")
		case first[key.Value] != 0:
			r.fault(key, path, "key %q stands twice, first on line %d", key.Value, first[key.Value])
		default:
			first[key.Value] = key.Line
			at := key.Value
			if path != "" {
				at = path + "." + key.Value
			}
			each(key, value, at)
		}
	}
}

func (r *reading) list(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		r.fault(n, path, "must be a list (- item), not %s", describe(n))
		return
	}
	items := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		at := path + "[" + strconv.Itoa(i) + "]"
		r.lines[at] = item.Line
		r.value(item, items.Index(i), at)
	}
	v.Set(items)
}

// scalar reads one value. Nothing is guessed: yes is not true, 5 is not 5s.
func scalar(n *yaml.Node, v reflect.Value) string {
	if n.Kind != yaml.ScalarNode {
		return "must be one value, not " + describe(n)
	}
	tag := n.ShortTag()
	if tag == "!!null" {
		return "has no value"
	}
	if v.Type() == reflect.TypeFor[time.Duration]() {
		length, err := time.ParseDuration(n.Value)
		if err != nil {
			return fmt.Sprintf("%q is not a length of time such as 90s, 15m or 12h", n.Value)
		}
		v.SetInt(int64(length))
		return ""
	}
	switch v.Kind() {
	case reflect.String:
		if tag != "!!str" {
			return "must be text, not " + describe(n) + ": put it in quotes"
		}
		v.SetString(n.Value)
	case reflect.Bool:
		if tag != "!!bool" {
			return "must be true or false, not " + describe(n)
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int:
		number, err := strconv.Atoi(n.Value)
		if tag != "!!int" || err != nil {
			return "must be a whole number, not " + describe(n)
		}
		v.SetInt(int64(number))
	default:
		return "cannot be read: unknown kind " + v.Kind().String()
	}
	return ""
}

// describe names what stands there instead. Text that may be a secret in the
// wrong place is cut short.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "keys with values"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind != yaml.ScalarNode:
		return "something else"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	runes := []rune(n.Value)
	if len(runes) > 20 {
		runes = append(runes[:20], '…')
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "the number " + string(runes)
	case "!!bool":
		return "the truth value " + string(runes)
	case "!!timestamp":
		return "the date " + string(runes)
	}
	return fmt.Sprintf("%q", string(runes))
}

// DidYouMean is a hint where a known word is at most two letters off.
func DidYouMean(word string, known []string) string {
	best, distance := "", 3
	for _, k := range known {
		if d := editDistance(strings.ToLower(word), strings.ToLower(k), distance); d < distance {
			best, distance = k, d
		}
	}
	if best == "" || distance >= len(best) {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance counts letters to add, drop or exchange (Levenshtein); it stops
// counting at limit.
func editDistance(a, b string, limit int) int {
	if abs := len(a) - len(b); abs >= limit || -abs >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			exchange := diagonal
			if a[i] != b[j] {
				exchange++
			}
			diagonal = row[j+1]
			row[j+1] = min(exchange, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// sorted brings problems into the order of the file.
func sorted(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return problems
}
