package tunnel

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
)

// desktop is one browser connected to one remote desktop. Two goroutines run
// it: carry takes guacd's pictures to the browser, listen takes the browser's
// input to guacd. Whoever finds a reason to end cancels ctx with an ending;
// the first one counts.
type desktop struct {
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

	listened chan struct{} // closed when listen is over
	left     chan struct{} // closed when guacd has been told
}

func newDesktop(ctx context.Context, ws *websocket.Conn, o Options) *desktop {
	d := &desktop{options: o, log: o.Log, started: time.Now(), listened: make(chan struct{}), left: make(chan struct{})}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	d.ctx, d.cancel = context.WithCancelCause(ctx)
	d.heard.now = d.now
	d.browser.ws = ws
	d.in.policy, d.in.heard = o.Policy, &d.heard
	d.out.policy, d.out.heard = o.Policy, &d.heard
	d.pace.now = d.now
	d.watch.firstFrame, d.watch.silence = o.FirstFrameTimeout, o.SilenceTimeout
	d.watch.nextNop, d.watch.nextPing = nopEvery, pingEvery
	d.hear()
	ws.SetPongHandler(func(string) error { d.hear(); return nil })
	ws.SetPingHandler(func(data string) error {
		ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
		d.pace.wait(d.ctx, 1)
		return nil
	})
	return d
}

// run is the desktop's life.
func (d *desktop) run(guacd Guacd) End {
	go d.listen()
	d.watch.timer = time.AfterFunc(time.Hour, d.look)
	defer d.watch.timer.Stop()
	d.watch.timer.Reset(nopEvery)
	context.AfterFunc(d.ctx, func() {
		defer close(d.left)
		d.browser.hurry()
		d.guacd.leave()
	})
	// Pings cannot wait for the handshake, so the browser is greeted first.
	// The number is random and no key to anything (CVE-2021-41767).
	err := d.browser.send(appendInstruction(nil, "", uuid.NewString()))
	if err != nil {
		err = gone(err)
	} else {
		err = d.serve(guacd)
	}
	d.cancel(err)
	return d.part()
}

// connect dials guacd and does the handshake.
func (d *desktop) connect(guacd Guacd) (*line, *source, error) {
	ctx, cancel := context.WithTimeoutCause(d.ctx, d.options.HandshakeTimeout, endHandshakeTimeout)
	defer cancel()
	l, err := guacd.dial(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		return nil, nil, endGuacdUnreachable.because("%v", err)
	}
	from := newSource(l.Conn)
	stop := context.AfterFunc(ctx, func() { l.SetDeadline(time.Unix(1, 0)) })
	err = shake(ctx, l, from, &d.options)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		from.release()
		l.close()
		return nil, nil, err
	}
	return l, from, nil
}

// serve connects guacd and carries its pictures until something ends.
func (d *desktop) serve(guacd Guacd) error {
	l, from, err := d.connect(guacd)
	if err != nil {
		return err
	}
	if err = lost(d.ctx, d.guacd.open(l)); err == nil {
		err = d.sized()
	}
	if err == nil {
		err = d.carry(from)
	}
	d.cancel(err)
	<-d.left
	from.release()
	if endingOf(err).cause == endGuacdEOF.cause {
		l.close()
	} else {
		go l.drain() // until guacd has freed its child
	}
	return err
}

// sized tells the browser how large the desktop was asked to be. guacd says so
// itself, but 1.3 starts the desktop before it counts the person among
// those who watch (libguac/client.c, guac_client_add_user), and now and then
// loses its first instruction that way; without a size a browser shows nothing.
func (d *desktop) sized() error {
	width, height := d.options.sides()
	if err := d.browser.send(appendInstruction(nil, "size", "0", strconv.Itoa(width), strconv.Itoa(height))); err != nil {
		return gone(err)
	}
	return nil
}

// carry takes guacd's stream to the browser, whole instructions at a time.
func (d *desktop) carry(from *source) error {
	d.watch.ready.Store(int64(d.now()))
	d.watch.waitingSince.Store(int64(d.now()))
	d.watch.timer.Reset(0)
	for d.ctx.Err() == nil {
		if err := d.forward(from); err != nil {
			return err
		}
		d.watch.waitingSince.Store(int64(d.now()))
		err := from.fill()
		d.watch.waitingSince.Store(0)
		if err != nil {
			return lost(d.ctx, err)
		}
	}
	return context.Cause(d.ctx)
}

// forward sends the whole instructions that have come.
func (d *desktop) forward(from *source) error {
	batch := from.bytes()
	passed, used, ending := d.out.filter(batch)
	if passed > 0 {
		if err := d.browser.send(batch[:passed]); err != nil {
			return gone(err)
		}
	}
	if len(d.out.acks) > 0 {
		if err := d.guacd.write(d.out.acks); err != nil {
			return lost(d.ctx, err)
		}
	}
	from.use(used)
	if d.out.framed && !d.watch.framed.Load() {
		d.watch.framed.Store(true)
		if d.options.OnReady != nil {
			d.options.OnReady()
		}
	}
	return ending
}

// listen takes the browser's messages until the WebSocket is over. When the
// desktop is, it waits for the answer to the close frame and drops the rest.
func (d *desktop) listen() {
	defer close(d.listened)
	for {
		kind, message, err := d.browser.ws.NextReader()
		if err != nil {
			d.cancel(gone(err))
			return
		}
		if d.ctx.Err() != nil {
			continue
		}
		d.hear()
		if err := d.receive(kind, message); err != nil {
			d.cancel(err)
		}
	}
}

// receive judges one message and passes it on. The buffer is wiped: keys and
// passwords went through it. Its size is the read limit: gorilla's own would
// send a close frame without a reason.
func (d *desktop) receive(kind int, message io.Reader) error {
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
	d.bytesIn += int64(n)
	if err := d.in.check(buffer[:n]); err != nil {
		return err
	}
	if d.in.human && d.options.OnInput != nil {
		d.options.OnInput()
	}
	if len(d.in.forward) > 0 {
		if err := d.guacd.write(d.in.forward); err != nil {
			return lost(d.ctx, err)
		}
	}
	if err := d.browser.post(d.in.ping, d.in.acks); err != nil {
		return gone(err)
	}
	return d.pace.wait(d.ctx, d.in.count)
}

// part tells the browser why, and waits for it to close.
func (d *desktop) part() End {
	<-d.left
	end := endingOf(context.Cause(d.ctx))
	text := end.text
	if end.said != "" {
		text = end.said
	}
	ws := d.browser.ws
	if !end.silent && d.browser.part(end.status, text) == nil {
		ws.SetReadDeadline(time.Now().Add(lingerTimeout))
		<-d.listened
	}
	ws.Close()
	<-d.listened
	result := End{Status: end.status, Cause: end.cause, Text: end.said,
		BytesIn: d.bytesIn, BytesOut: d.browser.bytes, Duration: time.Since(d.started)}
	d.log.Info("desktop over", "cause", end.cause, "status", reason(end.status), "detail", end.detail,
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
	case websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived):
		return endBrowserClosed
	}
	return endBrowserLost.because("%v", err)
}
