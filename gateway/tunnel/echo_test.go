package tunnel

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// echoed is a browser's WebSocket whose other end echoes until ctx ends.
func echoed(t *testing.T, ctx context.Context) *websocket.Conn {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ws, err := Upgrade(w, r, server.URL); err == nil {
			Echo(ctx, ws)
		}
	}))
	t.Cleanup(server.Close)
	dialer := websocket.Dialer{Subprotocols: []string{"guacamole"}}
	ws, _, err := dialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), http.Header{"Origin": {server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	ws.SetReadDeadline(time.Now().Add(patience))
	return ws
}

func TestEcho(t *testing.T) {
	long := strings.Repeat("x", echoBytes)
	for _, c := range []struct {
		name string
		kind int
		send string
		n    int // messages
		back int // of them come back
		code int // what it is closed with; 0: not at all
	}{
		{"as many as allowed", websocket.TextMessage, "räksmörgås", echoMessages, echoMessages, websocket.ClosePolicyViolation},
		{"one more", websocket.TextMessage, long, echoMessages + 1, echoMessages, websocket.ClosePolicyViolation},
		{"too long", websocket.TextMessage, long + "x", 1, 0, websocket.CloseMessageTooBig},
		{"not text", websocket.BinaryMessage, "x", 1, 0, websocket.ClosePolicyViolation},
		{"a ping", websocket.PingMessage, "x", 1, 0, websocket.CloseAbnormalClosure},
	} {
		t.Run(c.name, func(t *testing.T) {
			ws := echoed(t, t.Context())
			go func() {
				for range c.n {
					_ = ws.WriteMessage(c.kind, []byte(c.send)) // the other end may have closed
				}
			}()
			for i := range c.back {
				if _, message, err := ws.ReadMessage(); err != nil || string(message) != c.send {
					t.Fatalf("message %d: %q %v", i, message, err)
				}
			}
			if _, _, err := ws.ReadMessage(); !websocket.IsCloseError(err, c.code) {
				t.Errorf("closed with %v, want %d", err, c.code)
			}
		})
	}
}

// The gateway's end is the end of every check.
func TestEchoEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ws := echoed(t, ctx)
	cancel()
	if _, _, err := ws.ReadMessage(); err == nil {
		t.Error("the WebSocket goes on")
	}
}
