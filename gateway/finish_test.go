package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"stagedoor/store"
)

const nextPassword = "Höstlöv-2026!"

// leaving posts a form as a browser that may leave at any moment: prepare gets
// what has it leave. Nobody hears the answer.
func (b *browser) leaving(prepare func(leave func()), path string, fields ...string) {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	b.leavingWith(prepare, path, form)
}

// leavingWith is leaving with a form as it is.
func (b *browser) leavingWith(prepare func(leave func()), path string, form url.Values) {
	b.t.Helper()
	ctx, leave := context.WithCancel(b.t.Context())
	defer leave()
	prepare(leave)
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, b.server.URL+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.server.URL)
	for _, cookie := range b.cookies() {
		r.AddCookie(cookie)
	}
	b.portal.ServeHTTP(httptest.NewRecorder(), r)
	if ctx.Err() == nil {
		b.t.Fatal("the browser never left")
	}
}

// remembered is cecilia logged in twice, with a browser that is remembered.
func remembered(t *testing.T) (b *bench, one, other *browser) {
	t.Helper()
	b = open(t, nil)
	one = b.ready()
	b.clock.advance(time.Minute)
	other = b.ready()
	now := b.clock.Now()
	b.must(b.store.AddDevice(t.Context(), store.Device{ID: "laptop", AccountID: b.accountOf("cecilia"), CreatedAt: now, ExpiresAt: now.Add(time.Hour)}, 5, store.Trace{}))
	return b, one, other
}

func (b *bench) devices() int {
	b.t.Helper()
	found, err := b.store.Devices(b.t.Context(), b.accountOf("cecilia"), b.clock.Now())
	b.must(err)
	return len(found)
}

func (b *browser) newPassword() answer {
	b.t.Helper()
	return b.post("/password", "username", `AMIDO\cecilia`, "current", goodPassword, "new", nextPassword, "confirm", nextPassword)
}

// Once the directory has changed a password, all that follows is done, whatever
// breaks: with the new password in force nobody can have it done once more.
func TestChangedPasswordIsFinished(t *testing.T) {
	const done = "password-change ok"
	finished := func(t *testing.T, b *bench, other *browser) {
		t.Helper()
		if b.devices() != 0 {
			t.Error("a browser is still remembered")
		}
		other.get("/").shows(t, 200, "/login")
		other.login(`AMIDO\cecilia`, goodPassword).shows(t, 403, "/login")
	}
	t.Run("the browser leaves", func(t *testing.T) {
		b, one, other := remembered(t)
		one.leaving(b.directory.OnPasswordChange, "/password",
			"username", `AMIDO\cecilia`, "current", goodPassword, "new", nextPassword, "confirm", nextPassword)
		finished(t, b, other)
		if !slices.Contains(b.events(), done) {
			t.Errorf("the audit lacks %q: %q", done, b.events())
		}
	})
	t.Run("its event cannot be written", func(t *testing.T) {
		b, one, other := remembered(t)
		mend := b.breakWrites("INSERT ON audit_events", "NEW.kind = 'password-change' AND NEW.result = 'ok'")
		if got := one.newPassword(); got.status < 500 {
			t.Errorf("answered with %d at %s", got.status, got.path)
		}
		mend()
		finished(t, b, other)
	})
	t.Run("the end of a session cannot be written", func(t *testing.T) {
		b, one, _ := remembered(t)
		b.breakWrites("UPDATE ON sessions", "NEW.ended_at <> 0")
		if got := one.newPassword(); got.status < 500 {
			t.Errorf("answered with %d at %s", got.status, got.path)
		}
		if b.devices() != 0 {
			t.Error("a browser is still remembered")
		}
		if !slices.Contains(b.events(), done) {
			t.Errorf("the audit lacks %q: %q", done, b.events())
		}
	})
	t.Run("the events of the ends cannot be written", func(t *testing.T) {
		b, one, other := remembered(t)
		mend := b.breakWrites("INSERT ON audit_events", "NEW.kind = 'session-end'")
		if got := one.newPassword(); got.status < 500 {
			t.Errorf("answered with %d at %s", got.status, got.path)
		}
		mend()
		finished(t, b, other)
	})
}

