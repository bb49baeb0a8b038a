package gateway_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// What may be chosen, and that nothing else is kept.
func TestPreferences(t *testing.T) {
	b := open(t, nil)
	browser := b.ready()
	for _, c := range []struct {
		name, value string
		status      int
	}{
		{"keyboard", "no-no-qwerty", http.StatusNoContent},
		{"keyboard", "xx-xx-qwerty", http.StatusBadRequest},
		{"touch", "pad", http.StatusNoContent},
		{"touch", "paw", http.StatusBadRequest},
		{"view/large/multiaccess01", "pixels", http.StatusNoContent},
		{"view/small/multiaccess01", "25", http.StatusNoContent},
		{"view/small/multiaccess01", "24", http.StatusBadRequest},
		{"view/small/multiaccess01", "401", http.StatusBadRequest},
		{"view/small/no-such-target", "fit", http.StatusBadRequest},
		{"view/middle/multiaccess01", "fit", http.StatusBadRequest},
		{"colour", "red", http.StatusBadRequest},
		{"", "", http.StatusBadRequest},
	} {
		if got := browser.post("/preference", "name", c.name, "value", c.value); got.status != c.status {
			t.Errorf("%s = %q: %d, want %d", c.name, c.value, got.status, c.status)
		}
	}
	page := browser.get("/desktop/multiaccess01")
	for _, want := range []string{`&#34;keyboard&#34;:&#34;no-no-qwerty&#34;`, `&#34;touch&#34;:&#34;pad&#34;`, `&#34;view/large/multiaccess01&#34;:&#34;pixels&#34;`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the desktop page lacks %s", want)
		}
	}
	browser.post("/preference", "name", "keyboard", "value", "")
	if page := browser.get("/desktop/multiaccess01"); strings.Contains(page.body, "&#34;keyboard&#34;:&#34;no-no") {
		t.Error("a choice that was taken back is still there")
	}
	if got := browser.do(http.MethodPost, "/preference", url.Values{"name": {"touch"}, "value": {"pad"}}, "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site"); got.status != http.StatusForbidden {
		t.Errorf("another site may choose: %d", got.status)
	}
}

// The page's keyboard reaches guacd where it is one that guacd knows; else the
// target's own does.
func TestTunnelKeyboard(t *testing.T) {
	guacd, connects := fakeGuacd(t, "")
	b := openWith(t, guacd, nil)
	browser := b.ready()
	for asked, want := range map[string]string{
		"":               "sv-se-qwerty",
		"de-de-qwertz":   "de-de-qwertz",
		"failsafe":       "failsafe",
		"qwerty,4.other": "sv-se-qwerty",
	} {
		ws, _, err := browser.tunnelOf("multiaccess01", "&keyboard="+url.QueryEscape(asked))
		if err != nil {
			t.Fatal(err)
		}
		if connect := <-connects; !strings.Contains(connect, "."+want+",") {
			t.Errorf("asked for %q, guacd was told %s", asked, connect)
		}
		_ = ws.WriteMessage(websocket.TextMessage, []byte("10.disconnect;"))
	}
}

// The second window is a page for the person's own desktops only.
func TestSecondWindow(t *testing.T) {
	b := open(t, nil)
	browser := b.ready()
	if got := browser.get("/desktop/multiaccess01/second"); got.status != http.StatusOK || strings.Contains(got.body, "<script") {
		t.Errorf("status %d; want a page without a script", got.status)
	}
	if got := browser.get("/desktop/no-such/second"); got.status != http.StatusNotFound {
		t.Errorf("an unknown target: %d", got.status)
	}
}

// Whoever had several desktops on a page is back at all of them after the login.
func TestBackToSeveralDesktops(t *testing.T) {
	b := open(t, nil)
	browser := b.browser()
	browser.get("/desktop/multiaccess01?with=server,other").shows(t, 200, "/login?target=multiaccess01%2Cserver%2Cother")
	browser.post("/login", "username", `AMIDO\cecilia`, "password", goodPassword, "target", "multiaccess01,server,other").shows(t, 200, "/code")
	browser.post("/code", "code", b.code("+46701740607")).shows(t, 200, "/desktop/multiaccess01?with=server,other", "XXX.MultiAccess01")
	for _, place := range []string{"a,", ",a", "a,b,c,d,e", "a,//elsewhere.example", "A"} {
		if page := b.browser().get("/login?target=" + url.QueryEscape(place)); strings.Contains(page.body, `name="target"`) {
			t.Errorf("%q is taken for a place", place)
		}
	}
}
