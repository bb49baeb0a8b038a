package gateway_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"stagedoor/directory/directorytest"
	"stagedoor/gateway"
	"stagedoor/store"
)

// fakeGuacd answers the handshake, sends one picture and then a sync four
// times a second, as guacd 1.3 does on a quiet screen. What connect said comes
// out of connects. A connect that holds refuse is answered as guacd 1.3 answers
// a login that NLA refuses; "" refuses nothing.
func fakeGuacd(t *testing.T, refuse string) (address string, connects <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	said := make(chan string, 16)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveFakeGuacd(conn, said, refuse)
		}
	}()
	return listener.Addr().String(), said
}

func serveFakeGuacd(conn net.Conn, said chan<- string, refuse string) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	chosen, err := in.ReadString(';')
	if err != nil {
		return
	}
	if strings.Contains(chosen, ".$") && !strings.Contains(chosen, "$260d01da") { // to join what there is not: a probe
		fmt.Fprint(conn, "5.error,19.No such connection.,3.516;")
		return
	}
	fmt.Fprint(conn, "4.args,13.VERSION_1_3_0")
	for _, name := range []string{"hostname", "port", "username", "password", "domain", "security", "ignore-cert",
		"server-layout", "disable-copy", "disable-paste", "disable-audio", "enable-drive", "enable-printing", "enable-audio-input", "disable-auth"} {
		fmt.Fprintf(conn, ",%d.%s", len(name), name)
	}
	fmt.Fprint(conn, ";")
	connect := ""
	for !strings.HasPrefix(connect, "7.connect,") {
		var err error
		if connect, err = in.ReadString(';'); err != nil {
			return
		}
	}
	said <- connect
	fmt.Fprint(conn, "5.ready,37.$260d01da-779b-4ee9-afc1-c16bae885cc7;")
	if refuse != "" && strings.Contains(connect, refuse) {
		fmt.Fprint(conn, "5.error,48.Server refused connection (wrong security type?),3.519;")
		_, _ = in.ReadString(0) // until the gateway closes
		return
	}
	left := make(chan struct{})
	go func() {
		defer close(left)
		for {
			if instruction, err := in.ReadString(';'); err != nil || instruction == "10.disconnect;" {
				return
			}
		}
	}()
	fmt.Fprint(conn, "4.size,1.0,4.1024,3.768;3.img,1.1,2.14,1.0,9.image/png,1.0,1.0;4.blob,1.1,4.AAAA;3.end,1.1;")
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	for stamp := 1; ; stamp++ {
		text := fmt.Sprint(stamp)
		if _, err := fmt.Fprintf(conn, "4.sync,%d.%s;", len(text), text); err != nil {
			return
		}
		select {
		case <-ticker.C:
		case <-left:
			return
		}
	}
}

// tunnel opens a desktop's WebSocket as the page does.
func (b *browser) tunnel(target string) (*websocket.Conn, *http.Response, error) {
	b.t.Helper()
	return b.tunnelOf(target, "")
}

// tunnelOf opens it as a page that has a name, which can come back.
func (b *browser) tunnelOf(target, page string) (*websocket.Conn, *http.Response, error) {
	b.t.Helper()
	header := http.Header{"Origin": {b.server.URL}}
	dialer := websocket.Dialer{Jar: b.client.Jar, Subprotocols: []string{"guacamole"}, HandshakeTimeout: 5 * time.Second}
	ws, response, err := dialer.DialContext(b.t.Context(), strings.Replace(b.server.URL, "http", "ws", 1)+"/tunnel/"+target+"?width=1024&height=768&page="+page, header)
	if err == nil {
		b.t.Cleanup(func() { ws.Close() })
	}
	return ws, response, err
}

// until reads messages until one holds the text, and gives the rest of the
// test ten seconds for it.
func until(t *testing.T, ws *websocket.Conn, text string) {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, message, err := ws.ReadMessage()
		if err != nil {
			t.Fatalf("waiting for %q: %v", text, err)
		}
		if strings.Contains(string(message), text) {
			return
		}
	}
}

