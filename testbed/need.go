package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// needs is what one peer takes on this machine.
type needs struct {
	programs []string // found as Find does; "a|b" is a or b
	files    []string // glob patterns that must match something
	groups   string   // arguments for testbed/install
	access   func() string
}

func peerNeeds(peer string) (needs, bool) {
	n, known := map[string]needs{
		"samba":    {programs: []string{"samba", "samba-tool"}, files: []string{"/usr/share/samba/setup/provision*"}, groups: "directory", access: lowPorts},
		"slapd":    {programs: []string{"slapd", "slapadd"}, groups: "directory"},
		"guacd":    {programs: []string{"guacd"}, files: []string{"/usr/lib/*/libguac-client-rdp.so*"}, groups: "run"},
		"xrdp":     {programs: []string{"xrdp", "xrdp-sesman", "openbox", "xterm", "xsetroot", "useradd", "chpasswd", "flock", "setpriv", "pgrep", "ss"}, files: []string{"/usr/lib/xorg/modules/drivers/xrdpdev_drv.so"}, groups: "run", access: rootOrSudo},
		"nla":      {programs: []string{"freerdp-shadow-cli", "Xvfb", "xprop", "xterm", "openbox", "xsetroot"}, groups: "run rdp"},
		"libguac":  {programs: []string{"cc"}, files: []string{"/usr/include/guacamole/parser.h", "/usr/lib/*/libguac.so"}, groups: "test"},
		"pngquant": {programs: []string{"pngquant"}, groups: "shots"},
		"smsc":     {programs: []string{"node"}, access: npmPackage("smpp")},
		"smtp":     {programs: []string{"node"}, access: npmPackage("smtp-server")},
		"kannel":   {programs: []string{"bearerbox", "smsbox"}, groups: "messages"},
		"exim":     {programs: []string{"exim4"}, groups: "messages", access: rootOnly},
		"chromium": {programs: []string{"chromium|chromium-browser|google-chrome"}, groups: "browser"},
	}[peer]
	return n, known
}

// Need skips the test, with one line that says what is missing and how to get
// it, when this machine cannot run one of the peers: samba, slapd, guacd, xrdp,
// nla, chromium, pngquant, libguac (guacd's library and a C compiler), smsc, smtp
// (servers of npm), kannel, exim. Under CI=true it fails the test instead: there
// a missing peer must not look like a success.
func Need(t TB, peers ...string) {
	t.Helper()
	for _, peer := range peers {
		missing := Missing(peer)
		switch {
		case missing == "":
		case os.Getenv("CI") == "true":
			t.Fatalf("%s", missing)
		default:
			t.Skipf("%s", missing)
		}
	}
}

// Missing says in one line why this machine cannot run a peer, or "" if it can.
func Missing(peer string) string {
	n, known := peerNeeds(peer)
	if !known {
		return fmt.Sprintf("testbed: no peer is called %q", peer)
	}
	if os.Getenv("STAGEDOOR_PEERS") == "none" {
		return fmt.Sprintf("no %s here: STAGEDOOR_PEERS=none switches it off; testbed/install %s brings it", peer, n.groups)
	}
	var missing []string
	for _, program := range n.programs {
		if _, err := Find(program); err != nil {
			missing = append(missing, strings.ReplaceAll(program, "|", " or "))
		}
	}
	for _, pattern := range n.files {
		if found, err := filepath.Glob(pattern); err != nil || len(found) == 0 {
			missing = append(missing, pattern)
		}
	}
	if len(missing) > 0 {
		return fmt.Sprintf("no %s here: %s missing; testbed/install %s brings it", peer, strings.Join(missing, ", "), n.groups)
	}
	if n.access != nil {
		if why := n.access(); why != "" {
			return fmt.Sprintf("no %s here: %s", peer, why)
		}
	}
	return ""
}

// Find returns the path of a program, also where the sbin folders are not in
// PATH, as for ordinary users of Debian. "a|b" finds a, else b.
func Find(program string) (string, error) {
	for name := range strings.SplitSeq(program, "|") {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
		for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("%s is not installed", strings.ReplaceAll(program, "|", " or "))
}

// rootOrSudo wants root, or a sudo that asks nothing.
func rootOrSudo() string {
	if os.Geteuid() == 0 || exec.Command("sudo", "-n", "true").Run() == nil {
		return ""
	}
	return "it takes root, or a sudo that asks for no password"
}

// rootOnly wants root: exim gives up its rights by itself, and delivers to
// whom it likes only as root.
func rootOnly() string {
	if os.Geteuid() == 0 {
		return ""
	}
	return "it takes root"
}

// npmPackage wants a package of package.json.
func npmPackage(name string) func() string {
	return func() string {
		root, err := moduleRoot()
		if err == nil {
			_, err = os.Stat(filepath.Join(root, "node_modules", name))
		}
		if err != nil {
			return "npm's package " + name + " is missing; npm ci brings it"
		}
		return ""
	}
}

// lowPorts wants ports under 1024: Samba's LDAP ports cannot be moved.
func lowPorts() string {
	if os.Geteuid() == 0 {
		return ""
	}
	const setting = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
	text, err := os.ReadFile(setting)
	if err == nil {
		if first, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && first <= 389 {
			return ""
		}
	}
	return "it takes root, or net.ipv4.ip_unprivileged_port_start=389, for port 389"
}
