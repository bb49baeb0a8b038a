package directory

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestMemberOf(t *testing.T) {
	a := Account{Groups: []Group{
		{DN: "CN=MultiAccess,OU=Grupper,DC=amido,DC=example", Name: `AMIDO\MultiAccess`},
		{DN: `CN=Söder\, norr,DC=amido,DC=example`, Name: `AMIDO\Söder, norr`},
		{DN: "cn=unnamed,dc=amido,dc=example"},
		{Name: `AMIDO\nowhere`},
	}}
	for _, c := range []struct {
		name, group string
		want        bool
	}{
		{"DN", "CN=MultiAccess,OU=Grupper,DC=amido,DC=example", true},
		{"DN in other case", "cn=multiaccess,ou=GRUPPER,dc=AMIDO,dc=example", true},
		{"DN with spaces", "CN=MultiAccess, OU=Grupper , DC = amido,DC=example", true},
		{"DN with escapes", `CN=Multi\41ccess,OU=Grupper,DC=amido,DC=example`, true},
		{"DN with an escaped comma", `cn=söder\2c norr,dc=amido,dc=example`, true},
		{"name", `AMIDO\MultiAccess`, true},
		{"name in other case", `amido\MULTIACCESS`, true},
		{"name with a comma", `AMIDO\söder, norr`, true},
		{"DN of a group without a name", "CN=unnamed,DC=amido,DC=example", true},

		{"parent DN", "OU=Grupper,DC=amido,DC=example", false},
		{"child DN", "CN=x,CN=MultiAccess,OU=Grupper,DC=amido,DC=example", false},
		{"other DN", "CN=MultiAccess,DC=amido,DC=example", false},
		{"name of another domain", `OTHER\MultiAccess`, false},
		{"bare name", "MultiAccess", false},
		{"empty", "", false},
		{"backslash", `\`, false},
		{"domain only", `AMIDO\`, false},
		{"equals sign", "=", false},
		{"type only", "CN=", false},
		{"broken DN", "CN=MultiAccess,OU", false},
		{"broken escape", `CN=\zz`, false},
		{"wildcard", `AMIDO\*`, false},
		{"NUL", "AMIDO\\MultiAccess\x00", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := a.MemberOf(c.group); got != c.want {
				t.Errorf("MemberOf(%q) = %t, want %t", c.group, got, c.want)
			}
		})
	}
	if (Account{}).MemberOf("") || (Account{Groups: []Group{{}}}).MemberOf("") {
		t.Error("an empty group is somebody's")
	}
}

// FuzzEqualDN: the short way for plain DNs must not differ from the long way.
func FuzzEqualDN(f *testing.F) {
	f.Add("CN=a,DC=b", "cn=A,dc=B")
	f.Add("CN=a b,DC=b", "CN=a  b,DC=b")
	f.Add(`CN=a\,b`, "CN=a,b=")
	f.Add("CN=a=b", "CN=a=b")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, errX := ldap.ParseDN(a)
		y, errY := ldap.ParseDN(b)
		want := errX == nil && errY == nil && len(x.RDNs) > 0 && x.EqualFold(y)
		if got := equalDN(a, b, isPlainDN(b)); got != want {
			t.Fatalf("equalDN(%q, %q) = %t, go-ldap says %t", a, b, got, want)
		}
	})
}

// BenchmarkMemberOf is what a page of 500 targets asks of a person in 50 groups.
func BenchmarkMemberOf(b *testing.B) {
	var a Account
	for i := range 50 {
		name := strings.Repeat("g", i+1)
		a.Groups = append(a.Groups, Group{DN: "CN=" + name + ",OU=Grupper,DC=amido,DC=example", Name: `AMIDO\` + name})
	}
	for b.Loop() {
		for range 500 {
			a.MemberOf("CN=somebody else,OU=Grupper,DC=amido,DC=example")
		}
	}
}
