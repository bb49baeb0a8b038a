package tunnel

import (
	"sync"
	"sync/atomic"
	"time"
)

// Times that are the same for every desktop.
const (
	writeTimeout   = 10 * time.Second // for a message to the browser or to guacd
	partingTimeout = time.Second      // for the last words to either
	lingerTimeout  = 2 * time.Second  // for the browser's answer to the close frame
	drainTimeout   = 20 * time.Second // for guacd to free its child
	nopEvery       = 5 * time.Second  // guacd ends a user after 15 s without a word
	pingEvery      = 25 * time.Second
	pongTimeout    = 60 * time.Second
	answerTimeout  = 5 * time.Minute // for a person to type a password that guacd requires
)

// watch is the clockwork of one desktop. One timer wakes for whatever is due
// next; times are since the desktop began. Zero limits are not in force.
type watch struct {
	silence    time.Duration // limit
	firstFrame atomic.Int64  // limit, as a time.Duration

	browserHeard atomic.Int64 // when the browser last said anything
	waitingSince atomic.Int64 // when the relay began to wait for guacd; 0: it does not
	ready        atomic.Int64 // when the handshake was over; 0: it is not
	framed       atomic.Bool  // the first picture is on its way

	timer             *time.Timer
	looking           sync.Mutex // held by look
	nextNop, nextPing time.Duration
}

// due tells what has run out at now, and otherwise when to look again.
func (w *watch) due(now time.Duration, heard *heard) (next time.Duration, over *ending) {
	next = min(w.nextNop, w.nextPing)
	limit := func(at time.Duration, end *ending) {
		if now >= at && over == nil {
			over = end
		}
		next = min(next, at)
	}
	limit(time.Duration(w.browserHeard.Load())+pongTimeout, endBrowserTimeout)
	if since := time.Duration(w.waitingSince.Load()); since > 0 {
		limit(since+w.silence, endGuacdSilent)
	}
	if ready := time.Duration(w.ready.Load()); ready > 0 && !w.framed.Load() {
		asking, changed := heard.asking()
		if asking {
			limit(changed+answerTimeout, endUnanswered)
		} else {
			limit(max(ready, changed)+time.Duration(w.firstFrame.Load()), endNoFirstFrame)
		}
	}
	return next, over
}

// look does what is due: it runs in the timer's goroutine and sets it again.
func (r *relay) look() {
	r.watch.looking.Lock()
	defer r.watch.looking.Unlock()
	if r.ctx.Err() != nil {
		return
	}
	now := r.now()
	_, over := r.watch.due(now, &r.heard)
	switch over {
	case nil:
	case endGuacdSilent, endNoFirstFrame:
		r.watch.waitingSince.Store(0)
		r.watch.ready.Store(0)
		r.guacd.giveUp(over) // another guacd may do better: the relay decides
	default:
		r.cancel(over)
		return
	}
	if now >= r.watch.nextNop {
		r.watch.nextNop = now + nopEvery
		if r.watch.ready.Load() > 0 {
			r.guacd.write([]byte("3.nop;"))
		}
	}
	if now >= r.watch.nextPing {
		r.watch.nextPing = now + pingEvery
		if now-time.Duration(r.watch.browserHeard.Load()) > pingEvery/2 {
			r.browser.ask()
		}
	}
	next, _ := r.watch.due(now, &r.heard)
	if writing := r.browser.stall.writing.Load(); writing > 0 {
		taken, err := acknowledged(r.browser.ws.NetConn())
		if r.browser.stall.over(now, writing, taken, err == nil) {
			r.cancel(endBrowserStalled)
			return
		}
		next = min(next, now+stallCheck)
	}
	r.watch.timer.Reset(max(next-now, time.Millisecond))
}

// again turns to another guacd, whose limit for the first picture is this. A
// verdict on the one before must not hit it.
func (r *relay) again(firstFrame time.Duration) {
	r.watch.looking.Lock()
	defer r.watch.looking.Unlock()
	r.watch.ready.Store(0)
	r.watch.waitingSince.Store(0)
	r.watch.firstFrame.Store(int64(firstFrame))
	r.heard.sync.Store(0)
	r.guacd.again(r.ctx.Err() != nil)
}

// hear notes a sign of life of the browser.
func (r *relay) hear() { r.watch.browserHeard.Store(int64(r.now())) }

// now is the age of the desktop. It is never 0, which means "not".
func (r *relay) now() time.Duration { return time.Since(r.started) + 1 }
