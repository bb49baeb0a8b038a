package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stagedoor/testbed"
)

func TestUsage(t *testing.T) {
	cases := []struct {
		name string
		args []string
		exit int
		says string
	}{
		{"nothing", nil, 2, "usage:"},
		{"unknown command", []string{"dance"}, 2, "no command dance"},
		{"no config", []string{"serve"}, 2, "--config FILE is missing"},
		{"unknown flag", []string{"check", "--fast"}, 2, "-fast"},
		{"too many words", []string{"check", "--config", "x", "y"}, 2, `unexpected argument "y"`},
		{"missing file", []string{"serve", "--config", "/no/such/config.yaml"}, 1, "/no/such/config.yaml"},
		{"help", []string{"help"}, 0, "usage:"},
		{"version", []string{"version"}, 0, "stagedoor "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			out, exit := stagedoor(t, c.args...)
			if exit != c.exit || !strings.Contains(out, c.says) {
				t.Errorf("exit %d, want %d; says:\n%s", exit, c.exit, out)
			}
		})
	}
}

// check says every fault of both files at once, with file and line.
func TestCheckFindsAll(t *testing.T) {
	dir := t.TempDir()
	config, list := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "targets.yaml")
	ok(t, os.WriteFile(config, []byte("listen: localhost\npublic_url: http://portal.example.se\ntargets: targets.yaml\nsesion: {idle: 15m}\nsession: {idle: soon}\n"), 0o600))
	ok(t, os.WriteFile(list, []byte("targets:\n  - {id: a, name: A, host: h, visible_to: everyone}\n  - {id: a, name: B, hots: h, visible_to: everyone}\n"), 0o600))
	out, exit := stagedoor(t, "check", "--config", config)
	if exit != 1 {
		t.Errorf("exit %d", exit)
	}
	for _, want := range []string{config + ":1:", config + ":2:", config + ":4:", config + ":5:", list + ":3:", "sesion", "hots"} {
		if !strings.Contains(out, want) {
			t.Errorf("no word of %s in:\n%s", want, out)
		}
	}
}

// check --connect tries the real peers and names the one that is at fault.
func TestCheckConnects(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "xrdp")
	r := newRig(t)
	r.withDesktops()
	config := r.config()
	out, exit := stagedoor(t, "check", "--config", config, "--connect")
	for _, want := range []string{"(Active Directory): ok", `group AMIDO\MultiAccess: ok`, "guacd " + r.guacd.Address + ": ok", "sms elks: ok", "no problems, 6 targets"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	if exit != 0 {
		t.Errorf("exit %d", exit)
	}
	r.file("bind-password", "not the password")
	ok(t, r.guacd.Stop())
	r.targets = strings.ReplaceAll(r.targets, "MultiAccess\"]", "NoSuchGroup\"]")
	r.config()
	out, exit = stagedoor(t, "check", "--config", config, "--connect")
	if exit != 1 || !strings.Contains(out, "refuses the service account") || !strings.Contains(out, "connection refused") {
		t.Errorf("exit %d:\n%s", exit, out)
	}
	if strings.Contains(out, "not the password") {
		t.Error("the output holds the password")
	}
}

func TestTakenPort(t *testing.T) {
	r := newRig(t)
	address := strings.TrimPrefix(r.address, "http://")
	listener := must[net.Listener](t)(net.Listen("tcp", address))
	defer listener.Close()
	out, exit := stagedoor(t, "serve", "--config", r.config())
	if exit != 1 || !strings.Contains(out, "is taken by another program") {
		t.Errorf("exit %d:\n%s", exit, out)
	}
}

