package targets

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxArgument is the longest value of a guacd argument in code points
// (libguac's GUAC_INSTRUCTION_MAX_LENGTH leaves room for 8,192).
const maxArgument = 8000

// Keyboards are the server-layout names of guacd's RDP support, 1.3 to 1.6
// (src/protocols/rdp/keymaps). For a name that it does not know guacd falls
// back to en-us-qwerty without a word, and drops å, ä and ö.
func Keyboards() []string {
	return []string{
		"cs-cz-qwertz", "da-dk-qwerty", "de-ch-qwertz", "de-de-qwertz", "en-gb-qwerty", "en-us-qwerty", "es-es-qwerty",
		"es-latam-qwerty", "failsafe", "fr-be-azerty", "fr-ca-qwerty", "fr-ch-qwertz", "fr-fr-azerty", "hu-hu-qwertz",
		"it-it-qwerty", "ja-jp-qwerty", "no-no-qwerty", "pl-pl-qwerty", "pt-br-qwerty", "pt-pt-qwerty", "ro-ro-qwerty",
		"sv-se-qwerty", "tr-tr-qwerty",
	}
}

// ownKey is the key of the list that sets a guacd argument. Such arguments are
// refused among parameters, so that nothing there can undo the policy.
func ownKey(argument string) string {
	switch argument {
	case "hostname":
		return "host"
	case "username", "password", "domain":
		return "credentials"
	case "disable-copy":
		return "transfers.copy"
	case "disable-paste":
		return "transfers.paste"
	case "enable-drive", "enable-sftp":
		return "transfers.upload or transfers.download"
	case "disable-upload", "sftp-disable-upload":
		return "transfers.upload"
	case "disable-download", "sftp-disable-download":
		return "transfers.download"
	case "drive-path", "create-drive-path":
		return "drive_folder"
	case "enable-printing":
		return "transfers.print"
	case "disable-audio", "enable-audio":
		return "transfers.audio"
	case "enable-audio-input":
		return "transfers.microphone"
	case "server-layout":
		return "keyboard"
	case "resize-method":
		return "resize"
	case "ignore-cert":
		return "dangerously_ignore_certificate"
	case "cert-fingerprints", "cert-tofu":
		return "fingerprints"
	case "host-key":
		return "host_key"
	case "remote-app":
		return "remote_app.program"
	case "remote-app-dir":
		return "remote_app.dir"
	case "remote-app-args":
		return "remote_app.args"
	case "port", "timezone", "security":
		return argument
	}
	return ""
}

// uncovered says why an argument is refused that opens a way which no key of
// transfers governs.
func uncovered(argument string) string {
	switch argument {
	case "static-channels":
		return "opens channels between browser and desktop that no key of transfers covers"
	case "enable-agent":
		return "hands guacd's own SSH agent to the remote side"
	case "reverse-connect":
		return "makes guacd listen for whoever connects"
	}
	return ""
}

// isSecret: the list is no place for it; it comes from parameter_files.
func isSecret(argument string) bool {
	switch argument {
	case "gateway-password", "passphrase", "private-key", "sftp-passphrase", "sftp-password", "sftp-private-key":
		return true
	}
	return false
}

// isProtective: it narrows what a desktop may do, or records it; where guacd
// does not know it, the desktop is refused.
func isProtective(argument string) bool {
	switch argument {
	case "gateway-hostname", "read-only", "recording-path", "sftp-host-key", "typescript-path":
		return true
	}
	return false
}

