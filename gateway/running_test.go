package gateway_test

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"stagedoor/store"
)

var desktopsOnPage = regexp.MustCompile(`data-desktops="([^"]*)"`)

// pageOf is what the page of a desktop calls itself: what the gateway told it,
// or a name of its own.
func (b *browser) pageOf(address string) string {
	b.t.Helper()
	found := desktopsOnPage.FindStringSubmatch(b.get(address).body)
	if found == nil {
		b.t.Fatalf("%s is not a desktop's page", address)
	}
	var desktops []struct{ Page string }
	b.must(json.Unmarshal([]byte(html.UnescapeString(found[1])), &desktops))
	return cmp.Or(desktops[0].Page, rand.Text())
}

// opens loads the desktop's page, as a person does, and opens its tunnel.
func (b *browser) opens(address string) *websocket.Conn {
	b.t.Helper()
	target, _, _ := strings.Cut(strings.TrimPrefix(address, "/desktop/"), "?")
	return b.comesBack(target, b.pageOf(address))
}

// leave does what the desktop's page does when its person goes elsewhere.
func leave(t *testing.T, ws *websocket.Conn) {
	t.Helper()
	if err := ws.WriteMessage(websocket.TextMessage, []byte("0.,5.leave,0.;")); err != nil {
		t.Fatal(err)
	}
	if reason := closeReason(t, ws); reason != "0" {
		t.Errorf("closed with %q, want 0", reason)
	}
}

// running are the desktops on top of the list: target and state of each, and
// the address of going back.
func (b *browser) running() (found []string, back []string) {
	b.t.Helper()
	inside := section(b.get("/").body, "running")
	for _, m := range regexp.MustCompile(`data-desktop="([^"]+)" data-state="(\w+)"[\s\S]*?href="(/desktop/([^?]+)\?desktop=([^"]+))"`).FindAllStringSubmatch(inside, -1) {
		if m[1] != m[5] {
			b.t.Errorf("the row of %s leads to %s", m[1], m[5])
		}
		found, back = append(found, m[4]+" "+m[2]), append(back, m[3])
	}
	return found, back
}

func (b *browser) runs(want ...string) (back []string) {
	b.t.Helper()
	var got []string
	b.awaitPage(b, func(string) bool { got, back = b.running(); return slices.Equal(got, want) })
	return back
}

// A desktop that is left for the list waits: going back finds the very same one,
// without the password. So does opening its target again.
func TestGoBackToDesktop(t *testing.T) {
	b, connects := withDesktops(t)
	cecilia := b.ready()
	cecilia.runs()
	ws := cecilia.opens("/desktop/sso")
	if first := <-connects; !strings.Contains(first, goodPassword) {
		t.Fatalf("connect: %s", first)
	}
	cecilia.runs("sso shown")
	leave(t, ws)
	b.await("desktop-close ok left")
	back := cecilia.runs("sso held")
	ws = cecilia.opens(back[0])
	if second := <-connects; strings.Contains(second, goodPassword) {
		t.Error("the password was sent again")
	}
	cecilia.runs("sso shown")
	leave(t, ws)
	cecilia.runs("sso held")
	cecilia.opens("/desktop/sso")
	if third := <-connects; strings.Contains(third, goodPassword) {
		t.Error("opening the target again made another desktop")
	}
	cecilia.runs("sso shown")
	cecilia.opens("/desktop/sso") // while it is shown: this is another one
	if fourth := <-connects; !strings.Contains(fourth, goodPassword) {
		t.Error("a second page took the desktop of the first without being asked")
	}
	cecilia.runs("sso shown", "sso shown")
}

// Going back to a desktop that is open in another window brings it here; the
// other window is told, and may take it back.
func TestTakeOver(t *testing.T) {
	b, connects := withDesktops(t)
	cecilia := b.ready()
	name := cecilia.pageOf("/desktop/sso")
	first := cecilia.comesBack("sso", name)
	<-connects
	back := cecilia.runs("sso shown")
	second := cecilia.opens(back[0])
	if reason := closeReason(t, first); reason != "521" {
		t.Errorf("closed with %q, want 521", reason)
	}
	if connect := <-connects; strings.Contains(connect, goodPassword) {
		t.Error("the password was sent again")
	}
	b.await("desktop-close error taken-over")
	cecilia.comesBack("sso", name) // its person pressed the button there
	if reason := closeReason(t, second); reason != "521" {
		t.Errorf("closed with %q, want 521", reason)
	}
	cecilia.runs("sso shown")
}

// A page that lost its network while another took its desktop is told so when
// it comes back by itself, and does not snatch it.
func TestTakeOverFromLostPage(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia := b.ready()
	name := cecilia.pageOf("/desktop/sso")
	cecilia.comesBack("sso", name).NetConn().Close()
	b.await("desktop-close error browser-lost")
	back := cecilia.runs("sso held")
	here := cecilia.opens(back[0])
	lost, _, err := cecilia.tunnelOf("sso", name)
	b.must(err)
	if reason := closeReason(t, lost); reason != "521" {
		t.Errorf("closed with %q, want 521", reason)
	}
	b.await("desktop-close refused taken-over")
	until(t, here, "4.sync,") // still here
	cecilia.comesBack("sso", name)
	if reason := closeReason(t, here); reason != "521" {
		t.Errorf("closed with %q, want 521", reason)
	}
}

