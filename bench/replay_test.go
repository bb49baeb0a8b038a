package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

func TestPlayable(t *testing.T) {
	for _, test := range []struct {
		name, recording, want string
		fails                 bool
	}{
		{"whole", "4.sync,1.5;3.nop;", "4.sync,1.5;3.nop;", false},
		{"cut in an element", "3.nop;4.sync,13.17000", "3.nop;", false},
		{"cut before the semicolon", "3.nop;4.sync,1.5", "3.nop;", false},
		{"cut in a length", "3.nop;4.sync,1", "3.nop;", false},
		{"cut in a code point", "3.nop;4.name,2.å\xc3", "3.nop;", false},
		{"a semicolon within an element is not the end", "4.name,5.a;b;c;3.nop", "4.name,5.a;b;c;", false},
		{"a cut after such a semicolon", "3.nop;4.name,5.a;b;", "3.nop;", false},
		{"lengths are code points", "4.name,3.å😀ä;3.nop;", "4.name,3.å😀ä;3.nop;", false},
		{"what would end the desktop is left out", "3.nop;10.disconnect;5.error,2.no,3.519;4.sync,1.5;", "3.nop;4.sync,1.5;", false},
		{"the word in a text stays", "4.name,14.10.disconnect;;", "4.name,14.10.disconnect;;", false},
		{"empty element", "0.,4.ping;", "0.,4.ping;", false},
		{"nothing", "", "", true},
		{"nothing whole", "4.blob,1.3,99.abc", "", true},
		{"no stream", "HTTP/1.1 400 Bad Request\r\n\r\n", "", true},
		{"no semicolon where the length says", "3.nopx;", "", true},
		{"negative length", "-1.a;", "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := playable([]byte(test.recording))
			if string(got) != test.want || (err != nil) != test.fails {
				t.Errorf("playable = %q, %v; want %q, failing %v", got, err, test.want, test.fails)
			}
		})
	}
}

func FuzzPlayable(f *testing.F) {
	f.Add([]byte("4.sync,1.5;10.disconnect;4.name,3.å😀ä;3.no"))
	f.Fuzz(func(t *testing.T, recording []byte) {
		stream, err := playable(recording)
		if err != nil {
			return
		}
		again, err := playable(stream)
		if err != nil || !bytes.Equal(again, stream) {
			t.Errorf("%q is not playable itself: %q, %v", stream, again, err)
		}
	})
}

// TestMadeStreams: what is made in place of a recording is all whole
// instructions, and small where it says so.
func TestMadeStreams(t *testing.T) {
	for _, test := range []struct {
		name          string
		stream        []byte
		least, longer int // bytes; longest instruction
	}{
		{"office mix", syntheticStream(), 10 << 20, 8192 + 64},
		{"small instructions", smallStream(), 128 << 10, 64},
	} {
		t.Run(test.name, func(t *testing.T) {
			if len(test.stream) < test.least {
				t.Errorf("%d bytes, want %d", len(test.stream), test.least)
			}
			for at := 0; at < len(test.stream); {
				length, _, err := instructionAt(test.stream[at:])
				if err != nil {
					t.Fatalf("byte %d: %v", at, err)
				}
				if length > test.longer {
					t.Fatalf("byte %d: an instruction of %d bytes", at, length)
				}
				at += length
			}
		})
	}
}

func TestMixedStream(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, packed []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, packed, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var packed bytes.Buffer
	w, err := xz.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("3.nop;4.sync,1.5;10.disc")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	stream, source, err := mixedStream(write("good.guac.xz", packed.Bytes()))
	if err != nil || string(stream) != "3.nop;4.sync,1.5;" || !strings.Contains(source, "recorded") {
		t.Errorf("stream %q, source %q, %v", stream, source, err)
	}
	if _, _, err := mixedStream(write("bad.guac.xz", []byte("no xz"))); err == nil {
		t.Error("a file that is no xz was taken")
	}
	if _, _, err := mixedStream(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a recording that was asked for and is not there: %v", err)
	}
}
