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

// texts are one language's.
type texts struct {
	locale language.Tag // for numbers and plural forms
	byKey  map[string]string
}

type locales struct {
	languages []Language // firstLanguage, then English, then by code
	texts     map[string]*texts
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
// T("sv", "code.left", "left", 3) fills {left}, a whole number as the language
// writes it. A text that depends on a number is written as KEY.one and
// KEY.other and asked for as KEY; the first whole number decides. An unknown
// language gives Swedish; an unknown key gives the key.
func (s *Site) T(lang, key string, args ...any) string {
	return s.textsOf(lang).text(key, args...)
}

// Keys are the keys of texts that start with a prefix, sorted.
func (s *Site) Keys(prefix string) []string {
	var keys []string
	for key := range s.locales.texts[firstLanguage].byKey {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func (s *Site) textsOf(lang string) *texts {
	if t, ok := s.locales.texts[lang]; ok {
		return t
	}
	return s.locales.texts[firstLanguage]
}

func (t *texts) text(key string, args ...any) string {
	text, ok := t.byKey[key]
	if !ok {
		text, ok = t.byKey[t.pluralKey(key, args)]
	}
	if !ok {
		return key
	}
	if len(args) < 2 {
		return text
	}
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		value, whole := args[i+1].(int)
		filled := t.number(value)
		if !whole {
			filled = fmt.Sprint(args[i+1])
		}
		pairs = append(pairs, fmt.Sprintf("{%v}", args[i]), filled)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// forms are a key's texts: one, or those of its plural forms; none where there
// is no such key.
func (t *texts) forms(key string) (found []string) {
	for _, suffix := range []string{"", ".one", ".other"} {
		if text, ok := t.byKey[key+suffix]; ok {
			found = append(found, text)
		}
	}
	return found
}

// loadLocales reads locales/LANGUAGE.json, which every page draws on, and
// locales/PART/LANGUAGE.json, one folder for each further part of the portal.
func loadLocales(files fs.FS) (*locales, error) {
	whole, err := fs.Glob(files, "locales/*.json")
	if err != nil {
		return nil, err
	}
	parts, err := fs.Glob(files, "locales/*/*.json")
	if err != nil {
		return nil, err
	}
	l := &locales{texts: map[string]*texts{}}
	for _, name := range append(whole, parts...) {
		if err := l.add(files, name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if !slices.Contains(whole, "locales/"+firstLanguage+".json") {
		return nil, fmt.Errorf("there is no locales/%s.json", firstLanguage)
	}
	slices.SortFunc(l.languages, func(a, b Language) int {
		return strings.Compare(languageRank(a.Code), languageRank(b.Code))
	})
	tags := make([]language.Tag, len(l.languages))
	for i, one := range l.languages {
		tags[i] = l.texts[one.Code].locale
	}
	l.matcher = language.NewMatcher(tags)
	return l, errors.Join(l.sameKeys(), l.texts[firstLanguage].pluralPairs())
}

// add reads one file of texts; a key stands in one file of a language only.
func (l *locales) add(files fs.FS, name string) error {
	byKey, err := readTexts(files, name)
	if err != nil {
		return err
	}
	code := strings.TrimSuffix(path.Base(name), ".json")
	t, known := l.texts[code]
	if !known {
		locale, err := localeOf(code)
		if err != nil {
			return err
		}
		t = &texts{locale: locale, byKey: map[string]string{}}
		l.texts[code] = t
		l.languages = append(l.languages, Language{Code: code, Name: byKey["language.name"]})
	}
	for key, text := range byKey {
		if _, twice := t.byKey[key]; twice {
			return fmt.Errorf("%q stands in another file of %s too", key, code)
		}
		t.byKey[key] = text
	}
	return nil
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

func readTexts(files fs.FS, name string) (map[string]string, error) {
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	var t map[string]string
	if err := json.Unmarshal(raw, &t); err != nil {
		return nil, err
	}
	for key, text := range t {
		if strings.TrimSpace(text) == "" {
			return nil, fmt.Errorf("the text of %q is empty", key)
		}
	}
	return t, nil
}

// sameKeys demands that every language has exactly the first one's keys, with
// the same placeholders in each text.
func (l *locales) sameKeys() error {
	var faults []error
	want := l.texts[firstLanguage].byKey
	for code, t := range l.texts {
		for key, text := range want {
			other, ok := t.byKey[key]
			if !ok {
				faults = append(faults, fmt.Errorf("locales: %s lacks %q", code, key))
			} else if a, b := placeholders(text), placeholders(other); !slices.Equal(a, b) {
				faults = append(faults, fmt.Errorf("locales: %s: %q has placeholders %v, not %v", code, key, b, a))
			}
		}
		for key := range t.byKey {
			if _, ok := want[key]; !ok {
				faults = append(faults, fmt.Errorf("locales: %s has %q, which %s lacks", code, key, firstLanguage))
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
