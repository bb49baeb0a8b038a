package testbed

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// SlapdOptions says what OpenLDAP server to start. Its domain is ALLIERA
// (alliera.example).
type SlapdOptions struct {
	Dir  string // an empty folder
	CA   *CA    // issues its certificate
	Seed DirectorySeed
}

// Slapd is a running OpenLDAP server with the ppolicy overlay.
type Slapd struct {
	DirectoryServer

	process *Process
	dir     string
}

const slapdBase = "dc=alliera,dc=example"

// StartSlapd fills a database and starts slapd on two free ports of 127.0.0.1.
// Groups are groupOfNames without memberOf: nesting is for the client to find.
func StartSlapd(ctx context.Context, o SlapdOptions) (*Slapd, error) {
	s := &Slapd{dir: o.Dir}
	s.DirectoryServer = DirectoryServer{
		Domain: "ALLIERA", Suffix: "alliera.example", CAFile: o.CA.File,
		BaseDN: slapdBase, BindDN: "cn=svc-stagedoor," + slapdBase, BindPassword: rand.Text(),
	}
	conf, err := s.configure(o.CA, o.Seed.MayUnlock)
	if err != nil {
		return nil, fmt.Errorf("slapd: %w", err)
	}
	ldif := s.ldif(o.Seed)
	if _, err := Run(ctx, Command{Path: "slapadd", Args: []string{"-q", "-f", conf}, In: bytes.NewReader(ldif)}); err != nil {
		return nil, fmt.Errorf("slapd: fill the database: %w", err)
	}
	if err := s.start(ctx, conf); err != nil {
		return nil, fmt.Errorf("slapd: %w", err)
	}
	return s, nil
}

// Stop ends the server. It may be called again.
func (s *Slapd) Stop() error { return s.process.Stop() }

// Output is what the server has written, for the log of a failed test.
func (s *Slapd) Output() string { return s.process.Output() }

func (s *Slapd) start(ctx context.Context, conf string) error {
	secure, err := FreePort()
	if err != nil {
		return err
	}
	plain, err := FreePort()
	if err != nil {
		return err
	}
	address := func(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
	s.URL, s.StartTLSURL = "ldaps://"+address(secure), "ldap://"+address(plain)
	s.process, err = Start(Command{
		Path: "slapd", Args: []string{"-d", "0", "-f", conf, "-h", s.URL + "/ " + s.StartTLSURL + "/"},
	})
	if err != nil {
		return err
	}
	if err := s.process.WaitReady(ctx, Dialing(address(secure))); err != nil {
		return errors.Join(err, s.process.Stop())
	}
	return nil
}

// There is a rootdn, without a password, because ppolicy counts failures in its
// name, and silently does not without one. The service account may check and set userPassword (=xw), which slapd wants
// for the change of an expired password, and may not read it.
var slapdConf = template.Must(template.New("slapd.conf").Parse(`
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile {{.Dir}}/slapd.pid
TLSCertificateFile {{.Cert.CertFile}}
TLSCertificateKeyFile {{.Cert.KeyFile}}
TLSCACertificateFile {{.CAFile}}
security simple_bind=128
database mdb
directory {{.Dir}}/db
maxsize 16777216
dbnosync
suffix "{{.Base}}"
rootdn "cn=root,{{.Base}}"
index objectClass,uid,cn,member eq
access to attrs=userPassword
  by dn.exact="{{.BindDN}}" =xw
  by self =xw
  by anonymous auth
  by * none
{{if .MayUnlock}}access to attrs=pwdAccountLockedTime
  by dn.exact="{{.BindDN}}" write
  by * none
{{end}}access to *
  by dn.exact="{{.BindDN}}" read
  by self read
  by anonymous auth
  by * none
overlay ppolicy
ppolicy_default "cn=default,ou=policies,{{.Base}}"
ppolicy_use_lockout
`))

func (s *Slapd) configure(ca *CA, mayUnlock bool) (file string, err error) {
	if err := os.Mkdir(filepath.Join(s.dir, "db"), 0o700); err != nil {
		return "", err
	}
	cert, err := ca.Issue("slapd", "localhost", "127.0.0.1")
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	err = slapdConf.Execute(&text, struct {
		Dir, CAFile, Base, BindDN string
		Cert                      Certificate
		MayUnlock                 bool
	}{s.dir, ca.File, slapdBase, s.BindDN, cert, mayUnlock})
	if err != nil {
		return "", err
	}
	file = filepath.Join(s.dir, "slapd.conf")
	return file, os.WriteFile(file, text.Bytes(), 0o600)
}

// ldif writes the whole database, ppolicy's operational attributes included.
func (s *Slapd) ldif(seed DirectorySeed) []byte {
	var w ldif
	w.entry(slapdBase, "objectClass", "organization", "objectClass", "dcObject", "o", "Alliera", "dc", "alliera")
	for _, unit := range []string{"people", "groups", "policies"} {
		w.entry("ou="+unit+","+slapdBase, "objectClass", "organizationalUnit", "ou", unit)
	}
	w.policy("default", seed.Policy, true)
	w.policy("fixed", seed.Policy, false)
	w.entry(s.BindDN, "objectClass", "applicationProcess", "objectClass", "simpleSecurityObject",
		"cn", "svc-stagedoor", "userPassword", s.BindPassword)
	for _, u := range seed.Users {
		w.user(u)
	}
	for _, g := range seed.Groups {
		w.group(g.Name, seed)
	}
	return w.Bytes()
}

// ldif writes entries (RFC 2849), every value in base64: no value needs quoting then.
type ldif struct{ bytes.Buffer }

// entry takes attribute, value, attribute, value, ... and leaves empty values out.
func (w *ldif) entry(dn string, pairs ...string) {
	fmt.Fprintf(w, "dn:: %s\n", base64.StdEncoding.EncodeToString([]byte(dn)))
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(w, "%s:: %s\n", pairs[i], base64.StdEncoding.EncodeToString([]byte(pairs[i+1])))
		}
	}
	w.WriteString("\n")
}

