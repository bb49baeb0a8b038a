package tunnel

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"syscall"
)

// Read buffers are shared by all desktops: an idle one holds none.
var (
	largeBuffers = sync.Pool{New: func() any { return new([128 << 10]byte) }}
	smallBuffers = sync.Pool{New: func() any { return new([maxInstruction + 1]byte) }}
)

// source reads guacd's stream. Over plain TCP it takes a large buffer only
// when bytes have arrived and gives it back when all are used, so that an
// idle desktop costs nothing. Over TLS it has to hold one while it waits.
type source struct {
	conn net.Conn
	raw  syscall.RawConn // nil: no socket of its own

	large      *[128 << 10]byte
	small      *[maxInstruction + 1]byte
	buffer     []byte // of one of the two, or nil
	start, end int    // what is read and not yet used

	once func(fd uintptr) bool // readOnce, made into a value once
	n    int
	err  error
}

func newSource(conn net.Conn) *source {
	s := &source{conn: conn}
	if _, secure := conn.(*tls.Conn); !secure {
		if socket, ok := conn.(syscall.Conn); ok {
			s.raw, _ = socket.SyscallConn()
		}
	}
	s.once = s.readOnce
	return s
}

// bytes is what is read and not used yet.
func (s *source) bytes() []byte { return s.buffer[s.start:s.end] }

// use marks n bytes as used, and gives the buffer back when it is empty.
func (s *source) use(n int) {
	s.start += n
	if s.start == s.end {
		s.release()
	}
}

// fill waits for more bytes. It moves what bytes returned earlier.
func (s *source) fill() error {
	if s.start > 0 {
		s.end = copy(s.buffer, s.buffer[s.start:s.end])
		s.start = 0
	}
	if s.buffer != nil && s.end == len(s.buffer) {
		return errTooLong
	}
	if s.raw == nil {
		s.take()
		n, err := s.conn.Read(s.buffer[s.end:])
		s.end += n
		if n > 0 {
			return nil
		}
		return err
	}
	if err := s.raw.Read(s.once); err != nil {
		return err
	}
	s.end += s.n
	return s.err
}

// readOnce reads what is there, or answers false: wait and call again. It asks
// once more even after a read that left room in the buffer: netpoll is
// edge-triggered, and an end that came with the last bytes is not told again.
func (s *source) readOnce(fd uintptr) bool {
	s.take()
	for {
		s.n, s.err = syscall.Read(int(fd), s.buffer[s.end:])
		if s.err != syscall.EINTR {
			break
		}
	}
	switch {
	case s.err == syscall.EAGAIN:
		s.n, s.err = 0, nil
		if s.end == 0 {
			s.release()
		}
		return false
	case s.err != nil:
		s.n = 0
	case s.n == 0:
		s.err = io.EOF
	}
	return true
}

func (s *source) take() {
	switch {
	case s.buffer != nil:
	case s.raw != nil:
		s.large = largeBuffers.Get().(*[128 << 10]byte)
		s.buffer = s.large[:]
	default:
		s.small = smallBuffers.Get().(*[maxInstruction + 1]byte)
		s.buffer = s.small[:]
	}
}

func (s *source) release() {
	switch {
	case s.large != nil:
		largeBuffers.Put(s.large)
	case s.small != nil:
		smallBuffers.Put(s.small)
	}
	s.large, s.small, s.buffer, s.start, s.end = nil, nil, nil, 0, 0
}
