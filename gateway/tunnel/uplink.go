package tunnel

import (
	"sync"
	"time"
)

// uplink writes to guacd. Every write is whole instructions, so that two
// writers cannot mix theirs.
type uplink struct {
	mu    sync.Mutex
	line  *line  // nil before the handshake is over
	early []byte // what the browser said before, at most maxInstruction bytes
	left  bool   // nothing more may be sent
}

// open lets through what waited for the handshake.
func (u *uplink) open(l *line) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.left {
		return nil
	}
	u.line = l
	early := u.early
	u.early = nil
	if len(early) == 0 {
		return nil
	}
	l.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := l.Write(early)
	clear(early)
	return err
}

// write sends instructions, or keeps them until open.
func (u *uplink) write(b []byte) error {
	u.mu.Lock()
	switch {
	case u.left:
		u.mu.Unlock()
		return nil
	case u.line == nil:
		defer u.mu.Unlock()
		if len(u.early)+len(b) > maxInstruction {
			return endOverrun.because("over %d bytes before the desktop was there", maxInstruction)
		}
		u.early = append(u.early, b...)
		return nil
	}
	l := u.line
	u.mu.Unlock()
	l.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := l.Write(b)
	return err
}

// leave says goodbye, so that guacd lets go of the desktop at once, and sends
// nothing after it. Whoever reads from guacd is woken.
func (u *uplink) leave() {
	u.mu.Lock()
	l, left := u.line, u.left
	u.left = true
	clear(u.early)
	u.early = nil
	u.mu.Unlock()
	if l != nil && !left {
		l.SetReadDeadline(time.Unix(1, 0))
		l.SetWriteDeadline(time.Now().Add(partingTimeout))
		l.Write(appendInstruction(nil, "disconnect"))
	}
}
