package tunnel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"unicode/utf8"
)

// Limits of guacd's own parser (libguac/guacamole/parser-constants.h).
const (
	maxElementRunes = 8192     // code points in an element
	maxElements     = 128      // elements in an instruction, the opcode included
	maxInstruction  = 32 << 10 // bytes in an instruction
)

// keptElements is how many elements of an instruction can be looked at: the
// longest that the tunnel knows is touch, an opcode and seven arguments.
const keptElements = 8

// Ways in which bytes are not an instruction.
var (
	errIncomplete   = errors.New("instruction is not complete")
	errLength       = errors.New("element length is not 1 to 5 digits without a leading zero")
	errElementLong  = errors.New("element is over 8192 code points")
	errElementsMany = errors.New("instruction has over 128 elements")
	errTooLong      = errors.New("instruction is over 32 KiB")
	errTerminator   = errors.New("element does not end with a comma or semicolon")
)

// instruction is one parsed instruction. Its slices lie in the parsed buffer.
type instruction struct {
	raw      []byte // from the first length digit to the semicolon
	opcode   []byte
	elements [keptElements][]byte
	count    int // elements it has, the opcode included; may exceed keptElements
}

// argc is the number of arguments.
func (in *instruction) argc() int { return in.count - 1 }

// arg is argument i, or nil where there is none.
func (in *instruction) arg(i int) []byte {
	if i+1 >= in.count || i+1 >= keptElements {
		return nil
	}
	return in.elements[i+1]
}

// parse reads the first instruction of b, which must be valid UTF-8 without
// NUL where b is not trusted. It returns errIncomplete when b ends too early.
func (in *instruction) parse(b []byte) error {
	in.count = 0
	for at := 0; ; {
		length, digits := 0, 1
		if at+1 < len(b) && b[at+1] == '.' && b[at]-'0' <= 9 {
			length = int(b[at] - '0') // as most are
		} else {
			var err error
			if length, digits, err = parseLength(b[at:]); err != nil {
				return err
			}
		}
		if in.count == maxElements {
			return errElementsMany
		}
		start := at + digits + 1
		end := skipRunes(b, start, length)
		if end >= maxInstruction {
			return errTooLong
		}
		if end >= len(b) {
			return errIncomplete
		}
		if in.count < keptElements {
			in.elements[in.count] = b[start:end:end]
		}
		in.count++
		at = end + 1
		switch b[end] {
		case ',':
		case ';':
			in.raw, in.opcode = b[:at:at], in.elements[0]
			return nil
		default:
			return errTerminator
		}
	}
}

// parseTrusted is parse for guacd's side: it steps over a blob's base64
// without looking at it.
func (in *instruction) parseTrusted(b []byte) error {
	if len(b) < len("4.blob,1.0,1.") || string(b[:7]) != "4.blob," {
		return in.parse(b)
	}
	at := len("4.blob,")
	indexLength, digits, err := parseLength(b[at:])
	if err != nil {
		return err
	}
	indexAt := at + digits + 1
	at = indexAt + indexLength
	if at >= len(b) || b[at] != ',' {
		return in.parse(b)
	}
	if _, ok := parseIndex(b[indexAt:at]); !ok { // bytes may not count
		return in.parse(b)
	}
	length, digits, err := parseLength(b[at+1:])
	if err != nil {
		return err
	}
	start := at + 1 + digits + 1
	end := start + length
	if end >= len(b) {
		return errIncomplete
	}
	if b[end] != ';' {
		return in.parse(b)
	}
	in.count = 3
	in.elements[0], in.elements[1], in.elements[2] = b[2:6:6], b[indexAt:at:at], b[start:end:end]
	in.raw, in.opcode = b[:end+1:end+1], in.elements[0]
	return nil
}

// isDrawing says whether an opcode draws, or clears up after drawing, with
// numbers alone and has no further meaning for the filter: most of what guacd
// sends beside blobs.
func isDrawing(opcode []byte) bool {
	switch string(opcode) {
	case "arc", "cfill", "clip", "close", "copy", "cstroke", "cursor", "curve", "dispose", "distort", "identity", "lfill",
		"line", "lstroke", "mouse", "move", "nop", "pop", "push", "rect", "reset", "shade", "size", "start", "transfer",
		"transform", "undefine":
		return true
	}
	return false
}

