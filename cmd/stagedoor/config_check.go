package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"stagedoor/targets"
)

// validation gathers what is wrong with a configuration; it changes nothing.
type validation struct {
	file      string
	lines     targets.Lines
	overrides overrides
	problems  []targets.Problem
}

// fault notes a problem at the line of a key, of its section where it was not
// written, or at the variable that set it.
func (v *validation) fault(key, format string, arguments ...any) {
	text := fmt.Sprintf(format, arguments...)
	problem := targets.Problem{File: v.file, Line: v.lines.Of(key), Text: key + ": " + text}
	if _, set := v.overrides.values[key]; set {
		problem = targets.Problem{File: "environment", Text: variable(key) + ": " + text}
	}
	v.problems = append(v.problems, problem)
}

func (v *validation) validate(c Config) {
	v.network(c)
	v.required("database", c.Database, "the path of the database file")
	if c.Database != "" {
		if info, err := os.Stat(filepath.Dir(c.Database)); err != nil || !info.IsDir() {
			v.fault("database", "the folder %s is not there", filepath.Dir(c.Database))
		}
	}
	v.required("targets", c.Targets, "the path of the list of workstations, targets.yaml")
	v.words("portal.name", c.Portal.Name, 60)
	v.required("portal.name", c.Portal.Name, "a name")
	_, faults := c.brand()
	for _, fault := range faults {
		v.fault("portal."+fault.Field, "%s", fault.Text)
	}
	if c.Portal.HelpDir != "" {
		if info, err := os.Stat(c.Portal.HelpDir); err != nil || !info.IsDir() {
			v.fault("portal.help_dir", "the folder %s is not there", c.Portal.HelpDir)
		}
	}
	v.words("helpdesk.name", c.Helpdesk.Name, 100)
	v.words("helpdesk.phone", c.Helpdesk.Phone, 40)
	v.words("helpdesk.mail", c.Helpdesk.Mail, 254)
	if c.Helpdesk.Mail != "" && strings.Count(c.Helpdesk.Mail, "@") != 1 {
		v.fault("helpdesk.mail", "%q is not a mail address", c.Helpdesk.Mail)
	}
	v.groups("helpdesk.groups", c.Helpdesk.Groups)
	v.groups("administrators.groups", c.Administrators.Groups)
	v.count("helpdesk.acts_per_day", c.Helpdesk.ActsPerDay, 1, 1000)
	v.between("helpdesk.fresh", c.Helpdesk.Fresh, time.Minute, 12*time.Hour)
	v.session(c.Session)
	v.login(c.Login)
	v.codes(c)
	v.factors(c)
	v.phones(c.Phones)
	v.directories(c.Directories)
	v.guacd(c.Guacd)
	v.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	v.oneOf("log.format", c.Log.Format, "json", "text")
}

