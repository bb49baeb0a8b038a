package tunnel

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// newFilter is a filter of a desktop where guacd has drawn frame 1000 and asks
// for a username and a password.
func newFilter(policy Policy) *inFilter {
	h := &heard{now: func() time.Duration { return 0 }}
	h.frame(1000)
	h.require([]string{"username", "password"})
	return &inFilter{policy: policy, heard: h}
}

const forbiddenAck = "3.ack,1.0,22.Refused by the gateway,3.771;"

func TestFilter(t *testing.T) {
	everything := Policy{Paste: true, Copy: true, Upload: true, Download: true, Print: true, AudioOut: true, AudioIn: true}
	readOnly := everything
	readOnly.ReadOnly = true
	for _, test := range []struct {
		name    string
		policy  Policy
		message string
		forward string // "=": the message
		acks    string
		human   bool
		end     string // cause
	}{
		{name: "nop", message: "3.nop;", forward: "="},
		{name: "several at once", message: "3.nop;3.key,2.65,1.1;4.sync,4.1000;", forward: "=", human: true},
		{name: "key", message: "3.key,5.65307,1.0;", forward: "=", human: true},
		{name: "mouse", message: "5.mouse,2.10,2.-5,1.1;", forward: "=", human: true},
		{name: "mouse that did not move", message: "5.mouse,1.0,1.0,1.0;", forward: "="},
		{name: "touch", message: "5.touch,1.0,2.10,2.10,1.5,1.5,4.0.25,3.0.5;", forward: "=", human: true},
		{name: "size", message: "4.size,4.1280,3.720;", forward: "="},
		{name: "size of a hidden window", message: "4.size,1.0,1.0;3.nop;", forward: "3.nop;"},
		{name: "size beyond reason", message: "4.size,5.99999,3.720;"},
		{name: "sync", message: "4.sync,3.999;", forward: "="},
		{name: "ack", message: "3.ack,1.0,2.OK,1.0;", forward: "="},
		{name: "ping", message: "0.,4.ping,13.1760000000000;"},
		{name: "disconnect", message: "10.disconnect;", end: "disconnect"},

		{name: "paste denied", message: "9.clipboard,1.0,10.text/plain;4.blob,1.0,4.AAAA;3.end,1.0;", acks: forbiddenAck},
		{name: "paste", policy: Policy{Paste: true}, message: "9.clipboard,1.0,10.text/plain;4.blob,1.0,4.AAAA;3.end,1.0;", forward: "=", human: true},
		{name: "file denied", policy: Policy{Download: true}, message: "4.file,1.0,1.a,1.b;4.blob,1.0,4.AAAA;3.end,1.0;3.end,1.0;3.nop;", forward: "3.nop;", acks: forbiddenAck},
		{name: "file", policy: Policy{Upload: true}, message: "4.file,1.0,1.a,3.åäö;4.blob,1.0,4.AAAA;3.end,1.0;", forward: "=", human: true},
		{name: "end twice", policy: Policy{Upload: true}, message: "4.file,1.0,1.a,1.b;3.end,1.0;3.end,1.0;", forward: "4.file,1.0,1.a,1.b;3.end,1.0;", human: true},
		{name: "put denied", message: "3.put,1.0,1.0,1.a,1.b;", acks: forbiddenAck},
		{name: "put", policy: Policy{Upload: true}, message: "3.put,1.0,1.0,1.a,1.b;", forward: "=", human: true},
		{name: "pipe denied", message: "4.pipe,1.0,1.a,1.b;", acks: forbiddenAck},
		{name: "get denied", message: "3.get,1.0,1./;", end: "forbidden"},
		{name: "get", policy: Policy{Download: true}, message: "3.get,1.0,1./;", forward: "=", human: true},
		{name: "microphone denied", message: "5.audio,1.0,31.audio/L16;rate=44100,channels=2;", acks: forbiddenAck},
		{name: "microphone", policy: Policy{AudioIn: true}, message: "5.audio,1.0,31.audio/L16;rate=44100,channels=2;4.blob,1.0,4.AAAA;", forward: "="},
		{name: "65 streams", policy: everything, message: "4.file,2.64,1.a,1.b;4.blob,2.64,4.AAAA;", acks: "3.ack,2.64,22.Refused by the gateway,3.797;"},

		{name: "answer to required", message: "4.argv,1.0,10.text/plain,8.password;4.blob,1.0,4.AAAA;3.end,1.0;", forward: "="},
		{name: "answer that nobody asked for", message: "4.argv,1.0,10.text/plain,8.hostname;4.blob,1.0,4.AAAA;", acks: forbiddenAck},
		{name: "second answer", message: "4.argv,1.0,10.text/plain,8.password;4.argv,1.0,10.text/plain,8.password;",
			forward: "4.argv,1.0,10.text/plain,8.password;", acks: forbiddenAck},
		{name: "endless answer", message: "4.argv,1.0,10.text/plain,8.password;4.blob,1.0,4097." + strings.Repeat("A", 4097) + ";", end: "overrun"},

		{name: "read only, key", policy: readOnly, message: "3.key,2.65,1.1;3.nop;", forward: "3.nop;", human: true},
		{name: "read only, mouse", policy: readOnly, message: "5.mouse,2.10,2.10,1.1;", human: true},
		{name: "read only, size", policy: readOnly, message: "4.size,4.1280,3.720;"},
		{name: "read only, paste", policy: readOnly, message: "9.clipboard,1.0,10.text/plain;", acks: forbiddenAck},
		{name: "read only, file", policy: readOnly, message: "4.file,1.0,1.a,1.b;", acks: forbiddenAck},
		{name: "read only, answer", policy: readOnly, message: "4.argv,1.0,10.text/plain,8.password;", forward: "="},

		{name: "unknown opcode", message: "3.zzz;", end: "forbidden"},
		{name: "handshake opcode", message: "7.connect,1.a;", end: "forbidden"},
		{name: "select", message: "6.select,3.rdp;", end: "forbidden"},
		{name: "opcode in capitals", message: "3.KEY,2.65,1.1;", end: "forbidden"},
		{name: "sync without a time", message: "4.sync;", end: "bad-protocol"},
		{name: "sync from the future", message: "4.sync,4.1001;", end: "bad-protocol"},
		{name: "sync that is no number", message: "4.sync,1.x;", end: "bad-protocol"},
		{name: "key with one argument", message: "3.key,2.65;", end: "bad-protocol"},
		{name: "key with three", message: "3.key,2.65,1.1,1.1;", end: "bad-protocol"},
		{name: "key half pressed", message: "3.key,2.65,1.2;", end: "bad-protocol"},
		{name: "key beyond 29 bits", message: "3.key,9.536870912,1.1;", end: "bad-protocol"},
		{name: "mouse NaN", message: "5.mouse,3.NaN,1.0,1.0;", end: "bad-protocol"},
		{name: "touch hexadecimal", message: "5.touch,1.0,2.10,2.10,1.5,1.5,3.0x1,1.1;", end: "bad-protocol"},
		{name: "blob on no stream", policy: everything, message: "4.blob,1.0,4.AAAA;", end: "bad-protocol"},
		{name: "end on no stream", message: "3.end,1.7;", end: "bad-protocol"},
		{name: "stream -1", policy: everything, message: "4.file,2.-1,1.a,1.b;", end: "bad-protocol"},
		{name: "leave", message: "0.,5.leave,0.;", end: "left"},
		{name: "shown", message: "0.,5.shown,3.A2B;"},
		{name: "shown with nothing", message: "0.,5.shown,0.;", end: "bad-protocol"},
		{name: "shown with what is no id", message: "0.,5.shown,3.a b;", end: "bad-protocol"},
		{name: "leave with something", message: "0.,5.leave,1.x;", end: "bad-protocol"},
		{name: "internal instruction", message: "0.,4.uuid,1.a;", end: "bad-protocol"},

		{name: "empty message", message: "", end: "bad-protocol"},
		{name: "half an instruction", message: "3.nop;3.no", end: "bad-protocol"},
		{name: "NUL after the opcode", message: "4.sync\x00,4.1000;", end: "bad-protocol"},
		{name: "NUL inside the opcode", message: "8.nop\x00evil;", end: "bad-protocol"},
		{name: "length overflow", message: "4294967306.disconnect;", end: "bad-protocol"},
		{name: "invalid UTF-8", message: "3.nop,1.\xF0,9.;3.zzz,9.,6.abcdef;", end: "bad-protocol"},
		{name: "overlong UTF-8", message: "3.nop,1.\xC0\xBB;", end: "bad-protocol"},
		{name: "leading zero", message: "03.nop;", end: "bad-protocol"},
		{name: "byte lengths", policy: everything, message: "4.file,1.0,1.a,6.åäö;", end: "bad-protocol"},
		{name: "newline between", message: "3.nop;\n3.nop;", end: "bad-protocol"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFilter(test.policy)
			want := test.forward
			if want == "=" {
				want = test.message
			}
			err := f.check([]byte(test.message))
			if test.end != "" {
				end, ok := errors.AsType[*ending](err)
				if !ok || end.cause != test.end {
					t.Fatalf("error %v, want %s", err, test.end)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := string(f.forward); got != want {
				t.Errorf("guacd gets %q, want %q", got, want)
			}
			if got := string(f.acks); got != test.acks {
				t.Errorf("browser gets %q, want %q", got, test.acks)
			}
			if f.human != test.human {
				t.Errorf("human = %v, want %v", f.human, test.human)
			}
		})
	}
}

// TestHumanInput is the definition of idle: what repeats itself is no person.
func TestHumanInput(t *testing.T) {
	f := newFilter(Policy{Paste: true})
	const paste = "9.clipboard,1.0,10.text/plain;4.blob,1.0,4.AAAA;3.end,1.0;"
	for _, step := range []struct {
		message string
		human   bool
	}{
		{"5.mouse,2.10,2.10,1.0;", true},
		{"5.mouse,2.10,2.10,1.0;", false},
		{"5.mouse,2.10,2.10,1.1;", true},
		{"5.mouse,2.11,2.10,1.1;", true},
		{"5.touch,1.0,2.10,2.10,1.5,1.5,1.0,1.1;", true},
		{"5.touch,1.0,2.10,2.10,1.5,1.5,1.0,1.1;", false},
		{"5.touch,1.1,2.10,2.10,1.5,1.5,1.0,1.1;", true},
		{"5.touch,1.0,2.10,2.10,1.5,1.5,1.0,1.0;", true},
		{paste, true},
		{paste, false}, // the window got the focus again
		{strings.Replace(paste, "AAAA", "BBBB", 1), true},
		{"3.key,2.65,1.1;", true},
		{"3.key,2.65,1.1;", true},
		{"3.nop;4.sync,4.1000;3.ack,1.0,2.OK,1.0;4.size,3.800,3.600;0.,4.ping,1.1;", false},
	} {
		if err := f.check([]byte(step.message)); err != nil {
			t.Fatalf("%s: %v", step.message, err)
		}
		if f.human != step.human {
			t.Errorf("%s: human = %v", step.message, f.human)
		}
	}
}

func TestPingIsEchoed(t *testing.T) {
	f := newFilter(Policy{})
	if err := f.check([]byte("0.,4.ping,1.1;3.nop;0.,4.ping,1.2;")); err != nil {
		t.Fatal(err)
	}
	if got := string(f.ping); got != "0.,4.ping,1.2;" {
		t.Errorf("ping = %q, want the newest", got)
	}
	if got := string(f.forward); got != "3.nop;" {
		t.Errorf("guacd gets %q", got)
	}
}
