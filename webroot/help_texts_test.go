package webroot

import (
	"bytes"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Our own texts are whole, with every picture, and have the same parts in every
// language, since pages link to them.
func TestOurHelp(t *testing.T) {
	site := opened(t)
	var log bytes.Buffer
	h, err := site.Help("", helpWords, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil || log.Len() > 0 {
		t.Fatal(err, log.String())
	}
	heading := regexp.MustCompile(`<h([23]) id="([^"]+)"`)
	anchors := map[string][]string{}
	for _, language := range site.Languages() {
		page := h.Page(language.Code)
		if page.Lang != language.Code {
			t.Errorf("%s has no help of its own", language.Code)
			continue
		}
		body := whole(page)
		for _, m := range heading.FindAllStringSubmatch(body, -1) {
			anchors[language.Code] = append(anchors[language.Code], m[1]+" "+m[2])
		}
		if diff := cmp.Diff(anchors[firstLanguage], anchors[language.Code]); diff != "" {
			t.Errorf("%s has other parts than %s:\n%s", language.Code, firstLanguage, diff)
		}
		for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(body, -1) {
			if !strings.Contains(body, `id="`+m[1]+`"`) {
				t.Errorf("%s: a link to #%s, which is not there", language.Code, m[1])
			}
		}
		if n := strings.Count(body, "<img"); n < 5 {
			t.Errorf("%s: %d pictures", language.Code, n)
		}
		if title := site.T(language.Code, "title.help"); page.Title != title {
			t.Errorf("%s: the title is %q, links to it say %q", language.Code, page.Title, title)
		}
		for _, picture := range h.ours[language.Code].pictures {
			if len(picture.bytes) > 60_000 {
				t.Errorf("%s is %d bytes: make help-pictures makes smaller ones", picture.address, len(picture.bytes))
			}
		}
	}
	// Each way that a desktop can fail has its part.
	causes := regexp.MustCompile(`key: "desktop\.js\.([a-z-]+)", state`).FindAllStringSubmatch(sources(t, "src/desktop/cause.ts"), -1)
	if len(causes) < 10 {
		t.Fatalf("only %d causes found", len(causes))
	}
	for _, m := range causes {
		if !slices.Contains(anchors[firstLanguage], "3 "+m[1]) {
			t.Errorf("the help says nothing of %q (#%s)", m[1], m[1])
		}
	}
	for _, m := range regexp.MustCompile(`/help#([a-z-]+)`).FindAllStringSubmatch(sources(t, "templates/*.html", "src/*.ts", "src/desktop/*.ts", "../gateway/*.go"), -1) {
		if !slices.Contains(anchors[firstLanguage], "2 "+m[1]) && !slices.Contains(anchors[firstLanguage], "3 "+m[1]) {
			t.Errorf("a link to /help#%s, which is not there", m[1])
		}
	}
}

var (
	helpPart  = regexp.MustCompile(`(?m)^#{2,3} .*\{#([a-z-]+)\}$`)
	helpHolds = regexp.MustCompile(`!\[[^\]]+\]\(images/[a-z]+|\]\([/#][^)]+\)|\{[a-z]+\}|(?m)^(?:#+|\d\.|-) `)
	helpNames = regexp.MustCompile(`\*\*([^*]+)\*\*|[”“„«]([^”“»]+)[”“»]`)
	anyAlt    = regexp.MustCompile(`!\[[^\]]+\]`)
)

// holds is what each part of a text has in it whatever the language: its words
// to be filled in, pictures, links and items of lists, in order of the alphabet.
func holds(source string) map[string][]string {
	parts, from := map[string][]string{}, "lead"
	add := func(text string) {
		found := helpHolds.FindAllString(anyAlt.ReplaceAllString(text, "![alt]"), -1)
		slices.Sort(found)
		parts[from] = found
	}
	at := 0
	for _, m := range helpPart.FindAllStringSubmatchIndex(source, -1) {
		add(source[at:m[0]])
		from, at = source[m[2]:m[3]], m[1]
	}
	add(source[at:])
	return parts
}

// A translation says all that the Swedish text says: each part fills in the same
// words, shows the same pictures, leads to the same places and has as many steps.
// What it calls a button or quotes from a page stands on the page.
func TestHelpOfEveryLanguage(t *testing.T) {
	site := opened(t)
	read := func(code string) string {
		source, err := os.ReadFile("help/" + code + ".md")
		if err != nil {
			t.Fatal(err)
		}
		return string(source)
	}
	swedish := holds(read(firstLanguage))
	// The folder of guacd's drive, and what browsers call their own button.
	elsewhere := strings.Fields("Download Tillåt Allow Tillat Tillad Salli Zulassen")
	for _, language := range site.Languages() {
		source := read(language.Code)
		if diff := cmp.Diff(swedish, holds(source)); diff != "" {
			t.Errorf("%s.md holds other things than %s.md:\n%s", language.Code, firstLanguage, diff)
		}
		for _, m := range regexp.MustCompile(`images/[a-z]+\.([a-z]+)\.png`).FindAllStringSubmatch(source, -1) {
			if m[1] != language.Code {
				t.Errorf("%s.md shows %s", language.Code, m[0])
			}
		}
		onPage := map[string]bool{}
		for _, text := range site.textsOf(language.Code).byKey {
			onPage[strings.NewReplacer("[", "", "]", "").Replace(text)] = true
		}
		for _, m := range helpNames.FindAllStringSubmatch(source, -1) {
			name := m[1] + m[2]
			if !onPage[name] && !strings.HasPrefix(name, "{domain}") && !slices.Contains(elsewhere, name) {
				t.Errorf("%s.md speaks of %q, which no page says", language.Code, name)
			}
		}
	}
}
