package tunnel

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// subprotocol is the one that the browser client offers.
const subprotocol = "guacamole"

// Reasons to refuse an upgrade. The HTTP answer has been sent.
var (
	ErrOrigin      = errors.New("tunnel: request does not come from this portal's pages")
	ErrSubprotocol = errors.New("tunnel: request does not offer the subprotocol guacamole")
)

// Plain TCP sends a message's memory as it is (writev): the write buffer has
// room for a header, or for a whole answer to a ping. Over TLS one large write
// makes full records, from buffers that all desktops share.
const plainWriteBuffer = 114 // bytes; gorilla adds 14 for the header

var secureWrites sync.Pool

// WebSocket is the browser's end of a tunnel.
type WebSocket = websocket.Conn

// Upgrade turns a request into the tunnel's WebSocket. The Origin must be
// exactly one of origins ("https://portal.example.se", with the port if it is
// not the scheme's own); a missing one is refused. The subprotocol guacamole
// must be offered. On error the HTTP answer has been written.
func Upgrade(w http.ResponseWriter, r *http.Request, origins ...string) (*websocket.Conn, error) {
	origin := r.Header["Origin"]
	if len(origin) != 1 || !slices.Contains(origins, origin[0]) {
		http.Error(w, "This address is only for the portal's own pages.", http.StatusForbidden)
		return nil, ErrOrigin
	}
	if websocket.IsWebSocketUpgrade(r) && !slices.Contains(websocket.Subprotocols(r), subprotocol) {
		http.Error(w, "The WebSocket subprotocol guacamole is missing.", http.StatusBadRequest)
		return nil, ErrSubprotocol
	}
	upgrader := websocket.Upgrader{
		HandshakeTimeout: writeTimeout,
		ReadBufferSize:   512,
		WriteBufferSize:  plainWriteBuffer,
		Subprotocols:     []string{subprotocol},
		CheckOrigin:      func(*http.Request) bool { return true }, // checked above
		Error: func(w http.ResponseWriter, _ *http.Request, status int, _ error) {
			w.Header().Set("Sec-Websocket-Version", "13")
			http.Error(w, "This address is only for WebSockets.", status)
		},
	}
	if r.TLS != nil {
		upgrader.WriteBufferSize, upgrader.WriteBufferPool = 64<<10, &secureWrites
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil, err
	}
	limitUnsent(ws.NetConn(), unsentBytes) // a kernel that cannot makes pictures older, no more
	return ws, nil
}

// Refuse closes a fresh WebSocket for one of the causes of this package, such
// as ErrLimit, under an id as in Options. It waits up to 2 s for the browser to
// close, so that the text arrives.
func Refuse(ws *websocket.Conn, id string, cause error) {
	defer ws.Close()
	browser := downlink{ws: ws}
	end := endingOf(cause)
	if browser.send(appendInstruction(nil, "", id)) != nil || browser.part(end.status, end.text) != nil {
		return
	}
	ws.SetReadDeadline(time.Now().Add(lingerTimeout))
	for {
		if _, _, err := ws.NextReader(); err != nil {
			return
		}
	}
}
