package directory

import (
	"strings"
	"unicode"

	"github.com/go-ldap/ldap/v3"
)

// MemberOf tells whether the account is in a group given as a DN or as
// DOMAIN\name; both compare as the directory compares them (DNs by RFC 4514
// parts, case folded).
func (a Account) MemberOf(group string) bool {
	switch formOf(group) {
	case formDN:
		plain := isPlainDN(group)
		for _, g := range a.Groups {
			if equalDN(g.DN, group, plain) {
				return true
			}
		}
	case formName:
		for _, g := range a.Groups {
			if strings.EqualFold(g.Name, group) {
				return true
			}
		}
	}
	return false
}

type groupForm int

const (
	formNone groupForm = iota // malformed: in no directory, and nobody is its member
	formDN
	formName
)

// formOf tells a DN from DOMAIN\name. A DN starts with "type=", and neither a
// type nor a domain's name holds the other one's separator.
func formOf(group string) groupForm {
	switch i := strings.IndexAny(group, `\=`); {
	case i <= 0 || i == len(group)-1:
		return formNone
	case group[i] == '=':
		return formDN
	default:
		return formName
	}
}

// equalDN compares two DNs (RFC 4514), case folded. What is no DN equals
// nothing. Plain DNs take a short way: a page asks this thousands of times.
func equalDN(a, b string, plainB bool) bool {
	if plainB && isPlainDN(a) {
		return strings.EqualFold(a, b)
	}
	x, errX := ldap.ParseDN(a)
	y, errY := ldap.ParseDN(b)
	return errX == nil && errY == nil && len(x.RDNs) > 0 && x.EqualFold(y)
}

// isPlainDN tells whether a DN is spelled so that there is no other spelling of
// it but for case: no escapes, no encoded values, no spaces beside a separator
// or another space.
func isPlainDN(dn string) bool {
	inType, before := true, byte(',')
	for i := range len(dn) {
		c := dn[i]
		switch c {
		case '\\', '"', '+', ';', '#', '<', '>', 0:
			return false
		case ' ':
			if before == ',' || before == '=' || before == ' ' || inType {
				return false
			}
		case ',', '=':
			if before == ',' || before == '=' || before == ' ' || inType == (c == ',') {
				return false
			}
			inType = c == ','
		}
		before = c
	}
	return !inType && before != '=' && before != ' '
}

// printable is text without what cannot be printed (control characters, bidi
// marks, invalid UTF-8), trimmed, and cut after limit runes.
func printable(text string, limit int) string {
	var kept strings.Builder
	count := 0
	for _, r := range text {
		if count == limit {
			break
		}
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			continue
		}
		kept.WriteRune(r)
		count++
	}
	return strings.TrimSpace(kept.String())
}
