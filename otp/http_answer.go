package otp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// answer is what a provider said.
type answer struct {
	status  int
	body    []byte // at most maxAnswer
	readErr error  // the body ended early, or is longer
}

func (s HTTPSuccess) check() error {
	if s.StatusFrom < 200 || s.StatusTo > 299 || s.StatusFrom > s.StatusTo {
		return fmt.Errorf("success: status %d to %d is not within 200 to 299", s.StatusFrom, s.StatusTo)
	}
	if (s.JSONPath == "") != (len(s.Equals) == 0) {
		return errors.New("success: a JSON path and the values that it may have belong together")
	}
	for _, value := range s.Refused {
		if s.JSONPath == "" || slices.Contains(s.Equals, value) {
			return fmt.Errorf("success: %q cannot mean refused: it needs a JSON path, and is no value of a success", value)
		}
	}
	return nil
}

// judge is nil when the answer means success. Only where the status alone, or a
// value that was named for it, says that the provider did not take the message,
// it is ErrNotAccepted.
func (s HTTPSuccess) judge(a answer, sent values) error {
	if a.status < s.StatusFrom || a.status > s.StatusTo {
		err := fmt.Errorf("answered status %d: %s", a.status, excerpt(string(a.body), sent))
		if a.status >= 400 && a.status < 500 || a.status == 503 {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
		return err
	}
	if (s.Contains != "" || s.JSONPath != "") && a.readErr != nil {
		return fmt.Errorf("answered status %d, but %s", a.status, excerpt(a.readErr.Error(), sent))
	}
	if !bytes.Contains(a.body, []byte(s.Contains)) {
		return fmt.Errorf("answered status %d without the text of a success: %s", a.status, excerpt(string(a.body), sent))
	}
	if s.JSONPath == "" {
		return nil
	}
	value, ok := jsonAt(a.body, s.JSONPath)
	if ok && slices.Contains(s.Refused, value) {
		return fmt.Errorf("%w: answered status %d, and refused: %s", ErrRefused, a.status, excerpt(string(a.body), sent))
	}
	if !ok || !slices.Contains(s.Equals, value) {
		return fmt.Errorf("answered status %d, but %s is not that of a success: %s", a.status, s.JSONPath, excerpt(string(a.body), sent))
	}
	return nil
}

// reference is the provider's id, cut at 128 bytes; empty where there is none.
func reference(body []byte, path string) string {
	if path == "" {
		return ""
	}
	id, _ := jsonAt(body, path)
	id = strings.ToValidUTF8(id[:min(len(id), 128)], "")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, id)
}

// jsonAt is the text of the string, number, true or false at a path of keys
// and indexes with dots between them.
func jsonAt(body []byte, path string) (string, bool) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var at any
	if err := decoder.Decode(&at); err != nil {
		return "", false
	}
	for _, step := range strings.Split(path, ".") {
		switch parent := at.(type) {
		case map[string]any:
			at = parent[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(parent) {
				return "", false
			}
			at = parent[i]
		default:
			return "", false
		}
	}
	switch value := at.(type) {
	case string:
		return value, true
	case json.Number, bool:
		return fmt.Sprint(value), true
	}
	return "", false
}

// reasonOf is why an exchange failed, in words that hold nothing of what was sent.
func reasonOf(ctx context.Context, err error, sent values) string {
	if cause := ctx.Err(); cause != nil {
		return "no answer in time: " + cause.Error()
	}
	return excerpt(err.Error(), sent)
}

const maxExcerpt = 200 // characters

// excerpt is the start of a foreign text, for the log: printable, without codes,
// and left out altogether where it repeats what was sent.
func excerpt(text string, sent values) string {
	if repeats(text, sent) {
		return "(not shown, since it repeats what was sent)"
	}
	var out strings.Builder
	count := 0
	for _, r := range withoutCodes(strings.ToValidUTF8(text, "?")) {
		if count++; count > maxExcerpt {
			out.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		out.WriteRune(r)
	}
	if shown := strings.TrimSpace(out.String()); shown != "" {
		return shown
	}
	return "(nothing)"
}

// repeats looks for what was sent in a text as it is, and with its escapes of
// forms and JSON undone.
func repeats(text string, sent values) bool {
	secrets := []string{sent.To, strings.TrimPrefix(sent.To, "+"), sent.Username, sent.Password, sent.Callback, sent.secret}
	for _, line := range strings.Split(sent.Text, "\n") {
		secrets = append(secrets, strings.TrimSpace(line))
	}
	forms := []string{text}
	if unescaped, err := url.QueryUnescape(text); err == nil {
		forms = append(forms, unescaped)
	}
	var quoted any
	if json.Unmarshal([]byte(text), &quoted) == nil {
		forms = append(forms, fmt.Sprint(quoted))
	}
	// The code and the number may come back with spaces or hyphens in them.
	numbers := append(strings.FieldsFunc(sent.Text, func(r rune) bool { return !unicode.IsDigit(r) }), digitsOf(sent.To))
	for _, form := range forms {
		if containsAny(form, secrets) || containsAny(digitsOf(form), numbers) {
			return true
		}
	}
	return false
}

// containsAny leaves out what is too short to be told from chance.
func containsAny(text string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return len(part) >= 4 && strings.Contains(text, part) })
}

func digitsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}
