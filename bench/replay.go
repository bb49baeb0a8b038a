package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/ulikunitz/xz"
)

// recorded is a minute of office work from a real guacd, where it lies beside
// the checkout. Without it the benchmark makes a stream of the same shape.
const recorded = "../../shared/streams/office.guac.xz"

// replayStream is what the fake guacd sends, over and over, and what it is.
func replayStream() (stream []byte, source string, err error) {
	file, err := os.Open(filepath.FromSlash(recorded))
	if err != nil {
		return syntheticStream(), "synthetic office mix", nil
	}
	defer file.Close()
	reader, err := xz.NewReader(file)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", recorded, err)
	}
	var buffer bytes.Buffer
	if _, err := buffer.ReadFrom(reader); err != nil {
		return nil, "", fmt.Errorf("%s: %w", recorded, err)
	}
	return wholeInstructions(buffer.Bytes()), "recorded office work", nil
}

// wholeInstructions cuts a recording after its last whole instruction, and
// takes out what would end the desktop.
func wholeInstructions(b []byte) []byte {
	if cut := bytes.LastIndexByte(b, ';'); cut >= 0 {
		b = b[:cut+1]
	}
	return bytes.ReplaceAll(b, []byte("10.disconnect;"), nil)
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

// smallStream is 2 MB of small instructions: cursor moves, copies, fills.
func smallStream() []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < 2<<20; i++ {
		b.WriteString("4.rect,1.0,3.100,3.200,2.64,2.16;5.cfill,2.14,1.0,3.255,3.255,3.255,3.255;5.mouse,3.512,3.384;")
		if i%20 == 0 {
			b.WriteString("4.sync,13.1700000000000,1.0;")
		}
	}
	return b.Bytes()
}
