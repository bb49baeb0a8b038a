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
		for _, g := range a.Groups {
			if equalDN(g.DN, group) {
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

// equalDN compares two DNs (RFC 4514), case folded. What is no DN equals nothing.
func equalDN(a, b string) bool {
	if isPlainDN(a) && isPlainDN(b) {
		return strings.EqualFold(a, b) // a target list asks this thousands of times a page
	}
	x, errX := ldap.ParseDN(a)
	y, errY := ldap.ParseDN(b)
	return errX == nil && errY == nil && len(x.RDNs) > 0 && x.EqualFold(y)
}

// isPlainDN tells whether a DN is spelled so that there is no other spelling of
// it but for case: no escapes, no encoded values, no spaces beside a separator.
func isPlainDN(dn string) bool {
	if !strings.Contains(dn, "=") || strings.ContainsAny(dn, "\\\"+;#<>\x00") {
		return false
	}
	if strings.HasPrefix(dn, " ") || strings.HasSuffix(dn, " ") || strings.Contains(dn, "  ") {
		return false
	}
	for _, pair := range []string{", ", " ,", "= ", " ="} {
		if strings.Contains(dn, pair) {
			return false
		}
	}
	for part := range strings.SplitSeq(dn, ",") {
		if kind, value, ok := strings.Cut(part, "="); !ok || kind == "" || value == "" {
			return false
		}
	}
	return true
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