// Parameters are the guacd arguments of the desktop by name, login included,
// and the names that guacd must know, since the target's policy rests on them:
// a guacd that lacks one is refused (fail closed). login is used for Session
// only; Stored brings its own and Prompt has none. With a drive, each call
// names a new folder: one desktop never sees another's files.
func (t Target) Parameters(login Login) (arguments map[string]string, mustHave []string) {
	if t.Kind != Desktop {
		return nil, nil
	}
	arguments = maps.Clone(t.parameters)
	for name, hidden := range t.hidden {
		arguments[name] = hidden.reveal()
	}
	if t.drive != "" {
		var random [16]byte
		_, _ = rand.Read(random[:]) // never fails (crypto/rand)
		arguments["drive-path"] = path.Join(t.drive, hex.EncodeToString(random[:]))
	}
	switch t.Credentials {
	case Stored:
		login = Login{t.Username, t.Domain, t.password.reveal()}
	case Prompt:
		login = Login{}
	}
	for name, value := range map[string]string{"username": login.Username, "domain": login.Domain, "password": login.Password} {
		if value != "" && (name != "domain" || t.Protocol == "rdp") {
			arguments[name] = value
		}
	}
	return arguments, slices.Clone(t.mustHave)
}

// Keyboard is the layout that the list gives the target, "" where guacd has none
// to choose (VNC, SSH).
func (t Target) Keyboard() string { return t.parameters["server-layout"] }

// SetKeyboard gives a desktop's arguments the layout that its person has chosen,
// where the target has one and guacd knows it.
func (t Target) SetKeyboard(arguments map[string]string, layout string) {
	if t.Keyboard() != "" && slices.Contains(Keyboards(), layout) {
		arguments["server-layout"] = layout
	}
}

// Resizes tells whether the desktop takes the size of its window: "live", "anew"
// (guacd connects again for it), or "" where it has a size of its own.
func (t Target) Resizes() string {
	switch t.parameters["resize-method"] {
	case "display-update":
		return "live"
	case "reconnect":
		return "anew"
	}
	if t.Protocol == "ssh" {
		return "live"
	}
	return ""
}

// policy turns an entry into guacd arguments.
type policy struct {
	*checker
	entry  entry
	target *Target
}

func (p *policy) set() {
	p.target.parameters = map[string]string{
		"hostname": p.target.Host,
		"port":     strconv.Itoa(p.target.Port),
	}
	p.further()
	if p.target.Timezone != "" && p.target.Protocol != "vnc" {
		p.argument("timezone", p.target.Timezone)
	}
	p.clipboard()
	switch p.target.Protocol {
	case "rdp":
		p.rdp()
	case "vnc":
		p.others("vnc", "host_key")
		p.unsupported("print", p.entry.Transfers.Print)
		p.argument("enable-audio", strconv.FormatBool(p.entry.Transfers.AudioOut))
		p.sftp()
	case "ssh":
		p.others("ssh")
		p.unsupported("print", p.entry.Transfers.Print)
		p.unsupported("audio", p.entry.Transfers.AudioOut)
		p.hostKey()
		p.sftp()
	}
	slices.Sort(p.target.mustHave)
	p.target.mustHave = slices.Compact(p.target.mustHave)
}

func (p *policy) argument(name, value string) { p.target.parameters[name] = value }

// need sets an argument that the policy rests on.
func (p *policy) need(name, value string) {
	p.argument(name, value)
	p.target.mustHave = append(p.target.mustHave, name)
}

func (p *policy) clipboard() {
	if !p.entry.Transfers.Copy {
		p.need("disable-copy", "true")
	}
	if !p.entry.Transfers.Paste {
		p.need("disable-paste", "true")
	}
}

