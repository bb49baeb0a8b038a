package otp

import "testing"

const swedish = "{code} är din kod till {portal}. Lämna aldrig ut den."

func TestMessageText(t *testing.T) {
	for _, test := range []struct{ name, words, portal, host, want string }{
		{"Swedish", swedish, "Amido Alliera Backstage", "portal.example.se",
			"123456 är din kod till Amido Alliera Backstage. Lämna aldrig ut den.\n\n@portal.example.se #123456"},
		{"the code elsewhere", "{portal}: {code}. Never give it to anyone.", "Backstage", "portal.example.se",
			"Backstage: 123456. Never give it to anyone.\n\n@portal.example.se #123456"},
		{"a port", swedish, "Backstage", "localhost:8443", "123456 är din kod till Backstage. Lämna aldrig ut den.\n\n@localhost #123456"},
		{"a name with line breaks", swedish, "Back\n\nstage ", "localhost", "123456 är din kod till Back stage. Lämna aldrig ut den.\n\n@localhost #123456"},
		{"a name that looks like a placeholder", "{code} till {portal}.", "{code}", "localhost", "123456 till {code}.\n\n@localhost #123456"},
		{"words without the code", "är din kod.", "Backstage", "localhost", "123456 är din kod.\n\n@localhost #123456"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := messageText(test.words, test.portal, test.host, "123456"); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}
