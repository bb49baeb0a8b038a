package targets

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const testPassword = "Hemligt lösen 42!"

// testFolder has the files that lists in tests name.
func testFolder(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	write(t, filepath.Join(folder, "password"), testPassword+"\n", 0o600)
	write(t, filepath.Join(folder, "open-password"), testPassword+"\n", 0o644)
	write(t, filepath.Join(folder, "handbook.pdf"), "%PDF", 0o644)
	return folder
}

func write(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

func loadText(t testing.TB, text string) (*List, error) {
	t.Helper()
	path := filepath.Join(testFolder(t), "targets.yaml")
	write(t, path, text, 0o644)
	return Load(path)
}

// one is a list of one good desktop, lines 2 to 5, and more keys from line 6.
func one(more ...string) string {
	text := "targets:\n  - id: a\n    name: A\n    visible_to: everyone\n    host: a.example\n"
	for _, line := range more {
		text += "    " + line + "\n"
	}
	return text
}

func TestProblems(t *testing.T) {
	tests := []struct {
		name string
		text string
		want []string
	}{
		{"good", one(), nil},
		{"no targets", "targets: []\n", nil},
		{"with a byte order mark", "\xef\xbb\xbf" + one(), nil},
		{"Windows line ends", strings.ReplaceAll(one(), "\n", "\r\n"), nil},
		{"empty", "", []string{"FILE: the file is empty"}},
		{"comments only", "# nothing\n", []string{"FILE: the file is empty"}},
		{"not UTF-8", "targets:\n  - id: a\n    name: L\xf6sen\n", []string{"FILE:3: not UTF-8: save the file as UTF-8"}},
		{"UTF-16", "\xff\xfet\x00", []string{"FILE:1: not UTF-8: save the file as UTF-8"}},
		{"another file", "hosts: {}\n", []string{`FILE:1: unknown key "hosts"`}},
		{"a list alone", "- id: a\n", []string{"FILE:1: must be keys with values (key: value), not a list"}},
		{"tabs", "targets:\n\t- id: a\n\t  name: b\n", []string{
			"FILE:2: a tab in the indentation: YAML allows spaces only",
			"FILE:3: a tab in the indentation: YAML allows spaces only"}},
		{"indentation far down", one() + strings.Repeat("  - id: b\n    name: B\n", 40) + "   x: y\n", []string{
			"FILE:86: not YAML: did not find expected '-' indicator"}},
		{"unclosed quote", one(`group: "x`), []string{"FILE:6: not YAML: found unexpected end of stream"}},
		{"backslash in double quotes", one(`group: "AMIDO\Qx"`), []string{
			`FILE:6: not YAML: found unknown escape character (in double quotes a backslash starts an escape: write 'DOMAIN\name', in single quotes)`}},
		{"second document", one() + "---\n" + one(), []string{"FILE:6: a second document starts here (---): one file holds one document"}},
		{"anchor and alias", one("description: &d x", "group: *d"), []string{
			"FILE:6: description: an anchor (&d) is not allowed: write each value out",
			"FILE:7: group: an alias (*d) is not allowed: write the value out"}},
		{"merge key", one("<<: {group: x}"), []string{"FILE:6: a merge key (<<) is not allowed: write the keys out"}},
		{"tag", one("group: !!str x"), []string{"FILE:6: group: a tag (!!str) is not allowed"}},
		{"unknown keys", one("visibel_to: everyone", "colour: red", "transfers: {past: true}"), []string{
			`FILE:6: unknown key "visibel_to"; did you mean "visible_to"?`,
			`FILE:7: unknown key "colour"`,
			`FILE:8: transfers: unknown key "past"; did you mean "paste"?`}},
		{"duplicate key", one("name: B"), []string{`FILE:6: key "name" stands twice, first on line 3`}},
		{"duplicate id", one() + "  - id: b\n    name: B\n    visible_to: everyone\n    host: b\n  - id: a\n    name: C\n    visible_to: everyone\n    host: c\n",
			[]string{`FILE:10: id "a" stands twice, first on line 2`}},
		{"wrong types, and what else is wrong", one("group: 42", "port: '3389'", "transfers: {copy: yes, paste: 1}", "fingerprints: x", "credentials: ask"), []string{
			`FILE:6: group: must be text, not the number 42: put it in quotes`,
			`FILE:7: port: must be a whole number, not "3389"`,
			`FILE:8: transfers.copy: must be true or false, not "yes"`,
			`FILE:8: transfers.paste: must be true or false, not the number 1`,
			`FILE:9: fingerprints: must be a list (- item), not "x"`,
			`FILE:10: credentials: must be prompt, session or stored, not "ask"`}},
		{"no value", one("group:", "transfers:"), []string{"FILE:6: group: has no value"}},
		{"nothing is there", "targets:\n  - kind: desktop\n", []string{
			"FILE:2: id: is missing: it stands in the address of the target",
			"FILE:2: name: is missing: it is what people see in the list",
			"FILE:2: visible_to: is missing: write everyone or a list of groups (nobody is meant by default)",
			"FILE:2: host: is missing: the name or address of the computer, as guacd reaches it"}},
		{"ids", "targets:\n" + entries("A", "a b", "å", strings.Repeat("a", 65), "../x"), []string{
			`FILE:2: id: "A" may have small letters a-z, digits and hyphens only, at most 64`,
			`FILE:6: id: "a b" may have small letters a-z, digits and hyphens only, at most 64`,
			`FILE:10: id: "å" may have small letters a-z, digits and hyphens only, at most 64`,
			`FILE:14: id: "` + strings.Repeat("a", 65) + `" may have small letters a-z, digits and hyphens only, at most 64`,
			`FILE:18: id: "../x" may have small letters a-z, digits and hyphens only, at most 64`}},
		{"control characters", one(`description: "a\u0007"`, `group: "a\nb"`), []string{
			`FILE:6: description: has a control character (in double quotes a backslash starts an escape: use single quotes)`,
			`FILE:7: group: has a control character (in double quotes a backslash starts an escape: use single quotes)`}},
		{"kind", one("kind: destkop"), []string{`FILE:6: kind: must be desktop, link or document, not "destkop"; did you mean "desktop"?`}},
		{"host with a port", strings.Replace(one(), "a.example", "a.example:3389", 1), []string{
			`FILE:5: host: "a.example:3389" is a name or an address alone: the port stands in port`}},
		{"host with a path", strings.Replace(one(), "a.example", "rdp/a b", 1), []string{`FILE:5: host: "rdp/a b" is not a host name or an IP address`}},
		{"IPv6", strings.Replace(one(), "a.example", "'2001:db8::1'", 1), nil},
		{"port", one("port: 70000"), []string{"FILE:6: port: must be from 1 to 65535, not 70000"}},
		{"port nought", one("port: 0"), []string{"FILE:6: port: must be from 1 to 65535, not 0"}},
		{"protocol", one("protocol: telnet"), []string{`FILE:6: protocol: must be rdp, vnc or ssh, not "telnet"`}},
		{"keyboard", one("keyboard: sv-se"), []string{
			`FILE:6: keyboard: guacd has no layout "sv-se"; it has ` + strings.Join(Keyboards(), ", ")}},
		{"timezone", one("timezone: Europe/Stokholm"), []string{`FILE:6: timezone: "Europe/Stokholm" is not a time zone such as Europe/Stockholm`}},
		{"timezone with a path", one("timezone: ../../etc/passwd"), []string{`FILE:6: timezone: "../../etc/passwd" is not a time zone such as Europe/Stockholm`}},
		{"security that checks nothing", one("security: any"), []string{
			"FILE:6: security: any lets the server leave out its certificate, so that anybody in between could take its place: write nla (Windows) or tls, or dangerously_ignore_certificate: true"}},
		{"security unknown", one("security: ssl"), []string{`FILE:6: security: must be nla, nla-ext, tls, vmconnect, any or rdp, not "ssl"`}},
		{"fingerprints", one("fingerprints: ['sha1:aa', '" + fingerprint + "']"), []string{
			`FILE:6: fingerprints: "sha1:aa" must be sha256: and 32 pairs of hex digits with colons, as openssl x509 -fingerprint -sha256 prints them`}},
		{"fingerprints of nothing", one("fingerprints: []", "dangerously_ignore_certificate: true"), []string{
			"FILE:6: fingerprints: mean nothing with dangerously_ignore_certificate", "FILE:6: fingerprints: the list is empty"}},
		{"remote app", one("remote_app: {program: notepad.exe}"), []string{
			"FILE:6: remote_app.program: must be the program's alias on the server with two bars before it: '||MultiAccess'"}},
		{"resize", one("resize: auto"), []string{`FILE:6: resize: must be display-update, reconnect or none, not "auto"`}},
		{"upload without a folder", one("transfers: {upload: true}"), []string{
			"FILE:2: drive_folder: transfers.upload and transfers.download need the absolute path of a folder on guacd's machine that guacd may write to (each desktop gets a folder of its own in it)"}},
		{"folder without upload", one("drive_folder: /var/lib/guacd"), []string{
			"FILE:6: drive_folder: means nothing without transfers.upload or transfers.download"}},
		{"user name with session", one("credentials: session", "username: anna", "password_file: password"), []string{
			"FILE:7: username: is for credentials: stored only, not session", "FILE:8: password_file: is for credentials: stored only, not session"}},
		{"stored without anything", one("credentials: stored"), []string{
			"FILE:2: username: is missing: credentials: stored needs it",
			"FILE:2: password_file: is missing: credentials: stored needs the path of a file that holds the password"}},
		{"password files", one("credentials: stored", "username: u", "password_file: open-password"), []string{
			"FILE:8: password_file: FOLDER/open-password: mode 0644 lets every user of this machine read or change it: chmod 0640 or stricter"}},
		{"password file missing", one("credentials: stored", "username: u", "password_file: none"), []string{"FILE:8: password_file: FOLDER/none: no such file"}},
		{"password file is a folder", one("credentials: stored", "username: u", "password_file: ."), []string{"FILE:8: password_file: FOLDER: not a regular file"}},
		{"read-only that guacd would not know", one("parameters: {read-only: 'yes'}"), []string{
			"FILE:6: parameters: read-only must be true or false: guacd takes anything else for false"}},
		{"parameters that undo the policy", one("parameters:", "  disable-copy: false", "  enable-drive: true", "  ignore-cert: true", "  hostname: evil", "  cert-tofu: true", "  static-channels: x", "  Enable_Drive: x"), []string{
			"FILE:7: parameters: disable-copy is set by the key transfers.copy",
			"FILE:8: parameters: enable-drive is set by the key transfers.upload or transfers.download",
			"FILE:9: parameters: ignore-cert is set by the key dangerously_ignore_certificate",
			"FILE:10: parameters: hostname is set by the key host",
			"FILE:11: parameters: cert-tofu is set by the key fingerprints",
			"FILE:12: parameters: static-channels is not allowed: it opens channels between browser and desktop that no key of transfers covers",
			`FILE:13: parameters: "Enable_Drive" is not the name of a guacd argument (small letters, digits and hyphens)`}},
		{"secrets among parameters", one("parameters: {gateway-password: x}", "parameter_files: {gateway-password: password}"), []string{
			"FILE:6: parameters: gateway-password is a secret: write parameter_files: with gateway-password: and the path of a file",
			"FILE:7: parameter_files: gateway-password stands among parameters too"}},
		{"list among parameters", one("parameters: {color-depth: [1]}"), []string{"FILE:6: parameters.color-depth: must be text, a number or true or false"}},
		{"vnc with what only RDP has", one("protocol: vnc", "keyboard: sv-se-qwerty", "transfers: {print: true, microphone: true}"), []string{
			"FILE:7: keyboard: vnc does not have it",
			"FILE:8: transfers.microphone: vnc cannot do it", "FILE:8: transfers.print: vnc cannot do it"}},
		{"ssh without a host key", one("protocol: ssh"), []string{
			"FILE:2: host_key: is missing: the server's public key as ssh-keyscan prints it (or dangerously_ignore_certificate: true)"}},
		{"ssh with a wrong host key", one("protocol: ssh", "host_key: ssh-ed25519 "+strings.Fields(rsaKey)[1]), []string{
			"FILE:7: host_key: is not a public key such as: ssh-ed25519 AAAAC3Nza..."}},
		{"link", "targets:\n  - id: a\n    name: A\n    visible_to: everyone\n    kind: link\n    url: javascript:alert(1)\n    host: x\n", []string{
			"FILE:6: url: must be a whole address, https://host/path or http://host/path", "FILE:7: host: means nothing for a link"}},
		{"link with a password", "targets:\n  - id: a\n    name: A\n    visible_to: everyone\n    kind: link\n    url: https://u:p@x.example/\n", []string{
			"FILE:6: url: may not hold a user name or password: everybody who sees the target would read it"}},
		{"document missing", "targets:\n  - id: a\n    name: A\n    visible_to: everyone\n    kind: document\n    file: none.pdf\n", []string{"FILE:6: file: FOLDER/none.pdf: no such file"}},
		{"document", "targets:\n  - id: a\n    name: A\n    visible_to: everyone\n    kind: document\n    file: handbook.pdf\n", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := loadText(t, test.text)
			if diff := cmp.Diff(test.want, problemLines(t, err)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

const (
	fingerprint = "sha256:00:11:22:33:44:55:66:77:88:99:AA:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"
	edKey       = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
	rsaKey      = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA="
)

func entries(ids ...string) (text string) {
	for _, id := range ids {
		text += "  - id: " + id + "\n    name: A\n    visible_to: everyone\n    host: a\n"
	}
	return text
}

func problemLines(t testing.TB, err error) (lines []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	var faults *LoadError
	if !errors.As(err, &faults) {
		t.Fatalf("not a *LoadError: %v", err)
	}
	for _, p := range faults.Problems {
		folder := filepath.Dir(p.File)
		lines = append(lines, strings.ReplaceAll(strings.ReplaceAll(p.String(), p.File, "FILE"), folder, "FOLDER"))
	}
	return lines
}

func TestGroups(t *testing.T) {
	tests := []struct {
		name, visibleTo string
		fault           string // part of the one problem; empty: good
	}{
		{"everyone", "everyone", ""},
		{"DOMAIN and name", `['AMIDO\Backstage Stockholm']`, ""},
		{"DN", "['CN=Backstage\\, Stockholm,OU=Grupper,DC=amido,DC=example']", ""},
		{"DN with an OID", "['2.5.4.3=x,DC=amido']", ""},
		{"bare name", "[Backstage]", `group "Backstage" does not say which directory it is in`},
		{"everyone in a list", "[everyone]", `group "everyone" does not say which directory it is in`},
		{"Everyone", "Everyone", `must be everyone or a list of groups, not "Everyone"`},
		{"one group, no list", `'AMIDO\x'`, `must be everyone or a list of groups`},
		{"empty list", "[]", "the list of groups is empty"},
		{"nothing", "", "must be everyone or a list of groups, not nothing"},
		{"true", "true", "must be everyone or a list of groups, not the truth value true"},
		{"number in the list", "[42]", "a group must be text, not the number 42"},
		{"no name", `['AMIDO\']`, `is not DOMAIN\name`},
		{"no domain", `['\x']`, `is not DOMAIN\name`},
		{"two backslashes", `['A\b\c']`, `is not DOMAIN\name`},
		{"broken DN", "['CN=x,Stockholm']", "is not a DN"},
		{"DN without a value", "['CN=,DC=amido']", "is not a DN"},
		{"escape in double quotes", `["AMIDO\nisse"]`, "has a control character"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := loadText(t, "targets:\n  - id: a\n    name: A\n    host: a\n    visible_to: "+test.visibleTo+"\n")
			lines := problemLines(t, err)
			switch {
			case test.fault == "" && len(lines) > 0:
				t.Errorf("refused: %v", lines)
			case test.fault != "" && (len(lines) != 1 || !strings.Contains(lines[0], "FILE:5: visible_to: ") || !strings.Contains(lines[0], test.fault)):
				t.Errorf("got %v, want one problem on line 5 with %q", lines, test.fault)
			}
		})
	}
}

func TestVisibleTo(t *testing.T) {
	list, err := loadText(t, `targets:
  - {id: all, name: All, visible_to: everyone, host: a}
  - {id: one, name: One, visible_to: ['A\one'], host: a}
  - {id: either, name: Either, visible_to: ['A\two', 'A\one'], host: a}
  - {id: two, name: Two, visible_to: ['A\two'], host: a}
`)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		groups []string
		want   []string
	}{
		{"nobody's member", nil, []string{"all"}},
		{"one", []string{`A\one`}, []string{"all", "one", "either"}},
		{"two", []string{`A\two`}, []string{"all", "either", "two"}},
		{"both", []string{`A\one`, `A\two`}, []string{"all", "one", "either", "two"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			asked := map[string]int{}
			member := func(group string) bool {
				asked[group]++
				return strings.Contains(strings.Join(test.groups, "|")+"|", group+"|")
			}
			var got []string
			for _, target := range list.VisibleTo(member) {
				got = append(got, target.ID)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			for group, times := range asked {
				if times > 1 {
					t.Errorf("asked %d times for %s", times, group)
				}
			}
			for _, id := range []string{"all", "one", "either", "two", "none", ""} {
				_, visible := list.Get(id, member)
				if want := strings.Contains(strings.Join(test.want, " ")+" ", id+" ") && id != ""; visible != want {
					t.Errorf("Get %s: %v, want %v", id, visible, want)
				}
			}
		})
	}
}

func TestNoSecretPrints(t *testing.T) {
	list, err := loadText(t, one("credentials: stored", "username: u", "password_file: password", "parameter_files: {gateway-password: password}"))
	if err != nil {
		t.Fatal(err)
	}
	target := list.All()[0]
	holder := struct{ inner Target }{target}
	var text strings.Builder
	slog.New(slog.NewTextHandler(&text, nil)).Info("x", "target", target, "list", list, "holder", holder)
	slog.New(slog.NewJSONHandler(&text, nil)).Info("x", "target", target, "list", list, "secret", target.password)
	for _, v := range []any{target, &target, list, *list, holder, target.password, target.hidden} {
		fmt.Fprintf(&text, "%v %+v %#v %s %d %x %q", v, v, v, v, v, v, v)
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(data)
	}
	if at := max(strings.Index(text.String(), "Hemligt"), strings.Index(text.String(), fmt.Sprintf("%x", "Hemligt"))); at >= 0 {
		t.Errorf("a password was printed: %s", text.String()[max(0, at-300):at])
	}
	if arguments, _ := target.Parameters(Login{}); arguments["password"] != testPassword || arguments["gateway-password"] != testPassword {
		t.Error("the password did not reach guacd's arguments")
	}
}

// 10,000 targets load and list fast; the limits are generous for a busy machine.
func TestManyTargets(t *testing.T) {
	var text strings.Builder
	text.WriteString("targets:\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, `  - id: target-%d
    name: XXX.Stockholm.MultiAccess%d
    group: Group %d
    description: A description of some length, as people write them
    visible_to: ['AMIDO\Group %d', 'CN=Group %d,OU=Groups,DC=amido,DC=example']
    host: host%d.amido.example
    port: 3389
    credentials: session
    transfers: {copy: true, paste: true}
    timezone: Europe/Stockholm
    parameters: {color-depth: 24}
`, i, i, i%50, i%50, i%70, i)
	}
	path := filepath.Join(t.TempDir(), "targets.yaml")
	write(t, path, text.String(), 0o644)
	start := time.Now()
	list, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	loaded := time.Since(start)
	start = time.Now()
	visible := list.VisibleTo(func(group string) bool { return group == `AMIDO\Group 7` })
	listed := time.Since(start)
	t.Logf("%d bytes: loaded in %v, listed in %v", text.Len(), loaded, listed)
	if len(visible) != 200 {
		t.Errorf("%d visible, want 200", len(visible))
	}
	if loaded > 10*time.Second || listed > 100*time.Millisecond {
		t.Errorf("loaded in %v, listed in %v", loaded, listed)
	}
}

func TestTooLarge(t *testing.T) {
	_, err := loadText(t, "targets: []\n#"+strings.Repeat("x", maxListBytes))
	if diff := cmp.Diff([]string{"FILE: larger than 8388608 bytes"}, problemLines(t, err)); diff != "" {
		t.Error(diff)
	}
}

func TestChangeableByEverybody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "targets.yaml")
	write(t, path, one(), 0o666)
	_, err := Load(path)
	if diff := cmp.Diff([]string{"FILE: mode 0666 lets every user of this machine change it: chmod 0644 or stricter"}, problemLines(t, err)); diff != "" {
		t.Error(diff)
	}
}

func TestErrorIsBounded(t *testing.T) {
	_, err := loadText(t, "targets:\n"+strings.Repeat("  - x: y\n", 200))
	var faults *LoadError
	if !errors.As(err, &faults) || len(faults.Problems) < 200 {
		t.Fatalf("%v", err)
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 51 || lines[50] != fmt.Sprintf("and %d more", len(faults.Problems)-50) {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func BenchmarkVisibleTo500(b *testing.B) {
	var text strings.Builder
	text.WriteString("targets:\n")
	for i := range 500 {
		fmt.Fprintf(&text, "  - {id: t%d, name: T, host: a, visible_to: ['A\\g%d']}\n", i, i%20)
	}
	list, err := loadText(b, text.String())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		list.VisibleTo(func(group string) bool { return group != `A\g3` })
	}
}

// Whatever the text, Load answers with a list or with problems, and every
// target of a list is complete.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{one(), one("port: 1", "transfers: {copy: true}", "parameters: {a: b}"), "targets:\n\t- x", "a: &a [*a]", "? [a]\n: b", "<<: {}", "--- \n---\n", "targets: [[], {}, 1, null]", "\xef\xbb\xbf"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 64<<10 {
			return
		}
		list, problems := parse("targets.yaml", data, newFiles())
		if len(problems) > 0 {
			for _, p := range problems {
				if p.Line < 0 || p.Text == "" {
					t.Errorf("%+v", p)
				}
			}
			return
		}
		for _, target := range list.All() {
			if !madeOf(target.ID, lowerCase+"-", 64) || target.Name == "" || !target.Everyone && len(target.Groups) == 0 {
				t.Errorf("%+v", target)
			}
			if target.Kind == Desktop {
				arguments, mustHave := target.Parameters(Login{})
				for _, name := range mustHave {
					if _, ok := arguments[name]; !ok {
						t.Errorf("guacd must have %s, which is not set", name)
					}
				}
				if !target.Transfers.Copy && arguments["disable-copy"] != "true" {
					t.Error("copying is not denied")
				}
			}
		}
	})
}
