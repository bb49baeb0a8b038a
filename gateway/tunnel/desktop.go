package tunnel

import (
	"context"

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
// freed its child (Guacd.Live counts it). Options are copied.
//
// An End that is Held left the desktop with guacd: Serve with the browser's
// next WebSocket comes back to it, if its options ask for the very same
// desktop and guacd still has it, and otherwise connects anew. Who does not
// wait for the browser calls Leave.
func (d *Desktop) Serve(ctx context.Context, ws *websocket.Conn, options *Options) End {
	// From here down to carry everything waits for hours, so what is needed only
	// before or after stands in functions of its own: the frames stay small, and
	// so does the stack of an idle desktop (4 KiB, not 8).
	r := newRelay(ctx, ws, d, options)
	r.begin()
	err := r.greet()
	if err == nil {
		err = r.serve()
	}
	return r.finish(err)
}

// Leave lets go of a desktop that is held. It may be called at any time.
func (d *Desktop) Leave() {
	if d.kept != nil {
		d.kept.leave()
		d.kept = nil
	}
}
