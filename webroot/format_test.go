package webroot

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The table is the browser's too (text.test.mjs); percentages, sizes and
// countdowns are written only there, times without seconds only here.
func TestFormats(t *testing.T) {
	raw, err := os.ReadFile("testdata/formats.json")
	if err != nil {
		t.Fatal(err)
	}
	type formats struct {
		Clock, Time, Until, Date, Number []string
		Texts                            [][4]string // key, placeholder, with 1, with 2
	}
	want := map[string]formats{}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	afternoon := time.Date(2026, 11, 21, 14, 2, 11, 0, time.Local)
	morning := time.Date(2026, 3, 1, 9, 5, 7, 0, time.Local)
	site := opened(t)
	for _, language := range site.Languages() {
		own, got := site.textsOf(language.Code), formats{}
		got.Clock = []string{own.clock(afternoon), own.clock(morning)}
		got.Time = []string{own.time(afternoon), own.time(morning)}
		got.Until = []string{own.until(afternoon), own.until(morning.Truncate(time.Minute))}
		got.Date = []string{own.date(afternoon), own.date(morning)}
		got.Number = []string{own.number(999), own.number(1234), own.number(1234567)}
		for _, row := range want[language.Code].Texts {
			key, name := row[0], row[1]
			got.Texts = append(got.Texts, [4]string{key, name, site.T(language.Code, key, name, 1), site.T(language.Code, key, name, 2)})
		}
		if diff := cmp.Diff(want[language.Code], got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", language.Code, diff)
		}
	}
}

// What a person reads where a time is left, in the sentence that it stands in.
func TestSpans(t *testing.T) {
	site := opened(t)
	spans := []time.Duration{time.Second, 90 * time.Second, time.Minute, 2 * time.Minute, 61 * time.Minute,
		time.Hour, 12 * time.Hour, 181 * time.Minute, 24 * time.Hour, 25 * time.Hour, 72*time.Hour + time.Second}
	for lang, want := range map[string][]string{
		"sv": {"1 sekund", "90 sekunder", "1 minut", "2 minuter", "61 minuter", "1 timme", "12 timmar", "4 timmar", "1 dygn", "25 timmar", "4 dygn"},
		"en": {"1 second", "90 seconds", "1 minute", "2 minutes", "61 minutes", "1 hour", "12 hours", "4 hours", "1 day", "25 hours", "4 days"},
		"nb": {"1 sekund", "90 sekunder", "1 minutt", "2 minutter", "61 minutter", "1 time", "12 timer", "4 timer", "1 døgn", "25 timer", "4 døgn"},
		"da": {"1 sekund", "90 sekunder", "1 minut", "2 minutter", "61 minutter", "1 time", "12 timer", "4 timer", "1 døgn", "25 timer", "4 døgn"},
		"fi": {"1 sekunnin", "90 sekunnin", "1 minuutin", "2 minuutin", "61 minuutin", "1 tunnin", "12 tunnin", "4 tunnin", "1 vuorokauden", "25 tunnin", "4 vuorokauden"},
		"de": {"1 Sekunde", "90 Sekunden", "1 Minute", "2 Minuten", "61 Minuten", "1 Stunde", "12 Stunden", "4 Stunden", "1 Tag", "25 Stunden", "4 Tagen"},
	} {
		var got []string
		for _, span := range spans {
			got = append(got, site.Span(lang, span))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", lang, diff)
		}
	}
	for lang, want := range map[string]string{
		"sv": "För många försök. Försök igen om 1 minut.",
		"en": "Too many attempts. Try again in 1 minute.",
		"nb": "For mange forsøk. Prøv igjen om 1 minutt.",
		"da": "For mange forsøg. Prøv igen om 1 minut.",
		"fi": "Liian monta yritystä. Yritä uudelleen 1 minuutin kuluttua.",
		"de": "Zu viele Versuche. Versuchen Sie es in 1 Minute noch einmal.",
	} {
		if got := site.T(lang, "login.wait", "time", site.Span(lang, time.Minute)); got != want {
			t.Errorf("%s: got %q, want %q", lang, got, want)
		}
	}
	if got := site.Span("sv", -time.Hour); got != "0 sekunder" {
		t.Errorf("less than nothing is %q", got)
	}
}
