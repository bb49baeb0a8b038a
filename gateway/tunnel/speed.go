package tunnel

import (
	"net"
	"time"
)

const (
	maxMessage  = 128 << 10 // bytes: as much as a source reads at once
	minMessage  = 8 << 10
	slowMessage = 200 * time.Millisecond // longer than that, and the next one is smaller
	fastMessage = 50 * time.Millisecond

	// A line is fast when it has taken fastBytes within fastTime. The 4 MB that
	// the kernel may queue are half a second old there at most, and a limit would
	// cost 15% CPU: the relay would be woken for every message.
	fastBytes = 4 << 20
	fastTime  = time.Second / 2

	// unsentBytes is the limit for all other lines. Whatever waits in the kernel
	// is a picture that grows old.
	unsentBytes = 64 << 10
)

// speed is what the downlink has learned about the browser's line. The page
// sees a message when the last byte has come, and gives up after 15 s without
// one: so a slow line gets smaller messages.
type speed struct {
	halvings int  // of maxMessage
	fast     bool // the limit on unsent bytes is lifted

	since time.Time // the beginning of the bytes that are counted
	sent  int
}

// limit is how large the next message should be, in bytes.
func (s *speed) limit() int { return maxMessage >> s.halvings }

// learn notes that a message of n bytes took from began to now.
func (s *speed) learn(conn net.Conn, n int, began, now time.Time) {
	took := now.Sub(began)
	switch {
	case took > slowMessage && s.limit() > minMessage:
		s.halvings++
	case took < fastMessage && s.halvings > 0 && n >= s.limit()/2: // an answer to a ping says nothing
		s.halvings--
	}
	if began.Sub(s.since) > fastTime {
		s.since, s.sent = began, 0
	}
	s.sent += n
	switch {
	case s.fast && took > slowMessage:
		s.fast = false
		limitUnsent(conn, unsentBytes)
	case !s.fast && s.sent >= fastBytes && now.Sub(s.since) < fastTime:
		s.fast = limitUnsent(conn, 0) == nil
	}
}

// firstMessage is the length of the whole instructions at the start of batch
// that make a message of at most limit bytes, or of the first one if that is
// longer. The batch is what the filter has passed.
func firstMessage(batch []byte, limit int) int {
	if len(batch) <= limit {
		return len(batch)
	}
	var in instruction
	for end := 0; ; end += len(in.raw) {
		if err := in.parseTrusted(batch[end:]); err != nil {
			return len(batch)
		}
		if end > 0 && end+len(in.raw) > limit {
			return end
		}
	}
}
