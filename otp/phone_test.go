package otp

import (
	"errors"
	"strings"
	"testing"
)

func TestParsePhone(t *testing.T) {
	nordic := []string{"SE", "no", "FI", "US"}
	for _, test := range []struct {
		name, raw string
		allowed   []string
		want      Phone
		reason    string
	}{
		{"national with hyphen", "070-123 45 67", nil, "+46701234567", ""},
		{"national digits", "0701234567", nil, "+46701234567", ""},
		{"country code and zero in parentheses", "+46 (0)70 123 45 67", nil, "+46701234567", ""},
		{"country code and zero", "+46 0701234567", nil, "+46701234567", ""},
		{"country code in parentheses", "(+46) 70-123 45 67", nil, "+46701234567", ""},
		{"international prefix", "0046701234567", nil, "+46701234567", ""},
		{"country code without a plus", "46701234567", nil, "+46701234567", ""},
		{"E.164", "+46701234567", nil, "+46701234567", ""},
		{"old style with a slash", "070/123 45 67", nil, "+46701234567", ""},
		{"dots", "070.123.45.67", nil, "+46701234567", ""},
		{"spaces around", "\t 0701234567 ", nil, "+46701234567", ""},
		{"copied from contacts", "\u202a+46\u00a070\u2011123 45 67\u202c", nil, "+46701234567", ""},
		{"abroad, allowed", "+47 412 34 567", nordic, "+4741234567", ""},
		{"abroad, code in lower case", "+358401234567", []string{"fi"}, "+358401234567", ""},
		{"fixed or mobile", "+1 202 555 0123", nordic, "+12025550123", ""},
		{"empty", "", nil, "", "empty"},
		{"spaces", " \t ", nil, "", "empty"},
		{"invisible", "\u200b\ufeff", nil, "", "empty"},
		{"abroad", "+4741234567", nil, "", "country"},
		{"Guernsey is not the United Kingdom", "+447781123456", []string{"GB"}, "", "country"},
		{"the country itself, when a list leaves it out", "0701234567", []string{"NO"}, "", "country"},
		{"satellite", "+881612345678", nordic, "", "country"},
		{"fixed line", "08-123 456 78", nil, "", "not-mobile"},
		{"premium", "0900-123 45 67", nil, "", "not-mobile"},
		{"premium, mass calls", "0944-123 456", nil, "", "not-mobile"},
		{"toll free", "020-12 34 56", nil, "", "not-mobile"},
		{"too short", "+4670123456", nil, "", "unreadable"},
		{"too long", "+46 70 123 45 67 89", nil, "", "unreadable"},
		{"short code", "112", nil, "", "unreadable"},
		{"two numbers", "0701234567, 0707654321", nil, "", "unreadable"},
		{"two numbers with a slash", "0701234567/0707654321", nil, "", "unreadable"},
		{"two plusses", "+46 +46 701234567", nil, "", "unreadable"},
		{"extension", "0701234567 x12", nil, "", "unreadable"},
		{"extension parameter", "+46701234567;ext=12", nil, "", "unreadable"},
		{"letters", "070-HELPDESK", nil, "", "unreadable"},
		{"a remark", "0701234567 (jobb)", nil, "", "unreadable"},
		{"emoji", "📱0701234567", nil, "", "unreadable"},
		{"other digits", "٠٧٠١٢٣٤٥٦٧", nil, "", "unreadable"},
		{"NUL", "0701234567\x00", nil, "", "unreadable"},
		{"line break", "0701234567\r\nBcc: 1", nil, "", "unreadable"},
		{"invalid UTF-8", "0701234567\xff", nil, "", "unreadable"},
		{"LDAP filter", "*)(objectClass=*)", nil, "", "unreadable"},
		{"300 digits", strings.Repeat("7", 300), nil, "", "unreadable"},
		{"300 spaces", strings.Repeat(" ", 300), nil, "", "unreadable"},
		{"only a plus", "+", nil, "", "unreadable"},
		{"no such country code", "+999123456789", nil, "", "unreadable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParsePhone(test.raw, "SE", test.allowed)
			if test.reason == "" {
				if got != test.want || err != nil {
					t.Errorf("got %q, %v; want %q", got, err, test.want)
				}
				return
			}
			var no *NoPhoneError
			if !errors.As(err, &no) || !errors.Is(err, ErrNoPhone) || no.Reason != test.reason || got != "" {
				t.Errorf("got %q, %v; want reason %q", got, err, test.reason)
			}
		})
	}
}

