package webroot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// firstLanguage is the one that people get when nothing else fits, and the one
// that decides which keys exist.
const firstLanguage = "sv"

// Language is one that the pages exist in.
type Language struct {
	Code string // "sv"
	Name string // in the language itself: "Svenska"
}

// texts are one language's, by key.
type texts map[string]string

type locales struct {
	languages []Language // firstLanguage, then English, then by code
	texts     map[string]texts
	matcher   language.Matcher
}

// Languages lists what there is, Swedish first.
func (s *Site) Languages() []Language { return slices.Clone(s.locales.languages) }

// Match picks the best language for an Accept-Language header, Swedish when
// none fits or the header is nonsense.
func (s *Site) Match(acceptLanguage string) string {
	if len(acceptLanguage) > 512 {
		return firstLanguage
	}
	wanted, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(wanted) == 0 {
		return firstLanguage
	}
	_, index, confidence := s.locales.matcher.Match(wanted...)
	if confidence == language.No {
		return firstLanguage
	}
	return s.locales.languages[index].Code
}

// T gives a text. args are pairs that fill the text's placeholders:
// T("sv", "code.left", "left", 3) fills {left}. An unknown language gives
// Swedish; an unknown key gives the key.
func (s *Site) T(lang, key string, args ...any) string {
	return s.textsOf(lang).text(key, args...)
}

func (s *Site) textsOf(lang string) texts {
	if t, ok := s.locales.texts[lang]; ok {
		return t
	}
	return s.locales.texts[firstLanguage]
}

func (t texts) text(key string, args ...any) string {
	text, ok := t[key]
	if !ok {
		return key
	}
	if len(args) < 2 {
		return text
	}
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		pairs = append(pairs, fmt.Sprintf("{%v}", args[i]), fmt.Sprint(args[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func loadLocales(files fs.FS) (*locales, error) {
	names, err := fs.Glob(files, "locales/*.json")
	if err != nil {
		return nil, err
	}
	l := &locales{texts: map[string]texts{}}
	for _, name := range names {
		code := strings.TrimSuffix(path.Base(name), ".json")
		t, err := readTexts(files, name)
		if err != nil {
			return nil, err
		}
		l.texts[code] = t
		l.languages = append(l.languages, Language{Code: code, Name: t["language.name"]})
	}
	if l.texts[firstLanguage] == nil {
		return nil, fmt.Errorf("there is no locales/%s.json", firstLanguage)
	}
	slices.SortFunc(l.languages, func(a, b Language) int {
		return strings.Compare(languageRank(a.Code), languageRank(b.Code))
	})
	if l.matcher, err = newMatcher(l.languages); err != nil {
		return nil, err
	}
	return l, l.sameKeys()
}

func languageRank(code string) string {
	switch code {
	case firstLanguage:
		return ""
	case "en":
		return " "
	}
	return code
}

func newMatcher(languages []Language) (language.Matcher, error) {
	tags := make([]language.Tag, len(languages))
	for i, l := range languages {
		tag, err := language.Parse(l.Code)
		if err != nil {
			return nil, fmt.Errorf("locales/%s.json: %w", l.Code, err)
		}
		tags[i] = tag
	}
	return language.NewMatcher(tags), nil
}

func readTexts(files fs.FS, name string) (texts, error) {
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	var t texts
	if err := json.Unmarshal(raw, &t); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for key, text := range t {
		if strings.TrimSpace(text) == "" {
			return nil, fmt.Errorf("%s: the text of %q is empty", name, key)
		}
	}
	return t, nil
}

// sameKeys demands that every language has exactly the first one's keys, with
// the same placeholders in each text.
func (l *locales) sameKeys() error {
	var faults []error
	want := l.texts[firstLanguage]
	for code, t := range l.texts {
		for key, text := range want {
			other, ok := t[key]
			if !ok {
				faults = append(faults, fmt.Errorf("locales/%s.json lacks %q", code, key))
			} else if a, b := placeholders(text), placeholders(other); !slices.Equal(a, b) {
				faults = append(faults, fmt.Errorf("locales/%s.json: %q has placeholders %v, not %v", code, key, b, a))
			}
		}
		for key := range t {
			if _, ok := want[key]; !ok {
				faults = append(faults, fmt.Errorf("locales/%s.json has %q, which locales/%s.json lacks", code, key, firstLanguage))
			}
		}
	}
	return errors.Join(faults...)
}

// placeholders lists the {names} in a text, sorted, each once.
func placeholders(text string) []string {
	var names []string
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			break
		}
		name, tail, found := strings.Cut(after, "}")
		if !found {
			break
		}
		names, rest = append(names, name), tail
	}
	slices.Sort(names)
	return slices.Compact(names)
}
