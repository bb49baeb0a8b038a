package targets

import (
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// lowerCase is what ids, icons and guacd's arguments are made of, hyphens apart.
const lowerCase = "abcdefghijklmnopqrstuvwxyz0123456789"

// madeOf tells whether a text has characters of an alphabet only.
func madeOf(text, alphabet string, limit int) bool {
	return len(text) <= limit && !strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune(alphabet, r) })
}

// desktopKeys mean nothing for a link or a document.
func desktopKeys() []string {
	return []string{
		"protocol", "host", "port", "credentials", "username", "domain", "password_file", "transfers", "drive_folder",
		"keyboard", "timezone", "remote_app", "security", "fingerprints", "host_key", "dangerously_ignore_certificate",
		"resize", "parameters", "parameter_files",
	}
}

func (c *checker) target(node *yaml.Node) Target {
	var e entry
	var form []Problem
	c.lines, form = readStruct(c.file, node, &e)
	defer func() { c.problems = append(form, withoutLinesOf(form, c.problems)...) }()
	t := Target{
		ID: e.ID, Line: node.Line, Name: e.Name, Group: e.Group, Description: e.Description, Icon: e.Icon,
		Kind: Kind(e.Kind), Everyone: e.VisibleTo.everyone, Groups: e.VisibleTo.groups,
	}
	c.words(e)
	c.visibility(e.VisibleTo)
	switch t.Kind {
	case "", Desktop:
		t.Kind = Desktop
		c.only(Desktop, []string{"url", "file"})
		c.desktop(e, &t)
	case Link:
		c.only(Link, append([]string{"file"}, desktopKeys()...))
		t.URL = c.link(e.URL)
	case Document:
		c.only(Document, append([]string{"url"}, desktopKeys()...))
		t.File = c.document(e.File)
	default:
		c.fault("kind", "kind: must be desktop, link or document, not %q%s", e.Kind, DidYouMean(e.Kind, []string{"desktop", "link", "document"}))
	}
	return t
}

// withoutLinesOf drops problems of lines whose form is at fault already: the
// value there was not read.
func withoutLinesOf(form, problems []Problem) []Problem {
	return slices.DeleteFunc(problems, func(p Problem) bool {
		return slices.ContainsFunc(form, func(f Problem) bool { return f.Line == p.Line })
	})
}

func (c *checker) words(e entry) {
	switch {
	case e.ID == "":
		c.fault("id", "id: is missing: it stands in the address of the target")
	case !madeOf(e.ID, lowerCase+"-", 64):
		c.fault("id", "id: %q may have small letters a-z, digits and hyphens only, at most 64", e.ID)
	}
	if strings.TrimSpace(e.Name) == "" {
		c.fault("name", "name: is missing: it is what people see in the list")
	}
	c.text("name", e.Name, 200)
	c.text("group", e.Group, 200)
	c.text("description", e.Description, 2000)
	if !madeOf(e.Icon, lowerCase+"-", 32) {
		c.fault("icon", "icon: %q may have small letters a-z, digits and hyphens only, at most 32", e.Icon)
	}
}

// text limits what is shown on a page or handed to guacd.
func (c *checker) text(key, value string, limit int) {
	if utf8.RuneCountInString(value) > limit {
		c.fault(key, "%s: is longer than %d characters", key, limit)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' || r == '\n' && key != "description" }) {
		c.fault(key, "%s: has a control character (in double quotes a backslash starts an escape: use single quotes)", key)
	}
}

func (c *checker) visibility(v visibility) {
	if !c.lines.Has("visible_to") {
		c.fault("visible_to", "visible_to: is missing: write everyone or a list of groups (nobody is meant by default)")
	}
	for i, group := range v.groups {
		if fault := checkGroup(group); fault != "" {
			c.problems = append(c.problems, Problem{c.file, v.lines[i], "visible_to: " + fault})
		}
	}
}

// only refuses keys that another kind of target has.
func (c *checker) only(kind Kind, others []string) {
	for _, key := range others {
		if c.lines.Has(key) {
			c.fault(key, "%s: means nothing for a %s", key, kind)
		}
	}
}

func (c *checker) link(address string) string {
	u, err := url.Parse(address)
	switch {
	case address == "":
		c.fault("url", "url: is missing: a link needs an address, https://...")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		c.fault("url", "url: must be a whole address, https://host/path or http://host/path")
	case u.User != nil:
		c.fault("url", "url: may not hold a user name or password: everybody who sees the target would read it")
	}
	return address
}

