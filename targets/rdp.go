package targets

import (
	"encoding/hex"
	"path"
	"slices"
	"strconv"
	"strings"
)

// rdp sets what only RDP has (guacd's src/protocols/rdp/settings.c).
func (p *policy) rdp() {
	e := p.entry
	if p.lines.Has("host_key") {
		p.fault("host_key", "host_key: is for ssh; rdp has fingerprints")
	}
	keyboard := or(e.Keyboard, "sv-se-qwerty")
	if known := Keyboards(); !slices.Contains(known, keyboard) {
		p.fault("keyboard", "keyboard: guacd has no layout %q%s; it has %s", keyboard, DidYouMean(keyboard, known), strings.Join(known, ", "))
	}
	p.argument("server-layout", keyboard)
	switch resize := or(e.Resize, "display-update"); resize {
	case "display-update", "reconnect":
		p.argument("resize-method", resize)
	case "none":
	default:
		p.fault("resize", "resize: must be display-update, reconnect or none, not %q", resize)
	}
	p.remoteApp(e.RemoteApp)
	p.identity()
	p.drive()
	t := e.Transfers
	p.argument("enable-printing", strconv.FormatBool(t.Print))
	p.argument("enable-audio-input", strconv.FormatBool(t.AudioIn))
	if t.AudioOut {
		p.argument("disable-audio", "false")
	} else {
		p.need("disable-audio", "true")
	}
}

func (p *policy) remoteApp(app remoteApp) {
	if !p.lines.Has("remote_app") {
		return
	}
	if !strings.HasPrefix(app.Program, "||") {
		p.fault("remote_app.program", "remote_app.program: must be the program's alias on the server with two bars before it: '||MultiAccess'")
	}
	// Without it guacd would show the whole desktop instead of one program.
	p.need("remote-app", app.Program)
	for key, value := range map[string]string{"dir": app.Dir, "args": app.Arguments} {
		p.text("remote_app."+key, value, maxArgument)
		if value != "" {
			p.argument("remote-app-"+key, value)
		}
	}
}

// identity decides how the desktop proves who it is. A mode in which the
// server shows no certificate would make a check of certificates empty, so it
// needs the key that says that none is made.
func (p *policy) identity() {
	e := p.entry
	security := or(e.Security, "nla")
	if e.Security == "" && e.IgnoreCert {
		security = "any"
	}
	switch security {
	case "nla", "nla-ext", "tls", "vmconnect":
	case "any", "rdp":
		if !e.IgnoreCert {
			p.fault("security", "security: %s lets the server leave out its certificate, so that anybody in between could take its place: write nla (Windows) or tls, or dangerously_ignore_certificate: true", security)
		}
	default:
		p.fault("security", "security: must be nla, nla-ext, tls, vmconnect, any or rdp, not %q", security)
	}
	p.need("security", security)
	p.need("ignore-cert", strconv.FormatBool(e.IgnoreCert))
	if !p.lines.Has("fingerprints") {
		return
	}
	if e.IgnoreCert {
		p.fault("fingerprints", "fingerprints: mean nothing with dangerously_ignore_certificate")
	}
	if len(e.Fingerprints) == 0 {
		p.fault("fingerprints", "fingerprints: the list is empty")
	}
	for i, print := range e.Fingerprints {
		if !isFingerprint(print) {
			p.fault("fingerprints["+strconv.Itoa(i)+"]", "fingerprints: %q must be sha256: and 32 pairs of hex digits with colons, as openssl x509 -fingerprint -sha256 prints them", print)
		}
	}
	p.need("cert-fingerprints", strings.ToLower(strings.Join(e.Fingerprints, ",")))
}

// isFingerprint: an algorithm and pairs of hex digits with colons, as FreeRDP's
// /cert:fingerprint takes them.
func isFingerprint(text string) bool {
	algorithm, pairs, _ := strings.Cut(text, ":")
	bytes := map[string]int{"sha256": 32, "sha384": 48, "sha512": 64}[algorithm]
	digits, err := hex.DecodeString(strings.ReplaceAll(pairs, ":", ""))
	return err == nil && bytes > 0 && len(digits) == bytes && len(pairs) == 3*bytes-1
}

// drive is how RDP carries files: a folder on guacd's machine that the desktop
// sees as a disk.
func (p *policy) drive() {
	t := p.entry.Transfers
	wanted := t.Upload || t.Download
	p.argument("enable-drive", strconv.FormatBool(wanted))
	p.argument("enable-sftp", "false")
	folder := p.entry.DriveFolder
	if !wanted {
		if folder != "" {
			p.fault("drive_folder", "drive_folder: means nothing without transfers.upload or transfers.download")
		}
		return
	}
	// guacd takes an empty drive-path for the root of its own file system.
	if !path.IsAbs(folder) || path.Clean(folder) == "/" {
		p.fault("drive_folder", "drive_folder: transfers.upload and transfers.download need the absolute path of a folder on guacd's machine that guacd may write to (each desktop gets a folder of its own in it)")
		return
	}
	p.text("drive_folder", folder, 1000)
	p.target.drive = path.Clean(folder)
	p.target.mustHave = append(p.target.mustHave, "drive-path")
	p.need("create-drive-path", "true")
	if _, named := p.entry.Parameters["drive-name"]; !named {
		p.argument("drive-name", "Stagedoor")
	}
	p.need("disable-upload", strconv.FormatBool(!t.Upload))
	p.need("disable-download", strconv.FormatBool(!t.Download))
}
