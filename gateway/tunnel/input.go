package tunnel

import (
	"hash/maphash"
	"strconv"
)

// maxSide is the longest side of a desktop, in pixels.
const maxSide = 8192

// input judges keys and pointers, and says whether a person moved them: a
// screen that moves by itself makes the browser repeat positions.
func (f *inFilter) input(in *instruction) (pass bool, err error) {
	switch string(in.opcode) {
	case "key":
		err = f.key(in)
	case "mouse":
		err = f.mouse(in)
	case "touch":
		err = f.touch(in)
	}
	return err == nil && !f.policy.ReadOnly, err
}

func (f *inFilter) key(in *instruction) error {
	err := f.numbers(in, span{0, 0, 0x1FFFFFFF}, span{1, 0, 1}) // X11 keysyms have 29 bits
	if err != nil {
		return err
	}
	if !f.policy.ReadOnly {
		keysym, _ := parseNumber(in.arg(0))
		down, _ := parseNumber(in.arg(1))
		f.pressed.key(keysym, down == 1)
	}
	f.human = true
	return nil
}

func (f *inFilter) mouse(in *instruction) error {
	err := f.numbers(in, span{0, -1 << 15, 1<<15 - 1}, span{1, -1 << 15, 1<<15 - 1}, span{2, 0, 0xFF})
	if err != nil {
		return err
	}
	var now [3]int64
	for i := range now {
		now[i], _ = parseNumber(in.arg(i))
	}
	f.human = f.human || now != f.pressed.pointer
	f.pressed.pointer = now
	return nil
}

// touch has id, x, y, radii in pixels, angle in degrees, force 0 to 1.
func (f *inFilter) touch(in *instruction) error {
	err := f.numbers(in, span{0, -1 << 31, 1<<31 - 1}, span{1, -1 << 15, 1<<15 - 1}, span{2, -1 << 15, 1<<15 - 1},
		span{3, 0, 1<<15 - 1}, span{4, 0, 1<<15 - 1})
	if err != nil {
		return err
	}
	if !isDecimal(in.arg(5)) || !isDecimal(in.arg(6)) {
		return f.malformed(in)
	}
	f.human = f.human || f.touched.changed(in)
	return nil
}

// touchMemory remembers the last state of up to 16 fingers.
type touchMemory struct {
	seed   maphash.Seed
	states [16]uint64
}

func (m *touchMemory) changed(in *instruction) bool {
	if m.seed == (maphash.Seed{}) {
		m.seed = maphash.MakeSeed()
	}
	id, _ := parseNumber(in.arg(0))
	state := &m.states[id&15]
	was := *state
	*state = maphash.Bytes(m.seed, in.raw)
	return *state != was
}

// isDecimal says whether b is a finite number as JavaScript prints it.
func isDecimal(b []byte) bool {
	if len(b) == 0 || len(b) > 32 {
		return false
	}
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9', c == '.', c == '-', c == '+', c == 'e':
		default:
			return false
		}
	}
	_, err := strconv.ParseFloat(string(b), 64)
	return err == nil
}
