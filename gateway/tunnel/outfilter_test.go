package tunnel

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newOutFilter(policy Policy) *outFilter {
	return &outFilter{policy: policy, heard: &heard{now: func() time.Duration { return 0 }}}
}

func TestOutFilter(t *testing.T) {
	const (
		picture = "3.img,1.2,2.14,1.0,9.image/png,1.0,1.0;4.blob,1.2,4.AAAA;3.end,1.2;"
		clip    = "9.clipboard,1.1,10.text/plain;4.blob,1.1,4.AAAA;3.end,1.1;"
		file    = "4.file,1.4,24.application/octet-stream,5.a.txt;4.blob,1.4,4.AAAA;3.end,1.4;"
		pdf     = "4.file,1.6,15.application/pdf,5.a.pdf;4.blob,1.6,4.AAAA;3.end,1.6;"
		listing = "4.body,1.0,1.8,53.application/vnd.glyptodon.guacamole.stream-index+json,1./;4.blob,1.8,4.AAAA;3.end,1.8;"
		content = "4.body,1.0,1.8,24.application/octet-stream,6./a.txt;4.blob,1.8,4.AAAA;3.end,1.8;"
		volume  = "10.filesystem,1.0,6.Shared;"
		sound   = "5.audio,1.3,31.audio/L16;rate=44100,channels=2;4.blob,1.3,4.AAAA;3.end,1.3;"
		pipe    = "4.pipe,1.5,10.text/plain,1.p;4.blob,1.5,4.AAAA;3.end,1.5;"
		sync    = "4.sync,4.1000;"
	)
	refused := func(index string) string { return "3.ack,1." + index + ",22.Refused by the gateway,3.771;" }
	for _, test := range []struct {
		name   string
		policy Policy
		text   string
		want   string // "=": the text
		acks   string
		end    string
	}{
		{name: "picture", text: picture + sync, want: "="},
		{name: "nop", text: "3.nop;", want: "="},
		{name: "clipboard denied", text: picture + clip + sync, want: picture + sync},
		{name: "clipboard", policy: Policy{Copy: true}, text: clip, want: "="},
		{name: "file denied", policy: Policy{Upload: true, Print: true}, text: sync + file + picture, want: sync + picture, acks: refused("4")},
		{name: "file", policy: Policy{Download: true}, text: file, want: "="},
		{name: "print denied", policy: Policy{Download: true}, text: pdf, acks: refused("6")},
		{name: "print", policy: Policy{Print: true}, text: pdf, want: "="},
		{name: "file system denied", text: volume + listing, acks: refused("8")},
		{name: "listing for uploads", policy: Policy{Upload: true}, text: volume + listing, want: "="},
		{name: "content for uploads", policy: Policy{Upload: true}, text: content, acks: refused("8")},
		{name: "content", policy: Policy{Download: true}, text: content, want: "="},
		{name: "sound denied", text: sound + sync, want: sync},
		{name: "sound", policy: Policy{AudioOut: true}, text: sound, want: "="},
		{name: "pipe denied", text: pipe},
		{name: "stream number used again", text: clip + strings.ReplaceAll(picture, "1.2", "1.1") + clip, want: strings.ReplaceAll(picture, "1.2", "1.1")},
		{name: "blob without opener", text: "4.blob,1.1,4.AAAA;" + sync, want: sync},
		{name: "unknown opcode", text: "7.usbdata,1.a;" + sync, want: sync},
		{name: "another uuid", text: "0.,36.00000000-0000-0000-0000-000000000000;"},
		{name: "half surrogate in a name", text: "4.name,5.abc\xED\xA0\x80d;" + sync, want: "4.name,5.abc\uFFFDd;" + sync},
		{name: "disconnect", text: picture + "10.disconnect;" + sync, want: picture, end: "logoff"},
		{name: "error", text: sync + "5.error,4.gone,3.519;", want: sync, end: "guacd-error"},
		{name: "not the protocol", text: sync + "HTTP/1.1 400 Bad Request", want: sync, end: "guacd-protocol"},
		{name: "blob that does not end", text: "4.blob,1.1,4.AAAAA;", end: "guacd-protocol"},
		{name: "sync without a time", text: "4.sync;", end: "guacd-protocol"},
		{name: "stream out of bounds", text: "3.img,3.999,2.14,1.0,9.image/png,1.0,1.0;", end: "guacd-protocol"},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := test.want
			if want == "=" {
				want = test.text
			}
			for _, step := range []int{len(test.text), 1, 7} {
				got, acks, err := pump(newOutFilter(test.policy), test.text, step)
				end, _ := errors.AsType[*ending](err)
				if (test.end == "") != (err == nil) || err != nil && end.cause != test.end {
					t.Fatalf("in steps of %d: error %v, want %q", step, err, test.end)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("in steps of %d: browser gets %s", step, diff)
				}
				if acks != test.acks {
					t.Errorf("in steps of %d: guacd gets %q, want %q", step, acks, test.acks)
				}
			}
		})
	}
}

