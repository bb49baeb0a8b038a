package tunnel

import (
	"errors"
	"maps"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// remote is a desktop in a guacd, as its handshake left it.
type remote struct {
	guacd     *Guacd
	id        string // guacd's name for it, by which others join
	protocol  string
	arguments map[string]string // without secrets
	policy    Policy
	holdable  bool // it may be held for a browser that was lost
}

// is says whether o asks for this very desktop. Size, time zone and media types
// are the browser's and may differ.
func (r *remote) is(o *Options) bool {
	return r.protocol == o.Protocol && r.policy == o.Policy && maps.Equal(r.arguments, withoutSecrets(o.Arguments))
}

// ownersOnly are transfers that guacd grants to the user who opened a desktop
// and not to those who join (guac_client_for_owner in src/protocols/rdp).
func (p Policy) ownersOnly() bool { return p.Download || p.Print || p.AudioIn }

// holdable says whether guacd can give the desktop to somebody who joins.
// disable-gfx is an argument from 1.6 on.
func holdable(g *Guacd, id string, names []string, o *Options) bool {
	if o.Hold <= 0 || o.Policy.ownersOnly() || len(id) < 2 || id[0] != '$' {
		return false
	}
	switch g.Resume {
	case ResumeAuto:
		return lacking(names, []string{"disable-gfx"}) != nil
	case ResumeAlways:
		return true
	}
	return false
}

// withoutSecrets is a copy of a desktop's arguments for those who join it: they
// need none, and a desktop must not be known by its password.
func withoutSecrets(arguments map[string]string) map[string]string {
	public := maps.Clone(arguments)
	maps.DeleteFunc(public, func(name, _ string) bool {
		return strings.Contains(name, "password") || strings.Contains(name, "passphrase") || strings.Contains(name, "private-key")
	})
	return public
}

// keeper is the user who stays in a desktop while its browser is away: guacd
// keeps a desktop as long as somebody is there, and ends who is silent for 15 s.
type keeper struct {
	remote
	line    *line
	leaving atomic.Bool
	left    chan struct{} // closed when guacd has been told
}

// keep holds a desktop for a while at most, and first tells guacd some last
// instructions. What guacd still sends is thrown away.
func keep(of *remote, l *line, last []byte, duration time.Duration) *keeper {
	k := &keeper{remote: *of, line: l, left: make(chan struct{})}
	go k.hold(last, time.Now().Add(duration))
	return k
}

func (k *keeper) hold(last []byte, until time.Time) {
	err := k.say(last)
	if err == nil {
		err = k.wait(until)
	}
	if err == nil {
		err = k.say(appendInstruction(nil, "disconnect"))
	}
	close(k.left)
	if err != nil {
		k.line.close()
		return
	}
	k.line.drain(drainTimeout)
}

// wait is nil when the keeper has to leave, an error when guacd is gone.
func (k *keeper) wait(until time.Time) error {
	var scrap [4096]byte
	for nop := time.Now(); ; {
		now := time.Now()
		if !now.Before(until) {
			return nil
		}
		if !now.Before(nop) {
			nop = now.Add(nopEvery)
			if err := k.say([]byte("3.nop;")); err != nil {
				return err
			}
		}
		k.line.SetReadDeadline(earlier(nop, until))
		if k.leaving.Load() { // leave sets its deadline after this one
			return nil
		}
		if _, err := k.line.Read(scrap[:]); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

func (k *keeper) say(instructions []byte) error {
	if len(instructions) == 0 {
		return nil
	}
	k.line.SetWriteDeadline(time.Now().Add(partingTimeout))
	_, err := k.line.Write(instructions)
	return err
}

// leave tells guacd that nobody holds the desktop any more.
func (k *keeper) leave() {
	k.leaving.Store(true)
	k.line.SetReadDeadline(time.Unix(1, 0))
	<-k.left
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