func TestParsePhoneWithoutACountry(t *testing.T) {
	if _, err := ParsePhone("0701234567", "", []string{"SE"}); !errors.Is(err, ErrNoPhone) {
		t.Errorf("a national number of no country: %v", err)
	}
	if got, err := ParsePhone("+46701234567", "", []string{"SE"}); got != "+46701234567" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := ParsePhone("+46701234567", "", nil); !errors.Is(err, ErrNoPhone) {
		t.Errorf("nothing is allowed, but got %v", err)
	}
}

func TestMasked(t *testing.T) {
	for phone, want := range map[Phone]string{"+46701234567": "•• 67", "": "••", "7": "••"} {
		if got := phone.Masked(); got != want {
			t.Errorf("%q: %q, want %q", phone, got, want)
		}
	}
}

func FuzzParsePhone(f *testing.F) {
	for _, seed := range []string{"070-123 45 67", "+46 (0)70 123 45 67", "0046701234567", "", "+", "\xff", "070x1", "+1(", strings.Repeat("0", 60)} {
		f.Add(seed, "SE", "NO")
	}
	f.Fuzz(func(t *testing.T, raw, country, allowed string) {
		phone, err := ParsePhone(raw, country, []string{allowed})
		if err != nil {
			if phone != "" || !errors.Is(err, ErrNoPhone) || strings.Contains(err.Error(), "+") {
				t.Fatalf("%q with error %v", phone, err)
			}
			return
		}
		if !phone.valid() {
			t.Fatalf("%q is not E.164", phone)
		}
		if again, err := ParsePhone(string(phone), country, []string{allowed}); again != phone || err != nil {
			t.Fatalf("%q reads as %q, %v", phone, again, err)
		}
	})
}

// Numbers that earn from each message or call are refused also in countries
// that codes go to. The ranges are those of the countries' numbering plans.
func TestRangesThatEarn(t *testing.T) {
	for _, test := range []struct{ what, raw, country string }{
		{"premium, Sweden", "+46 900 123 45 67", "SE"},
		{"premium, Sweden", "+46 939 123 45 67", "SE"},
		{"shared cost, Sweden", "+46 77 123 45 67", "SE"},
		{"pager, Sweden", "+46 74 012 34 56", "SE"},
		{"premium, Norway", "+47 820 12345", "NO"},
		{"shared cost, Norway", "+47 810 12345", "NO"},
		{"premium, Denmark", "+45 90 12 34 56", "DK"},
		{"premium, Finland", "+358 600 12345", "FI"},
		{"premium, Germany", "+49 900 1234567", "DE"},
		{"shared cost, Germany", "+49 180 1234567", "DE"},
		{"personal, Germany", "+49 700 12345678", "DE"},
		{"premium, United Kingdom", "+44 909 123 4567", "GB"},
		{"shared cost, United Kingdom", "+44 844 123 4567", "GB"},
		{"personal, United Kingdom", "+44 70 1234 5678", "GB"},
		{"premium, France", "+33 899 12 34 56", "FR"},
		{"premium, Netherlands", "+31 900 123 4567", "NL"},
		{"premium, Switzerland", "+41 900 123 456", "CH"},
		{"shared cost, Switzerland", "+41 840 123 456", "CH"},
		{"premium, Poland", "+48 701 234 567", "PL"},
		{"premium, Latvia", "+371 9012 3456", "LV"},
		{"premium, Estonia", "+372 900 1234", "EE"},
		{"premium, United States", "+1 900 234 5678", "US"},
		{"premium for all countries", "+979 1 2345 6789", "SE"},
		{"a network of no country", "+883 5100 1234 5678", "SE"},
		{"shared cost for all countries", "+808 1234 5678", "SE"},
	} {
		got, err := ParsePhone(test.raw, test.country, []string{test.country})
		var no *NoPhoneError
		if !errors.As(err, &no) || no.Reason != "not-mobile" && no.Reason != "country" {
			t.Errorf("%s: %s is taken as %q, %v", test.what, test.raw, got, err)
		}
	}
}

// Mobile numbers of countries that codes do not go to, those among them where
// message fraud earns most.
func TestForeignRanges(t *testing.T) {
	for _, raw := range []string{"+37281234567", "+25240123456", "+5352123456", "+94711234567", "+216 20 123 456", "+7 912 345-67-89"} {
		if got, err := ParsePhone(raw, "SE", []string{"SE", "NO"}); !errors.Is(err, ErrNoPhone) {
			t.Errorf("%s is taken as %q", raw, got)
		}
	}
}

func TestCountry(t *testing.T) {
	for phone, want := range map[Phone]string{"+46701234567": "SE", "+4791234567": "NO", "+12025550123": "US", "+447781123456": "GG", "": "", "+99912345678": "", "x": ""} {
		if got := phone.Country(); got != want {
			t.Errorf("%q is of %q, want %q", phone, got, want)
		}
	}
}
