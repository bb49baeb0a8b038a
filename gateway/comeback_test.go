package gateway_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"stagedoor/store"
)

const pageOne, pageTwo = "3f0c8a52-5a2e-4f0e-9a67-000000000001", "3f0c8a52-5a2e-4f0e-9a67-000000000002"

// comesBack opens a desktop from a page that has a name.
func (b *browser) comesBack(target, page string) *websocket.Conn {
	b.t.Helper()
	ws, _, err := b.tunnelOf(target, page)
	if err != nil {
		b.t.Fatal(err)
	}
	until(b.t, ws, "4.sync,")
	return ws
}

// A network that fails costs nobody their desktop: the page comes back to it,
// without the password, and everything is audited.
func TestPageComesBack(t *testing.T) {
	b, connects := withDesktops(t)
	cecilia := b.ready()
	ws := cecilia.comesBack("sso", pageOne)
	if first := <-connects; !strings.Contains(first, goodPassword) {
		t.Fatalf("connect: %s", first)
	}
	ws.NetConn().Close()
	b.await("desktop-close error browser-lost")
	cecilia.comesBack("sso", pageOne)
	if second := <-connects; strings.Contains(second, goodPassword) {
		t.Error("the password was sent again")
	}
	opens, err := b.store.Events(t.Context(), store.EventFilter{Kind: "desktop-open"})
	b.must(err)
	if len(opens) != 2 || opens[0].Reason != "back" || opens[1].Reason != "" {
		t.Errorf("audited: %+v", opens)
	}
}

// The page notices that its network is gone before the gateway can: the new
// WebSocket takes the desktop from the old one.
func TestPageComesBackEarly(t *testing.T) {
	b, connects := withDesktops(t)
	cecilia := b.ready()
	old := cecilia.comesBack("sso", pageOne)
	<-connects
	cecilia.comesBack("sso", pageOne)
	if reason := closeReason(t, old); reason != "0" { // it was told, in case somebody is there
		t.Errorf("closed with %q, want 0", reason)
	}
	if second := <-connects; strings.Contains(second, goodPassword) {
		t.Error("the password was sent again")
	}
	b.await("desktop-close ok replaced")
}

// A page's name is no key: other pages, targets and people get desktops of
// their own.
func TestPageNameIsNoKey(t *testing.T) {
	b, connects := withDesktops(t)
	cecilia := b.ready()
	ws := cecilia.comesBack("sso", pageOne)
	<-connects
	ws.NetConn().Close()
	b.await("desktop-close error browser-lost")
	b.clock.advance(time.Minute) // a code may be sent again
	for name, open := range map[string]func() *websocket.Conn{
		"another page":    func() *websocket.Conn { return cecilia.comesBack("sso", pageTwo) },
		"another target":  func() *websocket.Conn { return cecilia.comesBack("multiaccess01", pageOne) },
		"another session": func() *websocket.Conn { return b.ready().comesBack("sso", pageOne) },
		"no name":         func() *websocket.Conn { return cecilia.comesBack("sso", "") },
		"a silly name":    func() *websocket.Conn { return cecilia.comesBack("sso", "..%2F") },
	} {
		open()
		if connect := <-connects; !strings.Contains(connect, goodPassword) && name != "another target" {
			t.Errorf("%s joined a desktop: %s", name, connect)
		}
	}
	opens, err := b.store.Events(t.Context(), store.EventFilter{Kind: "desktop-open"})
	b.must(err)
	for _, open := range opens {
		if open.Reason == "back" {
			t.Errorf("came back: %+v", open)
		}
	}
}

// A desktop that waits for its browser goes with its session.
func TestHeldDesktopGoesWithSession(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia := b.ready()
	cecilia.comesBack("multiaccess01", pageOne).NetConn().Close()
	b.await("desktop-close error browser-lost")
	cecilia.post("/logout")
	closed := make(chan error)
	go func() { closed <- b.portal.Close(t.Context()) }() // waits for every desktop
	b.must(<-closed)
	if ws, _, err := cecilia.tunnelOf("multiaccess01", pageOne); err == nil {
		ws.Close()
		t.Error("a desktop without a session")
	}
}
