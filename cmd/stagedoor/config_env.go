package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"stagedoor/targets"
)

const environmentPrefix = "STAGEDOOR_"

// overrides are the keys that the environment sets: session.idle by
// STAGEDOOR_SESSION__IDLE. Lists of text are written with commas; lists of
// sections stand in the file only.
type overrides struct {
	values  map[string]any    // by key
	secrets map[string]string // by variable: those that only the environment has
}

// variable is the name of the environment variable for a key.
func variable(key string) string {
	return environmentPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "__"))
}

// readEnvironment takes the variables that are meant for us. One that looks like
// a key and is none is a fault, since a mistyped limit would silently not hold.
func readEnvironment(environ []string) (overrides, []targets.Problem) {
	o := overrides{values: map[string]any{}, secrets: map[string]string{}}
	known, types := map[string]string{}, map[string]reflect.Type{}
	leaves(reflect.TypeFor[Config](), "", func(key string, t reflect.Type) { known[variable(key)], types[key] = key, t })
	var problems []targets.Problem
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, environmentPrefix) || value == "" {
			continue
		}
		key, ok := known[name]
		switch {
		case ok:
			read, fault := fromText(value, types[key])
			if fault != "" {
				problems = append(problems, targets.Problem{File: "environment", Text: name + ": " + fault})
				continue
			}
			o.values[key] = read
		case isSecretVariable(name):
			o.secrets[name] = value
		case name == "STAGEDOOR_SMS__SENDER" || strings.HasPrefix(name, "STAGEDOOR_SMS__HTTP__"):
			problems = append(problems, targets.Problem{File: "environment",
				Text: name + ": there may be several senders now: their keys stand in the file, under sms.senders, and a password in " + senderPrefix + "<NAME>__PASSWORD (UPGRADING.md)"})
		default:
			hint := targets.DidYouMean(name, slices.Sorted(maps.Keys(known)))
			// Others' variables begin alike too: Kubernetes sets
			// STAGEDOOR_SERVICE_HOST beside a service that is called stagedoor.
			if hint != "" || strings.Contains(name, "__") {
				problems = append(problems, targets.Problem{File: "environment", Text: name + ": no key of the configuration has this name" + hint})
			}
		}
	}
	slices.SortFunc(problems, func(a, b targets.Problem) int { return strings.Compare(a.Text, b.Text) })
	return o, problems
}

func isSecretVariable(name string) bool {
	return name == serverKeyVariable || name == mailPasswordVariable || strings.HasPrefix(name, senderPrefix) ||
		strings.HasPrefix(name, "STAGEDOOR_DIRECTORIES__") && strings.HasSuffix(name, "__BIND_PASSWORD")
}

// leaves calls each for every key that holds a value or a list of text.
func leaves(section reflect.Type, prefix string, each func(key string, t reflect.Type)) {
	for i := range section.NumField() {
		field := section.Field(i)
		key := field.Tag.Get("yaml")
		switch {
		case key == "":
		case field.Type.Kind() == reflect.Struct:
			leaves(field.Type, prefix+key+".", each)
		case field.Type.Kind() == reflect.Slice && field.Type.Elem().Kind() == reflect.Struct:
		default:
			each(prefix+key, field.Type)
		}
	}
}

// fromText reads a variable as the type of its key. The value is not repeated
// in the fault: it may be a secret in the wrong place.
func fromText(text string, t reflect.Type) (value any, fault string) {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		length, err := time.ParseDuration(text)
		if err != nil {
			return nil, "is not a length of time such as 90s, 15m or 12h"
		}
		return length, ""
	case t.Kind() == reflect.Bool:
		if text != "true" && text != "false" {
			return nil, "must be true or false"
		}
		return text == "true", ""
	case t.Kind() == reflect.Int:
		number, err := strconv.Atoi(text)
		if err != nil {
			return nil, "must be a whole number"
		}
		return number, ""
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Int:
		var numbers []int
		for _, part := range strings.Split(text, ",") {
			number, err := strconv.Atoi(strings.TrimSpace(part))
			if err != nil {
				return nil, "must be whole numbers with commas"
			}
			numbers = append(numbers, number)
		}
		return numbers, ""
	case t == reflect.TypeFor[[]time.Duration]():
		var lengths []time.Duration
		for _, part := range strings.Split(text, ",") {
			length, err := time.ParseDuration(strings.TrimSpace(part))
			if err != nil {
				return nil, "must be lengths of time such as 30s, with commas"
			}
			lengths = append(lengths, length)
		}
		return lengths, ""
	case t.Kind() == reflect.Slice:
		var parts []string
		for _, part := range strings.Split(text, ",") {
			parts = append(parts, strings.TrimSpace(part))
		}
		return parts, ""
	case t.Kind() == reflect.String:
		return text, ""
	}
	return nil, fmt.Sprintf("cannot be set here (%s)", t)
}
