package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"stagedoor/directory"
	"stagedoor/gateway/tunnel"
	"stagedoor/targets"
)

const (
	serverKeyVariable    = "STAGEDOOR_SERVER_KEY"
	mailPasswordVariable = "STAGEDOOR_MAIL__PASSWORD"
)

// secrets are what files and the environment hold.
type secrets struct {
	serverKey     []byte
	bindPasswords []string        // by index in directories
	senders       []senderSecrets // by index in sms.senders
	mailPassword  string
}

// bindPasswordVariable is where the environment may hold a domain's password:
// for AMIDO STAGEDOOR_DIRECTORIES__AMIDO__BIND_PASSWORD.
func bindPasswordVariable(domain string) string {
	return "STAGEDOOR_DIRECTORIES__" + strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(domain)) + "__BIND_PASSWORD"
}

// readSecrets reads every secret, each from its file or its variable and never
// from both.
func (v *validation) readSecrets(c Config) secrets {
	s := secrets{
		bindPasswords: make([]string, len(c.Directories)),
	}
	wanted := map[string]bool{serverKeyVariable: true, mailPasswordVariable: true}
	if data := v.secret("server_key_file", c.ServerKeyFile, serverKeyVariable, true); data != nil {
		key, err := decodeKey(data)
		if err != nil {
			v.fault("server_key_file", "%v", err)
		}
		s.serverKey = key
	}
	for i, d := range c.Directories {
		name := bindPasswordVariable(d.Domain)
		wanted[name] = true
		s.bindPasswords[i] = v.password(fmt.Sprintf("directories[%d].bind_password_file", i), d.BindPasswordFile, name, true)
	}
	s.senders = v.senderSecrets(c.SMS.Senders, wanted)
	s.mailPassword = v.password("mail.password_file", c.Mail.PasswordFile, mailPasswordVariable, c.Mail.Username != "")
	for name := range v.overrides.secrets {
		what := "directory"
		if strings.HasPrefix(name, senderPrefix) {
			what = "sender"
		}
		if !wanted[name] {
			v.problems = append(v.problems, targets.Problem{File: "environment", Text: name + ": no " + what + " of this configuration has this name"})
		}
	}
	return s
}

// secret is what a file or a variable holds; nil after a fault or where there
// is none.
func (v *validation) secret(key, file, variable string, required bool) []byte {
	fromEnvironment := v.overrides.secrets[variable]
	switch {
	case file != "" && fromEnvironment != "":
		v.fault(key, "is set, and so is %s: one of them must go", variable)
	case fromEnvironment != "":
		if targets.Placeholder(fromEnvironment) {
			v.problems = append(v.problems, targets.Problem{File: "environment", Text: variable + ": a placeholder, not a secret"})
			return nil
		}
		return []byte(fromEnvironment)
	case file != "":
		data, err := targets.ReadSecret(file)
		if err != nil {
			v.fault(key, "%s: %v", file, err)
			return nil
		}
		return data
	case required && variable != "":
		v.fault(key, "is missing: the path of a file, or the environment variable %s", variable)
	case required:
		v.fault(key, "is missing: the path of a file")
	}
	return nil
}

func (v *validation) password(key, file, variable string, required bool) string {
	data := v.secret(key, file, variable, required)
	if data == nil {
		return ""
	}
	line, err := targets.PasswordLine(data)
	if err != nil {
		v.fault(key, "%v", err)
	}
	return line
}

// decodeKey takes a key as `openssl rand -base64 32` or `openssl rand -hex 32`
// prints it, or raw bytes.
func decodeKey(data []byte) ([]byte, error) {
	const least = 32
	text := strings.TrimSpace(string(data))
	key := data
	if decoded, err := hex.DecodeString(text); err == nil {
		key = decoded
	} else if decoded, err := base64.StdEncoding.DecodeString(text); err == nil && len(text) >= 4*least/3 {
		key = decoded
	}
	if len(key) < least {
		return nil, fmt.Errorf("the key is shorter than %d bytes: make one with openssl rand -base64 32", least)
	}
	different := map[byte]bool{}
	for _, b := range key {
		different[b] = true
	}
	if len(different) < 12 || bytes.Contains(bytes.ToLower(key), []byte("changeme")) {
		return nil, errors.New("the key is not random: make one with openssl rand -base64 32")
	}
	return key, nil
}

// serverKey is at least 32 bytes.
func (c Config) serverKey() []byte { return c.secrets().serverKey }

// domains is what directory.Open takes.
func (c Config) domains() []directory.Domain {
	domains := make([]directory.Domain, len(c.Directories))
	for i, d := range c.Directories {
		domains[i] = directory.Domain{
			Name: d.Domain, Suffixes: d.Suffixes, Default: d.Default,
			Servers: d.Servers, CAFile: d.CAFile, BaseDN: d.BaseDN,
			BindDN: d.BindDN, BindPassword: c.secrets().bindPasswords[i], Timeout: d.Timeout,
			NameAttribute: d.NameAttribute, MobileAttributes: d.MobileAttributes,
		}
	}
	return domains
}

// guacds are the daemons in the order of the file.
func (c Config) guacds() ([]*tunnel.Guacd, error) {
	guacds := make([]*tunnel.Guacd, len(c.Guacd))
	for i, g := range c.Guacd {
		var secure *tls.Config
		if g.TLS {
			pool, err := authorities(g.CAFile)
			if err != nil {
				return nil, fmt.Errorf("guacd %s: %w", g.Address, err)
			}
			secure = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
		}
		guacds[i] = tunnel.NewGuacd(g.Address, secure)
		if g.Resume != "auto" {
			guacds[i].Resume = tunnel.Resume(g.Resume)
		}
	}
	return guacds, nil
}

// authorities reads certificates; no file means the system's (nil).
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return pool, nil
}

// countries are the ISO codes of national numbers by directory domain.
func (c Config) countries() map[string]string {
	countries := map[string]string{}
	for _, d := range c.Directories {
		countries[d.Domain] = d.Country
	}
	return countries
}

// publicURL is PublicURL without a path.
func (c Config) publicURL() *url.URL {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return nil // validate refused it
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}
}

// trustedProxies are the networks whose X-Forwarded-For is believed.
func (c Config) trustedProxies() []netip.Prefix {
	var prefixes []netip.Prefix
	for _, text := range c.TrustedProxies {
		if prefix, err := parsePrefix(text); err == nil {
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes
}

// parsePrefix reads a network or a single address.
func parsePrefix(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix.Masked(), err
}
