package directory

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const maxName = 256 // bytes of a user name as typed

// username is a user name that has been understood.
type username struct {
	domain *domain
	user   string // what stands in sAMAccountName or uid, as typed
	// principal is user@suffix where it was typed so. AD accounts may have a
	// userPrincipalName that differs from their sAMAccountName.
	principal string
	id        string // instead of a name: Account.ID
}

// parseName understands DOMAIN\user, user@suffix and, where one domain is the
// default or the only one, user. The error is a *RefusedError.
func (d *Directory) parseName(name string) (username, error) {
	name, ok := tidyName(name)
	if !ok {
		return username{}, &RefusedError{Reason: "malformed-name"}
	}
	if before, after, found := strings.Cut(name, `\`); found {
		return qualified(d.byName(strings.TrimSpace(before)), strings.TrimSpace(after), "")
	}
	if at := strings.LastIndexByte(name, '@'); at >= 0 {
		user, suffix := strings.TrimSpace(name[:at]), strings.TrimSpace(name[at+1:])
		return qualified(d.bySuffix(suffix), user, user+"@"+suffix)
	}
	return qualified(d.standard(), name, "")
}

func qualified(domain *domain, user, principal string) (username, error) {
	switch {
	case user == "" || strings.Contains(user, `\`):
		return username{}, &RefusedError{Reason: "malformed-name"}
	case domain == nil:
		return username{}, &RefusedError{Reason: "unknown-domain"}
	}
	return username{domain: domain, user: user, principal: principal}, nil
}

// tidyName brings spellings that a directory's string preparation (RFC 4518)
// makes equal to one, and refuses characters that it drops: an account must not
// have a second spelling with a counter of its own.
func tidyName(name string) (string, bool) {
	if len(name) > maxName || !utf8.ValidString(name) {
		return "", false
	}
	name = strings.Trim(name, " \u00a0") // pasted from a document
	for _, r := range name {
		if !unicode.IsPrint(r) && r != ' ' || unicode.Is(unicode.Variation_Selector, r) {
			return "", false
		}
	}
	name = strings.Join(strings.Fields(norm.NFC.String(name)), " ")
	return name, name != ""
}

func (d *Directory) byName(name string) *domain {
	for _, domain := range d.domains {
		if strings.EqualFold(domain.config.Name, name) {
			return domain
		}
	}
	return nil
}

func (d *Directory) bySuffix(suffix string) *domain {
	for _, domain := range d.domains {
		for _, own := range domain.config.Suffixes {
			if strings.EqualFold(own, suffix) {
				return domain
			}
		}
	}
	return nil
}

// standard is the domain of a bare user name; nil when nothing says which.
func (d *Directory) standard() *domain {
	if len(d.domains) == 1 {
		return d.domains[0]
	}
	for _, domain := range d.domains {
		if domain.config.Default {
			return domain
		}
	}
	return nil
}

// Spellings are the canonical names that somebody may mean who says a name to
// helpdesk: a bare user name may be of any domain. What fits none is as typed.
func (d *Directory) Spellings(name string) []string {
	name = printable(strings.TrimSpace(name), maxName)
	if canonical, ok := d.Canonical(name); ok && strings.ContainsAny(name, `\@`) {
		return []string{canonical}
	}
	all := []string{name}
	if !strings.ContainsAny(name, `\@`) {
		for _, domain := range d.domains {
			all = append(all, domain.config.Name+`\`+name)
		}
	}
	return all
}

// Canonical brings any spelling of a user name to one, for counters and logs:
// `DOMAIN\user` with the configured domain's spelling and the user in lower
// case. ok is false when the name is malformed (empty, over 256 bytes, control
// characters, two backslashes, ...) or its domain is not configured; the text is then a
// printable form of what was typed, at most 64 runes, safe to log.
func (d *Directory) Canonical(name string) (canonical string, ok bool) {
	who, err := d.parseName(name)
	if err != nil {
		return printable(name, 64), false
	}
	return who.domain.config.Name + `\` + strings.ToLower(who.user), true
}
