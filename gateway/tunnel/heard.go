package tunnel

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// heard is what guacd has said that decides what the browser may answer.
type heard struct {
	sync    atomic.Int64 // newest frame of this guacd, its clock in ms
	anySync atomic.Int64 // newest frame of any guacd that was tried

	mu      sync.Mutex
	asked   []string      // arguments that guacd requires and nobody has given
	ever    bool          // guacd has required something
	changed time.Duration // of the desktop's life, when asked changed last
	now     func() time.Duration
}

// require remembers that guacd waits for these arguments.
func (h *heard) require(names []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked, h.ever = names, true
	h.changed = h.now()
}

// answer takes name off the list, and says whether it was on it.
func (h *heard) answer(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.Index(h.asked, name)
	if i < 0 {
		return false
	}
	h.asked = slices.Delete(h.asked, i, i+1)
	h.changed = h.now()
	return true
}

// asking says whether the person is being asked, and when that changed last.
func (h *heard) asking() (asking bool, changed time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.asked) > 0, h.changed
}

// everAsked says whether the person was ever asked.
func (h *heard) everAsked() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ever
}

// frame notes a frame of guacd.
func (h *heard) frame(timestamp int64) {
	h.sync.Store(timestamp)
	if timestamp > h.anySync.Load() {
		h.anySync.Store(timestamp)
	}
}
