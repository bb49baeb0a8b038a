package otp

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Phone is a number in E.164: +46701234567.
type Phone string

// maxPhoneText is the longest text, in bytes, that is looked at as a number.
const maxPhoneText = 64

// Masked shows the last two digits: "•• 67".
func (p Phone) Masked() string {
	if len(p) < 2 || strings.Contains(string(p), "@") { // a recipient of the store's that is none: MaskRecipient
		return "••"
	}
	return "•• " + string(p[len(p)-2:])
}

// Country is the ISO 3166 code of the country that the number belongs to;
// empty where it belongs to none.
func (p Phone) Country() string {
	number, err := phonenumbers.Parse(string(p), "")
	if err != nil {
		return ""
	}
	return phonenumbers.GetRegionCodeForNumber(number)
}

// valid tells whether it looks like E.164: a plus and 7 to 15 digits.
func (p Phone) valid() bool {
	number, plus := strings.CutPrefix(string(p), "+")
	return plus && len(number) >= 7 && len(number) <= 15 && number[0] != '0' && strings.Trim(number, "0123456789") == ""
}

// NoPhoneError is ErrNoPhone with its reason: "empty", "unreadable" (no number,
// or one that does not exist), "not-mobile" (fixed line, premium, ...) or
// "country" (not one that codes are sent to). The number is not in it.
type NoPhoneError struct{ Reason string }

func (e *NoPhoneError) Error() string { return ErrNoPhone.Error() + ": " + e.Reason }
func (e *NoPhoneError) Unwrap() error { return ErrNoPhone }

// ParsePhone reads a number as people and directories write it (070-123 45 67,
// +46 70 ..., 0046 ...) into E.164; country is the ISO 3166 code that a
// national number belongs to. *NoPhoneError, which is ErrNoPhone, with the
// reason: empty, unreadable, not a possible mobile number, not in allowed (ISO
// codes; empty means only country).
func ParsePhone(raw, country string, allowed []string) (Phone, error) {
	if len(raw) > 4*maxPhoneText {
		return "", &NoPhoneError{Reason: "unreadable"}
	}
	text := strings.TrimSpace(strings.Map(visible, raw))
	if text == "" {
		return "", &NoPhoneError{Reason: "empty"}
	}
	// The library would also take letters (0800-FLOWERS), extensions and
	// digits of other scripts; none of them stands in a mobile number.
	if len(text) > maxPhoneText || strings.Trim(text, "0123456789 -./()+") != "" || strings.ContainsAny(text[:strings.LastIndex(text, "+")+1], "0123456789") {
		return "", &NoPhoneError{Reason: "unreadable"}
	}
	country = strings.ToUpper(country)
	number, err := phonenumbers.Parse(text, country)
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", &NoPhoneError{Reason: "unreadable"}
	}
	if !mayReceive(phonenumbers.GetRegionCodeForNumber(number), country, allowed) {
		return "", &NoPhoneError{Reason: "country"}
	}
	switch phonenumbers.GetNumberType(number) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
	default:
		return "", &NoPhoneError{Reason: "not-mobile"}
	}
	phone := Phone(phonenumbers.Format(number, phonenumbers.E164))
	if !phone.valid() {
		return "", &NoPhoneError{Reason: "unreadable"}
	}
	return phone, nil
}

// visible drops the invisible marks that come along when a number is copied
// from Windows' contacts or a web page, and makes its other spaces and dashes plain.
func visible(r rune) rune {
	switch {
	case r == '\u00ad', r >= '\u200b' && r <= '\u200f', r >= '\u202a' && r <= '\u202e', r >= '\u2060' && r <= '\u2069', r == '\ufeff':
		return -1
	case r == '\u00a0', r >= '\u2000' && r <= '\u200a', r == '\u202f', r == '\t':
		return ' '
	case r >= '\u2010' && r <= '\u2015', r == '\u2212':
		return '-'
	}
	return r
}

func mayReceive(region, country string, allowed []string) bool {
	if len(allowed) == 0 {
		return region == country
	}
	for _, code := range allowed {
		if strings.EqualFold(region, code) {
			return true
		}
	}
	return false
}
