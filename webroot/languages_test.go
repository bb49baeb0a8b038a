package webroot

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// alike are texts that are rightly the same as in Swedish or English, with the
// languages that say it so too.
var alike = map[string]string{
	"OK":                "en nb da fi de",
	"Ctrl + Alt + Del":  "en nb da fi", // what stands on the keys
	"15:04:05":          "en nb de",    // how Go spells out a clock
	"15:04":             "en nb de",
	"2 {month} 2006":    "en",
	"{n} sekund":        "nb da",
	"{n} sekunder":      "nb da",
	"{n} minut":         "da",
	`å ä ö @ { [ ] } \`: "fi", // what is typed
	"Avbryt":            "nb",
	"Språk":             "nb",
	"Favorit":           "da de",
	"Portalen":          "nb da",
	"Portal":            "de",
	"Resultat":          "nb da",
	"Cookies":           "da de",
	"kabel":             "nb da",
	"Bra":               "nb",
	"Obs":               "nb da",
	"Portalen ser dig på adressen {address}.": "da",

	"Mobilnummer":     "nb da de",
	"Land":            "nb da de",
	"Land: {country}": "nb da de",
	"{n} land":        "nb da",

	"Helpdesk":       "en da de",
	"Administration": "en da",

	"System":          "en nb da de",
	"Ingen aktivitet": "nb da", "i {span}": "nb da", "Mer": "nb",

	"Mikrofon":           "nb da de",
	"Windows":            "en nb da fi de",
	"Windows + L (lås)":  "nb da",
	"Alt + Tab":          "nb da de",
	"Alt + F4":           "en nb da fi de",
	"Ctrl + Tab":         "nb da",
	"Ctrl + W":           "en nb da fi",
	"Ctrl + N":           "en nb da fi",
	"F11":                "en nb da fi de",
	"Print Screen":       "en nb da fi",
	"Alt + Print Screen": "en nb da fi",
	"Esc":                "en nb da fi de",
	"Filer":              "nb da",
	"Avbryt {file}":      "nb",
	"{done} av {total}":  "nb",
	"Filer på {target}":  "nb da",
	"Bild":               "de",
	"Ctrl":               "en nb da fi", "Del": "en nb da fi", "Home": "en nb da fi", "End": "en nb da fi", "Page Up": "en nb da fi", "Page Down": "en nb da fi",
	"Alt": "en nb da fi de", "Win": "en nb da fi de", "F1–F12": "en nb da fi de", "Tab": "nb da de", "Skift": "nb da",
	"{ms} ms, {level}":       "en nb da fi de",
	"Systemets eget: {name}": "nb da",

	// Administrators'.
	"Antal mål":               "da",
	"App":                     "en nb da de",
	"Dag":                     "nb da",
	"Database":                "nb da",
	"Desktops":                "de",
	"Fil":                     "nb da",
	"Ingenting.":              "nb da",
	"Katalogen":               "nb",
	"Konto":                   "nb da de",
	"Länder":                  "de",
	"Med i {n} grupper":       "nb da",
	"Mål":                     "nb da",
	"Node":                    "nb da",
	"Noder":                   "nb da",
	"Person":                  "en nb da de",
	"Personer":                "nb da",
	"Regler":                  "nb da",
	"Se som en person":        "nb da",
	"Ser":                     "nb da",
	"Server":                  "en da de",
	"Tid":                     "nb da",
	"Version":                 "en da de",
	"administrator":           "nb da",
	"aldrig":                  "da",
	"dokument":                "nb da",
	"filer ut":                "nb",
	"helpdesk":                "en da",
	"link":                    "da",
	"mikrofon":                "nb da",
	"nej":                     "da",
	"nu":                      "da",
	"{hours} h {minutes} min": "en",
	"{n} MB":                  "en nb da de",
}

// A text that nobody has translated is the Swedish or the English one.
func TestEveryLanguageIsItsOwn(t *testing.T) {
	site, needed := opened(t), map[string]string{}
	for _, language := range site.Languages()[1:] {
		for key, text := range site.textsOf(language.Code).byKey {
			for _, other := range []string{"sv", "en"} {
				if other == language.Code || text != site.textsOf(other).byKey[key] {
					continue
				}
				if needed[text] += language.Code; !strings.Contains(alike[text], language.Code) {
					t.Errorf("%s: %q is the text of %s: %q", language.Code, key, other, text)
				}
			}
		}
	}
	for text, languages := range alike {
		for language := range strings.FieldsSeq(languages) {
			if !strings.Contains(needed[text], language) {
				t.Errorf("nothing needs %q to be alike in %s", text, language)
			}
		}
	}
}

var (
	anyWord    = regexp.MustCompile(`\pL+`)
	twoLetters = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "å", "aa", "æ", "ae", "ø", "oe")
	oneLetter  = strings.NewReplacer("ä", "a", "ö", "o", "ü", "u", "å", "a", "æ", "a", "ø", "o")
)

// wordsWithoutMarks are words of their own beside others that differ only in
// the marks.
var wordsWithoutMarks = map[string]string{"sv": "andra har", "nb": "for last svart", "da": "for nogle", "de": "lange zahlen"}

func TestWriting(t *testing.T) {
	site := opened(t)
	for _, language := range site.Languages() {
		texts := site.textsOf(language.Code).byKey
		without := map[string]string{} // the word that stands elsewhere with its marks
		for _, text := range texts {
			for _, word := range anyWord.FindAllString(strings.ToLower(text), -1) {
				for _, bare := range []string{twoLetters.Replace(word), oneLetter.Replace(word)} {
					if bare != word && !slices.Contains(strings.Fields(wordsWithoutMarks[language.Code]), bare) {
						without[bare] = word
					}
				}
			}
		}
		swedish := site.textsOf(firstLanguage).byKey
		for key, text := range texts {
			for _, word := range anyWord.FindAllString(strings.ToLower(text), -1) {
				if with := without[word]; with != "" {
					t.Errorf("%s: %q writes %q, elsewhere it is %q: %s", language.Code, key, word, with, text)
				}
			}
			if strings.Contains(text, "  ") || text != strings.TrimSpace(text) || strings.ContainsAny(text, "\t\n\"<>&") && !strings.Contains(key, "malformed") {
				t.Errorf("%s: %q has two spaces together, a space at an end, or a character that does not belong: %q", language.Code, key, text)
			}
			if strings.Contains(text, "...") {
				t.Errorf("%s: %q has three dots for an ellipsis: %s", language.Code, key, text)
			}
			if hasOneLink(text) != hasOneLink(swedish[key]) {
				t.Errorf("%s: %q has not the [link] of the Swedish text: %s", language.Code, key, text)
			}
			if end, want := lastMark(text), lastMark(swedish[key]); end != want {
				t.Errorf("%s: %q ends in %q, the Swedish one in %q: %s", language.Code, key, end, want, text)
			}
		}
		if months := strings.Fields(texts["format.months"]); len(months) != 12 {
			t.Errorf("%s has %d months", language.Code, len(months))
		}
	}
}

// lastMark is the punctuation that a text ends in, which tells a sentence from
// a label.
func lastMark(text string) string {
	return strings.TrimLeft(text[len(strings.TrimRight(text, ".:?!…")):], " ")
}

// septets counts a text in the GSM 7-bit alphabet (3GPP TS 23.038); -1: it does
// not fit, and each message would hold 70 characters for 160.
func septets(text string) int {
	const basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	count := 0
	for _, r := range text {
		switch {
		case strings.ContainsRune(basic, r):
			count++
		case strings.ContainsRune("^{}\\[~]|€", r):
			count += 2
		default:
			return -1
		}
	}
	return count
}

// A notice of a number is two SMS at most, with its link.
func TestNoticesFitTwoMessages(t *testing.T) {
	site := opened(t)
	link := "https://" + strings.Repeat("h", 30) + "/freeze/" + strings.Repeat("A", 26) + "?t=" + strings.Repeat("a", 22)
	for _, language := range site.Languages() {
		for _, key := range []string{"changed", "enrolled", "first", "pending", "second", "final"} {
			words := site.T(language.Code, "phone.notice."+key+".sms", "hours", 24, "portal", strings.Repeat("p", 35), "new", "67", "link", link)
			if n := septets(words); n < 0 || n > 306 || strings.Contains(words, "{") {
				t.Errorf("%s: %s has %d septets: %s", language.Code, key, n, words)
			}
		}
	}
}

// A code's message is one SMS in every language, as long as the portal's name
// and host have 70 characters together (60 where it says what the code is for),
// all of the GSM alphabet.
func TestCodeFitsOneMessage(t *testing.T) {
	site := opened(t)
	for _, language := range site.Languages() {
		words := site.T(language.Code, "code.sms", "code", "123456", "portal", strings.Repeat("p", 45))
		n := septets(words + "\n\n@" + strings.Repeat("h", 35) + " #123456")
		if n < 0 || n > 160 {
			t.Errorf("%s: %d septets: %s", language.Code, n, words)
		}
		if at := strings.Index(words, "123456"); at < 0 || at > 20 {
			t.Errorf("%s: a lock screen does not show the code: %s", language.Code, words)
		}
		for _, key := range []string{"phone.sms.old", "phone.sms.new"} {
			words := site.T(language.Code, key, "code", "123456", "portal", strings.Repeat("p", 35))
			if n := septets(words + "\n\n@" + strings.Repeat("h", 25) + " #123456"); n < 0 || n > 160 || strings.Index(words, "123456") > 20 {
				t.Errorf("%s: %s has %d septets: %s", language.Code, key, n, words)
			}
		}
		t.Logf("%s: leaves %d characters for the portal's name and host", language.Code, 160-n+80)
	}
}