// closeReason reads until the WebSocket is closed and gives its reason, the
// Guacamole status.
func closeReason(t *testing.T, ws *websocket.Conn) string {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			closed, ok := err.(*websocket.CloseError)
			if !ok {
				t.Fatalf("the WebSocket broke: %v", err)
			}
			return closed.Text
		}
	}
}

// withDesktops is a bench whose guacd is the fake one.
func withDesktops(t *testing.T) (*bench, <-chan string) {
	t.Helper()
	address, connects := fakeGuacd(t, "")
	return openWith(t, address, nil), connects
}

// atDesktop is cecilia with a desktop whose picture has come.
func (b *bench) atDesktop() (*browser, *websocket.Conn) {
	b.t.Helper()
	cecilia := b.ready()
	ws, _, err := cecilia.tunnel("multiaccess01")
	b.must(err)
	until(b.t, ws, "4.sync,")
	return cecilia, ws
}

func TestDesktop(t *testing.T) {
	b, connects := withDesktops(t)
	b.atDesktop()
	connect := <-connects
	// hostname, port, no login, security, ignore-cert, keyboard, disable-copy, disable-paste
	if want := "7.connect,13.VERSION_1_3_0,9.127.0.0.1,1.1,0.,0.,0.,3.nla,5.false,12.sv-se-qwerty,4.true,4.true,"; !strings.HasPrefix(connect, want) {
		t.Errorf("connect says %s\nwant it to start %s", connect, want)
	}
	if strings.Contains(connect, goodPassword) {
		t.Error("a target that prompts got the portal's password")
	}
}

// Single sign-on: the portal's password goes to a target that asks for it, and
// to no log and no row.
func TestPortalPasswordForTarget(t *testing.T) {
	b, connects := withDesktops(t)
	cecilia := b.ready()
	ws, _, err := cecilia.tunnel("sso")
	b.must(err)
	until(t, ws, "4.sync,")
	if connect := <-connects; !strings.Contains(connect, "7.cecilia,15."+goodPassword) {
		t.Errorf("connect: %s", connect)
	}
	if strings.Contains(b.log.String(), goodPassword) {
		t.Error("the log holds the password")
	}
}

// A target that refuses the portal's password does not get it again: each try
// can count toward lockout.
func TestRefusedPortalPasswordIsNotRetried(t *testing.T) {
	address, connects := fakeGuacd(t, goodPassword)
	b := openWith(t, address, nil)
	cecilia := b.ready()
	ws, _, err := cecilia.tunnel("sso")
	b.must(err)
	if reason := closeReason(t, ws); reason != "519" {
		t.Errorf("closed with %q, want 519", reason)
	}
	if connect := <-connects; !strings.Contains(connect, goodPassword) {
		t.Errorf("the first connect: %s", connect)
	}
	b.await("desktop-close error guacd-error")
	ws, _, err = cecilia.tunnel("sso")
	b.must(err)
	until(t, ws, "4.sync,")
	if connect := <-connects; strings.Contains(connect, goodPassword) {
		t.Error("the refused password was sent again")
	}
}

func TestLogoutClosesDesktops(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia, ws := b.atDesktop()
	start := time.Now()
	cecilia.post("/logout")
	if reason := closeReason(t, ws); reason != "523" {
		t.Errorf("closed with %q, want 523", reason)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("the desktop closed after %v", took)
	}
}

// A session that another process ends loses its desktops here as well.
func TestRevocationFromElsewhere(t *testing.T) {
	b, _ := withDesktops(t)
	_, ws := b.atDesktop()
	events, err := b.store.Events(t.Context(), store.EventFilter{Kind: "desktop-open"})
	b.must(err)
	_, err = b.store.EndSession(t.Context(), events[0].SessionID, "revoked")
	b.must(err)
	if reason := closeReason(t, ws); reason != "523" {
		t.Errorf("closed with %q, want 523", reason)
	}
}

