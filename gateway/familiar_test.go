package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/store"
)

// wrong types a wrong password and tells what became of it.
func (b *browser) wrong() int { b.t.Helper(); return b.login(`AMIDO\cecilia`, "fel").status }

// known is a browser that cecilia has logged in with, and out of.
func (b *bench) known() *browser {
	b.t.Helper()
	browser := b.loggedIn()
	browser.post("/logout")
	b.clock.advance(2 * time.Minute) // the next code waits a minute
	return browser
}

// A stranger who types somebody's user name keeps them out of their own computer
// no more than the directory locks them out; nobody sees that there is one.
func TestFamiliarBrowser(t *testing.T) {
	b := open(t, nil) // 5 tries, the directory locks at 6
	own := b.known()
	stranger := b.browser()
	refusal := func(who *browser, status int) string {
		t.Helper()
		got := who.login(`AMIDO\cecilia`, "fel")
		if got.status != status || len(got.header.Values("Set-Cookie")) != 0 {
			t.Fatalf("%d with cookies %q, want %d", got.status, got.header.Values("Set-Cookie"), status)
		}
		got.header.Del("Date")
		got.header.Del("X-Support-Id")
		return withoutName(got.body) + got.header.Get("Retry-After")
	}
	var first string
	for range 3 {
		first = refusal(stranger, 403)
	}
	held := refusal(stranger, 429)
	b.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, 429, "/login")
	for range 2 {
		if diff := cmp.Diff(first, refusal(own, 403)); diff != "" {
			t.Errorf("a known browser is refused in another way: %s", diff)
		}
	}
	if diff := cmp.Diff(held, refusal(own, 429)); diff != "" {
		t.Errorf("a known browser is held in another way: %s", diff)
	}
	own.login(`AMIDO\hanna`, goodPassword).shows(t, 200, "/code") // whom it does not know, and nobody has tried
}

// A right password begins both counts anew, as it does in the directory.
func TestFamiliarBrowserIsRight(t *testing.T) {
	b := open(t, nil)
	own, stranger := b.known(), b.browser()
	for range 4 {
		stranger.wrong()
	}
	own.login(`AMIDO\cecilia`, "fel").shows(t, 403, "/login")
	own.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code") // not locked in the directory either
	stranger.login(`AMIDO\cecilia`, "fel").shows(t, 403, "/login")
}

// Where no stranger has tried, a known browser has all tries, as it had before
// there were two counts.
func TestFamiliarBrowserHasAllTries(t *testing.T) {
	b := open(t, nil)
	own := b.known()
	for i := range 5 {
		if got := own.wrong(); got != 403 {
			t.Fatalf("try %d: %d", i+1, got)
		}
	}
	if own.wrong() != 429 || b.browser().wrong() != 429 {
		t.Error("a sixth try was let through, which locks the account")
	}
}

// What makes a browser a stranger again, or never makes it known.
func TestUnfamiliarBrowsers(t *testing.T) {
	keep := func(b *bench, cookie string) *browser {
		browser := b.browser()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.server.URL, nil)
		b.must(err)
		browser.client.Jar.SetCookies(r.URL, []*http.Cookie{{Name: "stagedoor-familiar", Value: cookie, Path: "/"}})
		return browser
	}
	cookieOf := func(own *browser) string {
		for _, c := range own.cookies() {
			if c.Name == "stagedoor-familiar" {
				return c.Value
			}
		}
		return ""
	}
	for _, c := range []struct {
		name  string
		known bool
		of    func(b *bench) *browser
	}{
		{"after a full login", true, func(b *bench) *browser { return b.known() }},
		{"its cookie alone", true, func(b *bench) *browser { return keep(b, cookieOf(b.known())) }},
		{"after the password alone", false, func(b *bench) *browser {
			browser := b.browser()
			browser.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
			return browser
		}},
		{"of somebody else", false, func(b *bench) *browser { return b.as("hanna", "+46701740609") }},
		{"a cookie of one's own making", false, func(b *bench) *browser {
			cookie := cookieOf(b.known())
			return keep(b, cookie[:len(cookie)-1]+map[bool]string{true: "B", false: "A"}[strings.HasSuffix(cookie, "A")])
		}},
		{"after 90 days", false, func(b *bench) *browser {
			browser := keep(b, cookieOf(b.known()))
			b.clock.advance(90 * 24 * time.Hour)
			return browser
		}},
		{"where the password was changed elsewhere", false, func(b *bench) *browser {
			own, other := b.known(), b.loggedIn()
			other.post("/password", "username", `AMIDO\cecilia`, "current", goodPassword, "new", "Nytt-losen-2027", "confirm", "Nytt-losen-2027").shows(t, 200, "/password?changed")
			return own
		}},
		{"where the password was changed", true, func(b *bench) *browser {
			own := b.loggedIn()
			own.post("/password", "username", `AMIDO\cecilia`, "current", goodPassword, "new", "Nytt-losen-2027", "confirm", "Nytt-losen-2027").shows(t, 200, "/password?changed")
			return own
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, nil)
			browser := c.of(b)
			for range 4 {
				b.browser().wrong()
			}
			if got := browser.wrong(); got == 403 != c.known {
				t.Errorf("a wrong password where a stranger has used all tries up: %d", got)
			}
		})
	}
}

// Helpdesk sees both counts, and lifts both.
func TestHelpdeskKnowsFamiliarBrowsers(t *testing.T) {
	b := open(t, nil)
	own := b.known()
	agent := b.as("hanna", "+46701740609")
	path := "/helpdesk/person/" + b.accountOf("cecilia")
	for range 4 {
		b.browser().wrong()
	}
	agent.get(path).shows(t, 200, path, "bara i en webbläsare där personen har loggat in förut", "3 av 3", "0 av 2")
	own.wrong()
	own.wrong()
	agent.get(path).shows(t, 200, path, "För många fel lösenord här: spärrat till", "2 av 2")
	agent.post(path+"/clear-password", "reason", "ringde in").shows(t, 200, path+"?done=clear-password", "0 av 3", "0 av 2")
	for _, key := range []string{store.PasswordKey(b.accountOf("cecilia")), store.FamiliarKey(b.accountOf("cecilia"))} {
		if tries, _, err := b.store.Tries(t.Context(), key); tries != 0 || err != nil {
			t.Errorf("%s: %d, %v", key, tries, err)
		}
	}
}

// The flags that browsers keep the cookie under.
func TestFamiliarCookie(t *testing.T) {
	b := open(t, nil)
	browser := b.browser()
	browser.login(`AMIDO\cecilia`, goodPassword)
	browser.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	got := browser.post("/code", "code", b.code("+46701740607"))
	for _, line := range got.header.Values("Set-Cookie") {
		if !strings.HasPrefix(line, "stagedoor-familiar=") {
			continue
		}
		c, err := http.ParseSetCookie(line)
		b.must(err)
		if days := c.Expires.Sub(b.clock.Now()).Hours() / 24; !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || days < 89.9 || days > 90 {
			t.Errorf("%s", line)
		}
		if strings.Contains(strings.ToLower(line), "cecilia") {
			t.Errorf("it names its account: %s", line)
		}
		return
	}
	t.Errorf("none among %q", got.header.Values("Set-Cookie"))
}
