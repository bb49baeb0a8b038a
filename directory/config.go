package directory

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const (
	defaultTimeout = 5 * time.Second
	longestTimeout = time.Minute
)

// checkTogether reports what is wrong in and between the domains.
func checkTogether(domains []Domain) error {
	var problems []error
	if len(domains) == 0 {
		problems = append(problems, errors.New("directory: no domain is configured"))
	}
	written := map[string]string{} // what people write for a domain, folded, and which domain has it
	defaults := 0
	for i, d := range domains {
		for _, err := range d.problems() {
			problems = append(problems, fmt.Errorf("directory: domain %d (%s): %w", i+1, printable(d.Name, 64), err))
		}
		if d.Default {
			defaults++
		}
		for _, text := range append([]string{d.Name + `\`}, d.Suffixes...) {
			text = strings.ToLower(text)
			if other, taken := written[text]; taken {
				problems = append(problems, fmt.Errorf("directory: %q means both %s and %s", text, printable(other, 64), printable(d.Name, 64)))
			}
			written[text] = d.Name
		}
	}
	if defaults > 1 {
		problems = append(problems, fmt.Errorf("directory: %d domains are the default; at most one may be", defaults))
	}
	return errors.Join(problems...)
}

// problems reports everything that is wrong with one domain, without dialling.
func (c Domain) problems() []error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Name == "" || c.Name != printable(c.Name, 64) || strings.ContainsAny(c.Name, `\@=, `) {
		add(`name must be 1 to 64 characters without \ @ = , or space`)
	}
	for _, suffix := range c.Suffixes {
		if suffix == "" || suffix != printable(suffix, 255) || strings.ContainsAny(suffix, `\@ `) {
			add("suffix %q is not a domain name", suffix)
		}
	}
	if len(c.Servers) == 0 {
		add("no server")
	}
	for _, address := range c.Servers {
		if _, err := parseServer(address); err != nil {
			problems = append(problems, err)
		}
	}
	if _, err := c.roots(); err != nil {
		problems = append(problems, err)
	}
	if c.BaseDN != "" && !usableDN(c.BaseDN) {
		add("base DN %q is not a DN", c.BaseDN)
	}
	if c.BindDN == "" || c.BindPassword == "" {
		add("the service account (bind DN and password) is missing")
	}
	if c.Timeout < 0 || c.Timeout > longestTimeout {
		add("timeout %v is not between 0 (which means %v) and %v", c.Timeout, defaultTimeout, longestTimeout)
	}
	for _, attribute := range append([]string{c.NameAttribute}, c.MobileAttributes...) {
		if attribute != "" && !isAttribute(attribute) {
			add("%q is not the name of an attribute", attribute)
		}
	}
	return problems
}

// isAttribute accepts the descriptors of RFC 4512 section 1.4. They are put
// into filters as they are.
func isAttribute(name string) bool {
	return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,63}$`).MatchString(name)
}

// usableDN tells whether text is a DN that can be sent and printed.
func usableDN(text string) bool {
	if text == "" || text != printable(text, maxDN) {
		return false
	}
	dn, err := ldap.ParseDN(text)
	return err == nil && len(dn.RDNs) > 0
}

// roots returns the CAs that a domain's servers are checked against; nil means
// the system's.
func (c Domain) roots() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("CA file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA file %s holds no PEM certificate", c.CAFile)
	}
	return pool, nil
}

// address is a server as configured.
type address struct {
	text     string // as written, for messages
	host     string // what the certificate must name
	hostPort string
	startTLS bool
}

// parseServer reads ldaps://host[:port] and ldap://host[:port].
func parseServer(text string) (address, error) {
	u, err := url.Parse(text)
	if err != nil {
		return address{}, fmt.Errorf("server %q is not a URL", printable(text, 100))
	}
	if u.User != nil {
		return address{}, fmt.Errorf("server on %s: a user or password does not belong in its URL", printable(u.Host, 100))
	}
	a := address{text: text, host: u.Hostname()}
	port := u.Port()
	switch u.Scheme {
	case "ldaps":
		if port == "" {
			port = ldap.DefaultLdapsPort
		}
	case "ldap":
		a.startTLS = true
		if port == "" {
			port = ldap.DefaultLdapPort
		}
	default:
		return address{}, fmt.Errorf("server %q: only ldaps:// and ldap:// (with StartTLS) are spoken", printable(text, 100))
	}
	if a.host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return address{}, fmt.Errorf("server %q: write ldaps://host or ldaps://host:port", printable(text, 100))
	}
	a.hostPort = net.JoinHostPort(a.host, port)
	return a, nil
}

// tlsConfig verifies the host's certificate. There is no way to switch it off.
func tlsConfig(roots *x509.CertPool, host string) *tls.Config {
	return &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12}
}
