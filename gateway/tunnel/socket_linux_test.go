package tunnel

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"golang.org/x/sys/unix"
)

// TestSocketLimits: they are in force under TLS too.
func TestSocketLimits(t *testing.T) {
	for _, start := range []func(*httptest.Server){(*httptest.Server).Start, (*httptest.Server).StartTLS} {
		got, taken := make(chan int, 1), make(chan uint64, 1)
		const message = 100_000
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ws, err := Upgrade(w, r, "https://portal.example.se")
			if err != nil {
				return
			}
			defer ws.Close()
			got <- option(t, ws.NetConn(), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT)
			before, err := acknowledged(ws.NetConn())
			if err != nil {
				t.Error(err)
			}
			if err := (&downlink{ws: ws}).send(make([]byte, message)); err != nil {
				t.Error(err)
			}
			ws.NextReader() // the browser answers when it has read all
			after, err := acknowledged(ws.NetConn())
			if err != nil {
				t.Error(err)
			}
			taken <- after - before
		}))
		start(server)
		defer server.Close()
		dialer := websocket.Dialer{Subprotocols: []string{subprotocol}, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		ws, _, err := dialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), http.Header{"Origin": {"https://portal.example.se"}})
		if err != nil {
			t.Fatal(err)
		}
		defer ws.Close()
		if unsent := <-got; unsent != unsentBytes {
			t.Errorf("%s: limit on unsent bytes is %d", server.URL, unsent)
		}
		if _, read, err := ws.ReadMessage(); err != nil || len(read) != message {
			t.Errorf("%s: read %d bytes, %v", server.URL, len(read), err)
		}
		if err := ws.WriteMessage(websocket.TextMessage, []byte("3.nop;")); err != nil {
			t.Error(err)
		}
		if n := <-taken; n < message {
			t.Errorf("%s: %d bytes acknowledged of %d that were read", server.URL, n, message)
		}
	}
}

func TestGuacdReceiveBuffer(t *testing.T) {
	conn, err := NewGuacd(listen(t, func(g *guacdConn) { g.until("") }), nil).connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if bytes := option(t, conn.Conn, unix.SOL_SOCKET, unix.SO_RCVBUF); bytes > 2*guacdReceiveBuffer {
		t.Errorf("receive buffer of %d bytes", bytes)
	}
}

func TestAcknowledgedWithoutSocket(t *testing.T) {
	pipe, other := net.Pipe()
	defer pipe.Close()
	defer other.Close()
	if _, err := acknowledged(pipe); err == nil {
		t.Error("a pipe has acknowledged something")
	}
}

func option(t *testing.T, conn net.Conn, level, name int) (value int) {
	t.Helper()
	err := control(socketOf(conn), func(fd int) (err error) {
		value, err = unix.GetsockoptInt(fd, level, name)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return value
}
