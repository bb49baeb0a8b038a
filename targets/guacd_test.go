package targets

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rdpArguments are what every RDP desktop of one() gets unless a key changes it.
func rdpArguments(changes map[string]string) map[string]string {
	arguments := map[string]string{
		"hostname": "a.example", "port": "3389",
		"disable-copy": "true", "disable-paste": "true", "enable-drive": "false", "enable-sftp": "false",
		"enable-printing": "false", "disable-audio": "true", "enable-audio-input": "false",
		"server-layout": "sv-se-qwerty", "resize-method": "display-update", "security": "nla", "ignore-cert": "false",
	}
	for name, value := range changes {
		if arguments[name] = value; value == "" {
			delete(arguments, name)
		}
	}
	return arguments
}

func TestParameters(t *testing.T) {
	anna := Login{Username: "anna", Domain: "AMIDO", Password: "p,5.false;å"}
	always := []string{"ignore-cert", "security"}
	tests := []struct {
		name     string
		keys     []string
		login    Login
		want     map[string]string
		mustHave []string
	}{
		{"the default denies everything", nil, anna, rdpArguments(nil), []string{"disable-audio", "disable-copy", "disable-paste"}},
		{"session", []string{"credentials: session"}, anna,
			rdpArguments(map[string]string{"username": "anna", "domain": "AMIDO", "password": "p,5.false;å"}),
			[]string{"disable-audio", "disable-copy", "disable-paste"}},
		{"stored", []string{"credentials: stored", "username: svc", "domain: D", "password_file: password"}, anna,
			rdpArguments(map[string]string{"username": "svc", "domain": "D", "password": testPassword}),
			[]string{"disable-audio", "disable-copy", "disable-paste"}},
		{"everything allowed", []string{"transfers: {copy: true, paste: true, upload: true, download: true, print: true, audio: true, microphone: true}", "drive_folder: /srv/drive/"}, anna,
			rdpArguments(map[string]string{"disable-copy": "", "disable-paste": "", "enable-drive": "true", "drive-path": "/srv/drive/*", "create-drive-path": "true",
				"drive-name": "Stagedoor", "disable-upload": "false", "disable-download": "false", "enable-printing": "true", "disable-audio": "false", "enable-audio-input": "true"}),
			[]string{"create-drive-path", "disable-download", "disable-upload", "drive-path"}},
		{"upload alone", []string{"transfers: {upload: true}", "drive_folder: /srv/drive", "parameters: {drive-name: Filer}"}, anna,
			rdpArguments(map[string]string{"enable-drive": "true", "drive-path": "/srv/drive/*", "create-drive-path": "true",
				"drive-name": "Filer", "disable-upload": "false", "disable-download": "true"}),
			[]string{"create-drive-path", "disable-audio", "disable-copy", "disable-download", "disable-paste", "disable-upload", "drive-path"}},
		{"certificates", []string{"fingerprints: ['" + fingerprint + "']", "security: tls"}, anna,
			rdpArguments(map[string]string{"security": "tls", "cert-fingerprints": strings.ToLower(fingerprint)}),
			[]string{"cert-fingerprints", "disable-audio", "disable-copy", "disable-paste"}},
		{"no certificates", []string{"dangerously_ignore_certificate: true"}, anna,
			rdpArguments(map[string]string{"security": "any", "ignore-cert": "true"}),
			[]string{"disable-audio", "disable-copy", "disable-paste"}},
		{"vmconnect has its own port", []string{"security: vmconnect"}, anna,
			rdpArguments(map[string]string{"security": "vmconnect", "port": "2179"}),
			[]string{"disable-audio", "disable-copy", "disable-paste"}},
		{"one program", []string{"remote_app: {program: '||x', dir: 'C:\\x', args: /a}", "resize: none", "timezone: Europe/Stockholm", "keyboard: en-gb-qwerty"}, anna,
			rdpArguments(map[string]string{"remote-app": "||x", "remote-app-dir": `C:\x`, "remote-app-args": "/a", "resize-method": "", "timezone": "Europe/Stockholm", "server-layout": "en-gb-qwerty"}),
			[]string{"disable-audio", "disable-copy", "disable-paste", "remote-app"}},
		{"further parameters", []string{"parameters: {color-depth: 16, read-only: true, recording-path: /r, wol-send-packet: true}", "parameter_files: {gateway-password: password}"}, anna,
			rdpArguments(map[string]string{"color-depth": "16", "read-only": "true", "recording-path": "/r", "wol-send-packet": "true", "gateway-password": testPassword}),
			[]string{"disable-audio", "disable-copy", "disable-paste", "read-only", "recording-path"}},
		{"vnc", []string{"protocol: vnc", "credentials: session", "transfers: {copy: true, audio: true, download: true}"}, anna,
			map[string]string{"hostname": "a.example", "port": "5900", "disable-paste": "true", "enable-audio": "true", "enable-sftp": "true",
				"sftp-disable-upload": "true", "sftp-disable-download": "false", "username": "anna", "password": "p,5.false;å"},
			[]string{"disable-paste", "sftp-disable-download", "sftp-disable-upload"}},
		{"ssh", []string{"protocol: ssh", "host_key: a.example " + edKey + " comment", "timezone: UTC"}, anna,
			map[string]string{"hostname": "a.example", "port": "22", "disable-copy": "true", "disable-paste": "true", "enable-sftp": "false", "host-key": "a.example " + edKey, "timezone": "UTC"},
			[]string{"disable-copy", "disable-paste", "host-key"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			list, err := loadText(t, one(test.keys...))
			if err != nil {
				t.Fatal(err)
			}
			target := list.All()[0]
			got, mustHave := target.Parameters(test.login)
			again, _ := target.Parameters(test.login)
			if folder, ok := got["drive-path"]; ok {
				if folder == again["drive-path"] || len(path.Base(folder)) != 32 {
					t.Errorf("two desktops share the folder %s", folder)
				}
				got["drive-path"] = path.Dir(folder) + "/*"
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("arguments -want +got\n%s", diff)
			}
			want := test.mustHave
			if target.Protocol == "rdp" {
				want = slices.Sorted(slices.Values(append(slices.Clone(want), always...)))
			}
			if diff := cmp.Diff(want, mustHave); diff != "" {
				t.Errorf("must have -want +got\n%s", diff)
			}
			// What one desktop does with its arguments is not the next one's.
			maps.DeleteFunc(got, func(string, string) bool { return true })
			mustHave[0] = "x"
			if _, again := target.Parameters(test.login); again[0] == "x" {
				t.Error("the caller can change the target")
			}
		})
	}
}

func TestParametersOfALink(t *testing.T) {
	list, err := loadText(t, "targets:\n  - {id: a, name: A, visible_to: everyone, kind: link, url: 'https://a.example/'}\n")
	if err != nil {
		t.Fatal(err)
	}
	if arguments, mustHave := list.All()[0].Parameters(Login{Username: "u"}); arguments != nil || mustHave != nil {
		t.Errorf("%v %v", arguments, mustHave)
	}
}
