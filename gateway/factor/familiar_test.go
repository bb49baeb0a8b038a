package factor

import (
	"strings"
	"testing"
	"time"

	"stagedoor/store"
)

func TestFamiliar(t *testing.T) {
	d := newDesk(t, nil)
	ctx := t.Context()
	d.must(d.store.PutPerson(ctx, store.Person{AccountID: "anna", Domain: "AMIDO", Name: "anna"}))
	made := func(account, cookie string) string {
		t.Helper()
		cookie, expires, err := d.one.MakeFamiliar(ctx, account, cookie)
		d.must(err)
		if expires.Sub(d.clock()) != 90*24*time.Hour {
			t.Errorf("until %v", expires)
		}
		return cookie
	}
	is := func(account, cookie string) bool {
		t.Helper()
		known, err := d.another.Familiar(ctx, account, cookie)
		d.must(err)
		return known
	}
	cookie := made("anna", "")
	since, signature, _ := strings.Cut(cookie, ".")
	other := *d.one
	other.knows = []byte("another server key")
	foreign, _, err := other.MakeFamiliar(ctx, "anna", "")
	d.must(err)
	for name, c := range map[string]struct {
		account, cookie string
		want            bool
	}{
		"its own": {"anna", cookie, true}, "another account": {"bertil", cookie, false}, "nothing": {"anna", "", false},
		"another time": {"anna", since + "0." + signature, false}, "no signature": {"anna", since, false}, "an empty one": {"anna", since + ".", false},
		"another key": {"anna", foreign, false}, "of a remembered browser": {"anna", since + "." + other.signature("x", "anna", d.clock()), false},
		"among nonsense": {"anna", "~.~x.y~" + cookie + "~😀", true}, "a long one": {"anna", cookie + strings.Repeat("~", 400), false},
	} {
		if got := is(c.account, c.cookie); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	d.advance(time.Hour)
	if again := made("anna", cookie); strings.Contains(again, "~") || again == cookie || !is("anna", again) {
		t.Errorf("made again: %q", again)
	}
	both := made("bertil", cookie)
	if !is("anna", both) || !is("bertil", both) {
		t.Error("one browser is not familiar to two accounts")
	}
	many := both
	for _, account := range []string{"cecilia", "david", "erik"} {
		many = made(account, many)
	}
	if is("anna", many) || !is("bertil", many) || !is("erik", many) || len(many) > familiarSize {
		t.Errorf("the oldest mark of five is not the one that goes: %q", many)
	}

	d.must(d.store.EndFamiliar(ctx, "anna"))
	if is("anna", both) || !is("bertil", both) {
		t.Error("ended for nobody, or for everybody")
	}
	if !is("anna", made("anna", both)) {
		t.Error("not familiar again")
	}
	d.advance(90*24*time.Hour - time.Hour)
	if is("bertil", made("anna", both)) == false {
		t.Error("over before its 90 days")
	}
	d.advance(time.Hour)
	if is("bertil", both) || strings.Contains(made("anna", both), "~") {
		t.Error("familiar for more than 90 days")
	}
}

// Forgetting all browsers makes strangers of them; forgetting one, or a change of
// number that forgets them, does not.
func TestForgottenBrowsersAreStrangers(t *testing.T) {
	d := newDesk(t, Policy{{Need: Required, Allowed: []Kind{SMS}, Remember: 24 * time.Hour}})
	ctx := t.Context()
	d.must(d.store.PutPerson(ctx, store.Person{AccountID: anna.AccountID, Domain: "AMIDO", Name: "anna"}))
	cookie, _, err := d.one.MakeFamiliar(ctx, anna.AccountID, "")
	d.must(err)
	known := func() bool {
		t.Helper()
		is, err := d.one.Familiar(ctx, anna.AccountID, cookie)
		d.must(err)
		return is
	}
	remember := func() (id string) {
		t.Helper()
		device, _, err := d.one.RememberDevice(ctx, anna, "Firefox", "", store.Trace{})
		d.must(err)
		id, _, _ = strings.Cut(device, ".")
		return id
	}
	_, err = d.one.ForgetDevice(ctx, anna.AccountID, remember(), store.Trace{})
	d.must(err)
	remember()
	d.must(d.one.Changed(ctx, anna.AccountID))
	if _, err := d.one.ForgetDevice(ctx, anna.AccountID, "", store.Trace{}); err == nil || !known() {
		t.Errorf("one was forgotten, a number changed, none was there: %v, known %v", err, known())
	}
	remember()
	_, err = d.one.ForgetDevice(ctx, anna.AccountID, "", store.Trace{})
	d.must(err)
	if known() {
		t.Error("familiar after all browsers were forgotten")
	}
}