func TestEndDesktop(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia := b.ready()
	shown := cecilia.opens("/desktop/sso")
	left := cecilia.opens("/desktop/multiaccess01")
	leave(t, left)
	back := cecilia.runs("multiaccess01 held", "sso shown")
	b.clock.advance(time.Minute)
	names := []string{}
	for _, address := range back {
		at, err := url.Parse(address)
		b.must(err)
		names = append(names, at.Query().Get("desktop"))
	}
	b.ready().post("/desktop/sso/end", "desktop", names[1]) // another session of the same person
	b.browser().post("/desktop/sso/end", "desktop", names[1])
	cecilia.post("/desktop/sso/end", "desktop", names[0]) // another target's
	cecilia.post("/desktop/sso/end", "desktop", "")
	cecilia.runs("multiaccess01 held", "sso shown")
	cecilia.post("/desktop/multiaccess01/end", "desktop", names[0]).shows(t, 200, "/")
	cecilia.runs("sso shown")
	cecilia.post("/desktop/sso/end", "desktop", names[1])
	if reason := closeReason(t, shown); reason != "523" {
		t.Errorf("closed with %q, want 523", reason)
	}
	cecilia.runs()
	b.await("desktop-close error ended")
	ends, err := b.store.Events(t.Context(), store.EventFilter{Kind: "desktop-end"})
	b.must(err)
	if len(ends) != 2 || ends[0].Target != "sso" || ends[1].Target != "multiaccess01" || ends[0].Name != `AMIDO\cecilia` {
		t.Errorf("audited: %+v", ends)
	}
}

// guacd must not grow with desktops that nobody looks at: three of a session
// wait, and one that was left gives way to a new one.
func TestLeftDesktopsAreFew(t *testing.T) {
	b, _ := withDesktops(t)
	b.relist(many(12))
	cecilia := b.loggedIn()
	for i := range 5 {
		b.clock.advance(time.Second)
		leave(t, cecilia.opens(fmt.Sprintf("/desktop/m%03d", i+1)))
		b.await("desktop-close ok left")
	}
	cecilia.runs("m005 held", "m004 held", "m003 held")
	for i := range 8 {
		b.clock.advance(time.Second)
		cecilia.opens(fmt.Sprintf("/desktop/m%03d", i+5))
	}
	cecilia.runs("m012 shown", "m011 shown", "m010 shown", "m009 shown", "m008 shown", "m007 shown", "m006 shown", "m005 shown")
	ws, _, err := cecilia.tunnel("m001")
	b.must(err)
	if reason := closeReason(t, ws); reason != "797" {
		t.Errorf("a ninth: closed with %q, want 797", reason)
	}
}

// The desktops that wait go with the session as all do.
func TestLeftDesktopGoesWithSession(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia := b.ready()
	leave(t, cecilia.opens("/desktop/sso"))
	back := cecilia.runs("sso held")
	cecilia.post("/logout")
	b.clock.advance(time.Minute)
	cecilia = b.ready()
	cecilia.runs()
	fresh := cecilia.get(back[0]).body
	if strings.Contains(fresh, strings.TrimPrefix(back[0], "/desktop/sso?desktop=")) {
		t.Error("another session's page got the name of the desktop")
	}
}

// A page gets the name of a desktop only if its session has it at that target.
func TestDesktopPageNames(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia := b.ready()
	cecilia.opens("/desktop/sso")
	back := cecilia.runs("sso shown")[0]
	name := strings.TrimPrefix(back, "/desktop/sso?desktop=")
	first, second := cecilia.pageOf(back), cecilia.pageOf(back)
	if !regexp.MustCompile(`^`+name+`\.[A-Z0-9]{8}$`).MatchString(first) || first == second {
		t.Errorf("pages for %s are called %s and %s", name, first, second)
	}
	for _, address := range []string{"/desktop/sso", "/desktop/sso?desktop=", "/desktop/sso?desktop=ABCDEFGHIJKLMNOPQRST",
		"/desktop/sso?desktop=%22%3E%3Cscript%3E", "/desktop/multiaccess01?desktop=" + name} {
		if page := cecilia.get(address); page.status != 200 || strings.Contains(page.body, "page&#34;") {
			t.Errorf("%s: %d %s", address, page.status, desktopsOnPage.FindString(page.body))
		}
	}
	if a := cecilia.get("/desktop/sso/end"); a.status != http.StatusNotFound && a.status != http.StatusMethodNotAllowed {
		t.Errorf("GET ends a desktop: %d", a.status)
	}
}
