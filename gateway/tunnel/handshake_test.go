package tunnel

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// instructions splits what one side said.
func instructions(t testing.TB, text []byte) [][]string {
	t.Helper()
	var list [][]string
	for len(text) > 0 {
		var in instruction
		if err := in.parse(text); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		list = append(list, all(&in))
		text = text[len(in.raw):]
	}
	return list
}

func TestAnswerArgs(t *testing.T) {
	options := Options{
		Arguments: map[string]string{"hostname": "ma01", "password": "pässword,5.false;", "unknown": "x"},
		MustHave:  []string{"disable-copy"}, Timezone: "Europe/Stockholm", Name: "Anna Åberg",
		Width: 1280, Height: 720, DPI: 96, Audio: []string{"audio/L16"}, Image: []string{"image/png"},
	}
	base := [][]string{{"size", "1280", "720", "96"}, {"audio"}, {"video"}, {"image", "image/png"}}
	zone, name := []string{"timezone", "Europe/Stockholm"}, []string{"name", "Anna Åberg"}
	for _, test := range []struct {
		name   string
		args   []string
		change func(*Options)
		want   [][]string
		end    string
	}{
		{name: "guacd 1.6", args: []string{"VERSION_1_5_0", "hostname", "disable-copy", "password"},
			want: [][]string{zone, name, {"connect", "VERSION_1_5_0", "ma01", "", "pässword,5.false;"}}},
		{name: "guacd 1.3, another order", args: []string{"VERSION_1_3_0", "password", "disable-copy", "hostname"},
			want: [][]string{zone, {"connect", "VERSION_1_3_0", "pässword,5.false;", "", "ma01"}}},
		{name: "guacd of the future", args: []string{"VERSION_2_0_0", "disable-copy"},
			want: [][]string{zone, name, {"connect", "VERSION_1_5_0", ""}}},
		{name: "guacd 1.0", args: []string{"hostname", "disable-copy"}, want: [][]string{{"connect", "ma01", ""}}},
		{name: "version of no known form", args: []string{"VERSION_x", "disable-copy"}, want: [][]string{{"connect", "", ""}}},
		{name: "lacks an argument", args: []string{"VERSION_1_5_0", "hostname"}, end: "guacd-lacks-argument"},
		{name: "NUL", args: []string{"hostname", "disable-copy"},
			change: func(o *Options) { o.Arguments = map[string]string{"hostname": "a\x00b"} }, end: "bad-arguments"},
		{name: "not UTF-8", args: []string{"hostname", "disable-copy"},
			change: func(o *Options) { o.Arguments = map[string]string{"hostname": "a\xFF"} }, end: "bad-arguments"},
		{name: "value over 8192", args: []string{"hostname", "disable-copy"},
			change: func(o *Options) { o.Arguments = map[string]string{"hostname": strings.Repeat("a", 8193)} }, end: "bad-arguments"},
		{name: "together over 32 KiB", args: []string{"disable-copy", "a", "b", "c", "d"}, change: func(o *Options) {
			long := strings.Repeat("a", 8192)
			o.Arguments = map[string]string{"a": long, "b": long, "c": long, "d": long}
		}, end: "bad-arguments"},
		{name: "128 arguments", args: append([]string{"disable-copy"}, strings.Split(strings.Repeat("x", 127), "")...), end: "bad-arguments"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := options
			if test.change != nil {
				test.change(&o)
			}
			got, err := answerArgs(test.args, &o)
			if test.end != "" {
				if end, ok := errors.AsType[*ending](err); !ok || end.cause != test.end {
					t.Fatalf("error %v, want %s", err, test.end)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append(base[:4:4], test.want...), instructions(t, got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSizesAreBounded(t *testing.T) {
	for _, test := range []struct {
		width, height, dpi int
		want               []string
	}{
		{0, 0, 0, []string{"size", "1024", "768", "96"}},
		{-5, 1, -1, []string{"size", "1024", "64", "96"}},
		{1 << 30, 1 << 30, 1 << 30, []string{"size", "8192", "8192", "1000"}},
	} {
		got, err := answerArgs([]string{"hostname"}, &Options{Width: test.width, Height: test.height, DPI: test.dpi})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, instructions(t, got)[0]); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAudioOnlyWhereAllowed(t *testing.T) {
	o := Options{Audio: []string{"audio/L16"}, Policy: Policy{AudioOut: true}}
	got, err := answerArgs(nil, &o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"audio", "audio/L16"}, instructions(t, got)[1]); diff != "" {
		t.Error(diff)
	}
}

// FuzzHandshake: whatever guacd lists and whatever the values are, guacd reads
// the values back, each under its own name.
func FuzzHandshake(f *testing.F) {
	f.Add("VERSION_1_5_0", "hostname", "pässword", "xx,5.false,1./;3.nop,20.")
	f.Add("VERSION_99999999999_0_0", "", "\xFF", "a\x00b")
	f.Add("VERSION_-1_3_0", "VERSION_1_3_0", "x", "🖥")
	f.Fuzz(func(t *testing.T, first, second, value, name string) {
		o := Options{Name: name, Timezone: "Europe/Stockholm", Arguments: map[string]string{first: value, second: value}}
		if checkOptions(&o) != nil {
			return
		}
		answer, err := answerArgs([]string{first, second}, &o)
		if err != nil {
			return
		}
		model := guacdReads(answer)
		if model.failed || model.rest > 0 {
			t.Fatalf("guacd cannot read %q", answer)
		}
		connect := model.instructions[len(model.instructions)-1]
		if len(connect) != 3 || connect[0] != "connect" || connect[2] != value {
			t.Fatalf("guacd reads %q", connect)
		}
		if _, ok := parseVersion(first); !ok && connect[1] != value {
			t.Fatalf("guacd reads %q", connect)
		}
	})
}
