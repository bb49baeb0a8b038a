package otp

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/linxGnu/gosmpp/data"
)

// FuzzSMPPSplit holds the parts of any text against what an SMS takes, and
// reads them back one by one: a letter that was cut in two would not come back.
func FuzzSMPPSplit(f *testing.F) {
	f.Add(strings.Repeat("€", 140), false)
	f.Add(strings.Repeat("🎭", 71), false)
	f.Add(strings.Repeat("x", 152)+"€€", false)
	f.Add(sample.Text, true)
	f.Add("", false)
	f.Fuzz(func(t *testing.T, text string, ucs2 bool) {
		split, err := splitSMPP(text, ucs2)
		if err != nil {
			return
		}
		var back strings.Builder
		for _, part := range split.parts {
			isUCS2 := split.encoding == data.UCS2
			limit := map[bool][2]int{false: {gsmSingle, gsmPart}, true: {ucs2Single, ucs2Part}}[isUCS2]
			if len(split.parts) == 1 && len(part) > limit[0] || len(split.parts) > 1 && (len(part) > limit[1] || len(part) == 0) {
				t.Fatalf("part of %d bytes, of %d", len(part), len(split.parts))
			}
			if !isUCS2 {
				read, err := data.GSM7BIT.Decode(part)
				if err != nil {
					t.Fatal(err)
				}
				back.WriteString(read)
				continue
			}
			var units []uint16
			for i := 0; i+1 < len(part); i += 2 {
				units = append(units, uint16(part[i])<<8|uint16(part[i+1]))
			}
			back.WriteString(string(utf16.Decode(units)))
		}
		if want := strings.ToValidUTF8(text, "\uFFFD"); back.String() != want && back.String() != string([]rune(text)) {
			t.Errorf("%q came back as %q", want, back.String())
		}
	})
}
