package tunnel

import (
	"net"
	"sync"
	"time"
)

// stallCheck is how often a message that does not get through is looked at.
const stallCheck = writeTimeout / 4

// stall cuts off a browser that has taken nothing for writeTimeout while a
// message waits for it. One that takes little lives: however slow the line,
// the kernel sees bytes acknowledged.
type stall struct {
	mu      sync.Mutex
	conn    net.Conn  // of the message that is being written; nil: none is
	moved   time.Time // when the browser was last seen to take anything
	taken   uint64    // bytes acknowledged at the last look
	looked  bool      // taken is known
	hurried bool      // the desktop is over: no more patience
	timer   *time.Timer
}

// begin notes that a message is being written from now on.
func (s *stall) begin(conn net.Conn, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.moved, s.looked = conn, now, false
	if s.timer == nil {
		s.timer = time.AfterFunc(stallCheck, s.look)
	} else {
		s.timer.Reset(stallCheck)
	}
}

// end notes that the message is written or has failed.
func (s *stall) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = nil
	s.timer.Stop()
}

// hurry ends the patience with a slow browser.
func (s *stall) hurry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hurried = true
}

// look runs in the timer's goroutine.
func (s *stall) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return
	}
	taken, err := acknowledged(s.conn)
	if s.over(time.Now(), taken, err == nil) {
		s.conn.SetWriteDeadline(time.Unix(1, 0)) // wakes the writer
		return
	}
	s.timer.Reset(stallCheck)
}

// over says whether the browser has taken nothing for too long. Taken is how
// many bytes it has acknowledged in all, if that is known.
func (s *stall) over(now time.Time, taken uint64, known bool) bool {
	if known && s.looked && taken > s.taken {
		s.moved = now
	}
	s.taken, s.looked = taken, known
	return s.hurried || now.Sub(s.moved) >= writeTimeout
}
