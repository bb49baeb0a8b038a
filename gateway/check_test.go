package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"stagedoor/gateway"
	"stagedoor/store"
)

const goodReport = `{"missing":[],"cookies":true,"socket":"ok","trips":10,"round_trip":12,"jitter":3,"clock":-1,"network":"wifi","keyboard":"åö@","altgr":true,"earlier":""}`

// report sends the result of a check as the page does.
func (b *browser) report(body string, header ...string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.server.URL+"/check", strings.NewReader(body))
	b.must(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", b.server.URL)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.send(r)
}

// A result is found under the support id that the page is told, by whoever sent it.
func TestCheckIsRecorded(t *testing.T) {
	b := open(t, nil)
	for _, c := range []struct {
		name, change, to string
		person           *browser
		want             store.Event
	}{
		{"well, before the login", "", "", b.browser(), store.Event{Result: "ok", Detail: map[string]string{"keyboard": "åö@", "round_trip_ms": "12", "network": "wifi"}}},
		{"well, logged in", "", "", b.loggedIn(), store.Event{Result: "ok", Name: `AMIDO\cecilia`}},
		{"no WebSocket", `"socket":"ok","trips":10`, `"socket":"blocked","trips":0`, b.browser(), store.Event{Result: "error", Reason: "websocket"}},
		{"old browser", `"missing":[]`, `"missing":["WebSocket","dialog"]`, b.browser(), store.Event{Result: "error", Reason: "browser", Detail: map[string]string{"missing": "WebSocket dialog"}}},
		{"clock", `"clock":-1`, `"clock":-121`, b.browser(), store.Event{Result: "error", Reason: "clock", Detail: map[string]string{"clock_s": "-121"}}},
		{"slow", `"round_trip":12`, `"round_trip":301`, b.browser(), store.Event{Result: "error", Reason: "slow"}},
		{"completed", `"earlier":""`, `"earlier":"R7K2XX0X"`, b.browser(), store.Event{Result: "ok", Detail: map[string]string{"earlier": "R7K2XX0X"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.person.get("/check").shows(t, 200, "/check", "Kontrollera förbindelsen")
			var told struct {
				ID       string
				Recorded bool
			}
			got := c.person.report(strings.Replace(goodReport, c.change, c.to, 1))
			if err := json.Unmarshal([]byte(got.body), &told); err != nil || !told.Recorded || got.status != 200 {
				t.Fatalf("%d %s", got.status, got.body)
			}
			events, err := b.store.Events(t.Context(), store.EventFilter{RequestID: told.ID})
			b.must(err)
			if len(events) != 1 || events[0].Kind != "check" || events[0].Result != c.want.Result || events[0].Reason != c.want.Reason || events[0].Name != c.want.Name {
				t.Fatalf("events under %s: %+v", told.ID, events)
			}
			for key, value := range c.want.Detail {
				if events[0].Detail[key] != value {
					t.Errorf("%s is %q, want %q", key, events[0].Detail[key], value)
				}
			}
		})
	}
}

// The portal believes its own eyes about cookies, not the page.
func TestCheckWithoutCookies(t *testing.T) {
	b := open(t, nil)
	person := b.browser()
	person.client.Jar = nil
	person.get("/check")
	person.report(goodReport)
	if diff := cmp.Diff([]string{"check error cookies"}, b.events()); diff != "" {
		t.Error(diff)
	}
}

// What our page does not send is not recorded.
func TestCheckIsStrict(t *testing.T) {
	b := open(t, nil)
	person := b.browser()
	for _, c := range []struct {
		name, body string
		header     []string
		status     int
	}{
		{"nothing", "", nil, 400},
		{"no JSON", "socket=ok", nil, 400},
		{"a form", goodReport, []string{"Content-Type", "text/plain"}, 400},
		{"two values", goodReport + goodReport, nil, 400},
		{"something more", goodReport + "x", nil, 400},
		{"an unknown field", strings.Replace(goodReport, "{", `{"admin":true,`, 1), nil, 400},
		{"a wrong type", strings.Replace(goodReport, `"trips":10`, `"trips":"10"`, 1), nil, 400},
		{"an unknown word", strings.Replace(goodReport, `"socket":"ok"`, `"socket":"fine"`, 1), nil, 400},
		{"too many trips", strings.Replace(goodReport, `"trips":10`, `"trips":31`, 1), nil, 400},
		{"a negative time", strings.Replace(goodReport, `"round_trip":12`, `"round_trip":-1`, 1), nil, 400},
		{"a clock of another age", strings.Replace(goodReport, `"clock":-1`, `"clock":99999999999`, 1), nil, 400},
		{"a network of words", strings.Replace(goodReport, `"wifi"`, `"wi fi"`, 1), nil, 400},
		{"a keyboard of words", strings.Replace(goodReport, `"åö@"`, `"hej"`, 1), nil, 400},
		{"an id that is none", strings.Replace(goodReport, `"earlier":""`, `"earlier":"../../xx"`, 1), nil, 400},
		{"much that is missing", strings.Replace(goodReport, `"missing":[]`, `"missing":["x"`+strings.Repeat(`,"x"`, 16)+`]`, 1), nil, 400},
		{"too large", strings.Replace(goodReport, "{", "{"+strings.Repeat(" ", 4<<10), 1), nil, 413},
		{"another site", goodReport, []string{"Origin", "https://evil.example"}, 403},
		{"a page without an origin", goodReport, []string{"Origin", "null"}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := person.report(c.body, c.header...); got.status != c.status {
				t.Errorf("%d, want %d\n%s", got.status, c.status, excerpt(got.body))
			}
		})
	}
	if events := b.events(); len(events) != 0 {
		t.Errorf("recorded: %q", events)
	}
}

