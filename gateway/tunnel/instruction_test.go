package tunnel

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
		err        error
	}{
		{"no arguments", "3.nop;", []string{"nop"}, nil},
		{"arguments", "5.mouse,1.0,2.17,1.1;", []string{"mouse", "0", "17", "1"}, nil},
		{"empty elements", "0.,0.;", []string{"", ""}, nil},
		{"code points, not bytes", "4.name,8.pässword;", []string{"name", "pässword"}, nil},
		{"code points, not UTF-16", "4.name,1.🖥;", []string{"name", "🖥"}, nil},
		{"separators inside an element", "4.name,16.xx,5.false,1./;3;", []string{"name", "xx,5.false,1./;3"}, nil},
		{"only the first", "3.nop;4.sync,1.5;", []string{"nop"}, nil},
		{"longest element", "4.name,8192." + strings.Repeat("ö", 8192) + ";", []string{"name", strings.Repeat("ö", 8192)}, nil},

		{"empty", "", nil, errIncomplete},
		{"length only", "3", nil, errIncomplete},
		{"in the content", "3.no", nil, errIncomplete},
		{"before the terminator", "3.nop", nil, errIncomplete},
		{"after a comma", "3.nop,", nil, errIncomplete},
		{"byte length of guac v1.3.2", "4.name,9.pässword;", nil, errIncomplete},
		{"too short", "2.nop;", nil, errTerminator},
		{"negative", "-1.a;", nil, errLength},
		{"no digits", ".a;", nil, errLength},
		{"leading zero", "03.nop;", nil, errLength},
		{"six digits", "100000.a;", nil, errLength},
		{"wraps 32 bits", "4294967306.disconnect;", nil, errLength},
		{"wraps 64 bits", "9223372036854775807.a;", nil, errLength},
		{"space", " 3.nop;", nil, errLength},
		{"element over 8192", "8193.", nil, errElementLong},
		{"129 elements", strings.Repeat("1.a,", 128) + "1.a;", nil, errElementsMany},
		{"over 32 KiB", "4.name" + strings.Repeat(",8192."+strings.Repeat("a", 8192), 4) + ";", nil, errTooLong},
	} {
		t.Run(test.name, func(t *testing.T) {
			var in instruction
			err := in.parse([]byte(test.text))
			if !errors.Is(err, test.err) {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(test.want, all(&in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestInjection is CVE-2023-30575: a value that contains the protocol's own
// separators stays one value.
func TestInjection(t *testing.T) {
	for _, password := range []string{"pässword", "pässword,5.false;", "xx,5.false,1./;3.nop,20.", "åäö", "", "🖥;"} {
		var in instruction
		text := appendInstruction(nil, "connect", "host", password, "true")
		if err := in.parse(text); err != nil {
			t.Fatalf("%q: %v", password, err)
		}
		if diff := cmp.Diff([]string{"connect", "host", password, "true"}, all(&in)); diff != "" {
			t.Errorf("%q: %s", password, diff)
		}
	}
}

func TestRepaired(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"half surrogate", "4.name,3.a\xED\xA0\x80b;", "4.name,3.a\uFFFDb;"},
		{"lonely lead byte", "4.name,1.\xC3\xA4;", "4.name,1.ä;"},
		{"stray continuation", "4.file,1.1,2.\x80a;", "4.file,1.1,2.\uFFFDa;"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var in instruction
			if err := in.parse([]byte(test.text)); err != nil {
				t.Fatal(err)
			}
			if got := string(in.repaired()); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestParseNumber(t *testing.T) {
	for _, test := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"65307", 65307, true}, {"-12", -12, true}, {"007", 7, true}, {"999999999999999999", 999999999999999999, true},
		{"", 0, false}, {"-", 0, false}, {"--1", 0, false}, {"+1", 0, false}, {"1.5", 0, false}, {"1e3", 0, false},
		{"NaN", 0, false}, {" 1", 0, false}, {"1 ", 0, false}, {"9223372036854775808", 0, false}, {"0x10", 0, false}, {"٣", 0, false},
	} {
		if got, ok := parseNumber([]byte(test.text)); got != test.want || ok != test.ok {
			t.Errorf("parseNumber(%q) = %d, %v", test.text, got, ok)
		}
	}
}

// FuzzScanner holds the two ways of reading against each other and against
// appendInstruction.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{"3.nop;", "4.blob,1.1,4.AAAA;", "4.blob,1.1,4.AAAA;3.end", "4.name,8.pässword;", "-1.a;", "0.;",
		"4.blob,1.1,1.ö;", "4.blob,5.1", "4.blob,1.1,1.1,4.AAAA;", "4.rect,1.0,3.128;", "4.copy,02.64,1.0;", "5.mouse,3.512,3.384,1.0,13.1760000000000;", "4.rect,3.1;2;", "5.cfill,2.14,", "4294967306.disconnect;", "3.nop,1.\xF0,9.;3.zzz,9.,6.abcdef;"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var in, trusted instruction
		err := in.parse(text)
		trustedErr := trusted.parseTrusted(text)
		if err != nil {
			if n := skipDrawing(text); n > 0 && ascii(text[:n]) {
				t.Fatalf("drawing %q: %v", text[:n], err)
			}
			return
		}
		if in.raw[len(in.raw)-1] != ';' || len(in.raw) > maxInstruction || in.count > maxElements {
			t.Fatalf("parsed %q", in.raw)
		}
		elements := all(&in)
		if len(elements) != in.count {
			t.Fatalf("%d elements, count %d", len(elements), in.count)
		}
		if ascii(in.raw) {
			if trustedErr != nil || string(trusted.raw) != string(in.raw) {
				t.Fatalf("trusted reading: %v, %q, want %q", trustedErr, trusted.raw, in.raw)
			}
			if again := appendInstruction(nil, elements...); string(again) != string(in.raw) {
				t.Fatalf("written again: %q, was %q", again, in.raw)
			}
		}
		if n := skipDrawing(text); n > 0 && ascii(in.raw) && n != len(in.raw) {
			t.Fatalf("drawing of %d bytes, want %q", n, in.raw)
		}
		in.repaired()
	})
}

func all(in *instruction) []string { return append([]string{string(in.opcode)}, in.allArgs()...) }

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
