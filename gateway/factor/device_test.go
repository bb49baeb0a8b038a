package factor

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"stagedoor/store"
)

func TestDevices(t *testing.T) {
	policy := Policy{{Domain: "AMIDO", Need: Required, Allowed: []Kind{SMS, App}, Remember: 24 * time.Hour}}
	d := newDesk(t, policy)
	ctx := t.Context()
	cookie, expires, err := d.one.RememberDevice(ctx, anna, "Firefox", "192.0.2.1", store.Trace{})
	d.must(err)
	if expires.Sub(d.clock()) != 24*time.Hour {
		t.Errorf("remembered until %v", expires)
	}
	remembers := func(person Person, cookie string) bool {
		t.Helper()
		is, err := d.another.Remembers(ctx, person, cookie, "192.0.2.2")
		d.must(err)
		return is
	}
	bertil, strong, elsewhere := anna, anna, anna
	bertil.AccountID, strong.Strong, elsewhere.Domain = "bertil", true, "OTHER"
	for name, c := range map[string]struct {
		person Person
		cookie string
		want   bool
	}{
		"the device": {anna, cookie, true}, "another account": {bertil, cookie, false}, "helpdesk": {strong, cookie, false},
		"a policy that remembers none": {elsewhere, cookie, false}, "another secret": {anna, cookie[:len(cookie)-1] + "!", false},
		"nonsense": {anna, "x", false}, "nothing": {anna, "", false}, "a long one": {anna, strings.Repeat("x.", 300), false},
	} {
		if got := remembers(c.person, c.cookie); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	shorter := *d.one
	shorter.Policy = Policy{{Need: Required, Allowed: []Kind{SMS}, Remember: time.Hour}}
	d.advance(2 * time.Hour)
	if is, err := shorter.Remembers(ctx, anna, cookie, ""); is || err != nil {
		t.Errorf("a shorter policy still remembers: %v, %v", is, err)
	}
	d.app() // a change of factors forgets all
	if remembers(anna, cookie) {
		t.Error("remembered after a factor was added")
	}
	if cookie, _, err = d.one.RememberDevice(ctx, anna, "Firefox", "", store.Trace{}); err != nil || !remembers(anna, cookie) {
		t.Fatal("not remembered:", err)
	}
	d.advance(24 * time.Hour)
	if remembers(anna, cookie) {
		t.Error("remembered for too long")
	}
	if cookie, _, err := d.one.RememberDevice(ctx, strong, "Firefox", "", store.Trace{}); cookie != "" || err != nil {
		t.Errorf("a device of helpdesk's is remembered: %q, %v", cookie, err)
	}
}

// Neither reading nor writing the database makes a cookie: it is signed under the
// server key, over the device, its account and its end.
func TestDeviceCookieIsSigned(t *testing.T) {
	d := newDesk(t, Policy{{Need: Required, Allowed: []Kind{SMS}, Remember: 24 * time.Hour}})
	ctx := t.Context()
	cookie, expires, err := d.one.RememberDevice(ctx, anna, "Firefox", "192.0.2.1", store.Trace{})
	d.must(err)
	id, signature, _ := strings.Cut(cookie, ".")
	bertil := anna
	bertil.AccountID = "bertil"
	write := func(device store.Device) {
		t.Helper()
		_, err := d.store.ForgetDevices(ctx, anna.AccountID, "")
		d.must(err)
		_, err = d.store.ForgetDevices(ctx, bertil.AccountID, "")
		d.must(err)
		device.CreatedAt = d.clock()
		d.must(d.store.AddDevice(ctx, device, maxDevices, store.Trace{}))
	}
	remembers := func(f *Factors, person Person, cookie string) bool {
		t.Helper()
		is, err := f.Remembers(ctx, person, cookie, "")
		d.must(err)
		return is
	}
	for name, c := range map[string]struct {
		row    store.Device
		person Person
		want   bool
	}{
		"the row that was signed": {store.Device{ID: id, AccountID: "anna", ExpiresAt: expires}, anna, true},
		"a later end":             {store.Device{ID: id, AccountID: "anna", ExpiresAt: expires.Add(time.Millisecond)}, anna, false},
		"another account":         {store.Device{ID: id, AccountID: "bertil", ExpiresAt: expires}, bertil, false},
		"another device":          {store.Device{ID: id + "A", AccountID: "anna", ExpiresAt: expires}, anna, false},
	} {
		write(c.row)
		if got := remembers(d.another, c.person, c.row.ID+"."+signature); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	write(store.Device{ID: id, AccountID: "anna", ExpiresAt: expires})
	for name, forged := range map[string]string{
		"no signature": id + ".", "the id alone": id, "its own hash": id + "." + d.one.hash("anna", id), "cut": cookie[:len(cookie)-1],
		"longer": cookie + "A", "in capitals": strings.ToUpper(cookie), "twice": cookie + "." + signature,
	} {
		if remembers(d.one, anna, forged) {
			t.Errorf("%s: remembered", name)
		}
	}
	other, err := New(Options{Store: d.store, Key: bytes.Repeat([]byte{8}, 32), Policy: d.one.Policy, Now: d.clock})
	d.must(err)
	if remembers(other, anna, cookie) || !remembers(d.one, anna, cookie) {
		t.Error("another server key signs the same")
	}
	forgotten, err := d.one.ForgetDevice(ctx, "anna", id, store.Trace{})
	if err != nil || forgotten != 1 || remembers(d.one, anna, cookie) {
		t.Errorf("%d forgotten, %v", forgotten, err)
	}
}
