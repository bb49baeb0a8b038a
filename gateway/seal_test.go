package gateway

import (
	"bytes"
	"net/http/httptest"
	"testing"

	"stagedoor/gateway/portal"
	"stagedoor/store"
)

// sealedVisit seals a password and gives the visit of the browser that has the key.
func sealedVisit(t *testing.T, p *Gateway, id, password string) (*portal.Visit, *portal.Session) {
	t.Helper()
	w := httptest.NewRecorder()
	sealed, err := p.seal(w, id, password)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	return &portal.Visit{Request: r}, &portal.Session{Session: store.Session{ID: id, Sealed: sealed}}
}

func TestSealedPassword(t *testing.T) {
	p := &Gateway{Portal: &portal.Portal{Secure: true}}
	const password = "pässword 😀 1"
	v, s := sealedVisit(t, p, "session-1", password)
	if got, err := p.unseal(v, s); err != nil || got != password {
		t.Fatalf("unseal: %q, %v", got, err)
	}
	if bytes.Contains(s.Sealed, []byte("ssword")) {
		t.Error("the sealed text holds the password")
	}
	other, _ := sealedVisit(t, p, "session-2", password)
	altered := *s
	altered.Sealed = append([]byte{}, s.Sealed...)
	altered.Sealed[len(altered.Sealed)-1] ^= 1
	moved := *s
	moved.ID = "session-2"
	wiped := *s
	wiped.Sealed = nil
	cases := []struct {
		name  string
		visit *portal.Visit
		s     *portal.Session
	}{
		{"another browser's key", other, s},
		{"no key", &portal.Visit{Request: httptest.NewRequest("GET", "/", nil)}, s},
		{"altered row", v, &altered},
		{"row moved to another session", v, &moved},
		{"wiped row", v, &wiped},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got, err := p.unseal(c.visit, c.s); err == nil {
				t.Errorf("unsealed %q", got)
			}
		})
	}
}
