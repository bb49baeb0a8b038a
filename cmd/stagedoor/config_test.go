package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stagedoor/targets"
)

const (
	testBindPassword = "Tjänst-lösen 1"
	testSMSPassword  = "sms-pass-0987"
	testMailPassword = "post-lösen 5432"
)

// exampleFolder has config.example.yaml as config.yaml, and every file that it
// names.
func exampleFolder(t *testing.T) (config string) {
	t.Helper()
	folder := t.TempDir()
	text := readFile(t, "../../config.example.yaml")
	text = strings.ReplaceAll(text, "/var/lib/stagedoor/", folder+"/")
	config = filepath.Join(folder, "config.yaml")
	writeFile(t, config, text, 0o644)
	var key [32]byte
	_, _ = rand.Read(key[:])
	writeFile(t, filepath.Join(folder, "secrets/server-key"), base64.StdEncoding.EncodeToString(key[:])+"\n", 0o600)
	writeFile(t, filepath.Join(folder, "secrets/amido-bind-password"), testBindPassword+"\n", 0o640)
	writeFile(t, filepath.Join(folder, "secrets/sms-password"), testSMSPassword+"\r\n", 0o400)
	writeFile(t, filepath.Join(folder, "secrets/mail-password"), testMailPassword+"\n", 0o400)
	writeFile(t, filepath.Join(folder, "tls/amido-ca.pem"), testCertificate(t), 0o644)
	return config
}

func testCertificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func writeFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

func TestExampleLoads(t *testing.T) {
	path := exampleFolder(t)
	config, err := loadConfig(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(path)
	if config.Database != folder+"/stagedoor.db" || config.Targets != folder+"/targets.yaml" {
		t.Errorf("paths: database %s, targets %s", config.Database, config.Targets)
	}
	if len(config.serverKey()) != 32 {
		t.Errorf("server key: %d bytes", len(config.serverKey()))
	}
	domains := config.domains()
	if len(domains) != 1 || domains[0].BindPassword != testBindPassword || domains[0].CAFile != folder+"/tls/amido-ca.pem" ||
		domains[0].Timeout != 5*time.Second || !domains[0].Default || len(domains[0].Servers) != 2 {
		t.Errorf("domains: %d, not as the file says", len(domains))
	}
	if route, err := config.route(); err != nil || route.Name() != "46elks" {
		t.Errorf("senders: %v", err)
	}
	if config.secrets().senders[0].password != testSMSPassword {
		t.Error("the password of the SMS provider was not read, or with its newline")
	}
	if mailer, err := config.mailer(); err != nil || mailer == nil || config.secrets().mailPassword != testMailPassword {
		t.Errorf("mailer: %v", err)
	}
	if guacds, err := config.guacds(); err != nil || len(guacds) != 1 || guacds[0].Address != "127.0.0.1:4822" || guacds[0].Resume != "" {
		t.Errorf("guacds: %v, %v", guacds, err)
	}
}

// What is commented out in the example is still right: each key of Config stands
// in it, under its own section.
func TestExampleHasEveryKey(t *testing.T) {
	text := readFile(t, "../../config.example.yaml")
	var keys func(section reflect.Type) []string
	keys = func(section reflect.Type) (names []string) {
		for i := range section.NumField() {
			field := section.Field(i)
			if field.Tag.Get("yaml") == "" {
				continue
			}
			names = append(names, field.Tag.Get("yaml"))
			inner := field.Type
			if inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				names = append(names, keys(inner)...)
			}
		}
		return names
	}
	written := map[string]bool{}
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimLeft(line, " #-")
		if name, _, ok := strings.Cut(line, ":"); ok {
			written[name] = true
		}
	}
	for _, key := range keys(reflect.TypeFor[Config]()) {
		if !written[key] {
			t.Errorf("config.example.yaml does not have %s", key)
		}
	}
}

