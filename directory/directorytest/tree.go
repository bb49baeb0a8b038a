package directorytest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// account is a User with what changes while the server runs.
type account struct {
	User
	rid      uint32
	bad      int // wrong passwords in a row
	earlier  []string
	pwdSetAt time.Time
	lockedAt time.Time
}

// group is a Group with its number.
type group struct {
	Group
	rid uint32
}

const domainUsersRID = 513

func (s *Server) fill() error {
	rid := uint32(1103)
	seen := map[string]bool{}
	claim := func(name string) error {
		if name == "" || seen[strings.ToLower(name)] {
			return fmt.Errorf("the name %q is empty or taken", name)
		}
		if strings.ContainsAny(name, `"[]:;|=+*?<>/\,`) {
			return fmt.Errorf("AD allows no name such as %q", name)
		}
		seen[strings.ToLower(name)] = true
		rid++
		return nil
	}
	s.groups = []*group{{Group: Group{Name: "Domain Users"}, rid: domainUsersRID}}
	for _, g := range s.config.Groups {
		if err := claim(g.Name); err != nil {
			return err
		}
		s.groups = append(s.groups, &group{Group: g, rid: rid})
	}
	for _, u := range append(slices.Clone(s.config.Users), s.service) {
		if err := claim(u.Name); err != nil {
			return err
		}
		s.accounts = append(s.accounts, &account{
			User: u, rid: rid, earlier: []string{u.Password}, pwdSetAt: s.config.Now().Add(-48 * time.Hour), lockedAt: s.config.Now(),
		})
	}
	for _, named := range s.named() {
		if s.groupNamed(named) == nil {
			if err := claim(named); err != nil {
				return err
			}
			s.groups = append(s.groups, &group{Group: Group{Name: named}, rid: rid})
		}
	}
	return nil
}

// named returns the groups that users and groups say they are in.
func (s *Server) named() []string {
	var names []string
	for _, u := range s.config.Users {
		names = append(names, u.Groups...)
	}
	for _, g := range s.config.Groups {
		names = append(names, g.Groups...)
	}
	return names
}

// Update changes an account while the server runs. Taking Locked away also
// forgets the wrong passwords.
func (s *Server) Update(name string, change func(*User)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accountNamed(name)
	if a == nil {
		return fmt.Errorf("directorytest: no account %q", name)
	}
	password, locked := a.Password, a.Locked
	change(&a.User)
	if a.Locked && !locked {
		a.lockedAt = s.config.Now()
	}
	if a.Password != password {
		a.earlier = append([]string{a.Password}, a.earlier...)
		a.pwdSetAt = s.config.Now()
	}
	if !a.Locked {
		a.bad = 0
	}
	for _, g := range a.Groups {
		if s.groupNamed(g) == nil {
			return fmt.Errorf("directorytest: no group %q", g)
		}
	}
	return nil
}

// Delete removes an account.
func (s *Server) Delete(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.accounts)
	s.accounts = slices.DeleteFunc(s.accounts, func(a *account) bool { return strings.EqualFold(a.Name, name) })
	if len(s.accounts) == before {
		return fmt.Errorf("directorytest: no account %q", name)
	}
	return nil
}

// BadPasswords is how many wrong passwords in a row an account has had.
func (s *Server) BadPasswords(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.accountNamed(name); a != nil {
		return a.bad
	}
	return 0
}

func (s *Server) accountNamed(name string) *account {
	for _, a := range s.accounts {
		if strings.EqualFold(a.Name, name) {
			return a
		}
	}
	return nil
}

func (s *Server) groupNamed(name string) *group {
	for _, g := range s.groups {
		if strings.EqualFold(g.Name, name) {
			return g
		}
	}
	return nil
}

func (s *Server) baseDN() string {
	return "DC=" + strings.ReplaceAll(s.config.Suffix, ".", ",DC=")
}

func (s *Server) userDN(name string) string {
	return "CN=" + ldap.EscapeDN(name) + ",CN=Users," + s.baseDN()
}

func (s *Server) groupDN(name string) string { return s.userDN(name) } // AD keeps both in CN=Users

// sid is the binary objectSid of a number in the domain (MS-DTYP section 2.4.2.2).
func (s *Server) sid(rid uint32) string {
	sum := sha256.Sum256([]byte("sid " + strings.ToLower(s.config.Suffix)))
	b := []byte{1, 5, 0, 0, 0, 0, 0, 5}
	b = binary.LittleEndian.AppendUint32(b, 21)
	b = append(b, sum[:12]...)
	return string(binary.LittleEndian.AppendUint32(b, rid))
}

// guid is the same in every run, so that what a demo has stored about an
// account stays true.
func (s *Server) guid(name string) string {
	sum := sha256.Sum256([]byte("guid " + strings.ToLower(s.config.Suffix+" "+name)))
	return string(sum[:16])
}

// allGroups walks up from direct groups, each once.
func (s *Server) allGroups(direct []string) []*group {
	var found []*group
	for queue := slices.Clone(direct); len(queue) > 0; queue = queue[1:] {
		g := s.groupNamed(queue[0])
		if g == nil || slices.Contains(found, g) {
			continue
		}
		found = append(found, g)
		queue = append(queue, g.Groups...)
	}
	return found
}

