package tunnel

import (
	"context"
	"errors"
	"time"

	"github.com/gorilla/websocket"
)

// What a connection check may do with its WebSocket: enough for ten round
// trips, and nothing that is worth abusing.
const (
	echoMessages = 30
	echoBytes    = 64 // of one message
	echoTime     = 20 * time.Second
)

var errControlFrame = errors.New("tunnel: a check sends no pings")

// Echo gives each text message of a connection check back, 30 of at most 64
// bytes within 20 s, and closes ws: with 1000 when the browser has closed it,
// with 1008 when it wanted more.
func Echo(ctx context.Context, ws *WebSocket) {
	defer ws.Close()
	defer context.AfterFunc(ctx, func() { ws.Close() })()
	ws.SetReadLimit(echoBytes)
	ws.SetReadDeadline(time.Now().Add(echoTime))
	ws.SetPingHandler(func(string) error { return errControlFrame }) // they are not counted below
	ws.SetPongHandler(func(string) error { return errControlFrame })
	for range echoMessages {
		kind, message, err := ws.ReadMessage()
		if err != nil {
			return // gorilla has answered a close frame, and a long message with 1009
		}
		if kind != websocket.TextMessage {
			break
		}
		ws.SetWriteDeadline(time.Now().Add(writeTimeout))
		if ws.WriteMessage(kind, message) != nil {
			return
		}
	}
	sayClose(ws, websocket.ClosePolicyViolation, "a check is shorter than this")
}

// Busy closes a fresh WebSocket with 1013, try again later.
func Busy(ws *WebSocket) {
	sayClose(ws, websocket.CloseTryAgainLater, "")
	ws.Close()
}

func sayClose(ws *WebSocket, code int, reason string) {
	// A browser that has gone need not be told.
	_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second))
}
