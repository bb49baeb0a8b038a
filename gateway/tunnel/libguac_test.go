package tunnel

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// gatewayReads is what the gateway itself understands by b.
func gatewayReads(t testing.TB, b []byte) (instructions [][]string) {
	t.Helper()
	for len(b) > 0 {
		var in instruction
		if err := in.parse(b); err != nil {
			t.Fatalf("the gateway cannot read %.200q, which it forwards: %v", b, err)
		}
		instructions = append(instructions, append([]string{string(in.opcode)}, in.allArgs()...))
		b = b[len(in.raw):]
	}
	return instructions
}

// agree fails unless the model reads message as libguac does, the filter lets
// through only what libguac reads as the gateway does, and libguac reads that
// the same in two pieces. It says whether the filter let something through.
func (l *libguac) agree(message []byte, policy Policy, cut int) bool {
	l.t.Helper()
	whole, modelled := l.read(message), guacdReads(message)
	if !whole.same(modelled.instructions) || whole.rest != modelled.rest && !modelled.failed || modelled.failed != (whole.outcome == libguacRefused) {
		l.t.Fatalf("%.300q\nlibguac %.300q\nmodel   %.300q", message, []any{whole}, []any{modelled})
	}
	filter := newFilter(policy)
	if filter.check(bytes.Clone(message)) != nil { // it works in the message's own memory
		return false
	}
	if !whole.clean() || len(whole.instructions) != filter.count {
		l.t.Fatalf("accepted %.300q\nlibguac %.300q", message, []any{whole})
	}
	want := gatewayReads(l.t, filter.forward)
	cut = min(cut, len(filter.forward))
	for _, got := range []libguacReading{l.read(filter.forward), l.read(filter.forward[:cut], filter.forward[cut:])} {
		if !got.clean() || !got.same(want) {
			l.t.Fatalf("forwarded %.300q, cut at %d\nlibguac %.300q", filter.forward, cut, []any{got})
		}
	}
	return len(filter.forward) > 0
}

// spoken is what a browser says.
func spoken() []string {
	return []string{
		"3.nop;", "0.,4.ping,1.1;", "3.key,2.65,1.1;5.mouse,1.0,1.0,1.1;", "4.sync,4.1000;4.size,4.1280,3.720;",
		"4.file,1.0,1.a,3.åäö;4.blob,1.0,4.AAAA;3.end,1.0;", "4.pipe,1.3,10.text/plain,4.🖥€å1;4.blob,1.3,8.AAAABBBB;",
		"9.clipboard,1.0,10.text/plain;4.blob,1.0,4.AAAA;3.end,1.0;", "3.put,1.0,1.0,1.a,1.b;3.get,1.0,1./;",
		"4.argv,1.0,10.text/plain,8.password;4.blob,1.0,4.AAAA;3.end,1.0;", "3.ack,1.0,2.OK,1.0;",
		"5.touch,1.0,2.10,2.10,1.5,1.5,4.0.25,3.0.5;", "5.audio,1.0,31.audio/L16;rate=44100,channels=2;",
	}
}

// tricks are what a parser of guacd's kind may fall for.
func tricks() []string {
	return []string{
		"4294967306.disconnect;", "4294967299.nop;", "4294967295.nop;", "2147483648.nop;", "8.nop\x00evil;", "4.sync\x00,4.1000;",
		"03.nop;", "00000000003.nop;", "-1.nop;", "+3.nop;", " 3.nop;", "3.nop;\n3.nop;", ".;", "0.;", "3,nop;", "3.nop", "8193.", "99999",
		"3.nop,1.\xF0,9.;3.zzz,9.,6.abcdef;", "3.nop,1.\xC0\xBB;", "3.nop,1.\xFF;", "3.nop,2.\xED\xA0\x80;", "4.sync,1.\xF8;",
		"1.a" + strings.Repeat(",1.b", 127) + ";", "1.a" + strings.Repeat(",1.b", 128) + ";", "1.a" + strings.Repeat(",1.b", 127) + ",",
		"4.file,1.0,1.a,8192." + strings.Repeat("a", 8192) + ";", "4.file,1.0,1.a,8193." + strings.Repeat("a", 8193) + ";",
		"4.file,1.0,1.a,8182." + strings.Repeat("🖥", 8182) + ";", "4.file,1.0,1.a,8184." + strings.Repeat("🖥", 8184) + ";",
	}
}

// mutate puts messages together and changes a few bytes. Most begin with what
// a browser says, or hardly any would pass the filter.
func mutate(random *rand.Rand) []byte {
	const telling = "0123456789.,;;..,,\x00\xF0\xC3\xE2\x80nopsync"
	pick := func(all []string) string { return all[random.IntN(len(all))] }
	message := []byte(pick(spoken()))
	if random.IntN(5) == 0 {
		message = []byte(pick(tricks()))
	}
	for range random.IntN(4) {
		at := random.IntN(len(message) + 1)
		switch random.IntN(6) {
		case 0:
			message = slices.Insert(message, at, telling[random.IntN(len(telling))])
		case 1:
			message = slices.Delete(message, at, min(at+1+random.IntN(3), len(message)))
		case 2:
			message = append(message[:at:at], pick(spoken())...)
		case 3:
			message = slices.Insert(message, at, []byte(pick(spoken()))...)
		default:
			message = append(message, pick(spoken())...)
		}
	}
	return message
}

