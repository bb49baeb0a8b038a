package directory

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// twoDomains is a Directory whose servers are never asked.
func twoDomains(t testing.TB) *Directory {
	t.Helper()
	service := Domain{Servers: []string{"ldaps://localhost"}, BindDN: "cn=service", BindPassword: "x"}
	amido, alliera := service, service
	amido.Name, amido.Suffixes, amido.Default = "AMIDO", []string{"amido.example", "amido.se"}, true
	alliera.Name, alliera.Suffixes = "Alliera", []string{"alliera.example"}
	d, err := Open([]Domain{amido, alliera})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCanonical(t *testing.T) {
	d := twoDomains(t)
	for _, c := range []struct {
		name, typed, want string
		ok                bool
	}{
		{"as it is", `AMIDO\anna`, `AMIDO\anna`, true},
		{"case", `amido\ANNA`, `AMIDO\anna`, true},
		{"domain as configured", `ALLIERA\Anna`, `Alliera\anna`, true},
		{"suffix", `Anna@AMIDO.example`, `AMIDO\anna`, true},
		{"second suffix", `anna@amido.se`, `AMIDO\anna`, true},
		{"bare", `Anna`, `AMIDO\anna`, true},
		{"spaces", "  AMIDO \\  anna  ", `AMIDO\anna`, true},
		{"space of a document", "AMIDO\\anna\u00a0", `AMIDO\anna`, true},
		{"spaces within", `AMIDO\anna  svensson`, `AMIDO\anna svensson`, true},
		{"Swedish", `AMIDO\ÅKE.ÖST`, `AMIDO\åke.öst`, true},
		{"decomposed", "AMIDO\\A\u030ake", `AMIDO\åke`, true},
		{"at after a backslash", `AMIDO\anna@x.example`, `AMIDO\anna@x.example`, true},
		{"two ats", `anna@work@amido.se`, `AMIDO\anna@work`, true},
		{"256 bytes", strings.Repeat("a", 256), `AMIDO\` + strings.Repeat("a", 256), true},

		{"empty", "", "", false},
		{"spaces only", "   ", "", false},
		{"domain only", `AMIDO\`, `AMIDO\`, false},
		{"user only", `\anna`, `\anna`, false},
		{"two backslashes", `AMIDO\\anna`, `AMIDO\\anna`, false},
		{"three parts", `AMIDO\anna\x`, `AMIDO\anna\x`, false},
		{"no user before the at", `@amido.se`, `@amido.se`, false},
		{"other domain", `OTHER\anna`, `OTHER\anna`, false},
		{"suffix as domain", `amido.example\anna`, `amido.example\anna`, false},
		{"other suffix", `anna@other.se`, `anna@other.se`, false},
		{"257 bytes", strings.Repeat("a", 257), strings.Repeat("a", 64), false},
		{"NUL", "anna\x00b", "annab", false},
		{"CR LF", "anna\r\nlevel=INFO", "annalevel=INFO", false},
		{"tab", "an\tna", "anna", false},
		{"escape", "\x1b[31manna", "[31manna", false},
		{"right to left", "\u202eanna", "anna", false},
		{"zero width", "an\u200bna", "anna", false},
		{"soft hyphen", "an\u00adna", "anna", false},
		{"variation selector", "anna\ufe0f", "anna\ufe0f", false},
		{"no UTF-8", "anna\xff", "anna", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := d.Canonical(c.typed)
			if got != c.want || ok != c.ok {
				t.Errorf("Canonical(%q) = %q, %t; want %q, %t", c.typed, got, ok, c.want, c.ok)
			}
		})
	}
}

func TestBareNameNeedsADefault(t *testing.T) {
	d := twoDomains(t)
	d.domains[0].config.Default = false
	if name, ok := d.Canonical("anna"); ok {
		t.Errorf("with two domains and no default, a bare name means %q", name)
	}
	_, err := d.parseName("anna")
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Reason != "unknown-domain" {
		t.Errorf("the reason is %v, want unknown-domain", err)
	}
}

func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{`AMIDO\anna`, "anna@amido.se", "*)(objectClass=*)", "a\x00b", "\\\\", "@", "😀", "Å\u030a"} {
		f.Add(seed)
	}
	d := twoDomains(f)
	f.Fuzz(func(t *testing.T, typed string) {
		name, ok := d.Canonical(typed)
		if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
			t.Fatalf("Canonical(%q) = %q is not fit for a log", typed, name)
		}
		if !ok {
			if utf8.RuneCountInString(name) > 64 {
				t.Fatalf("a refused name of %d runes goes to the log", utf8.RuneCountInString(name))
			}
			return
		}
		domain, user, found := strings.Cut(name, `\`)
		if !found || domain != "AMIDO" && domain != "Alliera" || user == "" || strings.Contains(user, `\`) {
			t.Fatalf("Canonical(%q) = %q", typed, name)
		}
		if again, ok := d.Canonical(name); len(name) <= maxName && (!ok || again != name) {
			t.Fatalf("Canonical(%q) = %q, and of that %q, %t", typed, name, again, ok)
		}
	})
}