// attributes of an entry, by name as AD spells it.
type attributes map[string][]string

func (a attributes) get(name string) (spelled string, values []string) {
	for spelled, values := range a {
		if strings.EqualFold(spelled, name) {
			return spelled, values
		}
	}
	return "", nil
}

func (s *Server) userAttributes(a *account) attributes {
	control, computed := 512, 0
	if a.Disabled {
		control |= 0x2
	}
	if a.Locked {
		computed |= 0x10
	}
	if a.Expired {
		computed |= 0x800000
	}
	lockedAt, passwordSet := "0", "0"
	if a.Locked {
		lockedAt = filetime(a.lockedAt)
	}
	if !a.MustChange {
		passwordSet = filetime(a.pwdSetAt)
	}
	expires := "9223372036854775807"
	if a.AccountExpired {
		expires = filetime(s.config.Now().Add(-24 * time.Hour))
	}
	all := attributes{
		"objectClass": {"top", "person", "organizationalPerson", "user"}, "objectCategory": {"person"},
		"cn": {a.Name}, "sAMAccountName": {a.Name}, "userPrincipalName": {s.principal(a)},
		"displayName": {a.DisplayName}, "mail": {a.Mail}, "mobile": {a.Mobile}, "telephoneNumber": {a.Telephone},
		"objectGUID": {s.guid(a.Name)}, "objectSid": {s.sid(a.rid)},
		"userAccountControl": {strconv.Itoa(control)}, "accountExpires": {expires},
		"msDS-User-Account-Control-Computed":  {strconv.Itoa(computed)},
		"msDS-UserPasswordExpiryTimeComputed": {s.passwordExpiry(a)},
		"tokenGroups":                         {s.sid(domainUsersRID)},
		"lockoutTime":                         {lockedAt}, "pwdLastSet": {passwordSet}, "badPwdCount": {strconv.Itoa(a.bad)},
	}
	for _, g := range a.Groups {
		all["memberOf"] = append(all["memberOf"], s.groupDN(g))
	}
	for _, g := range s.allGroups(a.Groups) {
		all["tokenGroups"] = append(all["tokenGroups"], s.sid(g.rid))
	}
	if s.config.Hardened {
		delete(all, "tokenGroups")
	}
	for name, values := range all {
		if values[0] == "" {
			delete(all, name)
		}
	}
	return all
}

func (s *Server) principal(a *account) string {
	if a.PrincipalName != "" {
		return a.PrincipalName
	}
	return a.Name + "@" + s.config.Suffix
}

func (s *Server) passwordExpiry(a *account) string {
	switch {
	case a.MustChange:
		return "0"
	case a.Expired:
		return filetime(s.config.Now().Add(-24 * time.Hour))
	case s.config.Policy.MaxAge == 0:
		return "9223372036854775807"
	}
	return filetime(a.pwdSetAt.Add(s.config.Policy.MaxAge))
}

func (s *Server) groupAttributes(g *group) attributes {
	all := attributes{
		"objectClass": {"top", "group"}, "objectCategory": {"group"}, "cn": {g.Name}, "sAMAccountName": {g.Name},
		"objectGUID": {s.guid(g.Name)}, "objectSid": {s.sid(g.rid)}, memberInChain: s.membersInChain(g),
	}
	for _, parent := range g.Groups {
		all["memberOf"] = append(all["memberOf"], s.groupDN(parent))
	}
	return all
}

// memberInChain stands for member under the matching rule 1.2.840.113556.1.4.1941:
// who is in the group, nested ones too. No client can ask for it by this name.
const memberInChain = " member in chain"

func (s *Server) membersInChain(g *group) []string {
	var members []string
	for _, a := range s.accounts {
		if slices.Contains(s.allGroups(a.Groups), g) {
			members = append(members, s.userDN(a.Name))
		}
	}
	return members
}

func (s *Server) headAttributes() attributes {
	p := s.config.Policy
	span := func(d time.Duration) string { return strconv.FormatInt(-int64(d/100), 10) }
	maxAge := span(p.MaxAge)
	if p.MaxAge == 0 {
		maxAge = "-9223372036854775808"
	}
	properties := "0"
	if p.Complexity {
		properties = "1"
	}
	return attributes{
		"objectClass": {"top", "domain", "domainDNS"}, "objectSid": {s.sid(0)},
		"minPwdLength": {strconv.Itoa(p.MinLength)}, "pwdHistoryLength": {strconv.Itoa(p.History)},
		"pwdProperties": {properties}, "minPwdAge": {span(p.MinAge)}, "maxPwdAge": {maxAge},
		"lockoutThreshold": {strconv.Itoa(p.LockoutThreshold)}, "lockoutDuration": {"-9223372036854775808"},
		"lockOutObservationWindow": {span(30 * time.Minute)},
	}
}

// filetime writes a time in ticks of 100 ns since 1601.
func filetime(t time.Time) string {
	return strconv.FormatInt(t.Unix()*1e7+int64(t.Nanosecond()/100)+116444736000000000, 10)
}
