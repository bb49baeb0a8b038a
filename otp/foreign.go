package otp

import (
	"regexp"
	"strings"
	"unicode"
)

// codeLike are the numbers that could be a code of six digits: longer ones too,
// which may hold one, and three and three as people write them. Shorter ones stay:
// providers' error numbers are among them. So does a status of SMPP, 0x0000000b.
var codeLike = regexp.MustCompile(`0x[[:xdigit:]]{8}\b|\p{Nd}{6,}|\b\d{3}[\s\x{A0}-]\d{3}\b`)

// withoutCodes blots out every number that could be a code, in words that come
// from a provider: agents read them, and the log and the database keep them, while
// the code may still be used.
func withoutCodes(words string) string {
	return codeLike.ReplaceAllStringFunc(words, func(number string) string {
		if strings.HasPrefix(number, "0x") {
			return number
		}
		return strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return '#'
			}
			return r
		}, number)
	})
}

// messageBegins is where a receipt of SMPP repeats the start of its message (SMPP
// 3.4, appendix B).
var messageBegins = regexp.MustCompile(`(?i)text\s*[:=]`)

// beforeMessage is what a receipt says itself, without what it repeats.
func beforeMessage(receipt string) string {
	if at := messageBegins.FindStringIndex(receipt); at != nil {
		return receipt[:at[0]]
	}
	return receipt
}

// receiptReason is why a message did not arrive, in a provider's words. Where they
// are a whole receipt of SMPP, as Kannel's %A is, only its state and error are
// kept.
func receiptReason(words string) string {
	if said := smppSaidInText(words).receipt(); said.state == DeliveryFailed {
		return said.reason
	}
	return strings.TrimSpace(withoutCodes(beforeMessage(words)))
}
