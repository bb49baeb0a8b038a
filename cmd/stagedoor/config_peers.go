package main

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

func (v *validation) directories(directories []DirectoryConfig) {
	if len(directories) == 0 {
		v.fault("directories", "is missing: at least one directory to log in against")
	}
	names, suffixes, byDefault := map[string]bool{}, map[string]bool{}, ""
	for i, d := range directories {
		at := fmt.Sprintf("directories[%d].", i)
		v.required(at+"domain", d.Domain, "what people write before the backslash")
		v.words(at+"domain", d.Domain, 100)
		if strings.ContainsAny(d.Domain, `\@/ `) {
			v.fault(at+"domain", "%q may not have \\, @, / or spaces", d.Domain)
		}
		if name := strings.ToLower(d.Domain); names[name] {
			v.fault(at+"domain", "%q stands twice", d.Domain)
		} else if name != "" {
			names[name] = true
		}
		for j, suffix := range d.Suffixes {
			key := fmt.Sprintf("%ssuffixes[%d]", at, j)
			if folded := strings.ToLower(suffix); suffix == "" || strings.ContainsAny(suffix, `\@/ `) {
				v.fault(key, "%q is not what stands after the @, such as amido.example", suffix)
			} else if suffixes[folded] {
				v.fault(key, "%q stands twice", suffix)
			} else {
				suffixes[folded] = true
			}
		}
		if d.Default && byDefault != "" {
			v.fault(at+"default", "%s is the default already: at most one is", byDefault)
		}
		if d.Default {
			byDefault = d.Domain
		}
		v.directory(at, d)
	}
}

func (v *validation) directory(at string, d DirectoryConfig) {
	if len(d.Servers) == 0 {
		v.fault(at+"servers", "is missing: ldaps://host, or ldap://host for StartTLS")
	}
	for j, server := range d.Servers {
		u, err := url.Parse(server)
		if err != nil || u.Hostname() == "" || u.Scheme != "ldaps" && u.Scheme != "ldap" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			v.fault(fmt.Sprintf("%sservers[%d]", at, j), "%q must be ldaps://host[:port], or ldap://host[:port] for StartTLS", server)
		}
	}
	v.authorities(at+"ca_file", d.CAFile)
	v.words(at+"base_dn", d.BaseDN, 1000)
	if d.BaseDN != "" && !strings.Contains(d.BaseDN, "=") {
		v.fault(at+"base_dn", "%q is not a DN such as DC=amido,DC=example", d.BaseDN)
	}
	v.words(at+"bind_dn", d.BindDN, 1000)
	v.required(at+"bind_dn", d.BindDN, "the service account that looks people up")
	v.between(at+"timeout", d.Timeout, time.Second, time.Minute)
	for key, attribute := range map[string]string{"name_attribute": d.NameAttribute, "mobile_attribute": d.MobileAttribute} {
		if !regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]{0,63})?$`).MatchString(attribute) {
			v.fault(at+key, "%q is not the name of an LDAP attribute", attribute)
		}
	}
	v.country(at+"country", d.Country)
}

func (v *validation) authorities(key, file string) {
	if _, err := authorities(file); err != nil {
		v.fault(key, "%v", err)
	}
}

func (v *validation) sms(s SMSConfig) {
	if s.Sender == "" {
		v.fault("sms.sender", "is missing: what carries codes to phones (http)")
		return
	}
	v.oneOf("sms.sender", s.Sender, "http")
	h := s.HTTP
	if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut}, h.Method) {
		v.fault("sms.http.method", "must be GET, POST or PUT, not %q", h.Method)
	}
	u, err := url.Parse(h.URL)
	switch {
	case h.URL == "":
		v.fault("sms.http.url", "is missing: the provider's address")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		v.fault("sms.http.url", "must be an address such as https://api.46elks.com/a1/sms")
	case u.User != nil:
		v.fault("sms.http.url", "may not hold a user name or password: use username and password_file")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		v.fault("sms.http.url", "must be https: codes would cross the network in clear (http is for loopback hosts only)")
	}
	for i, header := range h.Headers {
		v.header(fmt.Sprintf("sms.http.headers[%d]", i), header)
	}
	if h.Username == "" && (h.PasswordFile != "" || v.overrides.secrets[smsPasswordVariable] != "") {
		v.fault("sms.http.username", "is missing: there is a password for it")
	}
	v.words("sms.http.username", h.Username, 256)
	for i, code := range h.SuccessCodes {
		v.count(fmt.Sprintf("sms.http.success_codes[%d]", i), code, 200, 299)
	}
	if _, err := regexp.Compile(h.SuccessBody); err != nil {
		v.fault("sms.http.success_body", "%v", err)
	}
	v.authorities("sms.http.ca_file", h.CAFile)
}

func (v *validation) header(at string, h HeaderConfig) {
	if !regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`).MatchString(h.Name) {
		v.fault(at+".name", "%q is not the name of a header", h.Name)
	}
	v.words(at+".value", h.Value, 4096)
	switch {
	case h.Value != "" && h.ValueFile != "":
		v.fault(at+".value_file", "is set, and so is value: one of them must go")
	case h.Value == "" && h.ValueFile == "":
		v.fault(at+".value", "is missing")
	case strings.EqualFold(h.Name, "Authorization") && h.Value != "":
		v.fault(at+".value", "is a secret: use value_file")
	}
}

func (v *validation) guacd(guacds []GuacdConfig) {
	if len(guacds) == 0 {
		v.fault("guacd", "the list is empty: without guacd there is no desktop")
	}
	for i, g := range guacds {
		at := fmt.Sprintf("guacd[%d].", i)
		host, ok := v.address(at+"address", g.Address, 1)
		if ok && host == "" {
			v.fault(at+"address", "%q has no host", g.Address)
		}
		if ok && host != "" && !g.TLS && !isLoopback(host) && !g.DangerouslyWithoutTLS {
			v.fault(at+"address", "%s is another machine, and desktops and their passwords would cross the network in clear: set tls: true (guacd -C and -K), or dangerously_without_tls: true on a private network", g.Address)
		}
		if g.CAFile != "" && !g.TLS {
			v.fault(at+"ca_file", "means nothing without tls: true")
		}
		v.authorities(at+"ca_file", g.CAFile)
	}
}
