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
	ws      *websocket.Conn
	started time.Time // the beginning of the relay's life

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

// write has no deadline until the desktop is over: stall ends one that does not
// get through.
func (d *downlink) write(message []byte) error {
	began := time.Now()
	if d.hurried.Load() {
		d.ws.SetWriteDeadline(began.Add(partingTimeout))
	}
	d.stall.writing.Store(int64(began.Sub(d.started)) + 1)
	err := d.ws.WriteMessage(websocket.TextMessage, message)
	d.stall.writing.Store(0)
	if err != nil {
		return err
	}
	d.speed.learn(d.ws.NetConn(), len(message), began, time.Now())
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

// hurry bounds the time that a message which is on its way to a slow browser
// still has.
func (d *downlink) hurry() {
	d.hurried.Store(true)
	last := int64(time.Since(d.started)) + 1
	time.AfterFunc(partingTimeout, func() {
		if writing := d.stall.writing.Load(); writing > 0 && writing <= last {
			d.ws.NetConn().SetWriteDeadline(time.Unix(1, 0)) // wakes the writer
		}
	})
}
