package otp

import (
	"strings"
	"testing"
)

func TestWithoutCodes(t *testing.T) {
	for words, want := range map[string]string{
		"Message '123456 är din kod' is spam":  "Message '###### är din kod' is spam",
		"123456":                               "######",
		"call+46701234567":                     "call+###########",
		"the code 123 456, or 123-456":         "the code ### ###, or ###-###",
		"123\u00a0456":                         "###\u00a0###",
		"١٢٣٤٥٦":                               "######",
		"003100320033003400350036":             strings.Repeat("#", 24),
		"0x123456":                             "0x######",
		"error 30003, status 402 21211":        "error 30003, status 402 21211",
		"550 5.1.1 no such user (192.0.2.110)": "550 5.1.1 no such user (192.0.2.110)",
		"no answer since 2026-11-22 14:05:31":  "no answer since 2026-11-22 14:05:31",
		"":                                     "",
	} {
		if got := withoutCodes(words); got != want {
			t.Errorf("%q becomes %q, not %q", words, got, want)
		}
	}
}

// What a receipt says of its message's failure, whatever it repeats of the message.
func TestReceiptReason(t *testing.T) {
	const start = "id:0123456789 sub:001 dlvrd:000 submit date:2611220700 done date:2611220701 "
	for words, want := range map[string]string{
		start + "stat:UNDELIV err:021 text:123456 är din kod ti": "undeliv, error 021",
		start + "stat:EXPIRED err:000 Text:123456 är din kod ti": "expired",
		start + "stat:REJECTD err:654321":                        "rejectd, error ######",
		"stat:UNKNOWN err:7 TEXT=12345":                          "stat:UNKNOWN err:7",
		"İİİ text : 12345":                                       "İİİ",
		"text:stat:UNDELIV 123456":                               "",
		"NACK/0x0000000b/Invalid Destination Address":            "NACK/0x0000000b/Invalid Destination Address",
		"30003":                               "30003",
		"Message '123456 är din kod' is spam": "Message '###### är din kod' is spam",
		"":                                    "",
	} {
		if got := receiptReason(words); got != want {
			t.Errorf("%q becomes %q, not %q", words, got, want)
		}
	}
}