// A password whose change nobody could record is not changed.
func TestPasswordOnRecord(t *testing.T) {
	b, one, other := remembered(t)
	mend := b.breakWrites("INSERT ON audit_events", "NEW.kind = 'password-change'")
	if got := one.newPassword(); got.status < 500 {
		t.Errorf("answered with %d at %s", got.status, got.path)
	}
	mend()
	other.get("/").shows(t, 200, "/")
	b.clock.advance(time.Minute)
	b.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code")
}

// changedPhone is cecilia, logged in, with another number since a moment ago, and
// the link that stops it.
func changedPhone(t *testing.T) (b *bench, cecilia *browser, path, token string) {
	t.Helper()
	b = open(t, nil)
	cecilia = b.ready()
	b.clock.advance(time.Minute)
	cecilia.post("/phone", "act", "old")
	cecilia.post("/phone", "act", "code", "code", b.code("+46701740607"))
	b.clock.advance(2 * time.Minute)
	cecilia.post("/phone", "act", "number", "country", "SE", "number", "0701740699")
	cecilia.post("/phone", "act", "code", "code", b.code("+46701740699")).shows(t, 200, "/phone?done")
	path, token, _ = strings.Cut(b.notice("+46701740607"), "?t=")
	return b, cecilia, path, token
}

// A stop that broke half way is finished by whoever presses again.
func TestFreezeIsFinished(t *testing.T) {
	const done = "phone-frozen ok link"
	t.Run("the browser leaves", func(t *testing.T) {
		b, cecilia, path, token := changedPhone(t)
		b.browser().leaving(func(leave func()) {
			forget := b.portal.Numbers.Changed
			b.portal.Numbers.Changed = func(ctx context.Context, id string) error { leave(); return forget(ctx, id) }
		}, path, "t", token)
		cecilia.get("/").shows(t, 200, "/login")
		if !slices.Contains(b.events(), done) {
			t.Errorf("the audit lacks %q: %q", done, b.events())
		}
	})
	t.Run("the end of a session cannot be written", func(t *testing.T) {
		b, cecilia, path, token := changedPhone(t)
		owner := b.browser()
		mend := b.breakWrites("UPDATE ON sessions", "NEW.ended_at <> 0")
		if got := owner.post(path, "t", token); got.status < 500 {
			t.Errorf("answered with %d", got.status)
		}
		mend()
		cecilia.get("/").shows(t, 200, "/")
		owner.get(path+"?t="+token).shows(t, 200, path+"?t="+token, "Bytet är redan stoppat")
		cecilia.get("/").shows(t, 200, "/") // a look changes nothing
		owner.post(path, "t", token).shows(t, 200, path, "Bytet är redan stoppat")
		cecilia.get("/").shows(t, 200, "/login")
	})
	t.Run("its event cannot be written", func(t *testing.T) {
		b, cecilia, path, token := changedPhone(t)
		owner := b.browser()
		mend := b.breakWrites("INSERT ON audit_events", "NEW.kind = 'phone-frozen'")
		if got := owner.post(path, "t", token); got.status < 500 {
			t.Errorf("answered with %d", got.status)
		}
		mend()
		owner.post(path, "t", token).shows(t, 200, path, "Bytet är stoppat") // nothing was
		cecilia.get("/").shows(t, 200, "/login")
		if !slices.Contains(b.events(), done) {
			t.Errorf("the audit lacks %q: %q", done, b.events())
		}
	})
}

// The link ends what was opened before the stop, and nothing later: whoever holds
// it cannot log its person out with it.
func TestFreezeLinkEndsNothingLater(t *testing.T) {
	b, _, path, token := changedPhone(t)
	owner := b.browser()
	owner.post(path, "t", token).shows(t, 200, path, "Bytet är stoppat")
	b.clock.advance(time.Hour)
	back := b.ready()
	owner.post(path, "t", token).shows(t, 200, path, "Bytet är redan stoppat")
	back.get("/").shows(t, 200, "/")
}
