package targets

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

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