// groups are named as in the list of workstations.
func (v *validation) groups(key string, groups []string) {
	for i, group := range groups {
		at := fmt.Sprintf("%s[%d]", key, i)
		v.words(at, group, 400)
		if before, name, ok := strings.Cut(group, `\`); !strings.Contains(group, "=") && (!ok || before == "" || name == "") {
			v.fault(at, "%q is neither DOMAIN\\group nor a DN", group)
		}
	}
}

func (v *validation) required(key, value, what string) {
	if strings.TrimSpace(value) == "" {
		v.fault(key, "is missing: %s", what)
	}
}

// words limits what is shown on pages and sent in messages.
func (v *validation) words(key, value string, limit int) {
	if utf8.RuneCountInString(value) > limit || strings.ContainsFunc(value, unicode.IsControl) {
		v.fault(key, "must be one line of at most %d characters", limit)
	}
}

func (v *validation) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		v.fault(key, "must be %s, not %q%s", strings.Join(allowed, " or "), value, targets.DidYouMean(value, allowed))
	}
}

func (v *validation) between(key string, value, least, most time.Duration) {
	if value < least || value > most {
		v.fault(key, "must be from %s to %s, not %s", short(least), short(most), short(value))
	}
}

// short is 15m0s as people write it.
func short(d time.Duration) string {
	text := d.String()
	if d != 0 {
		text = strings.TrimSuffix(text, "m0s") + map[bool]string{true: "m"}[strings.HasSuffix(text, "m0s")]
		text = strings.TrimSuffix(text, "h0m") + map[bool]string{true: "h"}[strings.HasSuffix(text, "h0m")]
	}
	return text
}

func (v *validation) count(key string, value, least, most int) {
	if value < least || value > most {
		v.fault(key, "must be from %d to %d, not %d", least, most, value)
	}
}

func (v *validation) network(c Config) {
	host, ok := v.address("listen", c.Listen, 0)
	withTLS := c.TLS.CertFile != "" || c.TLS.KeyFile != ""
	if ok && !withTLS && !isLoopback(host) && !c.DangerouslyListenWithoutTLS {
		v.fault("listen", "%s is reached from other machines, and passwords would cross the network in clear: set tls, or dangerously_listen_without_tls: true where a proxy on a private network does the TLS", c.Listen)
	}
	if withTLS {
		v.required("tls.cert_file", c.TLS.CertFile, "the certificate of the portal")
		v.required("tls.key_file", c.TLS.KeyFile, "the key of the portal's certificate")
		if c.TLS.CertFile != "" && c.TLS.KeyFile != "" {
			if _, err := tls.LoadX509KeyPair(c.TLS.CertFile, c.TLS.KeyFile); err != nil {
				v.fault("tls.cert_file", "certificate and key cannot be used: %v", err)
			}
			if info, err := os.Stat(c.TLS.KeyFile); err == nil && info.Mode().Perm()&0o006 != 0 {
				v.fault("tls.key_file", "%s: mode %04o lets every user of this machine read or change it: chmod 0640 or stricter", c.TLS.KeyFile, info.Mode().Perm())
			}
		}
	}
	v.publicURL(c.PublicURL)
	for i, text := range c.TrustedProxies {
		key := fmt.Sprintf("trusted_proxies[%d]", i)
		if prefix, err := parsePrefix(text); err != nil {
			v.fault(key, "%q is not a network such as 10.0.0.0/8 or an address", text)
		} else if prefix.Bits() == 0 {
			v.fault(key, "%s trusts everybody: any browser could claim any address", text)
		}
	}
	if c.MetricsListen != "" {
		if host, ok := v.address("metrics_listen", c.MetricsListen, 0); ok && !isLoopback(host) {
			v.fault("metrics_listen", "%s is reached from other machines: metrics are served on a loopback address only", c.MetricsListen)
		}
	}
}

// address checks host:port; the host may be empty where listening.
func (v *validation) address(key, address string, leastPort int) (host string, ok bool) {
	host, port, err := net.SplitHostPort(address)
	number, numberErr := strconv.Atoi(port)
	if err != nil || numberErr != nil || number < leastPort || number > 65535 {
		v.fault(key, "%q is not an address with a port, such as 127.0.0.1:8080", address)
		return "", false
	}
	return host, true
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

func (v *validation) publicURL(text string) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		v.fault("public_url", "is missing: the address that browsers use, https://portal.example.se")
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		v.fault("public_url", "%q is not an address such as https://portal.example.se", text)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		v.fault("public_url", "%q must be scheme and host alone, such as https://portal.example.se", u.Redacted())
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		v.fault("public_url", "must be https: without it browsers send passwords and cookies in clear (http is for loopback hosts only)")
	}
}

func (v *validation) session(s SessionConfig) {
	v.between("session.idle", s.Idle, 30*time.Second, 8*time.Hour)
	v.between("session.warning", s.Warning, 20*time.Second, time.Hour) // WCAG 2.2.1
	v.between("session.absolute", s.Absolute, time.Minute, 24*time.Hour)
	v.between("session.pre_auth", s.PreAuth, time.Minute, time.Hour)
	v.count("session.per_account", s.PerAccount, 1, 100)
	if s.Warning >= s.Idle {
		v.fault("session.warning", "%s is not shorter than session.idle, %s", short(s.Warning), short(s.Idle))
	}
	if s.Absolute < s.Idle {
		v.fault("session.absolute", "%s is shorter than session.idle, %s", short(s.Absolute), short(s.Idle))
	}
}

func (v *validation) login(l LoginConfig) {
	v.between("login.failure_floor", l.FailureFloor, 100*time.Millisecond, 10*time.Second)
	v.count("login.tries_per_account", l.TriesPerAccount, 0, 100)
	v.count("login.tries_per_address", l.TriesPerAddress, 1, 100_000)
	v.between("login.tries_window", l.TriesWindow, time.Minute, 24*time.Hour)
}

func (v *validation) codes(c Config) {
	codes := c.Codes
	v.between("codes.lifetime", codes.Lifetime, time.Minute, 10*time.Minute) // ASVS 6.5.5
	v.count("codes.tries", codes.Tries, 1, 10)
	v.count("codes.per_hour", codes.PerHour, 1, 100)
	v.count("codes.per_day", codes.PerDay, 1, 1000)
	v.count("codes.per_country", codes.PerCountry, 1, 100000)
	v.count("codes.in_all", codes.InAll, 1, 100000)
	v.waits(codes)
	if codes.PerDay < codes.PerHour {
		v.fault("codes.per_day", "%d is less than codes.per_hour, %d", codes.PerDay, codes.PerHour)
	}
	v.between("codes.timeout", codes.Timeout, time.Second, time.Minute)
	if len(codes.Countries) == 0 {
		v.fault("codes.countries", "the list is empty: no code could be sent")
	}
	for i, to := range codes.AlarmMail {
		key := fmt.Sprintf("codes.alarm_mail[%d]", i)
		v.words(key, to, 254)
		if address, err := mail.ParseAddress(to); err != nil || address.Address != to {
			v.fault(key, "%q is not a mail address", to)
		}
	}
	if len(codes.AlarmMail) > 0 && c.Mail.Server == "" {
		v.fault("codes.alarm_mail", "needs mail.server: without it no mail is sent")
	}
	for i, country := range codes.Countries {
		v.country(fmt.Sprintf("codes.countries[%d]", i), country)
	}
}

// waits that grow shorter would invite to ask on; with a first one as long as a
// code is valid none could be sent again.
func (v *validation) waits(codes CodesConfig) {
	if n := len(codes.Waits); n < 1 || n > 10 {
		v.fault("codes.waits", "must be 1 to 10 lengths of time, not %d", n)
	}
	for i, wait := range codes.Waits {
		key := fmt.Sprintf("codes.waits[%d]", i)
		v.between(key, wait, 10*time.Second, 10*time.Minute)
		if i > 0 && wait < codes.Waits[i-1] {
			v.fault(key, "%s is shorter than the one before, %s", short(wait), short(codes.Waits[i-1]))
		}
		if i == 0 && wait >= codes.Lifetime {
			v.fault(key, "%s is not shorter than codes.lifetime, %s: the code could not be sent again while it is valid", short(wait), short(codes.Lifetime))
		}
	}
}

func (v *validation) country(key, country string) {
	if !phonenumbers.GetSupportedRegions()[country] {
		v.fault(key, "%q is not a country code of ISO 3166 such as SE", country)
	}
}
