package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/gateway/factor"
)

func TestFactorsConfig(t *testing.T) {
	path := exampleFolder(t)
	base := minimal(filepath.Dir(path))
	read := func(t *testing.T, text string) (Config, error) {
		t.Helper()
		writeFile(t, path, base+text, 0o644)
		return loadConfig(path, nil)
	}
	config, err := read(t, `
factors:
  - {domain: amido, groups: ['AMIDO\Installers'], need: required, from: '2026-12-03', enrol: [app], remember: 720h}
  - {need: voluntary, allowed: [app]}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := factor.Policy{
		{Domain: "amido", Groups: []string{`AMIDO\Installers`}, Allowed: []factor.Kind{"sms", "app", "key", "backup"}, Need: factor.Required,
			From: time.Date(2026, 12, 3, 0, 0, 0, 0, time.Local), Enrol: []factor.Kind{"app"}, Remember: 720 * time.Hour},
		{Allowed: []factor.Kind{"app"}, Need: factor.Voluntary},
	}
	if diff := cmp.Diff(want, config.factorPolicy()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := read(t, "factors:\n  - {from: '2026-12-03', allowed: [app]}\n  - {allowed: [sms]}\n"); err != nil {
		t.Errorf("what holds for everybody until the date is refused: %v", err)
	}
	for text, says := range map[string]string{
		"{need: mandatory}":                  "required or voluntary or off",
		"{domain: NOWHERE}":                  "not a domain",
		"{from: '2026-13-03'}":               "not a date",
		"{from: tomorrow}":                   "not a date",
		"{need: off, from: '2026-12-03'}":    "need: required only",
		"{allowed: [backup]}":                "nothing is allowed",
		"{allowed: [telepathy]}":             "sms or mail or app or key or backup",
		"{allowed: [app], enrol: [key]}":     "not among allowed",
		"{allowed: [sms, mail]}":             "factors[0].allowed[1]: no sender carries codes by mail",
		"{groups: [Installers]}":             "neither DOMAIN",
		"{remember: 9000h}":                  "2160h",
		"{need: off}\n  - {need: voluntary}": "fits everybody",
		"{enroll: [app]}":                    "enroll",
	} {
		t.Run(text, func(t *testing.T) {
			if _, err := read(t, "\nfactors:\n  - "+text+"\n"); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("want %q: %v", says, err)
			}
		})
	}
}

// Mail is allowed by name alone, and where somebody carries it.
func TestMailFactorConfig(t *testing.T) {
	path := exampleFolder(t)
	base := minimal(filepath.Dir(path))
	mail := "mail: {server: 'mail.example.com:587', from: a@example.com}\nfactors:\n  - {allowed: [sms, mail]}\n"
	own := "    - name: own\n      kind: mail\n      mail: {to: '{{.Mail}}'}\n"
	writeFile(t, path, base+own+mail, 0o644)
	config, err := loadConfig(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]factor.Kind{"sms", "mail"}, config.factorPolicy()[0].Allowed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	writeFile(t, path, base+strings.Replace(own, "kind: mail", "kind: mail\n      countries: [SE]", 1)+mail, 0o644)
	if _, err := loadConfig(path, nil); err == nil || !strings.Contains(err.Error(), "sms.senders[1].countries: a mail goes to no country") {
		t.Errorf("countries: %v", err)
	}
}