func (c *checker) document(file string) string {
	if file == "" {
		c.fault("file", "file: is missing: a document needs the path of a file")
		return ""
	}
	path := c.path(file)
	if err := c.files.exists(path); err != nil {
		c.fault("file", "file: %s: %v", path, err)
	}
	return path
}

func (c *checker) desktop(e entry, t *Target) {
	t.Protocol = or(e.Protocol, "rdp")
	if !slices.Contains([]string{"rdp", "vnc", "ssh"}, t.Protocol) {
		c.fault("protocol", "protocol: must be rdp, vnc or ssh, not %q", e.Protocol)
		return
	}
	c.address(e, t)
	c.credentials(e, t)
	if t.Timezone = e.Timezone; t.Timezone != "" {
		if _, err := time.LoadLocation(t.Timezone); err != nil || t.Timezone == "Local" {
			c.fault("timezone", "timezone: %q is not a time zone such as Europe/Stockholm", t.Timezone)
		}
	}
	t.Transfers = e.Transfers
	policy := &policy{checker: c, entry: e, target: t}
	policy.set()
	t.ReadOnly = t.parameters["read-only"] == "true"
	t.ignoresCertificate = e.IgnoreCert
}

func (c *checker) address(e entry, t *Target) {
	t.Host = e.Host
	_, addressErr := netip.ParseAddr(e.Host)
	switch {
	case e.Host == "":
		c.fault("host", "host: is missing: the name or address of the computer, as guacd reaches it")
	case addressErr == nil || isHostName(e.Host):
	case strings.Contains(e.Host, ":"):
		c.fault("host", "host: %q is a name or an address alone: the port stands in port", e.Host)
	default:
		c.fault("host", "host: %q is not a host name or an IP address", e.Host)
	}
	t.Port = e.Port
	if c.lines.Has("port") && (e.Port < 1 || e.Port > 65535) {
		c.fault("port", "port: must be from 1 to 65535, not %d", e.Port)
	}
	if !c.lines.Has("port") {
		t.Port = map[string]int{"rdp": 3389, "vnc": 5900, "ssh": 22}[t.Protocol]
		if e.Security == "vmconnect" {
			t.Port = 2179
		}
	}
}

func isHostName(host string) bool {
	return madeOf(strings.ToLower(host), lowerCase+"-._", 253) && !strings.HasPrefix(host, "-") && !strings.HasPrefix(host, ".")
}

func (c *checker) credentials(e entry, t *Target) {
	t.Credentials = Credentials(or(e.Credentials, string(Prompt)))
	switch t.Credentials {
	case Prompt, Session:
		for _, key := range []string{"username", "domain", "password_file"} {
			if c.lines.Has(key) {
				c.fault(key, "%s: is for credentials: stored only, not %s", key, t.Credentials)
			}
		}
	case Stored:
		t.Username, t.Domain = e.Username, e.Domain
		if e.Username == "" && t.Protocol != "vnc" {
			c.fault("username", "username: is missing: credentials: stored needs it")
		}
		c.text("username", e.Username, 256)
		c.text("domain", e.Domain, 256)
		if e.PasswordFile == "" {
			c.fault("password_file", "password_file: is missing: credentials: stored needs the path of a file that holds the password")
			return
		}
		t.password = c.secretFile("password_file", e.PasswordFile, true)
	default:
		c.fault("credentials", "credentials: must be prompt, session or stored, not %q%s", e.Credentials, DidYouMean(e.Credentials, []string{"prompt", "session", "stored"}))
	}
}

func (c *checker) secretFile(key, file string, oneLine bool) secret {
	path := c.path(file)
	data, err := c.files.secret(path)
	text := string(data)
	if err == nil && (oneLine || !strings.Contains(strings.TrimRight(text, "\r\n"), "\n")) {
		text, err = PasswordLine(data)
	}
	if err == nil && (!utf8.ValidString(text) || strings.ContainsRune(text, 0)) {
		err = fmt.Errorf("the file is not text")
	}
	if err == nil && utf8.RuneCountInString(text) > maxArgument {
		err = fmt.Errorf("longer than the %d characters that guacd takes", maxArgument)
	}
	if err != nil {
		c.fault(key, "%s: %s: %v", key, filepath.Clean(path), err)
		return nil
	}
	return sealed(text)
}

func or(value, byDefault string) string {
	if value == "" {
		return byDefault
	}
	return value
}
