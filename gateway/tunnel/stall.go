package tunnel

import (
	"sync/atomic"
	"time"
)

// stallCheck is how often a message that does not get through is looked at.
const stallCheck = writeTimeout / 4

// stall finds out that a browser has taken nothing for writeTimeout while a
// message waits for it. One that takes little lives: however slow the line, the
// kernel sees bytes acknowledged. It costs a message nothing but writing: the
// relay's clockwork looks.
type stall struct {
	writing atomic.Int64 // when the message that is being written was begun, in the relay's life; 0: none is

	message int64         // the one that was looked at last, by its beginning
	moved   time.Duration // when the browser was last seen to take anything
	taken   uint64        // bytes that it had acknowledged then
	known   bool          // taken is
}

// over says whether the browser has taken nothing for too long of the message
// that was begun at writing. Taken is how many bytes it has acknowledged in
// all, if that is known.
func (s *stall) over(now time.Duration, writing int64, taken uint64, known bool) bool {
	if writing != s.message {
		s.message, s.moved, s.known = writing, time.Duration(writing), false
	}
	if known && s.known && taken > s.taken {
		s.moved = now
	}
	s.taken, s.known = taken, known
	return now-s.moved >= writeTimeout
}
