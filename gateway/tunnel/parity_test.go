package tunnel

import (
	"slices"
	"testing"
)

// model is guacd's parser (libguac/parser.c, guac_parser_append): int
// arithmetic that wraps, lead bytes trusted, a NUL ends what a handler sees.
type model struct {
	instructions [][]string
	failed       bool
	rest         int // bytes of an instruction that is not complete
}

func guacdReads(text []byte) (m model) {
	for len(text) > 0 {
		elements, used, state := modelInstruction(text)
		switch state {
		case modelError:
			m.failed = true
			return m
		case modelIncomplete:
			m.rest = len(text)
			return m
		}
		m.instructions = append(m.instructions, elements)
		text = text[used:]
	}
	return m
}

type modelState int

const (
	modelComplete modelState = iota
	modelIncomplete
	modelError
)

func modelInstruction(text []byte) (elements []string, used int, state modelState) {
	for {
		if len(elements) == 128 {
			return nil, 0, modelError
		}
		var length int32
		for {
			if used == len(text) && length <= 8192 {
				return nil, 0, modelIncomplete
			} else if used == len(text) {
				return nil, 0, modelError // it does not wait for the dot
			}
			c := text[used]
			used++
			if c == '.' {
				break
			}
			if c < '0' || c > '9' {
				return nil, 0, modelError
			}
			length = length*10 + int32(c) - '0'
		}
		if length > 8192 {
			return nil, 0, modelError
		}
		start := used
		for ; length > 0; length-- {
			if used == len(text) {
				return nil, 0, modelIncomplete
			}
			if used += modelRune(text[used]); used > len(text) {
				return nil, 0, modelIncomplete
			}
		}
		if length < 0 || used == len(text) || used+modelRune(text[used]) > len(text) {
			return nil, 0, modelIncomplete
		}
		element := text[start:used]
		if nul := slices.Index(element, 0); nul >= 0 {
			element = element[:nul] // a C string
		}
		elements = append(elements, string(element))
		used++
		switch text[used-1] {
		case ';':
			return elements, used, modelComplete
		case ',':
		default:
			return nil, 0, modelError
		}
	}
}

func modelRune(lead byte) int {
	for size, mask := range map[int][2]byte{2: {0xE0, 0xC0}, 3: {0xF0, 0xE0}, 4: {0xF8, 0xF0}} {
		if lead&mask[0] == mask[1] {
			return size
		}
	}
	return 1
}

// TestModel keeps the model honest: it must fall for the tricks that guacd
// falls for.
func TestModel(t *testing.T) {
	for _, test := range []struct {
		name, text string
		opcodes    []string
	}{
		{"plain", "3.nop;4.sync,1.1;", []string{"nop", "sync"}},
		{"leading zeros", "0000003.nop;", []string{"nop"}},
		{"NUL", "8.nop\x00evil;", []string{"nop"}},
		{"overflow", "4294967306.disconnect;", []string{"disconnect"}},
		{"trusted lead byte", "3.nop,1.\xF0,9.;3.zzz,9.,6.abcdef;", []string{"nop", "zzz"}},
	} {
		var opcodes []string
		for _, instruction := range guacdReads([]byte(test.text)).instructions {
			opcodes = append(opcodes, instruction[0])
		}
		if test.name == "trusted lead byte" {
			// A parser that does not trust the lead byte sees one nop.
			if !slices.Contains(opcodes, "zzz") {
				t.Errorf("%s: %q", test.name, opcodes)
			}
			continue
		}
		if !slices.Equal(opcodes, test.opcodes) {
			t.Errorf("%s: %q, want %q", test.name, opcodes, test.opcodes)
		}
	}
}

// FuzzFilter: whatever the browser sends, guacd reads exactly the instructions
// that the filter has judged, and all of them are on the allow-list.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"3.nop;", "3.key,2.65,1.1;5.mouse,1.0,1.0,1.1;", "4294967306.disconnect;", "8.nop\x00evil;",
		"3.nop,1.\xF0,9.;3.zzz,9.,6.abcdef;", "4.file,1.0,1.a,3.åäö;4.blob,1.0,4.AAAA;3.end,1.0;", "03.nop;", "4.sync;",
		"9.clipboard,1.0,10.text/plain;4.blob,1.0,4.AAAA;3.end,1.0;", "4.argv,1.0,10.text/plain,8.password;4.blob,1.0,4.AAAA;",
		"5.touch,1.0,2.10,2.10,1.5,1.5,4.0.25,3.0.5;", "0.,4.ping,1.1;", "3.put,1.0,1.0,1.a,1.b;3.get,1.0,1./;"} {
		for policy := range byte(4) {
			f.Add([]byte(seed), policy)
		}
	}
	f.Fuzz(func(t *testing.T, message []byte, bits byte) {
		policy := Policy{Paste: bits&1 != 0, Upload: bits&2 != 0, AudioIn: bits&4 != 0, Download: bits&8 != 0, ReadOnly: bits&16 != 0}
		filter := newFilter(policy)
		original := slices.Clone(message)
		if filter.check(message) != nil {
			return
		}
		all, got := guacdReads(original), guacdReads(filter.forward)
		if all.failed || all.rest > 0 || len(all.instructions) != filter.count {
			t.Fatalf("accepted %q, guacd: %+v", original, all)
		}
		if got.failed || got.rest > 0 {
			t.Fatalf("forwarded %q, guacd: %+v", filter.forward, got)
		}
		next := 0
		for _, instruction := range got.instructions {
			opcode := instruction[0]
			if want := arguments([]byte(opcode)); opcode == "" || opcode == "disconnect" || want != len(instruction)-1 {
				t.Fatalf("guacd runs %q", instruction)
			}
			denied := map[string]bool{"clipboard": !policy.Paste, "file": !policy.Upload, "put": !policy.Upload, "pipe": !policy.Upload,
				"audio": !policy.AudioIn, "get": !policy.Upload && !policy.Download}
			writes := map[string]bool{"key": true, "mouse": true, "touch": true, "size": true, "clipboard": true, "file": true,
				"put": true, "pipe": true, "audio": true}
			if denied[opcode] || policy.ReadOnly && writes[opcode] {
				t.Fatalf("policy %+v, guacd runs %q", policy, instruction)
			}
			// What guacd runs is a subsequence of what the browser sent.
			for next < len(all.instructions) && !slices.Equal(all.instructions[next], instruction) {
				next++
			}
			if next++; next > len(all.instructions) {
				t.Fatalf("%q was never sent", instruction)
			}
		}
	})
}
