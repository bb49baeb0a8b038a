package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"unicode/utf8"

	"github.com/ulikunitz/xz"
)

// recordings is where a recording of office work may lie beside the checkout.
// Without one the benchmark makes a stream of the same shape.
const recordings = "../../*/streams/office.guac.xz"

// maxRecording bounds what a recording may unpack to.
const maxRecording = 256 << 20

// mixedStream is what the fake guacd sends, over and over, and what it is. A
// recording that was asked for must be there.
func mixedStream(path string) (stream []byte, source string, err error) {
	if path == "" {
		found, err := filepath.Glob(filepath.FromSlash(recordings))
		if err != nil {
			return nil, "", err
		}
		if len(found) == 0 {
			return syntheticStream(), "made office mix", nil
		}
		path = found[0]
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer file.Close()
	reader, err := xz.NewReader(file)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	raw, err := io.ReadAll(io.LimitReader(reader, maxRecording))
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	stream, err = playable(raw)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	return stream, "recorded office work", nil
}

// playable is a recording that can be sent over and over: its whole
// instructions, without those that would end the desktop. A recording may stop
// in the middle of one.
func playable(recording []byte) ([]byte, error) {
	stream := make([]byte, 0, len(recording))
	for at := 0; at < len(recording); {
		length, opcode, err := instructionAt(recording[at:])
		if errors.Is(err, errCut) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("byte %d: %w", at, err)
		}
		if opcode != "disconnect" && opcode != "error" {
			stream = append(stream, recording[at:at+length]...)
		}
		at += length
	}
	if len(stream) == 0 {
		return nil, errors.New("no whole instruction in it")
	}
	return stream, nil
}

var (
	errCut       = errors.New("the instruction goes on beyond the end")
	errMalformed = errors.New("that is no Guacamole instruction")
)

// instructionAt is the length in bytes and the opcode of the instruction that
// b begins with. Elements are counted in code points, and may hold any
// character, the semicolon too.
func instructionAt(b []byte) (length int, opcode string, err error) {
	for first := true; ; first = false {
		dot := bytes.IndexByte(b[length:min(len(b), length+6)], '.')
		if dot < 0 {
			if len(b)-length < 6 {
				return 0, "", errCut
			}
			return 0, "", errMalformed
		}
		runes, err := strconv.ParseUint(string(b[length:length+dot]), 10, 16)
		if err != nil {
			return 0, "", errMalformed
		}
		start := length + dot + 1
		end := start
		for ; runes > 0; runes-- {
			if !utf8.FullRune(b[end:]) {
				return 0, "", errCut
			}
			_, size := utf8.DecodeRune(b[end:])
			end += size
		}
		if end == len(b) {
			return 0, "", errCut
		}
		if first {
			opcode = string(b[start:end])
		}
		length = end + 1
		switch b[end] {
		case ';':
			return length, opcode, nil
		case ',':
		default:
			return 0, "", errMalformed
		}
	}
}

// syntheticStream is about 10 MB in the proportions of office work: most bytes
// in picture blobs of up to 6 KiB, most instructions small.
func syntheticStream() []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	element := func(s string) string { return fmt.Sprintf("%d.%s", len(s), s) }
	for stamp := 1; b.Len() < 10<<20; stamp++ {
		for range 1 + random.IntN(3) {
			b.WriteString("3.img,1.3,2.14,1.0,9.image/png,2.64,3.128;")
			for range 1 + random.IntN(2) {
				raw := make([]byte, 512+random.IntN(5000))
				for i := range raw {
					raw[i] = byte(random.Uint32())
				}
				b.WriteString("4.blob,1.3," + element(base64.StdEncoding.EncodeToString(raw)) + ";")
			}
			b.WriteString("3.end,1.3;")
		}
		for range random.IntN(6) {
			b.WriteString("4.copy,1.0,1.0,1.0,2.64,2.64,2.14,1.0,3.100,3.200;")
		}
		b.WriteString("4.sync," + element(fmt.Sprint(1_700_000_000_000+stamp*40)) + ",1.0;")
	}
	return b.Bytes()
}

// smallStream is 128 KiB of small instructions: cursor moves, rectangles,
// fills. It is short so that a relay that needs much CPU can get little of it.
func smallStream() []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < 128<<10; i++ {
		b.WriteString("4.rect,1.0,3.100,3.200,2.64,2.16;5.cfill,2.14,1.0,3.255,3.255,3.255,3.255;5.mouse,3.512,3.384;")
		if i%20 == 0 {
			b.WriteString("4.sync,13.1700000000000,1.0;")
		}
	}
	return b.Bytes()
}
