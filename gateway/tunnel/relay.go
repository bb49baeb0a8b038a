package tunnel

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
)

// relay is one browser's WebSocket joined to a remote desktop. Two goroutines
// run it: carry takes guacd's pictures to the browser, listen takes the
// browser's input to guacd. Whoever finds a reason to end cancels ctx with an
// ending; the first one counts.
type relay struct {
	desktop *Desktop
	options Options
	log     *slog.Logger
	started time.Time
	ctx     context.Context
	cancel  context.CancelCauseFunc

	heard   heard
	watch   watch
	guacd   uplink
	browser downlink
	in      inFilter
	out     outFilter
	pace    pace
	bytesIn int64

	failed error   // what the last guacd that was tried failed with
	joined *keeper // whose desktop this one has joined; nil once its picture is here
	remote remote  // the desktop that is carried
	line   *line   // its connection, where the desktop is held now that the browser is lost

	listened chan struct{} // closed when listen is over
	left     chan struct{} // closed when guacd has been told
}

func newRelay(ctx context.Context, ws *websocket.Conn, d *Desktop, o *Options) *relay {
	r := &relay{desktop: d, options: *o, log: o.Log, started: time.Now(), listened: make(chan struct{}), left: make(chan struct{})}
	r.options.HandshakeTimeout = cmp.Or(o.HandshakeTimeout, 15*time.Second)
	r.options.FirstFrameTimeout = cmp.Or(o.FirstFrameTimeout, 30*time.Second)
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	r.heard.now = r.now
	r.browser.ws, r.browser.started = ws, r.started
	r.in.policy, r.in.heard = o.Policy, &r.heard
	r.out.policy, r.out.heard = o.Policy, &r.heard
	r.pace.now = r.now
	r.watch.silence = cmp.Or(o.SilenceTimeout, 15*time.Second)
	r.watch.nextNop, r.watch.nextPing = nopEvery, pingEvery
	r.hear()
	ws.SetPongHandler(func(string) error { r.hear(); return nil })
	ws.SetPingHandler(func(data string) error {
		ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
		r.pace.wait(r.ctx, 1)
		return nil
	})
	return r
}

// begin starts what runs beside Serve's own goroutine.
func (r *relay) begin() {
	go r.listen()
	r.watch.timer = time.AfterFunc(time.Hour, r.look)
	r.watch.timer.Reset(nopEvery)
	context.AfterFunc(r.ctx, func() {
		defer close(r.left)
		r.browser.hurry()
		r.guacd.leave(r.hold() > 0 && r.watch.framed.Load())
	})
}

// greet speaks first: pings cannot wait for the handshake. The id is no key to
// anything (CVE-2021-41767); people give it to helpdesk.
func (r *relay) greet() error {
	if err := r.browser.send(appendInstruction(nil, "", cmp.Or(r.options.ID, uuid.NewString()))); err != nil {
		return gone(err)
	}
	if err := r.options.Notices.attach(&r.browser); err != nil {
		return gone(err)
	}
	return nil
}

// finish ends the relay, for err unless there was a reason before it.
func (r *relay) finish(err error) End {
	r.cancel(err)
	r.watch.timer.Stop()
	end := r.part()
	if r.line != nil { // only now nobody else writes to it
		r.desktop.kept = keep(&r.remote, r.line, r.in.pressed.release(), r.hold())
	}
	end.Held = r.desktop.kept != nil
	return end
}

// hold is how long the desktop waits for its browser, given why it is over.
func (r *relay) hold() time.Duration {
	switch end := endingOf(context.Cause(r.ctx)); {
	case end.leaves:
		return r.options.HoldLeft
	case end.holds:
		return r.options.Hold
	}
	return 0
}

// carry takes guacd's stream to the browser, whole instructions at a time.
func (r *relay) carry(from *source) error {
	r.watch.ready.Store(int64(r.now()))
	r.watch.waitingSince.Store(int64(r.now()))
	r.watch.timer.Reset(0)
	for r.ctx.Err() == nil {
		if err := r.forward(from); err != nil {
			return err
		}
		r.watch.waitingSince.Store(int64(r.now()))
		err := from.fill()
		r.watch.waitingSince.Store(0)
		if err != nil {
			return lost(r.ctx, cmp.Or(r.guacd.givenUp(), err))
		}
	}
	return context.Cause(r.ctx)
}

