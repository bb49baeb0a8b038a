package gateway_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

var inLanguages = []struct{ lang, asked, submit, notFound, sms string }{
	{"sv", "sv-SE,sv;q=0.9,en;q=0.8", "Logga in", "Sidan finns inte", "är din kod till Amido."},
	{"en", "en-GB,en;q=0.9", "Sign in", "There is no such page", "is your code for Amido."},
	{"nb", "no,nn;q=0.9,en;q=0.8", "Logg inn", "Siden finnes ikke", "er koden din til Amido."},
	{"da", "da-DK,da;q=0.9,en;q=0.8", "Log ind", "Siden findes ikke", "er din kode til Amido."},
	{"fi", "fi-FI,fi;q=0.9,sv;q=0.8", "Kirjaudu sisään", "Sivua ei ole", "on kertakäyttökoodisi palveluun Amido."},
	{"de", "de-AT,de;q=0.9,en;q=0.8", "Anmelden", "Diese Seite gibt es nicht", "ist Ihr Code für Amido."},
}

// isIn fails the test unless a page says that it is in a language, in the
// header and the markup, and offers the others by their own names.
func (a answer) isIn(t *testing.T, lang string) {
	t.Helper()
	if got := a.header.Get("Content-Language"); got != lang {
		t.Errorf("%s: Content-Language %q, want %q", a.path, got, lang)
	}
	if !strings.Contains(a.body, `<html lang="`+lang+`"`) || !strings.Contains(a.body, `<span lang="`+lang+`" aria-current="true">`) {
		t.Errorf("%s: the markup is not in %q", a.path, lang)
	}
	for code, name := range map[string]string{"sv": "Svenska", "en": "English", "nb": "Norsk bokmål", "da": "Dansk", "fi": "Suomi", "de": "Deutsch"} {
		link := regexp.MustCompile(`<a lang="` + code + `" hreflang="` + code + `" href="[^"]*[?;]lang=` + code + `[^"]*">` + name + `</a>`)
		if code != lang && !link.MatchString(a.body) {
			t.Errorf("%s: no way to %s", a.path, name)
		}
	}
}

func TestLanguages(t *testing.T) {
	b := open(t, nil)
	for _, want := range inLanguages {
		t.Run(want.lang, func(t *testing.T) {
			asking := b.browser()
			asking.lang = want.asked
			page := asking.get("/login")
			page.shows(t, 200, "/login", want.submit)
			page.isIn(t, want.lang)
			page = asking.get("/no-such-page")
			page.shows(t, 404, "/no-such-page", want.notFound)
			page.isIn(t, want.lang)

			choosing := b.browser() // the switch wins over what the browser asks for
			choosing.lang = "pl"
			page = choosing.get("/login?target=handbook&lang=" + want.lang)
			page.shows(t, 200, "/login?target=handbook", want.submit)
			page.isIn(t, want.lang)
			page = choosing.get("/no-such-page")
			page.shows(t, 404, "/no-such-page", want.notFound)
			page.isIn(t, want.lang)
			choosing.do(http.MethodPost, "/login", nil, "Origin", "https://evil.example").isIn(t, want.lang)
		})
	}
	page := b.browser().get("/login?lang=xx")
	page.shows(t, 200, "/login?lang=xx")
	page.isIn(t, "sv")
}

// The message is in the language of the page that it was asked for on, and the
// page says its time as the language does.
func TestCodeFollowsTheLanguage(t *testing.T) {
	for _, want := range inLanguages {
		t.Run(want.lang, func(t *testing.T) {
			b := open(t, nil)
			visitor := b.browser()
			visitor.lang = want.asked
			page := visitor.login(`AMIDO\cecilia`, goodPassword)
			page.isIn(t, want.lang)
			clock := regexp.MustCompile(` \d{1,2}:\d\d\b`)
			if want.lang == "fi" || want.lang == "da" {
				clock = regexp.MustCompile(` \d{1,2}\.\d\d\b`)
			}
			if !clock.MatchString(page.body) {
				t.Errorf("no %s in: %s", clock, excerpt(page.body))
			}
			text := b.outbox.Messages("+46701740607")[0].Text
			lines := strings.Split(text, "\n")
			if code := b.code("+46701740607"); !strings.Contains(lines[0], code+" "+want.sms) || lines[len(lines)-1] != "@portal.example.se #"+code {
				t.Errorf("the message is %q", text)
			}
			if strings.ContainsAny(text, "{}") {
				t.Errorf("a placeholder is left: %q", text)
			}
		})
	}
}

// What answers a form at an address without a page of its own, as the code that
// was asked for too early, changes language on the page that the form is on.
func TestLanguageSwitchAfterAForm(t *testing.T) {
	b := open(t, nil)
	visitor := b.browser()
	visitor.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
	page := visitor.post("/code/resend")
	page.shows(t, http.StatusTooManyRequests, "/code/resend", `href="/code?lang=fi"`)
	visitor.get("/code?lang=fi").isIn(t, "fi")
	visitor.post("/code", "code", "12").shows(t, http.StatusForbidden, "/code", `href="/code?lang=sv"`)
	b.browser().post("/login").shows(t, http.StatusForbidden, "/login", `href="/login?lang=fi"`)
}
