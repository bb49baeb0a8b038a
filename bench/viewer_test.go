package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestScanner(t *testing.T) {
	const stream = "4.name,3.å;ä;0.,4.ping,2.42;4.sync,13.1700000000000,1.0;"
	for name, from := range map[string]io.Reader{
		"all at once": strings.NewReader(stream), "byte by byte": iotest.OneByteReader(strings.NewReader(stream)),
	} {
		t.Run(name, func(t *testing.T) {
			in := scan(from)
			for _, want := range []struct{ opcode, instruction string }{
				{"name", "4.name,3.å;ä;"}, {"", "0.,4.ping,2.42;"}, {"sync", "4.sync,13.1700000000000,1.0;"},
			} {
				opcode, instruction, err := in.next()
				if opcode != want.opcode || string(instruction) != want.instruction || err != nil {
					t.Errorf("%q %q, %v; want %q", opcode, instruction, err, want)
				}
			}
			if _, _, err := in.next(); !errors.Is(err, io.EOF) {
				t.Errorf("at the end: %v", err)
			}
		})
	}
	if _, _, err := scan(strings.NewReader("HTTP/1.1 400 Bad Request")).next(); !errors.Is(err, errMalformed) {
		t.Errorf("something else: %v", err)
	}
}

func TestNumber(t *testing.T) {
	for _, test := range []struct {
		instruction string
		want        int64
		fails       bool
	}{
		{"4.sync,13.1700000000000,1.0;", 1700000000000, false},
		{"4.sync,1.7;", 7, false},
		{"5.mouse,1.x,1.0;", 0, true},
		{"3.nop;", 0, true},
	} {
		got, err := number([]byte(test.instruction))
		if got != test.want || (err != nil) != test.fails {
			t.Errorf("number(%s) = %d, %v", test.instruction, got, err)
		}
	}
}

// TestSlowLine: what is read has taken the time that the line needs for it.
func TestSlowLine(t *testing.T) {
	from, to := tcpPair(t)
	const size = 100_000
	go func() {
		_, _ = from.Write(make([]byte, size))
		_ = from.CloseWrite()
	}()
	began := time.Now()
	got, err := io.ReadAll(&slowLine{Conn: to})
	if err != nil || len(got) != size {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if least := (size - lineWindow) * time.Second / lineSpeed; time.Since(began) < least {
		t.Errorf("it took %v, want at least %v", time.Since(began), least)
	}
}