// forward sends the whole instructions that have come.
func (r *relay) forward(from *source) error {
	batch := from.bytes()
	passed, used, ending := r.out.filter(batch)
	first := r.out.framed && !r.watch.framed.Load()
	if first { // before it leaves: whoever has seen the picture can come back to it
		r.watch.framed.Store(true)
	}
	if passed > 0 {
		if err := r.browser.send(batch[:passed]); err != nil {
			return gone(err)
		}
	}
	if len(r.out.acks) > 0 {
		if err := r.guacd.write(r.out.acks); err != nil {
			return err
		}
	}
	from.use(used)
	if first {
		r.options.Arguments = nil // no other guacd needs the password now
		if r.joined != nil {
			// Not before: guacd is ready before it counts who joins (libguac/user-handshake.c),
			// and ends a desktop that its last user leaves.
			r.joined.leave()
			r.joined = nil
		}
		if r.options.OnReady != nil {
			r.options.OnReady()
		}
	}
	return ending
}

// listen takes the browser's messages until the WebSocket is over. When the
// desktop is, it waits for the answer to the close frame and drops the rest.
func (r *relay) listen() {
	defer close(r.listened)
	for {
		kind, message, err := r.browser.ws.NextReader()
		if err != nil {
			r.cancel(gone(err))
			return
		}
		if r.ctx.Err() != nil {
			continue
		}
		r.hear()
		if err := r.receive(kind, message); err != nil {
			r.cancel(err)
		}
	}
}

// receive judges one message and passes it on. The buffer is wiped: keys and
// passwords went through it. Its size is the read limit: gorilla's own would
// send a close frame without a reason.
func (r *relay) receive(kind int, message io.Reader) error {
	if kind != websocket.TextMessage {
		return endBadType.because("not a text message")
	}
	buffer := smallBuffers.Get().(*[maxInstruction + 1]byte)
	n, err := io.ReadFull(message, buffer[:])
	defer func() {
		clear(buffer[:n])
		smallBuffers.Put(buffer)
	}()
	switch {
	case err == nil:
		return endOverrun.because("message over %d bytes", maxInstruction)
	case err != io.EOF && err != io.ErrUnexpectedEOF:
		return gone(err)
	}
	r.bytesIn += int64(n)
	if err := r.in.check(buffer[:n]); err != nil {
		return err
	}
	if r.in.human && r.options.OnInput != nil {
		r.options.OnInput()
	}
	if r.in.shown != "" {
		r.options.Notices.shown(r.in.shown)
	}
	if len(r.in.forward) > 0 {
		if err := r.guacd.write(r.in.forward); err != nil {
			return err
		}
	}
	if err := r.browser.post(r.in.ping, r.in.acks); err != nil {
		return gone(err)
	}
	return r.pace.wait(r.ctx, r.in.count)
}

// part tells the browser why, and waits for it to close.
func (r *relay) part() End {
	<-r.left
	end := endingOf(context.Cause(r.ctx))
	text := end.text
	if end.said != "" {
		text = end.said
	}
	ws := r.browser.ws
	if !end.silent && r.browser.part(end.status, text) == nil && !end.hasty {
		ws.SetReadDeadline(time.Now().Add(lingerTimeout))
		<-r.listened
	}
	ws.Close()
	<-r.listened
	r.options.Notices.detach()
	result := End{Status: end.status, Cause: end.cause, Text: end.said,
		BytesIn: r.bytesIn, BytesOut: r.browser.bytes, Duration: time.Since(r.started)}
	r.log.Info("desktop over", "cause", end.cause, "status", reason(end.status), "detail", end.detail,
		"bytes_in", result.BytesIn, "bytes_out", result.BytesOut, "duration", result.Duration)
	return result
}

// lost says why guacd's connection failed: the reason to end, if there is one
// already, or guacd itself.
func lost(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*ending](err); ok {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, errTooLong):
		return endGuacdProtocol.because("%v", err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return endGuacdStalled
	}
	return endGuacdEOF.because("%v", err)
}

// gone says why the browser's connection failed.
func gone(err error) error {
	if _, ok := errors.AsType[*ending](err); ok {
		return err
	}
	failed, ok := errors.AsType[net.Error](err)
	switch {
	case ok && failed.Timeout(): // gorilla hides os.ErrDeadlineExceeded
		return endBrowserStalled
	case websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway):
		return endBrowserClosed
		// Without a status it is the client library, which has heard nothing for
		// 15 s: a person who leaves says disconnect first.
	}
	return endBrowserLost.because("%v", err)
}
