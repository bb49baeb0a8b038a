package tunnel

import (
	"unicode/utf8"

	"github.com/wwt/guac"
)

// directoryType is the media type of a directory listing in a body; any other
// body is a file's content.
const directoryType = "application/vnd.glyptodon.guacamole.stream-index+json"

// printType is the media type of guacd's virtual printer. Its drive sends
// every file as application/octet-stream.
const printType = "application/pdf"

// outFilter decides what of guacd's stream the browser gets. guacd is trusted
// to frame its blobs, not to keep the target's policy.
type outFilter struct {
	policy Policy
	heard  *heard

	streams [4]uint64 // bit set: the stream's opener has passed
	drawn   bool      // a picture was drawn on a visible layer
	framed  bool      // and its frame is complete

	acks []byte // for guacd: refusals of streams that wait for one
}

// filter goes through the whole instructions at the start of b, moves those
// that pass to the front of b, and says how many bytes pass and how many of b
// are used up. An error is an ending; what passed before it still counts.
func (f *outFilter) filter(b []byte) (passed, used int, err error) {
	f.acks = f.acks[:0]
	var in instruction
	kept := 0 // where the current run of passing instructions starts
	for used < len(b) && err == nil {
		if f.drawn {
			if n := skipDrawing(b[used:]); n > 0 {
				used += n
				continue
			}
		}
		if bad := in.parseTrusted(b[used:]); bad == errIncomplete {
			break
		} else if bad != nil {
			err = endGuacdProtocol.because("%v", bad)
			break
		}
		var pass bool
		var instead []byte
		if pass, err = f.judge(&in); pass && isText(in.opcode) && !utf8.Valid(in.raw) {
			pass, instead = false, in.repaired()
		}
		next := used + len(in.raw)
		if !pass {
			passed += move(b, passed, kept, used)
			if len(instead) <= len(in.raw) {
				passed += copy(b[passed:], instead)
			}
			kept = next
		}
		used = next
	}
	return passed + move(b, passed, kept, used), used, err
}

// move copies b[from:to] down to b[at:] unless it lies there already.
func move(b []byte, at, from, to int) int {
	if at == from {
		return to - from
	}
	return copy(b[at:], b[from:to])
}

// isText says whether an instruction carries text that is not guacd's own.
func isText(opcode []byte) bool {
	switch string(opcode) {
	case "ack", "argv", "body", "clipboard", "file", "filesystem", "msg", "name", "pipe", "required", "set":
		return true
	}
	return false
}

// judge says whether the browser gets the instruction.
func (f *outFilter) judge(in *instruction) (pass bool, ending error) {
	switch string(in.opcode) {
	case "blob", "end":
		return f.data(in), nil
	case "ack", "msg", "name", "set":
		return true, nil
	case "cfill", "png", "jpeg": // mask, layer, ...
		f.picture(in.arg(1))
		return true, nil
	case "img": // stream, mask, layer, ...
		f.picture(in.arg(2))
		return f.begin(in, in.arg(0), true)
	case "sync":
		return f.sync(in)
	case "required":
		f.require(in)
		return true, nil
	case "error":
		return false, guacdError(in)
	case "disconnect":
		return false, endLogoff
	case "clipboard", "file", "body", "filesystem", "audio", "video", "pipe", "argv":
		return f.open(in)
	}
	return isDrawing(in.opcode), nil // the rest is unknown to the browser client, or not for it
}

// data judges blob and end by their opener.
func (f *outFilter) data(in *instruction) bool {
	index, ok := parseIndex(in.arg(0))
	if !ok || index >= 64*len(f.streams) {
		return false
	}
	word, bit := &f.streams[index/64], uint64(1)<<(index%64)
	open := *word&bit != 0
	if string(in.opcode) == "end" {
		*word &^= bit
	}
	return open
}

// picture notes that something was drawn where it can be seen: layers below
// zero are buffers, such as the pointer's.
func (f *outFilter) picture(layer []byte) {
	f.drawn = f.drawn || len(layer) > 0 && layer[0] != '-'
}

func (f *outFilter) sync(in *instruction) (pass bool, ending error) {
	timestamp, ok := parseNumber(in.arg(0))
	if !ok {
		return false, endGuacdProtocol.because("sync without a time")
	}
	f.heard.frame(timestamp)
	f.framed = f.framed || f.drawn
	return true, nil
}

func (f *outFilter) require(in *instruction) {
	var names []string
	for i := range min(in.argc(), keptElements-1) {
		names = append(names, string(in.arg(i)))
	}
	f.heard.require(names)
}

// open judges what opens a stream or an object to the browser.
func (f *outFilter) open(in *instruction) (pass bool, ending error) {
	stream, allowed, waits := in.arg(0), true, false
	switch string(in.opcode) {
	case "clipboard":
		allowed = f.policy.Copy
	case "file":
		waits = true
		allowed = f.policy.Download
		if string(in.arg(1)) == printType {
			allowed = f.policy.Print
		}
	case "body":
		stream, waits = in.arg(1), true
		allowed = f.policy.Download || f.policy.Upload && string(in.arg(2)) == directoryType
	case "filesystem":
		return f.policy.Download || f.policy.Upload, nil
	case "audio":
		allowed = f.policy.AudioOut
	case "pipe":
		allowed = f.policy.Download
	}
	if pass, ending = f.begin(in, stream, allowed); !allowed && waits && ending == nil {
		f.acks = appendInstruction(f.acks, "ack", string(stream), "Refused by the gateway", reason(guac.ClientForbidden))
	}
	return pass, ending
}

// begin opens a stream, or makes sure that its number is shut.
func (f *outFilter) begin(in *instruction, stream []byte, allowed bool) (pass bool, ending error) {
	index, ok := parseIndex(stream)
	if !ok || index >= 64*len(f.streams) {
		return false, endGuacdProtocol.because("%s on stream %.20q", in.opcode, stream)
	}
	word, bit := &f.streams[index/64], uint64(1)<<(index%64)
	if allowed {
		*word |= bit
	} else {
		*word &^= bit
	}
	return allowed, nil
}
