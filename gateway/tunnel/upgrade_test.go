package tunnel

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestUpgrade(t *testing.T) {
	const portal = "https://portal.example.se"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ws, err := Upgrade(w, r, portal, "https://portal.example.se:8443"); err == nil {
			ws.Close()
		}
	}))
	defer server.Close()
	for _, test := range []struct {
		name    string
		headers map[string]string
		status  int
	}{
		{"right", map[string]string{}, 101},
		{"second origin", map[string]string{"Origin": portal + ":8443"}, 101},
		{"several subprotocols", map[string]string{"Sec-WebSocket-Protocol": "chat, guacamole"}, 101},
		{"compression offered", map[string]string{"Sec-WebSocket-Extensions": "permessage-deflate"}, 101},
		{"no origin", map[string]string{"Origin": ""}, 403},
		{"other scheme", map[string]string{"Origin": "http://portal.example.se"}, 403},
		{"other port", map[string]string{"Origin": portal + ":444"}, 403},
		{"other host", map[string]string{"Origin": "https://portal.example.se.evil.example"}, 403},
		{"null", map[string]string{"Origin": "null"}, 403},
		{"trailing slash", map[string]string{"Origin": portal + "/"}, 403},
		{"no subprotocol", map[string]string{"Sec-WebSocket-Protocol": ""}, 400},
		{"other subprotocol", map[string]string{"Sec-WebSocket-Protocol": "guacamole2"}, 400},
		{"no WebSocket", map[string]string{"Upgrade": ""}, 400},
		{"old version", map[string]string{"Sec-WebSocket-Version": "8"}, 400},
		{"no key", map[string]string{"Sec-WebSocket-Key": ""}, 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			headers := map[string]string{"Origin": portal, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
				"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "guacamole"}
			for name, value := range test.headers {
				headers[name] = value
			}
			for name, value := range headers {
				if value != "" {
					request.Header.Set(name, value)
				}
			}
			response, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != test.status {
				t.Fatalf("status %d, want %d", response.StatusCode, test.status)
			}
			if test.status == 101 {
				if got := response.Header.Get("Sec-WebSocket-Protocol"); got != "guacamole" {
					t.Errorf("subprotocol %q", got)
				}
				if got := response.Header.Get("Sec-WebSocket-Extensions"); got != "" {
					t.Errorf("extensions %q", got)
				}
				return
			}
			body, err := io.ReadAll(response.Body)
			if err != nil || len(body) == 0 || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/plain") {
				t.Errorf("body %q, %v, %s", body, err, response.Header.Get("Content-Type"))
			}
		})
	}
}

func TestTwoOriginsAreRefused(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["Origin"] = []string{"https://portal.example.se", "https://evil.example"}
	w := httptest.NewRecorder()
	if _, err := Upgrade(w, r, "https://portal.example.se"); err != ErrOrigin || w.Code != http.StatusForbidden {
		t.Errorf("%v, status %d", err, w.Code)
	}
}

func TestRefuse(t *testing.T) {
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ws, err := Upgrade(w, r, server.URL); err == nil {
			Refuse(ws, "R7K2XXXX", ErrLimit)
		}
	}))
	defer server.Close()
	dialer := websocket.Dialer{Subprotocols: []string{"guacamole"}}
	ws, _, err := dialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), http.Header{"Origin": {server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	ws.SetReadDeadline(time.Now().Add(patience))
	b := &page{t: t, ws: ws}
	last, code, reason := b.goodbye()
	if code != 1008 || reason != "797" || len(last) != 3 || last[0] != "error" || last[1] != "Too many desktops are open." || last[2] != "797" {
		t.Errorf("got %q, %d %s", last, code, reason)
	}
}