func policyDN(name string) string { return "cn=" + name + ",ou=policies," + slapdBase }
func userDN(name string) string   { return "uid=" + escaped(name) + ",ou=people," + slapdBase }
func groupDN(name string) string  { return "cn=" + escaped(name) + ",ou=groups," + slapdBase }

// escaped writes a name as the value of a DN (RFC 4514 section 2.4).
func escaped(name string) string {
	return strings.NewReplacer(`\`, `\\`, ",", `\,`, "+", `\+`, `"`, `\"`, "<", `\<`, ">", `\>`, ";", `\;`).Replace(name)
}

func (w *ldif) policy(name string, p DirectoryPolicy, mayChange bool) {
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
	truth := func(b bool) string { return map[bool]string{true: "TRUE", false: "FALSE"}[b] }
	w.entry(policyDN(name), "objectClass", "applicationProcess", "objectClass", "pwdPolicy", "cn", name,
		"pwdAttribute", "userPassword", "pwdCheckQuality", "1", "pwdMustChange", "TRUE",
		"pwdMinLength", strconv.Itoa(p.MinLength), "pwdInHistory", strconv.Itoa(p.History),
		"pwdMinAge", seconds(p.MinAge), "pwdMaxAge", seconds(p.MaxAge), "pwdExpireWarning", "86400",
		"pwdLockout", truth(p.LockoutThreshold > 0), "pwdMaxFailure", strconv.Itoa(p.LockoutThreshold),
		"pwdLockoutDuration", "1800", "pwdFailureCountInterval", "1800", "pwdAllowUserChange", truth(mayChange))
}

func (w *ldif) user(u DirectoryUser) {
	when := func(ago time.Duration) string { return time.Now().Add(-ago).UTC().Format("20060102150405Z") }
	const day = 24 * time.Hour
	changed := 2 * day // old enough for a minimum age, young enough for a maximum
	if u.Expired {
		changed = 1000 * day
	}
	pairs := []string{
		"objectClass", "inetOrgPerson", "uid", u.Name, "cn", u.Name, "sn", u.Name,
		"displayName", u.DisplayName, "mail", u.Mail, "mobile", u.Mobile, "userPassword", cmp.Or(u.Password, rand.Text()),
		"pwdChangedTime", when(changed),
	}
	if u.MustChange {
		pairs = append(pairs, "pwdReset", "TRUE")
	}
	if u.Disabled {
		pairs = append(pairs, "pwdAccountLockedTime", "000001010000Z") // for good, slapo-ppolicy(5)
	}
	if u.AccountExpired {
		pairs = append(pairs, "pwdEndTime", when(day))
	}
	if u.CannotChange {
		pairs = append(pairs, "pwdPolicySubentry", policyDN("fixed"))
	}
	w.entry(userDN(u.Name), pairs...)
}

// group lists its members: users and groups that name it. A groupOfNames must
// have one, so an empty group has itself.
func (w *ldif) group(name string, seed DirectorySeed) {
	pairs := []string{"objectClass", "groupOfNames", "cn", name}
	for _, u := range seed.Users {
		for _, g := range u.Groups {
			if g == name {
				pairs = append(pairs, "member", userDN(u.Name))
			}
		}
	}
	for _, child := range seed.Groups {
		for _, g := range child.Groups {
			if g == name {
				pairs = append(pairs, "member", groupDN(child.Name))
			}
		}
	}
	if len(pairs) == 4 {
		pairs = append(pairs, "member", groupDN(name))
	}
	w.entry(groupDN(name), pairs...)
}
