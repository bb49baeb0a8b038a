package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// relist writes another list and waits until the portal has read it.
func (b *bench) relist(text string) {
	b.t.Helper()
	read := b.watcher.Changed()
	b.must(os.WriteFile(b.targets, []byte(text), 0o600))
	<-read
	b.must(b.watcher.Err())
}

// many is a list of n desktops, m001 and so on, in groups of 25.
func many(n int) string {
	var list strings.Builder
	list.WriteString("targets:\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&list, "  - {id: m%03d, name: XXX.MultiAccess%03d, description: Passersystem, group: Grupp %d, icon: door, host: 127.0.0.1, port: 1, visible_to: [\"AMIDO\\\\MultiAccess\"]}\n", i, i, (i-1)/25)
	}
	return list.String()
}

// section is the part of the list's page that a heading's id names, up to the
// section's end; "" when it is not there.
func section(page, id string) string {
	_, rest, found := strings.Cut(page, `<section class="group`+map[string]string{"running": " running", "recent": " recent", "favourites": " rows"}[id]+`" aria-labelledby="`+id+`"`)
	if !found {
		return ""
	}
	inside, _, _ := strings.Cut(rest, "</section>")
	return inside
}

func TestFavourites(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	if section(cecilia.get("/").body, "favourites") != "" {
		t.Fatal("favourites before there are any")
	}
	cecilia.post("/favourite", "add", "sso").shows(t, 200, "/", "XXX.Stockholm.MultiAccess02")
	page := cecilia.get("/").body
	if inside := section(page, "favourites"); !strings.Contains(inside, `data-target="sso"`) || !strings.Contains(inside, `name="remove" value="sso" aria-pressed="true"`) {
		t.Errorf("favourites: %s", inside)
	}
	if n := strings.Count(page, `data-target="sso"`); n != 1 {
		t.Errorf("it stands %d times on the page", n)
	}
	if section(b.as("hanna", "+46701740609").get("/").body, "favourites") != "" {
		t.Error("somebody else has cecilia's favourite")
	}
	if a := cecilia.do(http.MethodPost, "/favourite", map[string][]string{"remove": {"sso"}}, "Accept", "application/json"); a.status != http.StatusNoContent {
		t.Errorf("the script got %d", a.status)
	}
	if section(cecilia.get("/").body, "favourites") != "" {
		t.Error("it is still there")
	}
	for _, id := range []string{"no-such", "", "../x"} {
		cecilia.post("/favourite", "add", id).shows(t, 404, "/favourite", "finns inte i din lista")
	}
	b.browser().post("/favourite", "add", "sso").shows(t, 200, "/login")
}

// A favourite or recent target that was withdrawn, or was never the person's,
// is not shown.
func TestWithdrawnTargetsAreNotShown(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia, ws := b.atDesktop()
	ws.Close()
	cecilia.post("/favourite", "add", "sso")
	b.relist(many(9))
	page := cecilia.get("/").body
	for _, gone := range []string{"sso", "multiaccess01"} {
		if strings.Contains(page, gone) {
			t.Errorf("%s is on the page", gone)
		}
	}
}

func TestRecents(t *testing.T) {
	b, _ := withDesktops(t)
	b.relist(many(9))
	cecilia := b.loggedIn()
	for _, id := range []string{"m001", "m002", "m003", "m004", "m005", "m006"} {
		ws, _, err := cecilia.tunnel(id)
		b.must(err)
		until(t, ws, "4.sync,")
		b.must(ws.WriteMessage(1, []byte("10.disconnect;")))
		closeReason(t, ws)
		b.clock.advance(time.Second)
	}
	cecilia.post("/favourite", "add", "m005")
	b.awaitPage(cecilia, func(page string) bool { return section(page, "running") == "" }) // the last one is being closed
	inside := section(cecilia.get("/").body, "recent")
	for id, want := range map[string]bool{"m006": true, "m005": false, "m004": true, "m003": true, "m002": true, "m001": false} {
		if strings.Contains(inside, `data-target="`+id+`"`) != want {
			t.Errorf("%s among the recent: want %v\n%s", id, want, inside)
		}
	}
	if strings.Index(inside, "m006") > strings.Index(inside, "m004") {
		t.Error("not the newest first")
	}
	b.clock.advance(3 * time.Minute) // codes may be sent again
	if other := b.loggedIn().get("/").body; section(other, "recent") == "" {
		t.Error("not in another session of the account")
	}
	b.relist(many(5)) // short: one sees it all at a glance
	if section(cecilia.get("/").body, "recent") != "" || strings.Contains(cecilia.get("/").body, `id="find"`) {
		t.Error("a short list has short cuts or a search")
	}
}

func TestOnlyOneTarget(t *testing.T) {
	b := open(t, nil)
	const desktop = "targets:\n  - {id: one, name: XXX.MultiAccess01, host: 127.0.0.1, port: 1, visible_to: [\"AMIDO\\\\MultiAccess\"]}\n"
	const link = "  - {id: web, name: Handbok, kind: link, url: \"https://handbook.example/\", visible_to: everyone}\n"
	in := func() (*browser, answer) {
		b.clock.advance(2 * time.Minute)
		person := b.browser()
		person.login(`AMIDO\cecilia`, goodPassword)
		return person, person.post("/code", "code", b.code("+46701740607"))
	}
	b.relist(desktop)
	cecilia, arrived := in()
	arrived.shows(t, 200, "/desktop/one", `id="panes"`)
	cecilia.get("/").shows(t, 200, "/", "Välj system", "XXX.MultiAccess01") // the way back is not a circle
	cecilia.get("/login").shows(t, 200, "/desktop/one")
	lost := cecilia.get("/desktop/no-such")
	lost.shows(t, 404, "/desktop/no-such", "Till mina system")
	if strings.Contains(lost.body, "/desktop/one") {
		t.Error("the way back from an error leads past the list")
	}
	b.relist(desktop + link)
	_, arrived = in()
	arrived.shows(t, 200, "/", "Handbok")
	b.relist("targets:\n" + link)
	_, arrived = in()
	arrived.shows(t, 200, "/", "Handbok")
}

// What the list costs the gateway is logged (go test -v), since a shared machine
// has no honest clock; how much of it goes over the wire is held. All that a page
// up to the list loads is to stay under 20 KB.
func TestListIsSmall(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	for n, most := range map[int]int{20: 6 << 10, 500: 48 << 10} {
		b.relist(many(n))
		ask := func() *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodGet, b.server.URL+"/", nil)
			r.Header.Set("Accept-Encoding", "gzip")
			for _, cookie := range cecilia.cookies() {
				r.AddCookie(cookie)
			}
			w := httptest.NewRecorder()
			b.portal.ServeHTTP(w, r)
			return w
		}
		size := ask().Body.Len()
		result := testing.Benchmark(func(run *testing.B) {
			for run.Loop() {
				ask()
			}
		})
		t.Logf("%d targets: %.2f ms, %d bytes on the wire", n, float64(result.NsPerOp())/1e6, size)
		if got := ask(); got.Code != 200 || got.Header().Get("Content-Encoding") != "gzip" || size > most {
			t.Errorf("%d targets: %d, %v, %d bytes, want %d at most", n, got.Code, got.Header(), size, most)
		}
	}
}
