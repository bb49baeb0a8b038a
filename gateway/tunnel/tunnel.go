// Package tunnel carries one desktop: it speaks the Guacamole protocol between
// a browser's WebSocket and guacd. It knows no users and no SQL.
//
//	ws, err := tunnel.Upgrade(w, r, "https://portal.example.se")
//	end := tunnel.Serve(ctx, ws, guacd, options)   // until the desktop is over
//
// The browser is hostile: only whole, checked instructions of an allow-list
// reach guacd. guacd's side is filtered by the target's policy. Every end has
// a cause that reaches the person as an error instruction and a close reason.
package tunnel

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
	"github.com/wwt/guac"
)

// Causes to cancel Serve's context with (context.WithCancelCause); each has
// its row in the close table.
var (
	ErrIdle      = errors.New("tunnel: idle")                      // 522
	ErrRevoked   = errors.New("tunnel: session ended")             // 523
	ErrTakenOver = errors.New("tunnel: taken over")                // 521
	ErrLimit     = errors.New("tunnel: too many desktops")         // 797
	ErrShutdown  = errors.New("tunnel: the gateway is going down") // 520
)

// Guacd is one guacd daemon.
type Guacd struct {
	Address string      // host:port
	TLS     *tls.Config // nil: plain; only for loopback or a private network
}

// Probe asks guacd whether it answers, without making it fork a child.
func (g Guacd) Probe(ctx context.Context) error { return nil }

// Policy is what may cross. The zero value denies everything but the picture,
// keys and pointer.
type Policy struct {
	Paste, Copy, Upload, Download, Print, AudioOut, AudioIn, ReadOnly bool
}

// Options of one desktop.
type Options struct {
	Protocol  string            // select: "rdp", "vnc", "ssh"
	Arguments map[string]string // of connect, by name; what guacd does not list is left out
	MustHave  []string          // names that guacd has to list, or the desktop is refused
	Timezone  string            // IANA name
	Name      string            // of the person, for guacd >= 1.5

	Width, Height, DPI  int // pixels, dots per inch
	Audio, Video, Image []string

	Policy  Policy
	OnInput func() // human input arrived (facts: key, changed mouse, touch, a transfer the person started)
	OnReady func() // the first picture left for the browser
	Log     *slog.Logger

	HandshakeTimeout  time.Duration // 0 means 15 s
	FirstFrameTimeout time.Duration // 0 means 30 s
	SilenceTimeout    time.Duration // of guacd; 0 means 15 s
}

// End says how a desktop ended.
type End struct {
	Status   guac.Status // from the close table
	Cause    string      // for the audit: "disconnect", "logoff", "guacd-error", "handshake-timeout", ...
	Text     string      // guacd's own error text, printable, at most 512 runes
	BytesIn  int64       // from the browser
	BytesOut int64       // to the browser
	Duration time.Duration
}

// Upgrade turns a request into the tunnel's WebSocket. The Origin must be
// exactly one of origins; a missing one is refused.
func Upgrade(w http.ResponseWriter, r *http.Request, origins ...string) (*websocket.Conn, error) {
	return nil, nil
}

// Refuse closes a fresh WebSocket with a status and a text for the person.
func Refuse(ws *websocket.Conn, status guac.Status, text string) {}

// Serve runs the desktop until it ends, and closes ws.
func Serve(ctx context.Context, ws *websocket.Conn, guacd Guacd, options Options) End {
	return End{}
}
