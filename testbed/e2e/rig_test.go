// Package e2e drives the shipped binary and the demo as people do: real
// directory, real guacd and xrdp, real Chromium, and an SMS provider that
// answers as 46elks does.
package e2e

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"stagedoor/testbed"
)

// binaries holds stagedoor and demo, built once.
var binaries string

func TestMain(m *testing.M) {
	code, err := build(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func build(m *testing.M) (code int, err error) {
	if binaries, err = os.MkdirTemp("", "stagedoor-e2e-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(binaries)) }()
	command := exec.Command("go", "build", "-o", binaries, "stagedoor/cmd/...")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// rig is the shipped gateway and the peers it was given.
type rig struct {
	t       *testing.T
	dir     string
	ca      *testbed.CA
	port    int
	address string // http://localhost:PORT
	process *testbed.Process
	samba   *testbed.Samba
	sms     *testbed.SMSProvider
	mail    *testbed.SMTP
	mails   int // that have been read
	guacd   *testbed.Guacd
	user    testbed.UnixUser // of the xrdp
	second  testbed.UnixUser // another, of a desktop beside the first
	xrdp    *testbed.Xrdp
	blocks  map[string]string // of the configuration, by their first key
	targets string            // what the list holds
}

const (
	colour   = "#2e7d32" // of the desktop's background
	colour2  = "#4a3f6b" // of the second desktop's
	terminal = "#fdf6e3" // of the terminal on it
)

var seed = testbed.DirectorySeed{
	MayUnlock: true,
	Policy:    testbed.DirectoryPolicy{MinLength: 10, History: 5, Complexity: true, MaxAge: 90 * 24 * time.Hour, LockoutThreshold: 6},
	Groups:    []testbed.DirectoryGroup{{Name: "MultiAccess"}, {Name: "Installers", Groups: []string{"MultiAccess"}}, {Name: "Codes-By-Mail"}, {Name: "Helpdesk"}, {Name: "Portal-Admins"}},
	Users: []testbed.DirectoryUser{
		{Name: "anna", Password: "Gammalt-2025", DisplayName: "Anna Ångström", Mobile: "070-174 06 05", Expired: true, Groups: []string{"Installers"}},
		{Name: "bertil", Password: "Tillfalligt-1", DisplayName: "Bertil Öberg", Mobile: "070-174 06 06", MustChange: true, Groups: []string{"Installers"}},
		{Name: "cecilia", Password: "Sommar-2026-åäö", DisplayName: "Cecilia Lind", Mobile: "+46 70 174 06 07", Groups: []string{"MultiAccess"}},
		{Name: "david", Password: "Sommar-2026-ok", Mobile: "070-174 06 08", Disabled: true},
		{Name: "erik", Password: "Sommar-2026-ok", DisplayName: "Erik Sjö"},
		{Name: "nils", Password: "Sommar-2026-ok", DisplayName: "Nils Alm"},
		{Name: "mats", Password: "Sommar-2026-ok", DisplayName: "Mats Ölund", Mail: "mats@amido.example", Groups: []string{"Codes-By-Mail"}},
		{Name: "iris", Password: "Sommar-2026-ok", DisplayName: "Iris Ås", Groups: []string{"Portal-Admins"}},
		{Name: "frida", Password: "Sommar-2026-ok", DisplayName: "Frida Åkesson", Mobile: "070-174 06 12", Groups: []string{"MultiAccess"}},
		{Name: "gerd", Password: "Sommar-2026-ok", DisplayName: "Gerd Öst", Mobile: "070-174 06 13"},
		{Name: "harald", Password: "Sommar-2026-ok", DisplayName: "Harald Ek", Mobile: "070-174 06 14", Groups: []string{"MultiAccess"}},
		{Name: "ingrid", Password: "Sommar-2026-ok", DisplayName: "Ingrid Älv", Mobile: "070-174 06 15", Groups: []string{"MultiAccess"}},
		{Name: "ada", Password: "Sommar-2026-ok", DisplayName: "Ada Björk", Mobile: "070-174 06 16", Groups: []string{"Portal-Admins"}},
		{Name: "hanna", Password: "Sommar-2026-ok", DisplayName: "Hanna Helm", Mobile: "070-174 06 09", Groups: []string{"Helpdesk"}},
		{Name: "greta", Password: "Sommar-2026-ok", Mobile: "070-174 06 11"},
		{Name: "gun", Password: "Sommar-2026-ok", Mobile: "070-174 06 22"},
		{Name: "gunnar", Password: "Sommar-2026-ok", Mobile: "070-174 06 33"},
		{Name: "gustav", Password: "Sommar-2026-ok", Mobile: "070-174 06 44"},
	},
}

func must[T any](t *testing.T) func(value T, err error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newRig writes a configuration for a Samba domain controller and an SMS
// provider, and starts neither guacd nor gateway.
func newRig(t *testing.T) *rig {
	t.Helper()
	testbed.Need(t, "samba")
	r := bareRig(t)
	r.ca = must[*testbed.CA](t)(testbed.NewCA(r.folder("ca")))
	samba := must[*testbed.Samba](t)(testbed.StartSamba(t.Context(), testbed.SambaOptions{Dir: r.folder("samba"), CA: r.ca, Seed: seed}))
	t.Cleanup(func() { ok(t, samba.Stop()) })
	r.samba = samba
	r.directory(samba.URL, samba.CAFile, samba.BindDN, samba.BindPassword)
	return r
}

// directory has the portal ask this one.
func (r *rig) directory(url, caFile, bindDN, bindPassword string) {
	r.t.Helper()
	r.file("bind-password", bindPassword)
	r.blocks["directories"] = fmt.Sprintf("directories:\n  - {domain: AMIDO, suffixes: [amido.example], default: true, servers: [%q], ca_file: %q, bind_dn: %q, bind_password_file: bind-password, timeout: 3s}\n",
		url, caFile, bindDN)
}

// bareRig is a rig that lacks its directory.
func bareRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), targets: "targets: []\n"}
	r.sms = must[*testbed.SMSProvider](t)(testbed.StartSMSProvider())
	t.Cleanup(func() { ok(t, r.sms.Stop()) })
	r.port = must[int](t)(testbed.FreePort())
	r.address = fmt.Sprintf("http://localhost:%d", r.port)
	var key [32]byte
	_, _ = rand.Read(key[:])
	r.file("server-key", hex.EncodeToString(key[:]))
	r.file("sms-password", r.sms.Password)
	r.blocks = map[string]string{
		"listen":  fmt.Sprintf("listen: localhost:%d\npublic_url: %s\n", r.port, r.address),
		"files":   "database: stagedoor.db\nserver_key_file: server-key\ntargets: targets.yaml\n",
		"portal":  "portal: {name: Amido Alliera Backstage}\nhelpdesk: {name: Amido Support, phone: 08-465 004 99, mail: support@amido.example, groups: ['AMIDO\\Helpdesk']}\nadministrators: {groups: ['AMIDO\\Portal-Admins']}\n",
		"login":   "login: {failure_floor: 100ms}\n",
		"session": "session: {idle: 15m}\n",
		"sms":     fmt.Sprintf("sms:\n  senders:\n    - name: elks\n      kind: http\n      http:\n        url: %s\n        body: from=Backstage&to={{urlquery .To}}&message={{urlquery .Text}}\n        username: %s\n        password_file: sms-password\n        success: {json_path: status, equals: [created]}\n", r.sms.ElksURL, r.sms.Username),
		"codes":   "codes: {timeout: 2s}\n",
		"guacd":   "guacd:\n  - address: 127.0.0.1:1\n",
	}
	return r
}

// withDesktops adds a guacd and an xrdp, and targets that use them.
func (r *rig) withDesktops() {
	r.t.Helper()
	testbed.Need(r.t, "guacd", "xrdp")
	ctx := r.t.Context()
	r.guacd = must[*testbed.Guacd](r.t)(testbed.StartGuacd(ctx, testbed.GuacdOptions{}))
	r.t.Cleanup(func() { ok(r.t, r.guacd.Stop()) })
	r.user = testbed.NewUnixUser()
	r.user.Title, r.user.Colour = "XXX.MultiAccess01", colour
	r.second = testbed.NewUnixUser()
	r.second.Title, r.second.Colour = "R-CARD M5 Server", colour2
	r.xrdp = must[*testbed.Xrdp](r.t)(testbed.StartXrdp(ctx, testbed.XrdpOptions{Users: []testbed.UnixUser{r.user, r.second}}))
	r.t.Cleanup(func() { ok(r.t, r.xrdp.Stop()) })
	r.blocks["guacd"] = "guacd:\n  - address: " + r.guacd.Address + "\n"
	host, port, _ := net.SplitHostPort(r.xrdp.Address)
	silent := r.silentPort()
	r.file("desktop-password", r.user.Password)
	r.file("second-password", r.second.Password)
	desktop := "security: tls, dangerously_ignore_certificate: true, visible_to: [\"AMIDO\\\\MultiAccess\"]"
	r.targets = fmt.Sprintf(`targets:
  - {id: multiaccess01, name: XXX.MultiAccess01, group: MultiAccess, description: Passersystem, icon: door, host: %[1]s, port: %[2]s, credentials: stored, username: %[3]s, password_file: desktop-password, transfers: {copy: true, paste: true}, %[4]s}
  - {id: multiaccess02, name: XXX.Stockholm.MultiAccess02, group: MultiAccess, host: 127.0.0.1, port: 1, %[4]s}
  - {id: silent, name: XXX.Stockholm.MultiAccess03, group: MultiAccess, host: 127.0.0.1, port: %[5]d, %[4]s}
  - {id: rcard-m5, name: R-CARD M5 Arbetstation, group: R-CARD, host: %[1]s, port: %[2]s, %[4]s}
  - {id: rcard-server, name: R-CARD M5 Server, group: R-CARD, host: %[1]s, port: %[2]s, credentials: stored, username: %[6]s, password_file: second-password, %[4]s}
  - {id: handbook, name: R-CARD M5 Arbetstation INSTRUKTIONER OCH HJÄLPVERKTYG, group: R-CARD, icon: book, kind: document, file: handbook.txt, visible_to: everyone}
`, host, port, r.user.Name, desktop, silent, r.second.Name)
	r.file("handbook.txt", "Instruktioner för åtkomst\n")
}

// withMail adds a mail server, for notices and for the codes of those who get
// them by mail.
func (r *rig) withMail() {
	r.t.Helper()
	testbed.Need(r.t, "smtp")
	r.mail = must[*testbed.SMTP](r.t)(testbed.StartSMTP(r.t.Context(), testbed.SMTPOptions{}))
	r.t.Cleanup(func() { ok(r.t, r.mail.Stop()) })
	r.blocks["mail"] = fmt.Sprintf("mail: {server: %q, tls: none, from: Backstage <backstage@amido.example>}\n", r.mail.Address)
	r.blocks["sms"] += "    - name: mail\n      kind: mail\n      mail: {to: '{{.Mail}}', subject: Din kod}\n"
	r.blocks["factors"] = "factors:\n  - {domain: AMIDO, groups: ['AMIDO\\Codes-By-Mail'], allowed: [mail, app, key, backup]}\n"
}

// mailCode is the code in the next mail to an address.
func (r *rig) mailCode(address string) string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
	defer cancel()
	for {
		mails := must[testbed.SMTPState](r.t)(r.mail.State(ctx, fmt.Sprintf("mails=%d", r.mails+1))).Mails
		mail := mails[r.mails]
		r.mails++
		letter := must[testbed.ReceivedMail](r.t)(mail.Read())
		if code := sixDigits.FindString(letter.Text); code != "" && slices.Equal(mail.To, []string{address}) {
			return code
		}
	}
}

// silentPort accepts connections and never says a word.
func (r *rig) silentPort() int {
	listener := must[net.Listener](r.t)(net.Listen("tcp", "127.0.0.1:0"))
	r.t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

// withTLS has the portal speak TLS with a certificate of its own.
func (r *rig) withTLS() testbed.Certificate {
	r.t.Helper()
	certificate := must[testbed.Certificate](r.t)(r.ca.Issue("portal", "localhost"))
	r.address = fmt.Sprintf("https://localhost:%d", r.port)
	r.blocks["listen"] = fmt.Sprintf("listen: localhost:%d\npublic_url: %s\ntls: {cert_file: %q, key_file: %q}\n",
		r.port, r.address, certificate.CertFile, certificate.KeyFile)
	return certificate
}

func (r *rig) folder(name string) string {
	path := filepath.Join(r.dir, name)
	ok(r.t, os.MkdirAll(path, 0o755))
	return path
}

func (r *rig) file(name, text string) string {
	path := filepath.Join(r.dir, name)
	ok(r.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// config writes config.yaml and targets.yaml.
func (r *rig) config() string {
	var text strings.Builder
	for _, name := range []string{"listen", "files", "portal", "login", "session", "directories", "sms", "codes", "factors", "phones", "mail", "guacd"} {
		text.WriteString(r.blocks[name])
	}
	r.file("targets.yaml", r.targets)
	return r.file("config.yaml", text.String())
}

// serve starts the gateway and waits for its line.
func (r *rig) serve() {
	r.t.Helper()
	process := must[*testbed.Process](r.t)(testbed.Start(testbed.Command{
		Path: filepath.Join(binaries, "stagedoor"), Args: []string{"serve", "--config", r.config()},
	}))
	r.process = process
	r.t.Cleanup(func() { ok(r.t, process.Stop()) })
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	ok(r.t, process.WaitReady(ctx, process.Printing("answers at "+r.address)))
}

// stagedoor runs a command to its end.
func stagedoor(t *testing.T, args ...string) (output string, exit int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(binaries, "stagedoor"), args...).CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	if failed != nil {
		exit = failed.ExitCode()
	}
	return string(out), exit
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// code is the one in the next message to a number.
func (r *rig) code(number string) string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
	defer cancel()
	for {
		sms, err := r.sms.WaitMessage(ctx)
		if err != nil {
			r.t.Fatalf("no SMS to %s: %v", number, err)
		}
		if sms.To == number {
			return sixDigits.FindString(sms.Text)
		}
	}
}

// signIn fills in the login page.
func signIn(p *testbed.Page, name, password string) {
	p.Fill("#username", name)
	p.Fill("#password", password)
	p.Press("Enter")
}

// typeCode fills in the code page.
func typeCode(p *testbed.Page, code string) {
	p.Fill("#code", code)
	p.Press("Enter")
}

// change fills in the password page.
func change(p *testbed.Page, current, fresh, confirm string) {
	p.Fill("#current", current)
	p.Fill("#new", fresh)
	p.Fill("#confirm", confirm)
	p.Press("Enter")
}

// atList starts the gateway and a browser in Swedish, and logs cecilia in.
func (r *rig) atList(options testbed.BrowserOptions) *testbed.Page {
	r.t.Helper()
	r.serve()
	page := testbed.StartBrowser(r.t, options).NewPage()
	page.Limit = 30 * time.Second // the gateway gives a first picture 30, the browser a silent line 15
	page.Language("sv")
	r.logIn(page)
	return page
}

// logIn goes from the login page to the list, as cecilia.
func (r *rig) logIn(p *testbed.Page) {
	r.t.Helper()
	p.Open(r.address + "/login")
	signIn(p, `AMIDO\cecilia`, "Sommar-2026-åäö")
	p.WaitURL("/code")
	typeCode(p, r.code("+46701740607"))
	p.WaitText("Välj system")
}