// The audit of a refused and a right login is there, whole, without secrets,
// and an altered row is found.
func TestAuditCommand(t *testing.T) {
	r := newRig(t)
	r.serve()
	jar := must[*cookiejar.Jar](t)(cookiejar.New(nil))
	client := &http.Client{Jar: jar}
	for _, password := range []string{"fel-lösenord", "Sommar-2026-åäö"} {
		response := must[*http.Response](t)(client.PostForm(r.address+"/login", url.Values{"username": {`AMIDO\cecilia`}, "password": {password}}))
		response.Body.Close()
	}
	config := filepath.Join(r.dir, "config.yaml")
	out, exit := stagedoor(t, "audit", "--config", config)
	for _, want := range []string{`"Kind":"login","Result":"refused","Reason":"wrong-password"`, `"Kind":"code-sent","Result":"ok"`} {
		if exit != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, no %s in:\n%s", exit, want, out)
		}
	}
	code := r.code("+46701740607")
	for _, secret := range []string{"fel-lösenord", "Sommar-2026-åäö", code} {
		if strings.Contains(out, secret) || strings.Contains(r.process.Output(), secret) {
			t.Errorf("the audit or the log holds %q", secret)
		}
	}
	if out, exit := stagedoor(t, "audit", "--config", config, "--verify"); exit != 0 || !strings.Contains(out, "the chain is whole") {
		t.Errorf("exit %d: %s", exit, out)
	}
}

// An operator looks at the guacds, empties one and fills it again; it is audited.
func TestGuacdCommand(t *testing.T) {
	testbed.Need(t, "guacd")
	r := newRig(t)
	live := must[*testbed.Guacd](t)(testbed.StartGuacd(t.Context(), testbed.GuacdOptions{}))
	t.Cleanup(func() { ok(t, live.Stop()) })
	r.blocks["guacd"] = fmt.Sprintf("guacd:\n  - address: %s\n  - address: 127.0.0.1:1\n", live.Address)
	config := r.config()
	for _, step := range []struct {
		args []string
		exit int
		want string
	}{
		{nil, 0, live.Address + "  answers\n127.0.0.1:1  guacd 127.0.0.1:1: dial"},
		{[]string{"--drain", live.Address}, 0, live.Address + "  gets no new desktops; answers\n"},
		{nil, 0, live.Address + "  gets no new desktops; answers\n"},
		{[]string{"--undrain", live.Address}, 0, live.Address + "  answers\n"},
		{[]string{"--drain", "guacd9:4822"}, 1, "guacd9:4822 is not in the configuration, which has " + live.Address + ", 127.0.0.1:1"},
		{[]string{"--drain", live.Address, "--undrain", live.Address}, 2, "one or the other"},
	} {
		if out, exit := stagedoor(t, append([]string{"guacd", "--config", config}, step.args...)...); exit != step.exit || !strings.Contains(out, step.want) {
			t.Errorf("guacd %v: exit %d\n%s\nwant %d and %q", step.args, exit, out, step.exit, step.want)
		}
	}
	out, _ := stagedoor(t, "audit", "--config", config)
	for _, want := range []string{`"Kind":"guacd-drain","Result":"ok"`, `"Kind":"guacd-undrain","Result":"ok"`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

// An SMS provider that refuses, hangs, answers 200 with an error or sends
// elsewhere: the person is told that no code went out.
func TestProviderFails(t *testing.T) {
	r := newRig(t)
	r.serve()
	cases := []struct {
		name, user string
		mode       testbed.SMSMode
	}{
		{"refuses", "greta", testbed.SMSRefuse},
		{"hangs", "gun", testbed.SMSHang},
		{"answers an error", "gunnar", testbed.SMSErrorBody},
		{"redirects", "gustav", testbed.SMSRedirect},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r.sms.SetMode(c.mode)
			client := &http.Client{Jar: must[*cookiejar.Jar](t)(cookiejar.New(nil))}
			form := url.Values{"username": {`AMIDO\` + c.user}, "password": {"Sommar-2026-ok"}}
			response := must[*http.Response](t)(client.PostForm(r.address+"/login", form))
			defer response.Body.Close()
			body := must[[]byte](t)(io.ReadAll(response.Body))
			if response.Request.URL.Path != "/code" || !strings.Contains(string(body), "Sms:et kunde inte skickas") {
				t.Errorf("%d at %s:\n%s", response.StatusCode, response.Request.URL.Path, body)
			}
		})
	}
	if n := r.sms.Followed(); n != 0 {
		t.Errorf("%d messages went where the provider pointed", n)
	}
}
