package portal

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestCookieFlags(t *testing.T) {
	cases := []struct {
		name   string
		secure bool
		want   string
	}{
		{"https", true, "__Host-stagedoor=x; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{"http on loopback", false, "stagedoor=x; Path=/; HttpOnly; SameSite=Lax"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			(&Portal{Secure: c.secure}).SetCookie(w, SessionCookie, "x")
			if got := w.Header().Get("Set-Cookie"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	w := httptest.NewRecorder()
	(&Portal{Secure: true}).Forget(w)
	for _, line := range w.Header().Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err != nil || c.MaxAge != -1 || c.Value != "" {
			t.Errorf("forget: %s (%v)", line, err)
		}
	}
}