// What the desktop paints by itself is not human input; a key is, the browser's
// ping is not.
func TestIdleOverDesktop(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia, ws := b.atDesktop()
	b.clock.advance(14 * time.Minute)
	b.must(ws.WriteMessage(websocket.TextMessage, []byte("3.key,2.97,1.1;3.key,2.97,1.0;")))
	b.must(ws.WriteMessage(websocket.TextMessage, []byte("0.,4.ping,1.7;")))
	until(t, ws, "4.ping,1.7") // so the key was read
	cecilia.get("/session").shows(t, 200, "/session", `"idle_left":900`)
	b.clock.advance(14 * time.Minute)
	b.must(ws.WriteMessage(websocket.TextMessage, []byte("0.,4.ping,1.8;")))
	until(t, ws, "4.ping,1.8")
	cecilia.get("/session").shows(t, 200, "/session", `"idle_left":60`)
	b.clock.advance(time.Minute)
	if reason := closeReason(t, ws); reason != "522" {
		t.Errorf("closed with %q, want 522", reason)
	}
	cecilia.get("/").shows(t, 200, "/login", "Du loggades ut efter 15 min", "fortfarande öppna på XXX.MultiAccess01")
	ends, err := b.store.Events(t.Context(), store.EventFilter{Kind: "session-end"})
	b.must(err)
	if len(ends) != 1 || ends[0].Reason != "idle" || ends[0].Name != `AMIDO\cecilia` {
		t.Errorf("audited ends: %+v", ends)
	}
}

// A target that is taken off the list loses its live desktops.
func TestTargetWithdrawn(t *testing.T) {
	b, _ := withDesktops(t)
	_, ws := b.atDesktop()
	b.must(os.WriteFile(b.targets, []byte("targets:\n  - {id: handbook, name: H, kind: link, url: \"https://handbook.example/\", visible_to: everyone}\n"), 0o600))
	if reason := closeReason(t, ws); reason != "523" {
		t.Errorf("closed with %q, want 523", reason)
	}
}

func TestDisabledPersonLosesDesktop(t *testing.T) {
	b, _ := withDesktops(t)
	_, ws := b.atDesktop()
	b.must(b.directory.Update("cecilia", func(u *directorytest.User) { u.Disabled = true }))
	b.clock.advance(5 * time.Minute)
	if reason := closeReason(t, ws); reason != "523" {
		t.Errorf("closed with %q, want 523", reason)
	}
}

func TestTunnelRefusals(t *testing.T) {
	b, _ := withDesktops(t)
	stranger := b.browser()
	if _, response, err := stranger.tunnel("multiaccess01"); err == nil || response == nil || response.StatusCode != 401 {
		t.Errorf("without a session: %v", err)
	}
	cecilia := b.ready()
	for name, origin := range map[string]string{"foreign origin": "https://evil.example", "other scheme": strings.Replace(b.server.URL, "http", "https", 1), "none": ""} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			if origin != "" {
				header.Set("Origin", origin)
			}
			dialer := websocket.Dialer{Jar: cecilia.client.Jar, Subprotocols: []string{"guacamole"}}
			ws, response, err := dialer.DialContext(t.Context(), strings.Replace(b.server.URL, "http", "ws", 1)+"/tunnel/multiaccess01", header)
			if err == nil {
				ws.Close()
				t.Fatal("let in")
			}
			if response == nil || response.StatusCode != 403 {
				t.Errorf("answer: %v", err)
			}
		})
	}
}

func TestTooManyDesktops(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia := b.ready()
	for range 8 {
		ws, _, err := cecilia.tunnel("multiaccess01")
		b.must(err)
		until(t, ws, "4.sync,")
	}
	ws, _, err := cecilia.tunnel("multiaccess01")
	b.must(err)
	if reason := closeReason(t, ws); reason != "797" {
		t.Errorf("closed with %q, want 797", reason)
	}
}