// skipDrawing returns the length of the instruction that b starts with if
// isDrawing. Otherwise, or if b ends too early, it returns 0 and leaves the
// verdict to parseTrusted. Numbers are ASCII, so that bytes count, and hold no
// semicolon: the end is looked for first, so that the processor can begin with
// the next instruction while it still checks the lengths in this one.
func skipDrawing(b []byte) int {
	if len(b) < 8 || b[1] != '.' || b[0] < '3' || b[0] > '9' {
		return 0
	}
	at := 2 + int(b[0]-'0')
	if at >= len(b) || !isDrawing(b[2:at]) {
		return 0
	}
	end := bytes.IndexByte(b, ';')
	if end < 0 {
		return 0
	}
	b = b[:end+1]
	for at+2 < len(b) && b[at] == ',' {
		length := b[at+1] - '0'
		at += 2
		if b[at] != '.' && length > 0 && length < 10 && at+1 < len(b) {
			ones := b[at] - '0'
			if ones > 9 {
				return 0
			}
			length = length*10 + ones
			at++
		}
		if length > 99 || b[at] != '.' {
			return 0
		}
		at += 1 + int(length)
	}
	if at != end {
		return 0
	}
	return end + 1
}

// parseLength reads the digits before an element's dot.
func parseLength(b []byte) (length, digits int, err error) {
	for digits < len(b) {
		c := b[digits]
		if c == '.' {
			break
		}
		if c < '0' || c > '9' || digits == 5 || digits == 1 && b[0] == '0' {
			return 0, 0, errLength
		}
		length = length*10 + int(c-'0')
		digits++
	}
	switch {
	case digits == len(b):
		return 0, 0, errIncomplete
	case digits == 0:
		return 0, 0, errLength
	case length > maxElementRunes:
		return 0, 0, errElementLong
	}
	return length, digits, nil
}

// skipRunes returns where the n code points that start at b[at] end. Like
// guacd it goes by the lead byte alone. When b ends first, the answer is
// len(b) or more.
func skipRunes(b []byte, at, n int) int {
	end := at + n
	if end > len(b) {
		return end
	}
	i := at
	for ; end-i >= 8; i += 8 {
		if binary.LittleEndian.Uint64(b[i:])&0x8080808080808080 != 0 {
			return skipWideRunes(b, i, end-i)
		}
	}
	for ; i < end; i++ {
		if b[i] >= utf8.RuneSelf {
			return skipWideRunes(b, i, end-i)
		}
	}
	return end
}

func skipWideRunes(b []byte, at, n int) int {
	for ; n > 0 && at < len(b); n-- {
		at += runeSize(b[at])
	}
	return at + n
}

// runeSize is guac_utf8_charsize (libguac/unicode.c).
func runeSize(lead byte) int {
	switch {
	case lead&0xE0 == 0xC0:
		return 2
	case lead&0xF0 == 0xE0:
		return 3
	case lead&0xF8 == 0xF0:
		return 4
	}
	return 1
}

// appendInstruction appends an instruction to dst. The elements must be valid
// UTF-8: lengths count code points.
func appendInstruction(dst []byte, elements ...string) []byte {
	for i, element := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(utf8.RuneCountInString(element)), 10)
		dst = append(dst, '.')
		dst = append(dst, element...)
	}
	return append(dst, ';')
}

// repaired returns in with invalid UTF-8 replaced by U+FFFD. guacd passes on
// names that a Windows server chose, half surrogates among them, and a browser
// drops the whole WebSocket for one invalid byte.
func (in *instruction) repaired() []byte {
	var elements []string
	for at := 0; at < len(in.raw); {
		length, digits, _ := parseLength(in.raw[at:])
		start := at + digits + 1
		end := skipRunes(in.raw, start, length)
		elements = append(elements, string(bytes.ToValidUTF8(in.raw[start:end], []byte("\uFFFD"))))
		at = end + 1
	}
	return appendInstruction(nil, elements...)
}

// parseNumber reads a decimal integer of at most 18 digits, with a minus sign
// if it is negative and nothing else.
func parseNumber(b []byte) (int64, bool) {
	digits, negative := b, false
	if len(b) > 0 && b[0] == '-' {
		digits, negative = b[1:], true
	}
	if len(digits) == 0 || len(digits) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// parseIndex reads a stream, object or layer number: 0 to 2^31-1.
func parseIndex(b []byte) (int, bool) {
	n, ok := parseNumber(b)
	return int(n), ok && n >= 0 && n < 1<<31
}
