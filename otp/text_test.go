package otp

import (
	"strings"
	"testing"
)

// septets counts a text in the GSM 7-bit alphabet (3GPP TS 23.038); -1: it does not fit.
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

func TestMessageText(t *testing.T) {
	for _, test := range []struct{ name, portal, host, language, want string }{
		{"Swedish", "Amido Alliera Backstage", "portal.example.se", "sv",
			"123456 är din kod till Amido Alliera Backstage. Lämna aldrig ut den.\n\n@portal.example.se #123456"},
		{"English", "Amido Alliera Backstage", "portal.example.se", "en",
			"123456 is your code for Amido Alliera Backstage. Never give it to anyone.\n\n@portal.example.se #123456"},
		{"British", "Backstage", "portal.example.se", "en-GB", "123456 is your code for Backstage. Never give it to anyone.\n\n@portal.example.se #123456"},
		{"any other language", "Backstage", "portal.example.se", "de", "123456 är din kod till Backstage. Lämna aldrig ut den.\n\n@portal.example.se #123456"},
		{"a port", "Backstage", "localhost:8443", "sv", "123456 är din kod till Backstage. Lämna aldrig ut den.\n\n@localhost #123456"},
		{"a name with line breaks", "Back\n\nstage ", "localhost", "sv", "123456 är din kod till Back stage. Lämna aldrig ut den.\n\n@localhost #123456"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := messageText(test.portal, test.host, "123456", test.language)
			if got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if n := septets(got); n < 0 || n > 160 {
				t.Errorf("%d septets do not fit one message", n)
			}
		})
	}
}
