package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"stagedoor/gateway/factor"
)

// FactorsConfig is a rule of who needs which second factor. The first rule that
// fits somebody is theirs.
type FactorsConfig struct {
	Domain   string        `yaml:"domain"`   // default: any
	Groups   []string      `yaml:"groups"`   // DNs or DOMAIN\name; default: everybody
	Allowed  []string      `yaml:"allowed"`  // sms, mail, app, key, backup; default all but mail
	Need     string        `yaml:"need"`     // required, voluntary, off; default required
	From     string        `yaml:"from"`     // date from which the rule holds, the next one that fits before; default at once
	Enrol    []string      `yaml:"enrol"`    // app, key: what may be set up at login with the password alone; default none
	Remember time.Duration `yaml:"remember"` // how long a browser may be remembered; default 0: never
}

var (
	allowedFactors = []string{string(factor.SMS), string(factor.App), string(factor.Key), string(factor.Backup)}
	knownFactors   = []string{string(factor.SMS), string(factor.Mail), string(factor.App), string(factor.Key), string(factor.Backup)}
	enrolFactors   = []string{string(factor.App), string(factor.Key)}
)

func (v *validation) factors(c Config) {
	for i, rule := range c.Factors {
		at := func(key string) string { return fmt.Sprintf("factors[%d].%s", i, key) }
		known := slices.ContainsFunc(c.Directories, func(d DirectoryConfig) bool { return strings.EqualFold(d.Domain, rule.Domain) })
		if rule.Domain != "" && !known {
			v.fault(at("domain"), "%q is not a domain of directories", rule.Domain)
		}
		v.groups(at("groups"), rule.Groups)
		v.oneOf(at("need"), rule.Need, string(factor.Required), string(factor.Voluntary), string(factor.Off))
		v.eachOf(at("allowed"), rule.Allowed, knownFactors)
		if j := slices.Index(rule.Allowed, string(factor.Mail)); j >= 0 && !slices.ContainsFunc(c.SMS.Senders, SenderConfig.isOwnMail) {
			v.fault(fmt.Sprintf("%s[%d]", at("allowed"), j), `no sender carries codes by mail: sms.senders needs one of kind mail with to: "{{.Mail}}"`)
		}
		v.eachOf(at("enrol"), rule.Enrol, enrolFactors)
		for j, kind := range rule.Enrol {
			if !slices.Contains(rule.Allowed, kind) {
				v.fault(fmt.Sprintf("%s[%d]", at("enrol"), j), "%s is not among allowed", kind)
			}
		}
		if !slices.ContainsFunc(rule.Allowed, func(kind string) bool { return kind != string(factor.Backup) }) {
			v.fault(at("allowed"), "nothing is allowed that a person could set up")
		}
		if _, err := parseDate(rule.From); err != nil {
			v.fault(at("from"), "%q is not a date such as 2026-12-03", rule.From)
		} else if rule.From != "" && rule.Need != string(factor.Required) {
			v.fault(at("from"), "a date goes with need: required only")
		}
		v.between(at("remember"), rule.Remember, 0, 90*24*time.Hour)
		if rule.Domain == "" && len(rule.Groups) == 0 && rule.From == "" && i < len(c.Factors)-1 {
			v.fault(fmt.Sprintf("factors[%d]", i), "fits everybody: the rules after it are never reached")
		}
	}
}

func (v *validation) eachOf(key string, values, allowed []string) {
	for i, value := range values {
		v.oneOf(fmt.Sprintf("%s[%d]", key, i), value, allowed...)
	}
}

// parseDate is midnight of a date where the portal runs; "" is no date.
func parseDate(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return time.ParseInLocation(time.DateOnly, text, time.Local)
}

// factorPolicy is the policy of a configuration that has been checked.
func (c Config) factorPolicy() factor.Policy {
	kinds := func(names []string) (kinds []factor.Kind) {
		for _, name := range names {
			kinds = append(kinds, factor.Kind(name))
		}
		return kinds
	}
	var policy factor.Policy
	for _, rule := range c.Factors {
		from, _ := parseDate(rule.From) // validate has checked it
		policy = append(policy, factor.Rule{Domain: rule.Domain, Groups: rule.Groups, Allowed: kinds(rule.Allowed),
			Need: factor.Need(rule.Need), From: from, Enrol: kinds(rule.Enrol), Remember: rule.Remember})
	}
	return policy
}
