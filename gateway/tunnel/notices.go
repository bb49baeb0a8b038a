package tunnel

import (
	"errors"
	"slices"
	"sync"
)

// Notices are words for the person at a desktop, over its picture. They outlive
// a WebSocket: what no page has said to have shown is told to the next one.
//
//	notices := &tunnel.Notices{Shown: func(id string) { ... }}
//	options.Notices = notices            // of every Serve of this desktop
//	err := notices.Say(tunnel.Notice{ID: "...", Text: "..."})
//
// The page gets the instruction helpdesk,ID,TEXT, which guacd cannot send (see
// outFilter), and answers 0.,5.shown,ID.
type Notices struct {
	Shown func(id string) // called once for each, from the goroutine that hears the browser

	mu      sync.Mutex
	waiting []Notice
	to      *downlink // nil: no page shows the desktop
	telling sync.WaitGroup
}

// Notice is one of them.
type Notice struct {
	ID   string // letters and digits; what comes back when it is shown
	Text string // plain, of people: at most 300 characters are sensible
}

// maxNotices wait for a page; more than these nobody would read.
const maxNotices = 5

// ErrNotices: as many wait for a page as may.
var ErrNotices = errors.New("tunnel: too many notices wait for the page")

// Say tells the page, or the next one that comes. It does not wait for either.
func (n *Notices) Say(notice Notice) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) >= maxNotices {
		return ErrNotices
	}
	n.waiting = append(n.waiting, notice)
	if to := n.to; to != nil {
		n.telling.Go(func() { to.post(nil, notice.instruction()) }) // a slow line must not hold up who says it
	}
	return nil
}

func (n Notice) instruction() []byte { return appendInstruction(nil, "helpdesk", n.ID, n.Text) }

// attach has a WebSocket told from now on, and first of what waits.
func (n *Notices) attach(to *downlink) error {
	if n == nil {
		return nil
	}
	n.mu.Lock()
	n.to = to
	var all []byte
	for _, notice := range n.waiting {
		all = append(all, notice.instruction()...)
	}
	n.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	return to.send(all)
}

// detach lets go of a WebSocket that is closed; afterwards nothing writes to it.
func (n *Notices) detach() {
	if n == nil {
		return
	}
	n.mu.Lock()
	n.to = nil
	n.mu.Unlock()
	n.telling.Wait()
}

// shown is what a page says; one that was never said is nothing.
func (n *Notices) shown(id string) {
	if n == nil {
		return
	}
	n.mu.Lock()
	before := len(n.waiting)
	n.waiting = slices.DeleteFunc(n.waiting, func(notice Notice) bool { return notice.ID == id })
	was := len(n.waiting) < before
	n.mu.Unlock()
	if was && n.Shown != nil {
		n.Shown(id)
	}
}
