package tunnel

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/wwt/guac"
)

// maxPending bounds the refusals that wait for a browser which does not read.
const maxPending = 8 << 10

// downlink writes to the browser. Two goroutines use it: the one that carries
// pictures, which may block on a slow line, and the one that answers pings,
// which must not. So a small answer is posted: whoever is writing takes it
// along, and if nobody is, the poster writes it.
type downlink struct {
	ws *websocket.Conn

	hurried atomic.Bool // the desktop is over: no long waits
	stall   stall
	writing sync.Mutex // held while a message is written
	speed   speed
	bytes   int64
	scratch []byte

	mu   sync.Mutex
	ping []byte // the newest ping to be echoed: an older one is worthless
	acks []byte // refusals, in order
}

// send writes whole instructions: as one message, or on a slow line as several.
func (d *downlink) send(batch []byte) error {
	d.writing.Lock()
	var err error
	for len(batch) > 0 && err == nil {
		n := firstMessage(batch, d.speed.limit())
		if err = d.write(batch[:n]); err == nil {
			err = d.writePosted()
		}
		batch = batch[n:]
	}
	d.writing.Unlock()
	if err == nil {
		err = d.flush()
	}
	return err
}

// post leaves answers for the browser, and writes them if nobody is writing.
func (d *downlink) post(ping, acks []byte) error {
	if len(ping) == 0 && len(acks) == 0 {
		return nil
	}
	d.mu.Lock()
	if len(ping) > 0 {
		d.ping = append(d.ping[:0], ping...)
	}
	d.acks = append(d.acks, acks...)
	tooMany := len(d.acks) > maxPending
	d.mu.Unlock()
	if tooMany {
		return endOverrun.because("refusals not read")
	}
	return d.flush()
}

// flush writes what is posted unless somebody is writing, who will see it:
// either before giving up the lock or, posted just after, in flush's loop.
func (d *downlink) flush() error {
	for d.posted() && d.writing.TryLock() {
		err := d.writePosted()
		d.writing.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *downlink) posted() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.ping) > 0 || len(d.acks) > 0
}

// writePosted needs writing to be held.
func (d *downlink) writePosted() error {
	d.mu.Lock()
	d.scratch = append(append(d.scratch[:0], d.acks...), d.ping...)
	d.acks, d.ping = d.acks[:0], d.ping[:0]
	d.mu.Unlock()
	if len(d.scratch) == 0 {
		return nil
	}
	return d.write(d.scratch)
}

// write has no deadline but the one that stall keeps, until the desktop is over.
func (d *downlink) write(message []byte) error {
	conn, began := d.ws.NetConn(), time.Now()
	if d.hurried.Load() {
		d.ws.SetWriteDeadline(began.Add(partingTimeout))
	}
	d.stall.begin(conn, began)
	err := d.ws.WriteMessage(websocket.TextMessage, message)
	d.stall.end()
	if err != nil {
		return err
	}
	d.speed.learn(conn, len(message), began, time.Now())
	d.bytes += int64(len(message))
	return nil
}

// ask pings the browser, whose network answers for a page that sleeps. Not while
// a message is on its way: stall sees whether that one gets through.
func (d *downlink) ask() {
	if d.writing.TryLock() {
		d.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTimeout))
		d.writing.Unlock()
		d.flush() // what was posted meanwhile; its error is the next write's as well
	}
}

// part says why the desktop is over: an instruction for the page, then the
// close frame. After it nothing can be written.
func (d *downlink) part(status guac.Status, text string) error {
	d.writing.Lock()
	defer d.writing.Unlock()
	deadline := time.Now().Add(partingTimeout)
	d.ws.SetWriteDeadline(deadline)
	if err := d.ws.WriteMessage(websocket.TextMessage, farewell(status, text)); err != nil {
		return err
	}
	closing := websocket.FormatCloseMessage(status.GetWebSocketCode(), reason(status))
	return d.ws.WriteControl(websocket.CloseMessage, closing, deadline)
}

// hurry shortens the time that a message on its way to a slow browser has.
func (d *downlink) hurry() {
	d.hurried.Store(true)
	d.stall.hurry()
	d.ws.NetConn().SetWriteDeadline(time.Now().Add(partingTimeout))
}