// The defaults that the example states are the defaults.
func TestDefaults(t *testing.T) {
	path := exampleFolder(t)
	writeFile(t, path, minimal(filepath.Dir(path)), 0o644)
	config, err := loadConfig(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(SessionConfig{Idle: 15 * time.Minute, Warning: 2 * time.Minute, Absolute: 12 * time.Hour, PreAuth: 10 * time.Minute, PerAccount: 3}, config.Session); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(CodesConfig{Lifetime: 5 * time.Minute, Tries: 5, Waits: []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute}, PerHour: 5, PerDay: 10, PerCountry: 100, InAll: 200, Countries: []string{"SE"}, Timeout: 10 * time.Second}, config.Codes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(LoginConfig{FailureFloor: time.Second, TriesPerAddress: 60, TriesWindow: 30 * time.Minute}, config.Login); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]GuacdConfig{{Address: "127.0.0.1:4822", Resume: "auto"}}, config.Guacd); diff != "" {
		t.Error(diff)
	}
	if config.Listen != "127.0.0.1:8080" || config.SMS.Senders[0].HTTP.Method != "POST" || config.SMS.Breaker != (BreakerConfig{3, time.Minute}) || config.Log != (LogConfig{"info", "json"}) ||
		config.Directories[0].Timeout != 5*time.Second || config.Directories[0].Country != "SE" {
		t.Errorf("listen %s, method %s, log %v, directory %+v", config.Listen, config.SMS.Senders[0].HTTP.Method, config.Log, config.Directories[0])
	}
}

// minimal is the least that loads, 16 lines; its files are exampleFolder's.
func minimal(folder string) string {
	return `public_url: https://portal.amido.example
database: ` + folder + `/stagedoor.db
server_key_file: secrets/server-key
targets: targets.yaml
directories:
  - domain: AMIDO
    servers: [ldaps://dc1.amido.example]
    bind_dn: CN=svc,DC=amido,DC=example
    bind_password_file: secrets/amido-bind-password
sms:
  senders:
    - name: elks
      kind: http
      http:
        url: https://api.46elks.com/a1/sms
        body: to={{urlquery .To}}
`
}

