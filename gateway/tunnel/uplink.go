package tunnel

import (
	"sync"
	"time"
)

// uplink writes to guacd. Every write is whole instructions, so that two
// writers cannot mix theirs.
type uplink struct {
	mu       sync.Mutex
	line     *line  // nil before the handshake is over
	early    []byte // what the browser said before, at most maxInstruction bytes
	left     bool   // nothing more may be sent
	holdable bool   // the desktop may be kept when the browser is lost
	held     bool   // and is: the line is somebody else's now
	fault    error  // why the relay gave this guacd up
}

// open lets through what waited for the handshake.
func (u *uplink) open(l *line, holdable bool) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.left {
		return nil
	}
	u.line, u.holdable = l, holdable
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

// again makes the uplink as it was before open, for another guacd, unless the
// desktop is over.
func (u *uplink) again(over bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.line, u.left, u.holdable, u.fault = nil, over, false, nil
}

// write sends instructions, or keeps them until open. Its only error is of the
// browser, which said too much; what is wrong with guacd wakes its reader.
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
	if _, err := l.Write(b); err != nil {
		u.giveUp(err)
	}
	return nil
}

// leave says goodbye, so that guacd lets go of the desktop at once, and sends
// nothing after it. Whoever reads from guacd is woken. With hold, the desktop
// is kept if it can be, and guacd is told nothing.
func (u *uplink) leave(hold bool) {
	u.mu.Lock()
	l, left := u.line, u.left
	u.left = true
	u.held = u.held || hold && u.holdable && !left
	held := u.held
	clear(u.early)
	u.early = nil
	u.mu.Unlock()
	if l == nil || left {
		return
	}
	l.SetReadDeadline(time.Unix(1, 0))
	if !held {
		l.SetWriteDeadline(time.Now().Add(partingTimeout))
		l.Write(appendInstruction(nil, "disconnect"))
	}
}

// giveUp wakes whoever reads from this guacd, with a reason.
func (u *uplink) giveUp(why error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.fault = why
	if u.line != nil {
		u.line.SetReadDeadline(time.Unix(1, 0))
	}
}

// givenUp is the reason that giveUp was given, or nil.
func (u *uplink) givenUp() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.fault
}

func (u *uplink) isHeld() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.held
}