// policyOf makes a policy of the bits of a fuzzer.
func policyOf(bits byte) Policy {
	return Policy{Paste: bits&1 != 0, Upload: bits&2 != 0, AudioIn: bits&4 != 0, Download: bits&8 != 0, ReadOnly: bits&16 != 0}
}

// TestLibguac holds the model of guacd's parser, and the filter, against the
// real one.
func TestLibguac(t *testing.T) {
	l := newLibguac(t)
	random := rand.New(rand.NewPCG(1, 3))
	passed := 0
	for _, message := range slices.Concat(spoken(), tricks()) {
		l.agree([]byte(message), Policy{Upload: true, Download: true, Paste: true, AudioIn: true}, len(message)/2)
	}
	for range 20_000 {
		message := mutate(random)
		if len(message) > maxInstruction {
			continue
		}
		if l.agree(message, policyOf(byte(random.IntN(32))), random.IntN(len(message)+1)) {
			passed++
		}
	}
	if passed < 4000 {
		t.Errorf("only %d messages went through: the mutations are too wild", passed)
	}
}

// FuzzLibguac looks for a message on which the model, the filter and libguac
// differ.
func FuzzLibguac(f *testing.F) {
	l := newLibguac(f)
	for i, message := range slices.Concat(spoken(), tricks()) {
		f.Add([]byte(message), byte(i), uint16(i))
	}
	f.Fuzz(func(t *testing.T, message []byte, bits byte, cut uint16) {
		if len(message) > maxInstruction {
			return
		}
		asked := &libguac{t: t, in: l.in, out: l.out}
		asked.agree(message, policyOf(bits), int(cut))
	})
}

// TestLibguacBuffer: libguac reads into 32 KiB and moves what is not complete
// to the front when it is full. Whatever the sizes of pastes and reads, no
// instruction that the gateway forwards is hurt by it.
func TestLibguacBuffer(t *testing.T) {
	l := newLibguac(t)
	random := rand.New(rand.NewPCG(2, 3))
	fill := []string{"A", "å", "€", "🖥"}
	reads := []int{1, 7, 1448, 8192, 20_000, maxInstruction, 1 << 17} // 8192: guacd's relay to its child
	for range 800 {
		var stream []byte
		for range 1 + random.IntN(30) {
			switch random.IntN(4) {
			case 0, 1:
				stream = appendInstruction(stream, "nop")
			case 2:
				stream = appendInstruction(stream, "blob", "0", strings.Repeat("A", []int{8064, 8192, 1 + random.IntN(8192)}[random.IntN(3)]))
			case 3:
				stream = appendInstruction(stream, "file", "1", "text/plain", strings.Repeat(fill[random.IntN(4)], random.IntN(8182)))
			}
		}
		want := gatewayReads(t, stream)
		var chunks [][]byte
		for size, rest := reads[random.IntN(len(reads))], stream; len(rest) > 0; size = reads[random.IntN(len(reads))] {
			n := min(size, len(rest))
			chunks, rest = append(chunks, rest[:n]), rest[n:]
		}
		if len(chunks) > 4096 {
			continue
		}
		if got := l.read(chunks...); !got.clean() || !got.same(want) {
			t.Fatalf("%d instructions in %d reads: libguac reads %d, outcome %d, rest %d", len(want), len(chunks), len(got.instructions), got.outcome, got.rest)
		}
	}
}

// TestLibguacLimits: the gateway refuses an instruction exactly where libguac
// does.
func TestLibguacLimits(t *testing.T) {
	l := newLibguac(t)
	for _, test := range []struct {
		name  string
		bytes int
		fits  bool
	}{
		{"32 KiB", maxInstruction, true},
		{"a byte more", maxInstruction + 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			message := appendInstruction(nil, "file", "0", strings.Repeat("€", 8192), "")
			message = appendInstruction(nil, "file", "0", strings.Repeat("€", 8192), strings.Repeat("a", test.bytes-len(message)-len("1234")+len("0")))
			if len(message) != test.bytes {
				t.Fatalf("made %d bytes", len(message))
			}
			got := l.read(message)
			if got.clean() != test.fits || (got.outcome == libguacOverflowed) == test.fits {
				t.Errorf("libguac: outcome %d, rest %d", got.outcome, got.rest)
			}
			if err := newFilter(Policy{Upload: true}).check(message); (err == nil) != test.fits {
				t.Errorf("filter: %v", err)
			}
		})
	}
}