func TestProblems(t *testing.T) {
	tests := []struct {
		name     string
		old, new string // an edit of minimal; no old: new is appended (line 17 on)
		environ  []string
		want     []string // FILE:line: text
	}{
		{name: "good"},
		{name: "unknown key with a hint", new: "sesion:\n  idle: 5m\n",
			want: []string{`FILE:17: unknown key "sesion"; did you mean "session"?`}},
		{name: "unknown key in a section", new: "session:\n  idel: 5m\n",
			want: []string{`FILE:18: session: unknown key "idel"; did you mean "idle"?`}},
		{name: "duplicate key", new: "targets: other.yaml\n",
			want: []string{`FILE:17: key "targets" stands twice, first on line 4`}},
		{name: "second document", new: "---\nlisten: 127.0.0.1:1\n",
			want: []string{`FILE:17: a second document starts here (---): one file holds one document`}},
		{name: "tab", new: "session:\n\tidle: 5m\n",
			want: []string{`FILE:18: a tab in the indentation: YAML allows spaces only`}},
		{name: "wrong types, and what else is wrong", new: "session:\n  idle: 5\n  per_account: many\nlog: debug\ntrusted_proxies: 10.0.0.0/8\ndangerously_listen_without_tls: yes\nmetrics_listen: 0.0.0.0:9100\n",
			want: []string{
				`FILE:18: session.idle: "5" is not a length of time such as 90s, 15m or 12h`,
				`FILE:19: session.per_account: must be a whole number, not "many"`,
				`FILE:20: log: must be keys with values (key: value), not "debug"`,
				`FILE:21: trusted_proxies: must be a list (- item), not "10.0.0.0/8"`,
				`FILE:22: dangerously_listen_without_tls: must be true or false, not "yes"`,
				`FILE:23: metrics_listen: 0.0.0.0:9100 is reached from other machines: metrics are served on a loopback address only`,
			}},
		{name: "alias", new: "session: &s\n  idle: 5m\ncodes: *s\n",
			want: []string{
				`FILE:17: session: an anchor (&s) is not allowed: write each value out`,
				`FILE:19: codes: an alias (*s) is not allowed: write the value out`,
			}},
		{name: "nothing but a comment", old: "*", new: "# nothing\n", want: []string{`FILE: the file is empty`}},
		{name: "everything is missing", old: "*", new: "listen: 127.0.0.1:0\n",
			want: []string{
				`FILE:1: server_key_file: is missing: the path of a file, or the environment variable STAGEDOOR_SERVER_KEY`,
				`FILE:1: public_url: is missing: the address that browsers use, https://portal.example.se`,
				`FILE:1: database: is missing: the path of the database file`,
				`FILE:1: targets: is missing: the path of the list of workstations, targets.yaml`,
				`FILE:1: directories: is missing: at least one directory to log in against`,
				`FILE:1: sms.senders: is missing: at least one that carries codes to phones`,
			}},
		{name: "listens for all without TLS", new: "listen: :8080\n",
			want: []string{`FILE:17: listen: :8080 is reached from other machines, and passwords would cross the network in clear: set tls, or dangerously_listen_without_tls: true where a proxy on a private network does the TLS`}},
		{name: "listens for all without TLS on purpose", new: "listen: :8080\ndangerously_listen_without_tls: true\n"},
		{name: "listen without a port", new: "listen: localhost\n",
			want: []string{`FILE:17: listen: "localhost" is not an address with a port, such as 127.0.0.1:8080`}},
		{name: "half of a certificate", new: "tls:\n  cert_file: c.pem\n",
			want: []string{`FILE:17: tls.key_file: is missing: the key of the portal's certificate`}},
		{name: "http for the world", old: "https://portal.amido.example", new: "http://portal.amido.example",
			want: []string{`FILE:1: public_url: must be https: without it browsers send passwords and cookies in clear (http is for loopback hosts only)`}},
		{name: "http on loopback", old: "https://portal.amido.example", new: "http://localhost:8080"},
		{name: "public_url with a path", old: "https://portal.amido.example", new: "https://portal.amido.example/backstage",
			want: []string{`FILE:1: public_url: "https://portal.amido.example/backstage" must be scheme and host alone, such as https://portal.example.se`}},
		{name: "trusts everybody", new: "trusted_proxies: [10.0.0.1, 0.0.0.0/0, lb1]\n",
			want: []string{
				`FILE:17: trusted_proxies[1]: 0.0.0.0/0 trusts everybody: any browser could claim any address`,
				`FILE:17: trusted_proxies[2]: "lb1" is not a network such as 10.0.0.0/8 or an address`,
			}},
		{name: "session limits", new: "session:\n  idle: 30m\n  warning: 31m\n  absolute: 25h\n  per_account: 0\n",
			want: []string{
				`FILE:19: session.warning: 31m is not shorter than session.idle, 30m`,
				`FILE:20: session.absolute: must be from 1m to 24h, not 25h`,
				`FILE:21: session.per_account: must be from 1 to 100, not 0`,
			}},
		{name: "brand", new: "portal:\n  name: Amido\n  logo: none.svg\n  accent:\n    light: '#ffcc00'\n    dark: red\n  texts:\n    - key: login.submitt\n      language: sv\n      text: Kliv in\n",
			want: []string{
				`FILE:19: portal.logo: FOLDER/none.svg: no such file`,
				`FILE:21: portal.accent.light: #ffcc00 has a contrast of 1.31:1 against error messages #fbeceb in the light theme; links and buttons need 4.5:1 (WCAG 2.2, 1.4.3); #856a00 would do`,
				`FILE:22: portal.accent.dark: "red" is not a colour such as #17606b`,
				`FILE:24: portal.texts[0]: "login.submitt" in "sv": there is no text of this key; stagedoor texts lists them`,
			}},
		{name: "brand, a logo that is none", new: "portal:\n  logo: secrets/amido-bind-password\n  logo_has_name: true\n",
			want: []string{`FILE:18: portal.logo: it is none of SVG, PNG and WebP`}},
		{name: "brand, in order", new: "portal:\n  accent: {light: '#7a1f5c'}\n  texts:\n    - {key: login.submit, language: sv, text: Kliv in}\n"},
		{name: "directory faults", old: "  - domain: AMIDO\n    servers: [ldaps://dc1.amido.example]", new: "  - domain: 'AMIDO\\'\n    country: SW\n    base_dn: amido\n    timeout: 1h\n    servers: [http://dc1, dc2]",
			want: []string{
				`FILE:6: directories[0].domain: "AMIDO\\" may not have \, @, / or spaces`,
				`FILE:7: directories[0].country: "SW" is not a country code of ISO 3166 such as SE`,
				`FILE:8: directories[0].base_dn: "amido" is not a DN such as DC=amido,DC=example`,
				`FILE:9: directories[0].timeout: must be from 1s to 1m, not 1h`,
				`FILE:10: directories[0].servers[0]: "http://dc1" must be ldaps://host[:port], or ldap://host[:port] for StartTLS`,
				`FILE:10: directories[0].servers[1]: "dc2" must be ldaps://host[:port], or ldap://host[:port] for StartTLS`,
			}},
		{name: "two defaults, one name twice", old: "  - domain: AMIDO\n", new: "  - domain: amido\n    default: true\n    servers: [ldaps://x]\n    bind_dn: CN=x\n    bind_password_file: secrets/amido-bind-password\n  - domain: AMIDO\n    default: true\n",
			want: []string{
				`FILE:11: directories[1].domain: "AMIDO" stands twice`,
				`FILE:12: directories[1].default: amido is the default already: at most one is`,
			}},
		{name: "secret files", old: "secrets/amido-bind-password", new: "secrets/none",
			want: []string{`FILE:9: directories[0].bind_password_file: FOLDER/secrets/none: no such file`}},
		{name: "sms in clear", old: "https://api.46elks.com/a1/sms", new: "http://api.46elks.com/a1/sms",
			want: []string{`FILE:15: sms.senders[0].http.url: http would show every code to everybody on the way; use https`}},
		{name: "sms in clear on purpose", old: "https://api.46elks.com/a1/sms", new: "http://kannel:13013/x\n        dangerously_plaintext: true"},
		{name: "sms body without escapes", old: "to={{urlquery .To}}", new: "to={{.To}}&message={{.Text}}",
			want: []string{`FILE:16: sms.senders[0].http.body: a value is not escaped: use urlquery, path, json or xml`}},
		{name: "sms body that is no template", old: "to={{urlquery .To}}", new: "'to={{.To'",
			want: []string{`FILE:16: sms.senders[0].http.body: 1: unclosed action`}},
		{name: "sms header with a secret", new: "        headers:\n          - name: Authorization\n            value: Bearer abc\n          - name: X-Y\n",
			want: []string{
				`FILE:19: sms.senders[0].http.headers[0].value: is a secret: write Bearer {{.Password}}, and the secret into password_file`,
				`FILE:20: sms.senders[0].http.headers[1].value: is missing`,
			}},
		{name: "sms token", new: "        headers:\n          - name: Authorization\n            value: Bearer {{.Password}}\n        password_file: secrets/sms-password\n"},
		{name: "sms user without a password", new: "        username: u\n",
			want: []string{`FILE:14: sms.senders[0].http.password_file: is missing: the path of a file, or the environment variable STAGEDOOR_SMS__SENDERS__ELKS__PASSWORD`}},
		{name: "sms password without a user", new: "        password_file: secrets/sms-password\n",
			want: []string{`FILE:17: sms.senders[0].http.password_file: is used by nothing: set username, or write {{.Password}} in a header`}},
		{name: "sms success", new: "        success:\n          status_to: 404\n",
			want: []string{`FILE:17: sms.senders[0].http.success: status 200 to 404 is not within 200 to 299`}},
		{name: "sms method", new: "        method: DELETE\n",
			want: []string{`FILE:17: sms.senders[0].http.method: method "DELETE": use POST, PUT or GET`}},
		{name: "unknown sender", old: "kind: http", new: "kind: htp",
			want: []string{`FILE:13: sms.senders[0].kind: must be http or smpp or mail, not "htp"; did you mean "http"?`}},
		{name: "senders", old: "    - name: elks\n      kind: http\n", new: "    - name: elks\n    - name: Elks 2\n      kind: http\n    - name: elks\n      countries: [SW]\n      kind: http\n",
			want: []string{
				`FILE:12: sms.senders[0].kind: is missing: http, smpp or mail`,
				`FILE:13: sms.senders[1].name: "Elks 2" must be 1 to 32 lower case letters, digits and hyphens`,
				`FILE:13: sms.senders[1].http.url: is missing: the provider's address`,
				`FILE:15: sms.senders[2].name: "elks" stands twice`,
				`FILE:16: sms.senders[2].countries[0]: "SW" is not a country code of ISO 3166 such as SE`,
			}},
		{name: "a country without a sender", old: "      kind: http\n", new: "      kind: http\n      countries: [NO]\n",
			want: []string{`FILE:1: codes.countries[0]: no sender of sms.senders serves SE`}},
		{name: "receipts", new: "      receipts:\n        auth: query-secret\n        secret_file: secrets/sms-password\n        failed: [x]\n        delivered: [x]\n        header: a b\n",
			want: []string{
				`FILE:17: sms.senders[0].receipts.id: is missing: where the message's id stands`,
				`FILE:17: sms.senders[0].receipts.status: is missing: where the message's state stands`,
				`FILE:19: sms.senders[0].receipts.secret_file: has fewer than 16 characters`,
				`FILE:20: sms.senders[0].receipts.failed: "x" means delivered already`,
				`FILE:22: sms.senders[0].receipts.header: "a b" is not the name of a header`,
			}},
		{name: "receipts without a secret", new: "      receipts:\n        auth: hmak\n        id: a\n        status: b\n        delivered: [c]\n",
			want: []string{
				`FILE:17: sms.senders[0].receipts.secret_file: is missing: the path of a file, or the environment variable STAGEDOOR_SMS__SENDERS__ELKS__RECEIPT_SECRET`,
				`FILE:18: sms.senders[0].receipts.auth: "hmak" is none of query-secret, basic, twilio and hmac`,
			}},
		{name: "smpp and mail", old: "      kind: http\n      http:\n        url: https://api.46elks.com/a1/sms\n        body: to={{urlquery .To}}\n", new: "      kind: smpp\n" +
			"      smpp: {server: 'smpp.example.com:3550', tls: true, system_id: stage, password_file: secrets/sms-password, source: Backstage}\n" +
			"    - name: gateway\n      kind: mail\n      mail: {to: '{{.Number}}@sms.example'}\n" +
			"mail: {server: 'mail.example.com:587', from: a@example.com}\n"},
		{name: "faults of smpp", old: "      kind: http\n      http:\n        url: https://api.46elks.com/a1/sms\n        body: to={{urlquery .To}}\n", new: "      kind: smpp\n      smpp:\n" +
			"        server: smpp.example.com:3550\n        source: Amido Backstage\n        encoding: ascii\n        window: 2000\n        enquire_link: 1ms\n        receipt_ids: octal\n        ca_file: no.pem\n",
			want: []string{
				`FILE:14: sms.senders[0].smpp.password_file: is missing: the path of a file, or the environment variable STAGEDOOR_SMS__SENDERS__ELKS__PASSWORD`,
				`FILE:14: sms.senders[0].smpp.tls: everybody on the way to smpp.example.com would read each code and the password: set tls: true, or dangerously_plaintext: true on a private network`,
				`FILE:14: sms.senders[0].smpp.system_id: is missing: the name that the provider knows you by`,
				`FILE:16: sms.senders[0].smpp.source: "Amido Backstage" is neither a number nor a name of at most 11 letters and digits`,
				`FILE:17: sms.senders[0].smpp.encoding: must be gsm7 or ucs2, not "ascii"`,
				`FILE:18: sms.senders[0].smpp.window: must be from 1 to 1000, not 2000`,
				`FILE:19: sms.senders[0].smpp.enquire_link: must be from 1s to 10m, not 1ms`,
				`FILE:20: sms.senders[0].smpp.receipt_ids: must be decimal or hex, not "octal"`,
				`FILE:21: sms.senders[0].smpp.ca_file: means nothing without TLS`,
				`FILE:21: sms.senders[0].smpp.ca_file: open FOLDER/no.pem: no such file or directory`,
			}},
		{name: "faults of mail senders", new: "    - name: a\n      kind: mail\n      mail: {to: a@example.com}\n    - name: b\n      kind: mail\n      http: {url: 'https://x'}\n      mail: {to: '{{.Mail}}', subject: \"a\\nb\"}\n" +
			"mail: {server: 'mail.example.com:587', from: a@example.com}\n",
			want: []string{
				`FILE:19: sms.senders[1].mail.to: is neither {{.Mail}} nor an address made of {{.Number}} or {{.To}}, such as {{.Number}}@sms.example`,
				`FILE:22: sms.senders[2].http: belongs to kind: http`,
				`FILE:23: sms.senders[2].mail.subject: must be one line of at most 200 bytes`,
			}},
		{name: "a mail sender without a server, and for own mail alone", old: "      kind: http\n      http:\n        url: https://api.46elks.com/a1/sms\n        body: to={{urlquery .To}}\n", new: "      kind: mail\n      mail: {to: '{{.Mail}}'}\n",
			want: []string{
				`FILE:1: mail.server: is missing, and elks hands its messages to it`,
				`FILE:1: codes.countries[0]: no sender of sms.senders serves SE`,
			}},
		{name: "mail in order", new: "mail: {server: '127.0.0.1:25', tls: none, from: Backstage <a@example.com>, username: u}\n",
			environ: []string{"STAGEDOOR_MAIL__PASSWORD=p1"}},
		{name: "faults of mail", new: "mail:\n  server: mail.example.com\n  tls: none\n  username: u\n  from: nobody\n  ca_file: no.pem\n  timeout: 1ms\n",
			want: []string{
				`FILE:17: mail.password_file: is missing: the path of a file, or the environment variable STAGEDOOR_MAIL__PASSWORD`,
				`FILE:18: mail.server: "mail.example.com" is not an address with a port, such as mail.example.com:587`,
				`FILE:21: mail.from: "nobody" is not a mail address`,
				`FILE:22: mail.ca_file: open FOLDER/no.pem: no such file or directory`,
				`FILE:23: mail.timeout: must be from 1s to 1m, not 1ms`,
			}},
		{name: "mail without a server", new: "mail:\n  from: a@example.com\n",
			environ: []string{"STAGEDOOR_MAIL__PASSWORD=p1"},
			want:    []string{`FILE:18: mail.from: means nothing without mail.server`}},
		{name: "a callback without receipts", old: "to={{urlquery .To}}", new: "to={{urlquery .To}}&cb={{urlquery .Callback}}",
			want: []string{`FILE:12: sms.senders[0].receipts.auth: is missing, and {{.Callback}} is in the request: query-secret, basic, twilio or hmac`}},
		{name: "receipts in order", old: "to={{urlquery .To}}\n", new: "to={{urlquery .To}}&cb={{urlquery .Callback}}\n      receipts: {auth: query-secret, id: id, status: status, delivered: [delivered]}\n",
			environ: []string{"STAGEDOOR_SMS__SENDERS__ELKS__RECEIPT_SECRET=0123456789abcdef"}},
		{name: "breaker", new: "  breaker:\n    failures: 0\n    pause: 2h\n",
			want: []string{
				`FILE:18: sms.breaker.failures: must be from 1 to 100, not 0`,
				`FILE:19: sms.breaker.pause: must be from 1s to 1h, not 2h`,
			}},
		{name: "the keys of one sender", old: "  senders:\n    - name: elks\n", new: "  sender: http\n  http:\n    url: https://x\n  senders:\n    - name: elks\n",
			environ: []string{"STAGEDOOR_SMS__HTTP__PASSWORD=x", "STAGEDOOR_SMS__SENDERS__OTHER__PASSWORD=x"},
			want: []string{
				`environment: STAGEDOOR_SMS__HTTP__PASSWORD: there may be several senders now: their keys stand in the file, under sms.senders, and a password in STAGEDOOR_SMS__SENDERS__<NAME>__PASSWORD (UPGRADING.md)`,
				`environment: STAGEDOOR_SMS__SENDERS__OTHER__PASSWORD: no sender of this configuration has this name`,
				`FILE:11: sms.sender: there may be several senders now: write sms.senders, a list, with name: and kind: http (UPGRADING.md)`,
				`FILE:12: sms.http: belongs to a sender of the list sms.senders now, one step further in (UPGRADING.md)`,
			}},
		{name: "guacd elsewhere in clear", new: "guacd:\n  - address: guacd:4822\n  - address: guacd2:4822\n    dangerously_without_tls: true\n  - tls: true\n",
			want: []string{`FILE:18: guacd[0].address: guacd:4822 is another machine, and desktops and their passwords would cross the network in clear: set tls: true (guacd -C and -K), or dangerously_without_tls: true on a private network`}},
		{name: "guacd twice", new: "guacd:\n  - address: 127.0.0.1:4822\n  - resume: maybe\n",
			want: []string{`FILE:19: guacd[1].resume: must be auto or always or never, not "maybe"`,
				`FILE:19: guacd[1].address: 127.0.0.1:4822 stands twice`}},
		{name: "codes", new: "codes:\n  lifetime: 1h\n  countries: []\n  per_day: 2\n",
			want: []string{
				`FILE:18: codes.lifetime: must be from 1m to 10m, not 1h`,
				`FILE:19: codes.countries: the list is empty: no code could be sent`,
				`FILE:20: codes.per_day: 2 is less than codes.per_hour, 5`,
			}},
		{name: "waits", new: "codes:\n  waits: [5s, 2m, 1m]\n",
			want: []string{
				`FILE:18: codes.waits[0]: must be from 10s to 10m, not 5s`,
				`FILE:18: codes.waits[2]: 1m is shorter than the one before, 2m`,
			}},
		{name: "a wait as long as the code is valid", new: "codes:\n  waits: [2m]\n  lifetime: 2m\n",
			want: []string{`FILE:18: codes.waits[0]: 2m is not shorter than codes.lifetime, 2m: the code could not be sent again while it is valid`}},
		{name: "a short life", new: "codes:\n  lifetime: 1m\n"},
		{name: "no waits", new: "codes:\n  waits: []\n", want: []string{`FILE:18: codes.waits: must be 1 to 10 lengths of time, not 0`}},
		{name: "waits that are none", environ: []string{"STAGEDOOR_CODES__WAITS=30s, soon"},
			want: []string{`environment: STAGEDOOR_CODES__WAITS: must be lengths of time such as 30s, with commas`}},
		{name: "one message a minute", environ: []string{"STAGEDOOR_CODES__WAITS=60s"}},
		{name: "phones", new: "phones:\n  order: [directory, directory, sim]\n  enrol: self\n  cool_down: 30s\n",
			want: []string{
				`FILE:18: phones.order[1]: "directory" stands twice`,
				`FILE:18: phones.order[2]: must be verified or directory, not "sim"`,
				`FILE:19: phones.enrol: self needs verified among phones.order, since an enrolled number is one`,
				`FILE:20: phones.cool_down: must be from 1m to 336h, not 30s`,
			}},
		{name: "phones at once", new: "phones:\n  order: [directory, verified]\n  cool_down: 0s\n"},
		{name: "alarm mail", new: "codes:\n  per_country: 0\n  alarm_mail: [a@b.example, Drift]\n",
			want: []string{
				`FILE:18: codes.per_country: must be from 1 to 100000, not 0`,
				`FILE:19: codes.alarm_mail[1]: "Drift" is not a mail address`,
				`FILE:19: codes.alarm_mail: needs mail.server: without it no mail is sent`,
			}},
		{name: "empty sections are defaults", new: "session:\n  # idle: 5m\nlog:\nportal:\n"},
		{name: "log", new: "log:\n  level: verbose\n  format: jsn\n",
			want: []string{
				`FILE:18: log.level: must be debug or info or warn or error, not "verbose"`,
				`FILE:19: log.format: must be json or text, not "jsn"; did you mean "json"?`,
			}},
		{name: "environment", environ: []string{"STAGEDOOR_SESSION__IDLE=soon", "STAGEDOOR_SESSION__IDEL=5m", "STAGEDOOR_PORT=tcp://10.0.0.1:80", "STAGEDOOR_SERVICE_HOST=10.0.0.1", "STAGEDOOR_DATABSE=x", "STAGEDOOR_TESTBED=x", "STAGEDOOR_LISTEN=:80", "PATH=/bin"},
			want: []string{
				`environment: STAGEDOOR_DATABSE: no key of the configuration has this name; did you mean "STAGEDOOR_DATABASE"?`,
				`environment: STAGEDOOR_SESSION__IDEL: no key of the configuration has this name; did you mean "STAGEDOOR_SESSION__IDLE"?`,
				`environment: STAGEDOOR_SESSION__IDLE: is not a length of time such as 90s, 15m or 12h`,
				`environment: STAGEDOOR_LISTEN: :80 is reached from other machines, and passwords would cross the network in clear: set tls, or dangerously_listen_without_tls: true where a proxy on a private network does the TLS`,
			}},
		{name: "a secret twice", environ: []string{"STAGEDOOR_SERVER_KEY=x", "STAGEDOOR_DIRECTORIES__OTHER__BIND_PASSWORD=y"},
			want: []string{
				`environment: STAGEDOOR_DIRECTORIES__OTHER__BIND_PASSWORD: no directory of this configuration has this name`,
				`FILE:3: server_key_file: is set, and so is STAGEDOOR_SERVER_KEY: one of them must go`,
			}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := exampleFolder(t)
			folder := filepath.Dir(path)
			text := minimal(folder)
			switch test.old {
			case "":
				text += test.new
			case "*":
				text = test.new
			default:
				text = strings.Replace(text, test.old, test.new, 1)
			}
			writeFile(t, path, text, 0o644)
			_, err := loadConfig(path, test.environ)
			if diff := cmp.Diff(test.want, problemLines(t, err, path)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func problemLines(t *testing.T, err error, path string) (lines []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	var faults *targets.LoadError
	if !errors.As(err, &faults) {
		t.Fatalf("not a *targets.LoadError: %v", err)
	}
	for _, p := range faults.Problems {
		line := strings.ReplaceAll(p.String(), path, "FILE")
		lines = append(lines, strings.ReplaceAll(line, filepath.Dir(path), "FOLDER"))
	}
	return lines
}

func TestEnvironmentWins(t *testing.T) {
	path := exampleFolder(t)
	text := strings.Replace(minimal(filepath.Dir(path)), "server_key_file: secrets/server-key\n", "", 1)
	text = strings.Replace(text, "    bind_password_file: secrets/amido-bind-password\n", "", 1)
	writeFile(t, path, text+"        username: u1\nsession:\n  idle: 5m\n", 0o644)
	config, err := loadConfig(path, []string{
		"STAGEDOOR_SESSION__IDLE=20m", "STAGEDOOR_SESSION__PER_ACCOUNT=1", "STAGEDOOR_TRUSTED_PROXIES=10.0.0.1, 10.2.0.0/16",
		"STAGEDOOR_SMS__SENDERS__ELKS__PASSWORD=p1", "STAGEDOOR_SMS__BREAKER__FAILURES=4", "STAGEDOOR_DATABASE=other.db",
		"STAGEDOOR_SERVER_KEY=" + strings.Repeat("0123456789abcdef", 2) + "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
		"STAGEDOOR_DIRECTORIES__AMIDO__BIND_PASSWORD=b1", "STAGEDOOR_LOG__LEVEL=debug", "STAGEDOOR_CODES__COUNTRIES=SE, NO",
		"STAGEDOOR_PORTAL__NAME=", // empty is unset
	})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(config.Session.Idle, config.Session.PerAccount, config.Session.Warning, config.TrustedProxies, config.SMS.Breaker.Failures,
		config.secrets().senders[0].password, config.domains()[0].BindPassword, config.Log.Level, config.Codes.Countries, config.Portal.Name, filepath.Base(config.Database))
	if want := "20m0s 1 2m0s [10.0.0.1 10.2.0.0/16] 4 p1 b1 debug [SE NO] Stagedoor other.db\n"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := fmt.Sprint(config.trustedProxies()); got != "[10.0.0.1/32 10.2.0.0/16]" {
		t.Errorf("trusted proxies %s", got)
	}
}

func TestSecretFiles(t *testing.T) {
	tests := []struct {
		name, file, text string
		mode             os.FileMode
		want             string
	}{
		{"readable by all", "server-key", strings.Repeat("0123456789abcdef", 4), 0o644, "mode 0644 lets every user of this machine read or change it"},
		{"short key", "server-key", "c2hvcnQ=\n", 0o600, "shorter than 32 bytes"},
		{"repeated key", "server-key", strings.Repeat("z", 40), 0o600, "is not random"},
		{"hex key", "server-key", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", 0o600, ""},
		{"raw key", "server-key", "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\xff", 0o600, ""},
		{"placeholder", "amido-bind-password", "changeme\n", 0o600, "the file holds a placeholder, not a secret"},
		{"empty", "amido-bind-password", "\n", 0o600, "the file is empty"},
		{"two lines", "amido-bind-password", "a\nb\n", 0o600, "the file has more than one line"},
		{"latin 1", "amido-bind-password", "l\xf6sen\n", 0o600, "the file is not UTF-8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := exampleFolder(t)
			file := filepath.Join(filepath.Dir(path), "secrets", test.file)
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			writeFile(t, file, test.text, test.mode)
			_, err := loadConfig(path, nil)
			lines := strings.Join(problemLines(t, err, path), "\n")
			if test.want == "" && err != nil || !strings.Contains(lines, test.want) || strings.Count(lines, "\n") > 0 {
				t.Errorf("got %q, want one line with %q", lines, test.want)
			}
			if secret := strings.TrimSpace(test.text); secret != "" && strings.Contains(lines, secret) {
				t.Error("the problem holds the secret")
			}
		})
	}
}

func TestConfigFile(t *testing.T) {
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "open.yaml"), minimal(folder), 0o666)
	for path, want := range map[string]string{
		filepath.Join(folder, "open.yaml"): "mode 0666 lets every user of this machine change it: chmod 0644 or stricter",
		filepath.Join(folder, "none.yaml"): "no such file",
		folder:                             "not a regular file",
	} {
		if _, err := loadConfig(path, nil); err == nil || err.Error() != path+": "+want {
			t.Errorf("got %v, want %s: %s", err, path, want)
		}
	}
}

func TestConfigPrintsNoSecret(t *testing.T) {
	config, err := loadConfig(exampleFolder(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "config", config)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "config", config)
	marshalled, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	text := log.String() + string(marshalled)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		text += fmt.Sprintf(format, config) + fmt.Sprintf(format, &config)
	}
	for _, secret := range []string{testBindPassword, testSMSPassword, string(config.serverKey()), fmt.Sprint(config.serverKey()), fmt.Sprintf("%x", config.serverKey()), fmt.Sprintf("%x", testBindPassword)} {
		if strings.Contains(text, secret) {
			t.Errorf("printed: %q", secret)
		}
	}
}
