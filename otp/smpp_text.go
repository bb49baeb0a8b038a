package otp

import (
	"bytes"
	"fmt"
	"unicode/utf16"

	"github.com/linxGnu/gosmpp/data"
)

// How much of a text one SMS holds, in bytes as SMPP carries them: GSM-7 one
// septet a byte, UCS-2 two bytes a unit. Parts of a longer text each lose six
// bytes to the header that joins them (3GPP TS 23.040, 9.2.3.24.1).
const (
	gsmSingle, gsmPart   = 160, 153
	ucs2Single, ucs2Part = 140, 134
	maxSMPPParts         = 10 // 1,530 characters; a code takes one or two
)

// smppText is a text cut into what one PDU each carries.
type smppText struct {
	encoding data.Encoding
	parts    [][]byte
}

// splitSMPP cuts a text where a character ends: the library's own Split cuts
// escapes and surrogate pairs in two, and truncates what doubles in size.
func splitSMPP(text string, onlyUCS2 bool) (smppText, error) {
	split := smppText{encoding: data.GSM7BIT}
	single, part := gsmSingle, gsmPart
	encode := func(r rune) []byte {
		encoded, _ := data.GSM7BIT.Encode(string(r)) // ValidateGSM7String has asked
		return encoded
	}
	if onlyUCS2 || len(data.ValidateGSM7String(text)) > 0 {
		split.encoding = data.UCS2
		single, part = ucs2Single, ucs2Part
		encode = func(r rune) (encoded []byte) {
			for _, unit := range utf16.AppendRune(nil, r) {
				encoded = append(encoded, byte(unit>>8), byte(unit))
			}
			return encoded
		}
	}
	var characters [][]byte
	for _, r := range text {
		characters = append(characters, encode(r))
	}
	whole := bytes.Join(characters, nil)
	if len(whole) <= single {
		split.parts = [][]byte{whole}
		return split, nil
	}
	var current []byte
	for _, character := range characters {
		if len(current)+len(character) > part {
			split.parts = append(split.parts, current)
			current = nil
		}
		current = append(current, character...)
	}
	split.parts = append(split.parts, current)
	if len(split.parts) > maxSMPPParts {
		return smppText{}, fmt.Errorf("the text would take %d SMS; %d are the most", len(split.parts), maxSMPPParts)
	}
	return split, nil
}