// Every language asks for characters of its own keyboards, and may report them.
func TestCheckAsksForEachLanguagesKeys(t *testing.T) {
	b := open(t, nil)
	for _, language := range []struct{ code, has, hasNot string }{
		{"sv", "åäö", "æøüß"}, {"en", `@\`, "åäöæøüß"}, {"nb", "æøå", "äöüß"}, {"da", "æøå", "äöüß"}, {"fi", "åäö", "æøüß"}, {"de", "äöüß", "åæø"},
	} {
		person := b.browser()
		_, keys, _ := strings.Cut(person.get("/check?lang="+language.code).body, `data-keys="`)
		keys, _, _ = strings.Cut(keys, `"`)
		keys = strings.ReplaceAll(keys, " ", "")
		for _, key := range language.has {
			if !strings.ContainsRune(keys, key) {
				t.Errorf("%s: %q is not asked for: %s", language.code, key, keys)
			}
		}
		if strings.ContainsAny(keys, language.hasNot) {
			t.Errorf("%s: asks for what is on no key there: %s", language.code, keys)
		}
		typed, _ := json.Marshal(keys)
		if got := person.report(strings.Replace(goodReport, `"åö@"`, string(typed), 1)); got.status != http.StatusOK {
			t.Errorf("%s: %d when %s is reported", language.code, got.status, keys)
		}
	}
}

// One network gets so many results into the audit, and all together so many.
func TestCheckIsThrottled(t *testing.T) {
	b := open(t, func(s *gateway.Settings) { s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	person := b.browser()
	person.get("/check")
	send := func(address string) int { return person.report(goodReport, "X-Forwarded-For", address).status }
	for i := range 11 {
		want := 200
		if i == 10 {
			want = 429
		}
		if got := send("192.0.2.1"); got != want {
			t.Errorf("result %d of one address: %d, want %d", i, got, want)
		}
	}
	for i := range 51 {
		want := 200
		if i == 50 {
			want = 429
		}
		if got := send(fmt.Sprintf("2001:db8:%x::1", i)); got != want {
			t.Errorf("result %d of all: %d, want %d", i, got, want)
		}
	}
	if n := len(b.events()); n != 60 {
		t.Errorf("%d events", n)
	}
	b.clock.advance(time.Hour + time.Second)
	if got := send("192.0.2.1"); got != 200 {
		t.Errorf("an hour later: %d", got)
	}
	for i := range 10 { // neighbours of one /64 are one network
		send(fmt.Sprintf("2001:db8::%x", i+1))
	}
	if got := send("2001:db8::ffff"); got != 429 {
		t.Errorf("the eleventh of one network: %d", got)
	}
}

func (b *browser) checkSocket(header http.Header) (*websocket.Conn, *http.Response, error) {
	b.t.Helper()
	dialer := websocket.Dialer{Jar: b.client.Jar, Subprotocols: []string{"guacamole"}, HandshakeTimeout: 5 * time.Second}
	ws, response, err := dialer.DialContext(b.t.Context(), strings.Replace(b.server.URL, "http", "ws", 1)+"/check/socket", header)
	if err == nil {
		b.t.Cleanup(func() { ws.Close() })
		_ = ws.SetReadDeadline(time.Now().Add(10 * time.Second))
	}
	return ws, response, err
}

// The WebSocket of a check is for our own page, and for few at once.
func TestCheckSocket(t *testing.T) {
	b := open(t, nil)
	person := b.browser()
	own := http.Header{"Origin": {b.server.URL}}
	for name, header := range map[string]http.Header{"no origin": {}, "another site": {"Origin": {"https://evil.example"}}, "null": {"Origin": {"null"}}} {
		if _, response, err := person.checkSocket(header); err == nil || response.StatusCode != 403 {
			t.Errorf("%s: %v %v", name, response, err)
		}
	}
	var open []*websocket.Conn
	for range 4 {
		ws, _, err := person.checkSocket(own)
		b.must(err)
		b.must(ws.WriteMessage(websocket.TextMessage, []byte("1")))
		if _, back, err := ws.ReadMessage(); err != nil || string(back) != "1" {
			t.Fatalf("%q %v", back, err)
		}
		open = append(open, ws)
	}
	ws, _, err := person.checkSocket(own)
	b.must(err)
	if _, _, err := ws.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseTryAgainLater) {
		t.Errorf("the fifth: %v", err)
	}
	open[0].Close()
	// The portal notices in its own time that one has gone.
	for deadline := time.Now().Add(10 * time.Second); ; {
		ws, _, err := person.checkSocket(own)
		b.must(err)
		b.must(ws.WriteMessage(websocket.TextMessage, []byte("2")))
		if _, back, err := ws.ReadMessage(); err == nil && string(back) == "2" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a place that became free is not given away")
		}
	}
	if events := b.events(); len(events) != 0 {
		t.Errorf("recorded: %q", events)
	}
}

// What the portal says of the request: its time, its cookie, its way.
func TestCheckPortal(t *testing.T) {
	b := open(t, nil)
	person := b.browser()
	ask := func(header ...string) (said struct {
		Now            int64
		Cookies, Proxy bool
		Address        string
	}) {
		got := person.do(http.MethodGet, "/check/portal", nil, header...)
		if err := json.Unmarshal([]byte(got.body), &said); err != nil {
			t.Fatal(got.body)
		}
		return said
	}
	if said := ask(); said.Now != b.clock.Now().UnixMilli() || said.Cookies || said.Proxy || said.Address != "127.0.0.1" {
		t.Errorf("%+v", said)
	}
	person.get("/check")
	if said := ask("X-Forwarded-For", "192.0.2.9"); !said.Cookies || !said.Proxy || said.Address != "127.0.0.1" {
		t.Errorf("by somebody's proxy: %+v", said)
	}
}

// The id that a desktop's page hears first is the one that the audit has; a
// page whose WebSocket never came has its own.
func TestSupportIDOfDesktop(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia := b.ready()
	page := cecilia.get("/desktop/multiaccess01")
	_, after, _ := strings.Cut(page.body, `data-support-id="`)
	id, _, _ := strings.Cut(after, `"`)
	kinds := func(id string) (kinds []string) {
		events, err := b.store.Events(t.Context(), store.EventFilter{RequestID: id})
		b.must(err)
		for _, event := range events {
			kinds = append([]string{event.Kind}, kinds...)
		}
		return kinds
	}
	if diff := cmp.Diff([]string{"desktop-page"}, kinds(id)); diff != "" {
		t.Errorf("under the page's id %q: %s", id, diff)
	}
	heard := func(ws *websocket.Conn) string {
		_ = ws.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, message, err := ws.ReadMessage()
		b.must(err)
		id, isID := strings.CutPrefix(strings.TrimSuffix(string(message), ";"), "0.,8.")
		if !isID {
			t.Fatalf("the first message is %q", message)
		}
		return id
	}
	ws, _, err := cecilia.tunnel("multiaccess01")
	b.must(err)
	first := heard(ws)
	until(t, ws, "4.sync,")
	ws.Close()
	b.await("desktop-close error browser-lost")
	if diff := cmp.Diff([]string{"desktop-open", "desktop-close"}, kinds(first)); diff != "" {
		t.Errorf("under the tunnel's id %q: %s", first, diff)
	}
	for range 8 {
		ws, _, err := cecilia.tunnel("multiaccess01")
		b.must(err)
		until(t, ws, "4.sync,")
	}
	ws, _, err = cecilia.tunnel("multiaccess01")
	b.must(err)
	if diff := cmp.Diff([]string{"desktop-open"}, kinds(heard(ws))); diff != "" {
		t.Errorf("one desktop too many: %s", diff)
	}
}
