package main

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"stagedoor/otp"
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
	attributes := map[string]string{"name_attribute": d.NameAttribute, "mobile_attribute": d.MobileAttribute}
	for i, attribute := range d.MobileAttributes {
		attributes[fmt.Sprintf("mobile_attributes[%d]", i)] = attribute
		if attribute == "" {
			v.fault(fmt.Sprintf("%smobile_attributes[%d]", at, i), "is empty")
		}
	}
	if d.MobileAttribute != "" && !slices.Equal(d.MobileAttributes, []string{d.MobileAttribute}) {
		v.fault(at+"mobile_attribute", "give this or mobile_attributes, not both")
	}
	for key, attribute := range attributes {
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

func (v *validation) phones(p PhonesConfig) {
	for i, source := range p.Order {
		key := fmt.Sprintf("phones.order[%d]", i)
		v.oneOf(key, source, otp.FromVerified, otp.FromDirectory)
		if slices.Contains(p.Order[:i], source) {
			v.fault(key, "%q stands twice", source)
		}
	}
	if len(p.Order) == 0 {
		v.fault("phones.order", "the list is empty: nobody would have a number")
	}
	v.oneOf("phones.enrol", p.Enrol, "self", "helpdesk")
	if p.Enrol == "self" && !slices.Contains(p.Order, otp.FromVerified) {
		v.fault("phones.enrol", "self needs verified among phones.order, since an enrolled number is one")
	}
	if p.CoolDown != 0 {
		v.between("phones.cool_down", p.CoolDown, time.Minute, 14*24*time.Hour)
	}
}

func (v *validation) guacd(guacds []GuacdConfig) {
	if len(guacds) == 0 {
		v.fault("guacd", "the list is empty: without guacd there is no desktop")
	}
	addresses := map[string]bool{}
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
		v.oneOf(at+"resume", g.Resume, "auto", "always", "never")
		if addresses[g.Address] {
			v.fault(at+"address", "%s stands twice", g.Address)
		}
		addresses[g.Address] = true
	}
}
