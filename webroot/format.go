package webroot

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// How the languages write numbers, clock times, dates and spans of time. What
// x/text does not know stands with the texts, as format.*; src/text.ts does the
// same in the browser, and testdata/formats.json holds both to one table.

// localeOf is what a language's numbers and plurals go by. The English is
// British, as its spelling is: 14:02:11 and 21 November 2026.
func localeOf(code string) (language.Tag, error) {
	if code == "en" {
		return language.BritishEnglish, nil
	}
	return language.Parse(code)
}

// Span is a length of time in words, as Site.T fills it in: see texts.span.
func (s *Site) Span(lang string, d time.Duration) string { return s.textsOf(lang).span(d) }

// Clock is a time of day as a language writes it, in the zone of this machine.
func (s *Site) Clock(lang string, at time.Time) string { return s.textsOf(lang).clock(at) }

// Time is a time of day without seconds.
func (s *Site) Time(lang string, at time.Time) string { return s.textsOf(lang).time(at) }

// Date is a day with its month in words: see texts.date.
func (s *Site) Date(lang string, at time.Time) string { return s.textsOf(lang).date(at) }

// pluralKey is the key of the form that the first whole number among args
// asks for: CLDR's rule, of which these languages use "one" and "other".
func (t *texts) pluralKey(key string, args []any) string {
	for i := 1; i < len(args); i += 2 {
		if n, ok := args[i].(int); ok && plural.Cardinal.MatchPlural(t.locale, n, 0, 0, 0, 0) == plural.One {
			return key + ".one"
		} else if ok {
			break
		}
	}
	return key + ".other"
}

// pluralPairs demands both forms where there is one of them.
func (t *texts) pluralPairs() error {
	var faults []error
	for key := range t.byKey {
		if stem, ok := strings.CutSuffix(key, ".one"); ok && t.byKey[stem+".other"] == "" {
			faults = append(faults, fmt.Errorf("%q is there without %q", key, stem+".other"))
		}
		if stem, ok := strings.CutSuffix(key, ".other"); ok && t.byKey[stem+".one"] == "" {
			faults = append(faults, fmt.Errorf("%q is there without %q", key, stem+".one"))
		}
	}
	return errors.Join(faults...)
}

// number groups a whole number's digits: "1 234" with a space that does not
// break, "1,234", "1.234".
func (t *texts) number(n int) string {
	if 0 <= n && n < 1000 {
		return strconv.Itoa(n)
	}
	return message.NewPrinter(t.locale).Sprint(number.Decimal(n))
}

// clock is a time of day with seconds, in the zone of this machine: "14:02:11".
func (t *texts) clock(at time.Time) string { return t.ofDay("format.clock", at) }

// time is one without seconds: "14:02".
func (t *texts) time(at time.Time) string { return t.ofDay("format.time", at) }

// until is a time that somebody waits for, without seconds: the next whole
// minute, so that it has come when the clock shows it.
func (t *texts) until(at time.Time) string { return t.time(at.Add(time.Minute - time.Nanosecond)) }

func (t *texts) ofDay(layout string, at time.Time) string {
	at = at.Local()
	// In the layout H is an hour without a leading zero, which Go cannot say.
	return strings.Replace(at.Format(t.byKey[layout]), "H", strconv.Itoa(at.Hour()), 1)
}

// date is a day with its month in words, in the zone of this machine:
// "21 november 2026".
func (t *texts) date(at time.Time) string {
	at = at.Local()
	month := strings.Fields(t.byKey["format.months"])[at.Month()-1]
	return strings.Replace(at.Format(t.byKey["format.date"]), "{month}", month, 1)
}

// span is a length of time in words, rounded up, in the largest unit that
// holds it whole or three times: "90 seconds", "12 hours". The words stand as
// they do after "in", "after" and "at most": Finnish has the genitive, German
// the dative.
func (t *texts) span(d time.Duration) string {
	n, key := roundUp(d, time.Second), "span.seconds"
	for _, unit := range []struct {
		key string
		of  int
	}{{"span.minutes", 60}, {"span.hours", 60}, {"span.days", 24}} {
		if n == 0 || n%unit.of != 0 && n < 3*unit.of {
			break
		}
		n, key = (n+unit.of-1)/unit.of, unit.key
	}
	return t.text(key, "n", n)
}

func roundUp(d, unit time.Duration) int { return int((max(d, 0) + unit - 1) / unit) }
