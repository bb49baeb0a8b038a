// Package tunnel carries one desktop: it speaks the Guacamole protocol between
// a browser's WebSocket and guacd. It knows no users and no SQL.
//
//	pool := tunnel.NewPool(log, tunnel.NewGuacd("127.0.0.1:4822", nil))
//	desktop := pool.Desktop()
//	ws, err := tunnel.Upgrade(w, r, "https://portal.example.se")
//	end := desktop.Serve(ctx, ws, &options)   // until the desktop is over
//
// The browser is hostile: only whole, checked instructions of an allow-list
// reach guacd. guacd's side is filtered by the target's policy. Every end has
// a cause that reaches the person as an error instruction and a close reason.
package tunnel

import (
	"errors"
	"log/slog"
	"time"

	"github.com/wwt/guac"
)

// Causes to cancel Serve's context with (context.WithCancelCause); each has
// its row in the close table.
var (
	ErrIdle      = errors.New("tunnel: idle")                      // 522
	ErrRevoked   = errors.New("tunnel: session ended")             // 523
	ErrTakenOver = errors.New("tunnel: taken over")                // 521; the desktop is held for the page that took it
	ErrEnded     = errors.New("tunnel: ended by its person")       // 523
	ErrHelpdesk  = errors.New("tunnel: ended by helpdesk")         // 523
	ErrLimit     = errors.New("tunnel: too many desktops")         // 797
	ErrShutdown  = errors.New("tunnel: the gateway is going down") // 520
	ErrReplaced  = errors.New("tunnel: the page came back")        // 0: the page itself has dropped this WebSocket
)

// Policy is what may cross. The zero value denies everything but the picture,
// keys and pointer.
type Policy struct {
	Paste    bool // the browser's clipboard to the desktop
	Copy     bool // the desktop's clipboard to the browser
	Upload   bool // files and pipes to the desktop; names of files are shown
	Download bool // files and pipes to the browser
	Print    bool // PDF of the virtual printer to the browser
	AudioOut bool // the desktop's sound
	AudioIn  bool // the browser's microphone
	ReadOnly bool // look but not touch: no input, no new size, nothing to the desktop
}

// Options of one desktop.
type Options struct {
	ID        string            // what the browser hears first as the tunnel's id: the support id; "": a random UUID
	Protocol  string            // select: "rdp", "vnc", "ssh"
	Arguments map[string]string // of connect, by name; what guacd does not list is left out
	MustHave  []string          // names that guacd has to list, or the desktop is refused
	Timezone  string            // IANA name
	Name      string            // of the person, for guacd >= 1.5

	Width, Height, DPI  int // pixels, dots per inch; 0 means 1024, 768, 96
	Audio, Video, Image []string

	Policy  Policy
	OnInput func()   // human input arrived (key, changed mouse, touch or clipboard, a transfer the person started); called often
	OnReady func()   // the first picture left for the browser
	Notices *Notices // words for the person; nil: none
	Log     *slog.Logger

	HandshakeTimeout  time.Duration // 0 means 15 s
	FirstFrameTimeout time.Duration // 0 means 30 s; stands still while guacd asks the person; no other guacd is tried after it
	SilenceTimeout    time.Duration // of guacd; 0 means 15 s
	Hold              time.Duration // how long the desktop stays for a browser that was lost to come back; 0: not at all
	HoldLeft          time.Duration // the same for a page that was left for another (0.,5.leave,0.;)
}

// End says how a desktop ended.
type End struct {
	Status   guac.Status // from the close table
	Cause    string      // for the audit: "disconnect", "logoff", "guacd-error", ... (end.go has them all)
	Text     string      // guacd's own error text, printable, at most 512 runes
	Held     bool        // the browser was lost or the page left, and the desktop waits (Options.Hold, HoldLeft)
	BytesIn  int64       // from the browser
	BytesOut int64       // to the browser
	Duration time.Duration
}

// Code is the end's Guacamole status, 0 when nothing went wrong.
func (e End) Code() int { return int(e.Status.GetGuacamoleStatusCode()) }
