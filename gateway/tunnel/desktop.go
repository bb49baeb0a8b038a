package tunnel

import (
	"cmp"
	"context"
	"time"

	"github.com/gorilla/websocket"
)

// Desktop is one remote desktop, whatever WebSockets show it one after the
// other. It is used by one goroutine at a time.
type Desktop struct {
	pool *Pool
	kept *keeper // who holds the desktop while no browser does; nil: nobody
}

// Desktop is one that nobody has connected to yet.
func (p *Pool) Desktop() *Desktop { return &Desktop{pool: p} }

// Serve runs the desktop in a browser until it ends there, and closes ws. It
// connects to the guacd that is best for it and, before the first picture, to
// others when that one fails. It blocks; where thousands of desktops are open,
// call it in a goroutine of its own with a context of its own and return from
// the HTTP handler, which frees net/http's share of the memory. After Serve
// has returned, guacd's connection may last for up to 20 s until guacd has
// freed its child (Guacd.Live counts it).
//
// An End that is Held left the desktop with guacd: Serve with the browser's
// next WebSocket comes back to it, if its options ask for the very same
// desktop and guacd still has it, and otherwise connects anew. Who does not
// wait for the browser calls Leave.
func (d *Desktop) Serve(ctx context.Context, ws *websocket.Conn, options Options) End {
	options.HandshakeTimeout = cmp.Or(options.HandshakeTimeout, 15*time.Second)
	options.FirstFrameTimeout = cmp.Or(options.FirstFrameTimeout, 30*time.Second)
	options.SilenceTimeout = cmp.Or(options.SilenceTimeout, 15*time.Second)
	r := newRelay(ctx, ws, d.pool, options)
	r.kept, d.kept = d.kept, nil
	end := r.run()
	d.kept = r.kept
	end.Held = d.kept != nil
	return end
}

// Leave lets go of a desktop that is held. It may be called at any time.
func (d *Desktop) Leave() {
	if d.kept != nil {
		d.kept.leave()
		d.kept = nil
	}
}
