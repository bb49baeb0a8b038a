package directory

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// What is taken from an entry, at most. Directories are filled by people and by
// other systems: their texts end up on pages and in logs.
const (
	maxText   = 128 // runes of a display name, a group's name, a mobile number
	maxMail   = 254 // RFC 5321
	maxGroups = 2000
)

// text is an attribute's first value, fit to be shown.
func text(e *ldap.Entry, attribute string, limit int) string {
	return printable(e.GetEqualFoldAttributeValue(attribute), limit)
}

// exactText is an attribute's value that others compare with, or "" when it
// cannot be shown as it is: a cleaned name would be somebody else's.
func exactText(value string) string {
	if value == printable(value, maxText) {
		return value
	}
	return ""
}

// spelled returns the value of an attribute that is name but for case; the
// first one if none is.
func spelled(e *ldap.Entry, attribute, name string) string {
	values := e.GetEqualFoldAttributeValues(attribute)
	for _, value := range values {
		if strings.EqualFold(value, name) {
			return exactText(value)
		}
	}
	if len(values) == 0 {
		return ""
	}
	return exactText(values[0])
}

// person fills in what both kinds of directory hold alike.
func (d *domain) person(e *ldap.Entry, id, name string) (Account, error) {
	switch {
	case id == "":
		return Account{}, errors.New("the account has no readable objectGUID or entryUUID")
	case name == "":
		return Account{}, errors.New("the account's name is missing or cannot be printed")
	case !usableDN(e.DN):
		return Account{}, errors.New("the account's DN is malformed")
	}
	a := Account{
		ID: id, Domain: d.config.Name, Name: name, DN: e.DN,
		DisplayName: text(e, "displayName", maxText),
		Mail:        text(e, "mail", maxMail),
	}
	for _, attribute := range d.config.MobileAttributes {
		if number := text(e, attribute, maxText); number != "" {
			a.Mobiles = append(a.Mobiles, number)
		}
	}
	if len(a.Mobiles) > 0 {
		a.Mobile = a.Mobiles[0]
	}
	if a.DisplayName == "" {
		a.DisplayName = name
	}
	return a, nil
}

// group is the group with a DN and a name, as the directory spells it.
func (d *domain) group(dn, name string) Group {
	if name = exactText(name); name != "" {
		name = d.config.Name + `\` + name
	}
	return Group{DN: dn, Name: name}
}

// guidText writes an objectGUID, whose first three parts are little-endian
// (MS-DTYP section 2.3.4.2), as a UUID. It is "" when raw is no GUID.
func guidText(raw []byte) string {
	if len(raw) != 16 {
		return ""
	}
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x",
		binary.LittleEndian.Uint32(raw), binary.LittleEndian.Uint16(raw[4:]), binary.LittleEndian.Uint16(raw[6:]),
		raw[8:10], raw[10:])
}

// uuidText checks an entryUUID (RFC 4530). It is "" when text is no UUID.
func uuidText(text string) string {
	text = strings.ToLower(text)
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return ""
	}
	if raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", "")); err != nil || len(raw) != 16 {
		return ""
	}
	return text
}

// binaryFilter writes bytes as the value of a filter (RFC 4515).
func binaryFilter(raw []byte) string {
	var b strings.Builder
	for _, octet := range raw {
		fmt.Fprintf(&b, `\%02x`, octet)
	}
	return b.String()
}

const (
	filetimeTick  = 100 * time.Nanosecond
	filetimeUnix  = 116444736000000000 // 1970-01-01 in ticks since 1601-01-01, MS-DTYP section 2.3.3
	filetimeNever = 1<<63 - 1
)

// filetime reads a Windows FILETIME; zero for "never", 0 and garbage.
func filetime(text string) time.Time {
	ticks, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ticks <= 0 || ticks == filetimeNever {
		return time.Time{}
	}
	ticks -= filetimeUnix
	return time.Unix(ticks/1e7, ticks%1e7*100).UTC()
}

// interval reads AD's negative spans of 100 ns; 0 for "never" and garbage.
func interval(text string) time.Duration {
	ticks, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ticks >= 0 || ticks < -int64(1<<63-1)/int64(filetimeTick) {
		return 0
	}
	return time.Duration(-ticks) * filetimeTick
}

// generalizedTime reads the UTC times of OpenLDAP's ppolicy (RFC 4517 section
// 3.3.13); zero for garbage.
func generalizedTime(text string) time.Time {
	t, err := time.Parse("20060102150405Z0700", text) // a fraction of a second is accepted too
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// number reads a count; 0 for garbage and negative ones.
func number(text string) int {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return int(n)
}

// seconds reads a span in seconds; 0 for garbage.
func seconds(text string) time.Duration { return time.Duration(number(text)) * time.Second }
