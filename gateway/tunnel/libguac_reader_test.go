package tunnel

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"stagedoor/testbed"
)

// libguac is guacd's own parser, in a program that testdata/libguac/reader.c
// makes of this machine's libguac.
type libguac struct {
	t   testing.TB
	in  io.Writer
	out *bufio.Reader
}

func newLibguac(t testing.TB) *libguac {
	t.Helper()
	testbed.Need(t, "libguac")
	program := filepath.Join(t.TempDir(), "reader")
	compiler := exec.Command("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-o", program, "testdata/libguac/reader.c", "-lguac")
	if said, err := compiler.CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, said)
	}
	reader := exec.Command(program)
	reader.Stderr = os.Stderr
	in, err := reader.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := reader.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := reader.Wait(); err != nil {
			t.Errorf("reader: %v", err)
		}
	})
	return &libguac{t: t, in: in, out: bufio.NewReader(out)}
}

// libguacOutcome is why libguac stopped to read.
type libguacOutcome uint32

const (
	libguacReadAll libguacOutcome = iota
	libguacRefused
	libguacOverflowed
	libguacAstray
)

// libguacReading is what libguac made of some bytes.
type libguacReading struct {
	instructions [][]string
	outcome      libguacOutcome
	rest         int // bytes after the last instruction
}

// clean says whether every byte belongs to an instruction.
func (r libguacReading) clean() bool { return r.outcome == libguacReadAll && r.rest == 0 }

func (r libguacReading) same(instructions [][]string) bool {
	return slices.EqualFunc(r.instructions, instructions, slices.Equal)
}

// read has a new parser read the chunks, one after the other, as from a socket.
func (l *libguac) read(chunks ...[]byte) (r libguacReading) {
	l.t.Helper()
	question := binary.BigEndian.AppendUint32(nil, uint32(len(chunks)))
	for _, chunk := range chunks {
		question = binary.BigEndian.AppendUint32(question, uint32(len(chunk)))
		question = append(question, chunk...)
	}
	if _, err := l.in.Write(question); err != nil {
		l.t.Fatalf("reader: %v", err)
	}
	for count := l.number(); count > 0; count = l.number() {
		elements := make([]string, count)
		for i := range elements {
			element := make([]byte, l.number())
			if _, err := io.ReadFull(l.out, element); err != nil {
				l.t.Fatalf("reader: %v", err)
			}
			elements[i] = string(element)
		}
		r.instructions = append(r.instructions, elements)
	}
	r.outcome = libguacOutcome(l.number())
	r.rest = int(l.number())
	return r
}

func (l *libguac) number() uint32 {
	l.t.Helper()
	var b [4]byte
	if _, err := io.ReadFull(l.out, b[:]); err != nil {
		l.t.Fatalf("reader: %v", err)
	}
	return binary.BigEndian.Uint32(b[:])
}
