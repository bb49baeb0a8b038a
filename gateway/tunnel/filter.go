package tunnel

import (
	"bytes"
	"hash/maphash"
	"unicode/utf8"
)

// inFilter decides what a browser's message may tell guacd. It believes
// nothing: guacd's handlers check neither argument counts nor numbers, and its
// parser reads a NUL, an overlong length or invalid UTF-8 in its own way.
type inFilter struct {
	policy Policy
	heard  *heard

	streams [maxStreams]inStream
	touched touchMemory
	pressed pressed
	pasting maphash.Hash
	pasted  uint64 // hash of the last clipboard that came

	// What check learned from one message.
	forward []byte // whole checked instructions, in the message's own memory
	ping    []byte // the last ping, to be echoed
	acks    []byte // refusals of streams, for the browser
	human   bool   // a person did something
	shown   string // the notice that the page says to have shown, or ""
	count   int    // instructions in the message
}

// check judges one text message. On error nothing of it may be used.
func (f *inFilter) check(message []byte) error {
	f.forward, f.ping, f.acks, f.human, f.shown, f.count = nil, f.ping[:0], f.acks[:0], false, "", 0
	switch {
	case len(message) == 0:
		return endBadProtocol.because("empty message")
	case !utf8.Valid(message):
		return endBadProtocol.because("invalid UTF-8")
	case bytes.IndexByte(message, 0) >= 0:
		return endBadProtocol.because("NUL")
	}
	var in instruction
	kept := 0
	for rest := message; len(rest) > 0; rest = rest[len(in.raw):] {
		if err := in.parse(rest); err != nil {
			return endBadProtocol.because("%v", err)
		}
		f.count++
		pass, err := f.judge(&in)
		if err != nil {
			return err
		}
		if pass {
			kept += copy(message[kept:], in.raw)
		}
	}
	f.forward = message[:kept]
	return nil
}

// arguments is how many arguments an opcode of the allow-list takes, or -1.
func arguments(opcode []byte) int {
	switch string(opcode) {
	case "nop", "disconnect":
		return 0
	case "sync", "end":
		return 1
	case "", "key", "size", "blob", "clipboard", "audio", "get":
		return 2
	case "mouse", "ack", "file", "pipe", "argv":
		return 3
	case "put":
		return 4
	case "touch":
		return 7
	}
	return -1
}

// judge says whether guacd gets the instruction.
func (f *inFilter) judge(in *instruction) (pass bool, err error) {
	switch want := arguments(in.opcode); {
	case want < 0:
		return false, endForbidden.because("opcode %.20q", in.opcode)
	case want != in.argc():
		return false, endBadProtocol.because("%s with %d arguments", in.opcode, in.argc())
	}
	switch string(in.opcode) {
	case "nop":
		return true, nil
	case "disconnect":
		return false, endDisconnect
	case "":
		return false, f.internal(in)
	case "sync":
		return f.sync(in)
	case "ack":
		return true, f.numbers(in, span{0, 0, 1<<31 - 1}, span{2, 0, 0xFFFF})
	case "key", "mouse", "touch":
		return f.input(in)
	case "size":
		return f.size(in)
	case "get":
		return f.get(in)
	case "blob":
		return f.blob(in)
	case "end":
		return f.end(in)
	}
	return f.open(in)
}

// internal is what the browser's tunnel says to this one: ping, shown of a notice
// that is on the page, and leave from a page that its person leaves for another
// one of ours.
func (f *inFilter) internal(in *instruction) error {
	if id := in.arg(1); string(in.arg(0)) == "shown" && isNoticeID(id) {
		f.shown = string(id)
		return nil
	}
	if string(in.arg(0)) == "leave" && len(in.arg(1)) == 0 {
		return endLeft
	}
	if n, ok := parseNumber(in.arg(1)); string(in.arg(0)) != "ping" || !ok || n < 0 {
		return endBadProtocol.because("internal instruction %.20q", in.arg(0))
	}
	f.ping = append(f.ping[:0], in.raw...)
	return nil
}

// isNoticeID says whether b can be a notice's id: as rand.Text makes them.
func isNoticeID(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return 0 < len(b) && len(b) <= 40
}

// sync confirms a frame. guacd ends a user who confirms one from the future,
// which the frame of a guacd that was tried before may be.
func (f *inFilter) sync(in *instruction) (bool, error) {
	n, ok := parseNumber(in.arg(0))
	if !ok || n < 0 || n > f.heard.anySync.Load() {
		return false, endBadProtocol.because("sync %.20q was never sent", in.arg(0))
	}
	return n <= f.heard.sync.Load(), nil
}

// size asks for another desktop size. A hidden window has none: what cannot be
// a size is dropped.
func (f *inFilter) size(in *instruction) (bool, error) {
	width, okWidth := parseNumber(in.arg(0))
	height, okHeight := parseNumber(in.arg(1))
	if !okWidth || !okHeight {
		return false, f.malformed(in)
	}
	fits := width >= 1 && width <= maxSide && height >= 1 && height <= maxSide
	return fits && !f.policy.ReadOnly, nil
}

// get asks for a directory or a file of a file system that guacd offered; the
// answer (body) is filtered on its way out.
func (f *inFilter) get(in *instruction) (bool, error) {
	if !f.policy.Upload && !f.policy.Download {
		return false, endForbidden.because("get")
	}
	f.human = true
	return true, f.numbers(in, span{0, 0, 1<<31 - 1})
}

// span is the range of argument arg.
type span struct {
	arg      int
	min, max int64
}

// numbers checks that arguments are integers of their ranges.
func (f *inFilter) numbers(in *instruction, spans ...span) error {
	for _, s := range spans {
		if n, ok := parseNumber(in.arg(s.arg)); !ok || n < s.min || n > s.max {
			return f.malformed(in)
		}
	}
	return nil
}

// malformed names the opcode only: arguments are people's keys.
func (f *inFilter) malformed(in *instruction) error {
	return endBadProtocol.because("malformed %s", in.opcode)
}
