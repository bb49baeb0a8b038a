package tunnel

import (
	"slices"
	"strconv"
)

// maxPressed is more keys than anybody has fingers; further ones are forgotten.
const maxPressed = 16

// pressed is what a browser has pressed and not let go of. guacd keeps it so
// when the browser is lost: whoever comes back would find Ctrl held down.
type pressed struct {
	keys    []int64  // X11 keysyms that guacd was told
	pointer [3]int64 // last x, y, buttons
}

// key notes that a key went down or up.
func (p *pressed) key(keysym int64, down bool) {
	at := slices.Index(p.keys, keysym)
	switch {
	case down && at < 0 && len(p.keys) < maxPressed:
		p.keys = append(p.keys, keysym)
	case !down && at >= 0:
		p.keys = slices.Delete(p.keys, at, at+1)
	}
}

// release is the instructions that let go of everything.
func (p *pressed) release() (out []byte) {
	for _, keysym := range p.keys {
		out = appendInstruction(out, "key", strconv.FormatInt(keysym, 10), "0")
	}
	if p.pointer[2] != 0 {
		out = appendInstruction(out, "mouse", strconv.FormatInt(p.pointer[0], 10), strconv.FormatInt(p.pointer[1], 10), "0")
	}
	p.keys, p.pointer[2] = p.keys[:0], 0
	return out
}
