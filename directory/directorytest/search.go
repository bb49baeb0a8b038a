package directorytest

import (
	"regexp"
	"strings"
	"unicode/utf8"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/jimlambrt/gldap"
)

// entry is one entry of the tree.
type entry struct {
	dn         string
	attributes attributes
}

func (s *Server) onSearch(w *gldap.ResponseWriter, r *gldap.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := r.NewSearchDoneResponse(gldap.WithResponseCode(gldap.ResultSuccess))
	defer func() { _ = w.Write(done) }() // the client may have gone
	m, err := r.GetSearchMessage()
	if err != nil {
		done.SetResultCode(gldap.ResultProtocolError)
		return
	}
	filter, err := ldap.CompileFilter(m.Filter)
	if err != nil {
		done.SetResultCode(gldap.ResultProtocolError)
		return
	}
	switch {
	case m.BaseDN == "" && m.Scope == gldap.BaseObject:
		_ = w.Write(s.answer(r, m, s.rootDSE()))
		return
	case !s.bound[r.ConnectionID()]:
		done.SetResultCode(gldap.ResultOperationsError)
		done.SetDiagnosticMessage("00002020: Operation unavailable without authentication")
		return
	}
	found, baseExists := s.under(m)
	if !baseExists {
		done.SetResultCode(gldap.ResultNoSuchObject)
		return
	}
	sent := int64(0)
	for _, e := range found {
		if !matches(e.attributes, filter) {
			continue
		}
		if m.SizeLimit > 0 && sent == m.SizeLimit {
			done.SetResultCode(gldap.ResultSizeLimitExceeded)
			return
		}
		sent++
		_ = w.Write(s.answer(r, m, e))
	}
}

func (s *Server) rootDSE() entry {
	return entry{attributes: attributes{
		"objectClass":           {"top"},
		"supportedCapabilities": {"1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670"},
		"defaultNamingContext":  {s.baseDN()}, "namingContexts": {s.baseDN()},
	}}
}

// under returns the entries in the scope of a search.
func (s *Server) under(m *gldap.SearchMessage) (found []entry, baseExists bool) {
	base, err := ldap.ParseDN(m.BaseDN)
	if err != nil {
		return nil, false
	}
	for _, e := range s.entries() {
		dn, err := ldap.ParseDN(e.dn)
		if err != nil {
			continue
		}
		same := base.EqualFold(dn)
		baseExists = baseExists || same
		if same || m.Scope == gldap.WholeSubtree && base.AncestorOfFold(dn) {
			found = append(found, e)
		}
	}
	return found, baseExists
}

func (s *Server) entries() []entry {
	all := []entry{
		{s.baseDN(), s.headAttributes()},
		{"CN=Users," + s.baseDN(), attributes{"objectClass": {"top", "container"}, "cn": {"Users"}}},
	}
	for _, g := range s.groups {
		all = append(all, entry{s.groupDN(g.Name), s.groupAttributes(g)})
	}
	for _, a := range s.accounts {
		all = append(all, entry{s.userDN(a.Name), s.userAttributes(a)})
	}
	return all
}

// answer writes what was asked for. tokenGroups is only told of the entry that
// a search starts at (MS-ADTS section 3.1.1.4.5.19).
func (s *Server) answer(r *gldap.Request, m *gldap.SearchMessage, e entry) gldap.Response {
	told := map[string][]string{}
	for _, name := range m.Attributes {
		spelled, values := e.attributes.get(name)
		if spelled == "" || spelled == "tokenGroups" && m.Scope != gldap.BaseObject {
			continue
		}
		told[spelled] = values
	}
	return r.NewSearchResponseEntry(e.dn, gldap.WithAttributes(told))
}

// matches evaluates the filters that package directory uses, and those that it
// would send if it forgot to escape a name.
func matches(a attributes, filter *ber.Packet) bool {
	switch filter.Tag {
	case ldap.FilterAnd:
		for _, f := range filter.Children {
			if !matches(a, f) {
				return false
			}
		}
		return true
	case ldap.FilterOr:
		for _, f := range filter.Children {
			if matches(a, f) {
				return true
			}
		}
		return false
	case ldap.FilterNot:
		return !matches(a, filter.Children[0])
	case ldap.FilterPresent:
		spelled, _ := a.get(filter.Data.String())
		return spelled != ""
	case ldap.FilterEqualityMatch:
		return holds(a, filter.Children[0].Data.String(), func(value string) bool {
			return equal(value, filter.Children[1].Data.String())
		})
	case ldap.FilterExtensibleMatch:
		return inChain(a, filter)
	case ldap.FilterSubstrings:
		pattern := substrings(filter.Children[1])
		return holds(a, filter.Children[0].Data.String(), pattern.MatchString)
	}
	return false
}

// inChain evaluates (member:1.2.840.113556.1.4.1941:=DN), and nothing else.
func inChain(a attributes, filter *ber.Packet) bool {
	parts := map[ber.Tag]string{}
	for _, part := range filter.Children {
		parts[part.Tag] = part.Data.String()
	}
	return parts[ldap.MatchingRuleAssertionMatchingRule] == "1.2.840.113556.1.4.1941" &&
		strings.EqualFold(parts[ldap.MatchingRuleAssertionType], "member") &&
		holds(a, memberInChain, func(dn string) bool { return equal(dn, parts[ldap.MatchingRuleAssertionMatchValue]) })
}

func holds(a attributes, name string, is func(string) bool) bool {
	_, values := a.get(name)
	for _, value := range values {
		if is(value) {
			return true
		}
	}
	return false
}

// equal folds the case of text, and compares what is not text byte by byte.
func equal(a, b string) bool {
	return a == b || utf8.ValidString(a) && utf8.ValidString(b) && strings.EqualFold(a, b)
}

func substrings(parts *ber.Packet) *regexp.Regexp {
	var pattern strings.Builder
	pattern.WriteString("(?is)^")
	for i, part := range parts.Children {
		if i > 0 || part.Tag != ldap.FilterSubstringsInitial {
			pattern.WriteString(".*")
		}
		pattern.WriteString(regexp.QuoteMeta(part.Data.String()))
		if i == len(parts.Children)-1 && part.Tag != ldap.FilterSubstringsFinal {
			pattern.WriteString(".*")
		}
	}
	pattern.WriteString("$")
	return regexp.MustCompile(pattern.String())
}
