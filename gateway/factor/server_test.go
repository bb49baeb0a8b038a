package factor

import (
	"errors"
	"testing"
	"time"

	"stagedoor/store"
)

// A code that was made on the portal's own machine lets an administrator in,
// once and within the hour; an agent's does not, and the newest alone is good.
func TestServerBypass(t *testing.T) {
	d := newDesk(t, Policy{{Need: Required, Allowed: []Kind{App}}})
	ctx := t.Context()
	strong := anna
	strong.Strong = true
	issue := func() string {
		t.Helper()
		code, expires, err := d.one.IssueServerBypass(ctx, anna.AccountID, "cli:root", store.Trace{})
		d.must(err)
		if expires.Sub(d.clock()) != time.Hour {
			t.Errorf("good until %v", expires)
		}
		return code
	}
	wrong := func(what, code string, person Person) {
		t.Helper()
		if _, err := d.another.CheckCode(ctx, person, code, Used{}); !errors.Is(err, ErrWrong) {
			t.Errorf("%s: %v", what, err)
		}
	}
	agents, _, err := d.one.IssueBypass(ctx, anna.AccountID, "agent", store.Trace{})
	d.must(err)
	code := issue()
	wrong("the agent's older one", agents, anna)
	if status, err := d.one.Status(ctx, strong); err != nil || !status.BypassUntil.Equal(d.clock().Add(time.Hour)) {
		t.Errorf("status: a code until %v, %v", status.BypassUntil, err)
	}
	if _, err := d.one.CheckBackup(ctx, strong, code, Used{}); !errors.Is(err, ErrWrong) {
		t.Errorf("within a session it proved something: %v", err)
	}
	if kind, err := d.one.CheckCode(ctx, strong, code, Used{}); err != nil || kind != Bypass {
		t.Errorf("%q, %v", kind, err)
	}
	wrong("a second time", code, strong)
	code = issue()
	newer, _, err := d.one.IssueBypass(ctx, anna.AccountID, "agent", store.Trace{})
	d.must(err)
	wrong("older than an agent's", code, strong)
	wrong("an agent's, for an administrator", newer, strong)
	code = issue()
	d.advance(time.Hour)
	wrong("after an hour", code, strong)
}

func TestRemoveBackup(t *testing.T) {
	d := newDesk(t, Policy{{Need: Required, Allowed: []Kind{App, Backup}, Remember: time.Hour}})
	ctx := t.Context()
	if _, err := d.one.RemoveBackup(ctx, anna.AccountID, store.Trace{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("none were there: %v", err)
	}
	codes, err := d.one.MakeBackup(ctx, anna.AccountID, store.Trace{})
	d.must(err)
	cookie, _, err := d.one.RememberDevice(ctx, anna, "Firefox", "192.0.2.1", store.Trace{})
	d.must(err)
	if n, err := d.one.RemoveBackup(ctx, anna.AccountID, store.Trace{}); err != nil || n != len(codes) {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := d.one.CheckCode(ctx, anna, codes[0], Used{}); !errors.Is(err, ErrWrong) {
		t.Errorf("still good: %v", err)
	}
	if ok, err := d.one.Remembers(ctx, anna, cookie, "192.0.2.1"); ok || err != nil {
		t.Errorf("a browser is remembered that may stand on it: %v %v", ok, err)
	}
}
