package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"stagedoor/gateway"
	"stagedoor/otp"
)

// brokenSender is an SMS provider that takes nothing.
type brokenSender struct{}

func (brokenSender) Name() string                { return "broken" }
func (brokenSender) Check(context.Context) error { return errors.New("broken") }
func (brokenSender) Send(context.Context, otp.Message) (otp.Receipt, error) {
	return otp.Receipt{}, errors.New("the provider said 503")
}

func TestSenderFails(t *testing.T) {
	b := open(t, nil)
	b.codes.Sender = brokenSender{}
	cecilia := b.browser()
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "kunde inte skickas")
	b.codes.Sender = b.outbox
	b.clock.advance(31e9)
	cecilia.post("/code/resend").shows(t, 200, "/code?resent")
	cecilia.post("/code", "code", b.code("+46701740607")).shows(t, 200, "/")
}

func TestDirectoryDown(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	b.must(b.directory.Stop())
	stranger := b.browser()
	stranger.login(`AMIDO\hanna`, goodPassword).shows(t, http.StatusServiceUnavailable, "/login", "når inte katalogen", "har inte prövats")
	stranger.get("/password").shows(t, 200, "/password")
	cecilia.get("/").shows(t, 200, "/", "XXX.MultiAccess01")
	b.clock.advance(6 * 60e9)
	cecilia.get("/").shows(t, 200, "/", "XXX.MultiAccess01")
	ready := stranger.get("/readyz")
	ready.shows(t, 503, "/readyz", `"directory":"failed"`, `"database":"ok"`)
	stranger.get("/healthz").shows(t, 200, "/healthz", "ok")
}

// A directory that hangs is told from a wrong password, and the tries that it
// did not answer use up nothing.
func TestDirectoryHangs(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { s.TriesPerAccount, s.TriesPerAddress = 1, 1 })
	resume := b.directory.Hang()
	for range 2 {
		b.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, http.StatusServiceUnavailable, "/login", "når inte katalogen")
	}
	resume()
	b.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
}

// What cannot be recorded is refused, in words.
func TestDatabaseGone(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	b.must(b.store.Close())
	got := b.browser().login(`AMIDO\hanna`, goodPassword)
	got.shows(t, http.StatusServiceUnavailable, "/login", "Portalen kan inte svara just nu", "Supportnummer")
	if got := cecilia.get("/"); got.status < 500 {
		t.Errorf("the list was shown without a database: %d", got.status)
	}
	cecilia.get("/readyz").shows(t, 503, "/readyz", `"database":"failed"`)
}

func TestHeaders(t *testing.T) {
	b := open(t, nil)
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
			"media-src 'self' blob:; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
			"require-trusted-types-for 'script'; trusted-types 'none'",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy": "camera=(), geolocation=(), clipboard-read=(self), clipboard-write=(self), microphone=()",
	}
	for _, path := range []string{"/login", "/no/such", "/static/x/y", "/healthz"} {
		got := b.browser().get(path)
		for name, value := range want {
			if got.header.Get(name) != value {
				t.Errorf("%s: %s: %q", path, name, got.header.Get(name))
			}
		}
	}
	want["Permissions-Policy"] = strings.Replace(want["Permissions-Policy"], "microphone=()", "microphone=(self)", 1)
	desktop := b.ready().get("/desktop/multiaccess01")
	for name, value := range want {
		if desktop.header.Get(name) != value {
			t.Errorf("the page of desktops: %s: %q", name, desktop.header.Get(name))
		}
	}
	if got := b.browser().get("/login").header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control of a page: %q", got)
	}
}

// Odd input in every field is answered in words, never with a fault of ours.
func TestOddInput(t *testing.T) {
	b := open(t, nil)
	odd := []string{"", strings.Repeat("x", 300), "a\x00b", "a\r\nSet-Cookie: x=y", "*)(objectClass=*)", "😀", "\xff\xfe", `<script>alert(1)</script>`}
	for _, text := range odd {
		for _, a := range []answer{
			b.browser().login(text, text),
			b.browser().login(`AMIDO\`+text, text),
			b.browser().post("/password", "username", text, "current", text, "new", text, "confirm", text),
			b.browser().post("/password", "username", `AMIDO\anna`, "current", "nej", "new", text, "confirm", text),
			b.browser().post("/login", "username", "x", "password", "y", "target", text),
		} {
			if a.status < 400 || a.status >= 500 {
				t.Errorf("%q: %d at %s", text, a.status, a.path)
			}
			if strings.Contains(a.body, "<script>alert") {
				t.Errorf("%q came back as script at %s", text, a.path)
			}
		}
	}
}