// pump hands text to the filter as a source does, step bytes at a time.
func pump(f *outFilter, text string, step int) (passed, acks string, err error) {
	var buffer []byte
	for len(text) > 0 {
		n := min(step, len(text))
		buffer, text = append(buffer, text[:n]...), text[n:]
		kept, used, err := f.filter(buffer)
		passed += string(buffer[:kept])
		acks += string(f.acks)
		if err != nil {
			return passed, acks, err
		}
		buffer = buffer[used:]
	}
	return passed, acks, nil
}

func TestFirstPicture(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       bool
	}{
		{"pointer only", "4.size,1.0,4.1024,3.768;3.img,1.3,2.12,2.-1,9.image/png,1.0,1.0;3.end,1.3;4.sync,1.1;", false},
		{"not a whole frame", "3.img,1.3,2.14,1.0,9.image/png,1.0,1.0;3.end,1.3;", false},
		{"desktop", "3.img,1.3,2.14,1.0,9.image/png,1.0,1.0;3.end,1.3;4.sync,1.1;", true},
		{"terminal on its own layer", "3.img,1.3,2.14,1.1,9.image/png,1.0,1.0;3.end,1.3;4.sync,1.1;", true},
		{"one colour", "4.rect,1.0,1.0,1.0,4.1024,3.768;5.cfill,2.14,1.0,1.0,1.0,1.0,3.255;4.sync,1.1;", true},
	} {
		f := newOutFilter(Policy{})
		if _, _, err := pump(f, test.text, len(test.text)); err != nil {
			t.Fatal(err)
		}
		if f.framed != test.want {
			t.Errorf("%s: framed = %v", test.name, f.framed)
		}
	}
}

func TestRequired(t *testing.T) {
	f := newOutFilter(Policy{})
	if _, _, err := pump(f, "8.required,8.username,8.password;", 3); err != nil {
		t.Fatal(err)
	}
	if asking, _ := f.heard.asking(); !asking {
		t.Error("not asking after required")
	}
	for _, step := range []struct {
		name string
		want bool
	}{{"hostname", false}, {"password", true}, {"password", false}, {"username", true}} {
		if got := f.heard.answer(step.name); got != step.want {
			t.Errorf("answer(%s) = %v", step.name, got)
		}
	}
	if asking, _ := f.heard.asking(); asking {
		t.Error("still asking")
	}
}

// FuzzOutFilter: where reads end must not matter.
func FuzzOutFilter(f *testing.F) {
	f.Add("3.img,1.2,2.14,1.0,9.image/png,1.0,1.0;4.blob,1.2,4.AAAA;3.end,1.2;9.clipboard,1.1,10.text/plain;4.blob,1.1,4.AAAA;", 3)
	f.Add("4.name,5.abc\xED\xA0\x80d;4.sync,1.1;5.error,1.a,3.519;", 1)
	f.Add("4.blob,1.\xCA,0.", 3)
	f.Fuzz(func(t *testing.T, text string, step int) {
		if step < 1 || len(text) > maxInstruction {
			return
		}
		whole, wholeAcks, wholeErr := pump(newOutFilter(Policy{}), text, max(1, len(text)))
		parts, partsAcks, partsErr := pump(newOutFilter(Policy{}), text, step)
		if whole != parts || wholeAcks != partsAcks || (wholeErr == nil) != (partsErr == nil) {
			t.Fatalf("whole %q %q %v, in steps %q %q %v", whole, wholeAcks, wholeErr, parts, partsAcks, partsErr)
		}
	})
}