func TestNoGuacd(t *testing.T) {
	b := open(t, nil) // its guacd is a closed port
	cecilia := b.ready()
	ws, _, err := cecilia.tunnel("multiaccess01")
	b.must(err)
	if reason := closeReason(t, ws); reason != "520" {
		t.Errorf("closed with %q, want 520", reason)
	}
	hinted := open(t, func(s *gateway.Settings) { s.NoGuacd = "install guacd with testbed/install run" })
	got := hinted.ready().get("/desktop/multiaccess01")
	got.shows(t, 503, "/desktop/multiaccess01", "install guacd with testbed/install run")
}

// A guacd that an operator empties gets no new desktops, at once and on every
// node; those that it has stay.
func TestDrainedGuacd(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia, ws := b.atDesktop()
	b.must(b.store.Drain(t.Context(), b.guacd))
	refused, _, err := cecilia.tunnel("multiaccess01")
	b.must(err)
	if reason := closeReason(t, refused); reason != "520" {
		t.Errorf("closed with %q, want 520", reason)
	}
	until(t, ws, "4.sync,")
	answer := httptest.NewRecorder()
	b.portal.MetricsServer().Handler.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{"stagedoor_desktops 1", fmt.Sprintf("stagedoor_guacd_connections{guacd=%q} 1", b.guacd),
		fmt.Sprintf("stagedoor_guacd_draining{guacd=%q} 1", b.guacd), fmt.Sprintf("stagedoor_guacd_up{guacd=%q} 1", b.guacd)} {
		if !strings.Contains(answer.Body.String(), want) {
			t.Errorf("the metrics do not say %s", want)
		}
	}
	b.must(b.store.Undrain(t.Context(), b.guacd))
	again, _, err := cecilia.tunnel("multiaccess01")
	b.must(err)
	until(t, again, "4.sync,")
}

func TestShutdownTellsDesktops(t *testing.T) {
	b, _ := withDesktops(t)
	_, ws := b.atDesktop()
	go b.portal.Close(t.Context())
	if reason := closeReason(t, ws); reason != "520" {
		t.Errorf("closed with %q, want 520", reason)
	}
}

// The page opens the desktops of its address that the person may see, four at
// most, each once; what may be opened beside them comes as JSON.
func TestSeveralDesktops(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	desktops := regexp.MustCompile(`data-desktops="([^"]*)"`)
	shown := func(path string) (ids []string) {
		t.Helper()
		found := desktops.FindStringSubmatch(cecilia.get(path).body)
		if found == nil {
			t.Fatalf("%s names no desktops", path)
		}
		var targets []struct{ ID string }
		b.must(json.Unmarshal([]byte(html.UnescapeString(found[1])), &targets))
		for _, target := range targets {
			ids = append(ids, target.ID)
		}
		return ids
	}
	for path, want := range map[string][]string{
		"/desktop/sso":                                              {"sso"},
		"/desktop/multiaccess01?with=sso":                           {"multiaccess01", "sso"},
		"/desktop/sso?with=sso,multiaccess01,multiaccess01":         {"sso", "multiaccess01"},
		"/desktop/sso?with=handbook,no-such,../,%00,,multiaccess01": {"sso", "multiaccess01"},
	} {
		if got := shown(path); !slices.Equal(got, want) {
			t.Errorf("%s shows %q, want %q", path, got, want)
		}
	}
	cecilia.get("/desktops").shows(t, 200, "/desktops", `{"id":"multiaccess01","name":"XXX.MultiAccess01"`, `"id":"sso"`)
	if strings.Contains(cecilia.get("/desktops").body, "handbook") {
		t.Error("a link is offered as a desktop")
	}
	b.browser().get("/desktops").shows(t, 401, "/desktops", `"over"`)
}
