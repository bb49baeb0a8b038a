package tunnel

import (
	"strconv"

	"github.com/wwt/guac"
)

// maxStreams is guacd's GUAC_USER_MAX_STREAMS: the streams that a browser may
// have open at once.
const maxStreams = 64

// maxAnswer bounds the base64 of one answer to required: 3 KiB of password.
const maxAnswer = 4096

// inStream is a stream that the browser opened.
type inStream struct {
	use  streamUse
	left int16 // base64 bytes that an answer may still have
}

type streamUse byte

const (
	streamUnknown   streamUse = iota // never opened: a blob on it is an error
	streamOver                       // refused or ended: what still comes is dropped
	streamClipboard                  // open
	streamTransfer
	streamAnswer
)

// open judges what opens a stream. A refusal is an ack, so that the page does
// not wait for ever.
func (f *inFilter) open(in *instruction) (bool, error) {
	streamArg := 0
	if string(in.opcode) == "put" {
		if err := f.numbers(in, span{0, 0, 1<<31 - 1}); err != nil {
			return false, err
		}
		streamArg = 1
	}
	index, ok := parseIndex(in.arg(streamArg))
	if !ok {
		return false, f.malformed(in)
	}
	if index >= maxStreams {
		f.refuse(index, guac.ClientTooMany)
		return false, nil
	}
	use := f.allowed(in)
	f.streams[index] = inStream{use: use, left: maxAnswer}
	switch use {
	case streamOver:
		f.refuse(index, guac.ClientForbidden)
		return false, nil
	case streamClipboard:
		f.pasting.Reset()
		f.pasting.Write(in.arg(1))
	case streamTransfer:
		f.human = f.human || string(in.opcode) != "audio"
	}
	return true, nil
}

// allowed is the use that the policy permits an opener, or streamOver.
func (f *inFilter) allowed(in *instruction) streamUse {
	write := !f.policy.ReadOnly
	switch string(in.opcode) {
	case "clipboard":
		if f.policy.Paste && write {
			return streamClipboard
		}
	case "file", "put", "pipe":
		if f.policy.Upload && write {
			return streamTransfer
		}
	case "audio":
		if f.policy.AudioIn && write {
			return streamTransfer
		}
	case "argv":
		if f.heard.answer(string(in.arg(2))) {
			return streamAnswer
		}
	}
	return streamOver
}

func (f *inFilter) blob(in *instruction) (bool, error) {
	stream, err := f.stream(in)
	if err != nil {
		return false, err
	}
	switch stream.use {
	case streamOver:
		return false, nil
	case streamClipboard:
		f.pasting.Write(in.arg(1))
	case streamAnswer:
		if stream.left -= int16(len(in.arg(1))); stream.left < 0 {
			return false, endOverrun.because("answer over %d bytes", maxAnswer)
		}
	}
	return true, nil
}

func (f *inFilter) end(in *instruction) (bool, error) {
	stream, err := f.stream(in)
	if err != nil {
		return false, err
	}
	use := stream.use
	stream.use = streamOver
	if use == streamClipboard {
		// The page sends the clipboard by itself whenever its window gets
		// the focus; only a clipboard that changed shows a person.
		hash := f.pasting.Sum64()
		f.human = f.human || hash != f.pasted
		f.pasted = hash
	}
	return use != streamOver, nil
}

// stream finds the stream of a blob or end.
func (f *inFilter) stream(in *instruction) (*inStream, error) {
	index, ok := parseIndex(in.arg(0))
	switch {
	case !ok:
		return nil, f.malformed(in)
	case index >= maxStreams: // every opener was refused
		return &inStream{use: streamOver}, nil
	case f.streams[index].use == streamUnknown:
		return nil, endBadProtocol.because("%s on stream %d, which was never opened", in.opcode, index)
	}
	return &f.streams[index], nil
}

// refuse answers an opener that the policy forbids.
func (f *inFilter) refuse(index int, status guac.Status) {
	f.acks = appendInstruction(f.acks, "ack", strconv.Itoa(index), "Refused by the gateway", reason(status))
}
