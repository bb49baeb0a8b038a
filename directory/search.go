package directory

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

const (
	minSearch     = 2   // characters of a search text
	maxSearch     = 100 // the same
	maxFound      = 20  // accounts that a search brings
	maxCandidates = 200 // entries that are looked at for a number
	minDigits     = 4   // of a number that is searched for
	countryDigits = 3   // a country code has at most as many (ITU-T E.164)
)

// ErrSearchText: the text has fewer than 2 or more than 100 characters, or some
// that cannot be printed.
var ErrSearchText = errors.New("directory: a search takes 2 to 100 printable characters")

// Search finds people of all domains by a part of their display name, user
// name or mail address, every word somewhere, and by their mobile number in any
// spelling. `DOMAIN\text` searches one domain. At most limit accounts, and
// never more than 20, by display name; they have neither Groups nor Barred nor
// PasswordExpires. ErrSearchText, ErrUnavailable: with the latter come those of
// the domains that answered.
func (d *Directory) Search(ctx context.Context, text string, limit int) ([]Account, error) {
	text, ok := tidyName(text)
	if n := utf8.RuneCountInString(text); !ok || n < minSearch || n > maxSearch {
		return nil, ErrSearchText
	}
	domains := d.domains
	if before, after, found := strings.Cut(text, `\`); found {
		one := d.byName(strings.TrimSpace(before))
		text = strings.TrimSpace(after)
		if one == nil || text == "" {
			return nil, nil
		}
		domains = []*domain{one}
	}
	found, faults := make([][]Account, len(domains)), make([]error, len(domains))
	var all sync.WaitGroup
	for i, one := range domains {
		all.Go(func() { found[i], faults[i] = one.search(ctx, text) })
	}
	all.Wait()
	accounts := slices.Concat(found...)
	slices.SortStableFunc(accounts, func(a, b Account) int {
		return strings.Compare(strings.ToLower(a.DisplayName), strings.ToLower(b.DisplayName))
	})
	return accounts[:min(len(accounts), max(limit, 0), maxFound)], errors.Join(faults...)
}

// search asks for names first, and for numbers where the text looks like one.
func (d *domain) search(ctx context.Context, text string) ([]Account, error) {
	var accounts []Account
	err := d.readEach(ctx, func(c *conn) error {
		kind := c.dse.kind
		words := strings.Fields(text)
		entries, err := c.searchPeople(ctx, wordsFilter(kind.nameAttributes(), words), maxFound)
		if err != nil {
			return err
		}
		accounts = d.people(kind, entries)
		tail := numberTail(text)
		if tail == "" {
			return nil
		}
		numbers := "(|"
		for _, attribute := range d.config.MobileAttributes {
			numbers += "(" + attribute + "=*" + strings.Join(strings.Split(tail, ""), "*") + "*)"
		}
		if entries, err = c.searchPeople(ctx, numbers+")", maxCandidates); err != nil {
			return err
		}
		for _, a := range d.people(kind, entries) {
			matches := slices.ContainsFunc(a.Mobiles, func(number string) bool { return strings.Contains(digitsOf(number), tail) })
			if matches && !slices.ContainsFunc(accounts, func(b Account) bool { return a.ID == b.ID }) {
				accounts = append(accounts, a)
			}
		}
		return nil
	})
	return accounts, err
}

func (c *conn) searchPeople(ctx context.Context, condition string, limit int) ([]*ldap.Entry, error) {
	kind, domain := c.dse.kind, c.server.domain
	entries, err := c.search(ctx, query{
		base: c.dse.base, scope: ldap.ScopeWholeSubtree, limit: limit, some: true,
		filter: "(&" + kind.peopleFilter() + condition + ")",
		attributes: slices.Concat(kind.nameAttributes(), []string{"objectGUID", "entryUUID", "cn", "displayName", "mail"},
			domain.config.MobileAttributes),
	})
	if errors.Is(err, errNoEntry) {
		return nil, nil
	}
	return entries, err
}

// people are the accounts of entries; an entry that cannot be shown is left out.
func (d *domain) people(k kind, entries []*ldap.Entry) []Account {
	var accounts []Account
	for _, e := range entries {
		if a, err := k.account(e, ""); err == nil {
			accounts = append(accounts, a)
		}
	}
	return accounts
}

// wordsFilter wants each word in one of the attributes.
func wordsFilter(attributes, words []string) string {
	var all strings.Builder
	all.WriteString("(&")
	for _, word := range words {
		all.WriteString("(|")
		for _, attribute := range attributes {
			all.WriteString("(" + attribute + "=*" + ldap.EscapeFilter(word) + "*)")
		}
		all.WriteString(")")
	}
	return all.String() + ")"
}

// numberTail is what every spelling of a number ends with or has in it: its
// digits without the trunk's 0 and without a country code. As nobody knows how
// long that is, three digits are left out of a number that begins with one.
// Empty: the text is no number, or too short to look for.
func numberTail(text string) string {
	if strings.Trim(text, "0123456789 -./()+") != "" {
		return ""
	}
	digits := digitsOf(text)
	if len(digits) == minDigits {
		return digits // the end of a number, which may begin with a 0
	}
	international := strings.HasPrefix(text, "+") || strings.HasPrefix(digits, "00")
	digits = strings.TrimLeft(digits, "0")
	if international && len(digits) > countryDigits+minDigits {
		digits = digits[countryDigits:]
	}
	if len(digits) < minDigits || len(digits) > 15 {
		return ""
	}
	return digits
}

func digitsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// ByID finds an account by its ID, in one domain or, for "", in all of them.
// ErrNotFound, ErrUnavailable.
func (d *Directory) ByID(ctx context.Context, domain, id string) (Account, error) {
	if id = uuidText(id); id == "" {
		return Account{}, ErrNotFound
	}
	faults := []error{}
	for _, one := range d.domains {
		if domain != "" && !strings.EqualFold(domain, one.config.Name) {
			continue
		}
		account, err := one.lookup(ctx, username{domain: one, id: id})
		if !errors.Is(err, ErrNotFound) {
			if err == nil {
				return account, nil
			}
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		return Account{}, errors.Join(faults...)
	}
	return Account{}, ErrNotFound
}

// guidFilter is the value of a filter that finds an objectGUID by its text.
func guidFilter(text string) string {
	raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(raw) != 16 {
		return ""
	}
	little := binary.LittleEndian.AppendUint32(nil, binary.BigEndian.Uint32(raw))
	little = binary.LittleEndian.AppendUint16(little, binary.BigEndian.Uint16(raw[4:]))
	little = binary.LittleEndian.AppendUint16(little, binary.BigEndian.Uint16(raw[6:]))
	return binaryFilter(append(little, raw[8:]...))
}