// further takes the parameters that the list has no key for.
func (p *policy) further() {
	for _, name := range slices.Sorted(maps.Keys(p.entry.Parameters)) {
		value := p.entry.Parameters[name]
		p.argumentName("parameters", name)
		if isSecret(name) {
			p.fault("parameters."+name, "parameters: %s is a secret: write parameter_files: with %s: and the path of a file", name, name)
		}
		if strings.ContainsRune(value, 0) || len(value) > maxArgument {
			p.fault("parameters."+name, "parameters: %s is longer than %d bytes or has a NUL", name, maxArgument)
		}
		if name == "read-only" && value != "true" && value != "false" {
			p.fault("parameters.read-only", "parameters: read-only must be true or false: guacd takes anything else for false")
		}
		p.argument(name, value)
		if isProtective(name) {
			p.target.mustHave = append(p.target.mustHave, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.entry.SecretFiles)) {
		p.argumentName("parameter_files", name)
		if _, twice := p.entry.Parameters[name]; twice {
			p.fault("parameter_files."+name, "parameter_files: %s stands among parameters too", name)
		}
		if p.target.hidden == nil {
			p.target.hidden = map[string]secret{}
		}
		p.target.hidden[name] = p.secretFile("parameter_files."+name, p.entry.SecretFiles[name], false)
	}
}

func (p *policy) argumentName(section, name string) {
	at := section + "." + name
	switch key, reason := ownKey(name), uncovered(name); {
	case name == "" || !madeOf(name, lowerCase+"-", 64):
		p.fault(at, "%s: %q is not the name of a guacd argument (small letters, digits and hyphens)", section, name)
	case key != "":
		p.fault(at, "%s: %s is set by the key %s", section, name, key)
	case reason != "":
		p.fault(at, "%s: %s is not allowed: it %s", section, name, reason)
	}
}

// others refuses the keys that only RDP has.
func (p *policy) others(protocol string, more ...string) {
	keys := append([]string{"keyboard", "remote_app", "security", "fingerprints", "resize", "drive_folder"}, more...)
	if protocol == "vnc" {
		keys = append(keys, "dangerously_ignore_certificate")
	}
	for _, key := range keys {
		if p.lines.Has(key) {
			p.fault(key, "%s: %s does not have it", key, protocol)
		}
	}
	p.unsupported("microphone", p.entry.Transfers.AudioIn)
}

func (p *policy) unsupported(transfer string, wanted bool) {
	if wanted {
		p.fault("transfers."+transfer, "transfers.%s: %s cannot do it", transfer, p.target.Protocol)
	}
}

// sftp is how VNC and SSH carry files.
func (p *policy) sftp() {
	t := p.entry.Transfers
	p.argument("enable-sftp", strconv.FormatBool(t.Upload || t.Download))
	if t.Upload == t.Download {
		return
	}
	p.need("sftp-disable-upload", strconv.FormatBool(!t.Upload))
	p.need("sftp-disable-download", strconv.FormatBool(!t.Download))
}

// hostKey pins the server of an SSH target: without a key guacd trusts any, and
// one that it cannot read it takes for none.
func (p *policy) hostKey() {
	switch {
	case p.entry.HostKey != "" && p.entry.IgnoreCert:
		p.fault("host_key", "host_key: means nothing with dangerously_ignore_certificate")
	case p.entry.HostKey == "" && !p.entry.IgnoreCert:
		p.fault("host_key", "host_key: is missing: the server's public key as ssh-keyscan prints it (or dangerously_ignore_certificate: true)")
	case p.entry.HostKey != "":
		key, ok := publicKey(p.entry.HostKey)
		if !ok {
			p.fault("host_key", "host_key: is not a public key such as: ssh-ed25519 AAAAC3Nza...")
		}
		// A line of known_hosts (guacd's src/common-ssh/key.c).
		p.need("host-key", p.target.Host+" "+key)
	}
}

// publicKey finds "ssh-ed25519 AAAA..." in a line of ssh-keyscan or of a .pub
// file. The key's own bytes name its type once more (RFC 4253, section 6.6).
func publicKey(line string) (key string, ok bool) {
	fields := strings.Fields(line)
	for i := 0; i+1 < len(fields); i++ {
		switch name := fields[i]; name {
		case "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
			blob, err := base64.StdEncoding.DecodeString(fields[i+1])
			prefix := string([]byte{0, 0, 0, byte(len(name))}) + name
			return name + " " + fields[i+1], err == nil && len(line) <= 4096 && len(blob) > len(prefix) && strings.HasPrefix(string(blob), prefix)
		}
	}
	return "", false
}
