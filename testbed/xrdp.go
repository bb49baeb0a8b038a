package testbed

import (
	"cmp"
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

//go:embed xrdp
var xrdpFiles embed.FS

// UnixUser is somebody with a desktop on an xrdp. The user is made for it and
// removed with it; a name that the machine knows already is refused.
type UnixUser struct {
	Name     string // lower case, at most 32 characters
	Password string

	Title  string // over the terminal on the desktop; "" is Name
	Colour string // of the desktop, as X11 writes it ("#2e7d32"); "" is a green
}

// NewUnixUser returns a user whose name no one else has, with a password of
// its own.
func NewUnixUser() UnixUser {
	return UnixUser{Name: "sd-" + strings.ToLower(rand.Text()[:10]), Password: rand.Text()}
}

// XrdpOptions says what to start.
type XrdpOptions struct {
	Port  int // on 127.0.0.1; 0 is a free one
	Users []UnixUser
	// TLS is what xrdp presents; unset, a certificate for 127.0.0.1 by a CA
	// that nobody knows.
	TLS Certificate
}

// Xrdp is a running xrdp: an RDP server with security layer TLS whose desktops
// are Xorg with openbox and a terminal. A user who connects again finds the
// same desktop.
type Xrdp struct {
	Address string // host:port

	process  *Process
	dir      string
	commands int
}

// StartXrdp makes the users, starts xrdp and its sesman, and waits until both
// listen. It takes root, or a sudo that asks for no password. A machine has one
// at a time (sesman's port is fixed): a second waits, until ctx ends, for the
// first one's Stop.
func StartXrdp(ctx context.Context, o XrdpOptions) (*Xrdp, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("start xrdp: %w", err)
	}
	if o.Port == 0 {
		port, err := FreePort()
		if err != nil {
			return nil, err
		}
		o.Port = port
	}
	dir, err := os.MkdirTemp("", "stagedoor-xrdp-")
	if err != nil {
		return nil, fmt.Errorf("start xrdp: %w", err)
	}
	x := &Xrdp{Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port)), dir: dir}
	if err := writeXrdp(dir, o); err != nil {
		return nil, errors.Join(fmt.Errorf("start xrdp: %w", err), os.RemoveAll(dir))
	}
	var passwords strings.Builder
	for _, u := range o.Users {
		fmt.Fprintf(&passwords, "%s:%s\n", u.Name, u.Password)
	}
	command := asRoot("sh", filepath.Join(dir, "run.sh"), dir, strconv.Itoa(o.Port))
	command.StopsAtEOF = true
	command.Grace = 30 * time.Second // desktops close one after the other
	for {
		command.In = strings.NewReader(passwords.String() + "\n")
		if x.process, err = Start(command); err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
		err = x.process.WaitReady(ctx, x.process.Printing("ready\n"))
		if err == nil {
			return x, nil
		}
		if !x.anotherRuns() || !pause(ctx, 200*time.Millisecond) {
			return nil, errors.Join(err, x.Stop())
		}
	}
}

// anotherRuns tells whether run.sh gave up (EX_TEMPFAIL) for the xrdp of
// another test.
func (x *Xrdp) anotherRuns() bool {
	return x.process.ended() && x.process.cmd.ProcessState.ExitCode() == 75
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// asRoot is a command under sudo where the caller is not root.
func asRoot(path string, args ...string) Command {
	if os.Geteuid() == 0 {
		return Command{Path: path, Args: args}
	}
	return Command{Path: "sudo", Args: append([]string{"-n", path}, args...)}
}

func (o XrdpOptions) check() error {
	if len(o.Users) == 0 {
		return errors.New("no users")
	}
	name := regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	colour := regexp.MustCompile(`^(#[0-9a-fA-F]{6})?$`)
	for _, u := range o.Users {
		switch {
		case !name.MatchString(u.Name):
			return fmt.Errorf("user name %q: want lower case letters, digits and hyphens, 32 at most", u.Name)
		case u.Password == "" || strings.ContainsAny(u.Password, "\n\r\x00"):
			return fmt.Errorf("user %s: the password is empty or has a line break", u.Name)
		case !colour.MatchString(u.Colour):
			return fmt.Errorf("user %s: colour %q: want #rrggbb", u.Name, u.Colour)
		}
	}
	return nil
}

// writeXrdp fills dir with what run.sh needs. The desktops' users must be able
// to read it, but for the key.
func writeXrdp(dir string, o XrdpOptions) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	if o.TLS == (Certificate{}) {
		ca, err := NewCA(dir)
		if err != nil {
			return err
		}
		if o.TLS, err = ca.Issue("xrdp", "127.0.0.1", "localhost"); err != nil {
			return err
		}
	}
	settings := strings.NewReplacer("@DIR@", dir, "@PORT@", strconv.Itoa(o.Port),
		"@CERT@", o.TLS.CertFile, "@KEY@", o.TLS.KeyFile)
	for _, name := range []string{"xrdp.ini", "sesman.ini"} {
		text, err := xrdpFiles.ReadFile("xrdp/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(settings.Replace(string(text))), 0o644); err != nil {
			return err
		}
	}
	return writeDesktop(dir, o.Users...)
}

// writeDesktop fills dir with the scripts, and each user's title and colour,
// from which desktop.sh makes a desktop.
func writeDesktop(dir string, users ...UnixUser) error {
	for _, name := range []string{"run.sh", "desktop.sh", "terminal.sh", "shell.sh"} {
		text, err := xrdpFiles.ReadFile("xrdp/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o755); err != nil {
			return err
		}
	}
	for _, u := range users {
		for suffix, text := range map[string]string{
			".title":  cmp.Or(u.Title, u.Name),
			".colour": cmp.Or(u.Colour, "#2e7d32"),
		} {
			if err := os.WriteFile(filepath.Join(dir, u.Name+suffix), []byte(text+"\n"), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// Home returns a user's home folder, where a test finds what was done on the
// desktop. It goes with Stop.
func (x *Xrdp) Home(user string) string { return filepath.Join(x.dir, "home", user) }

// Kill ends xrdp and the processes of its connections at once, as a crash
// would. The desktops live on; Restart lets users back to them.
func (x *Xrdp) Kill(ctx context.Context) error { return x.command(ctx, "kill") }

// Restart starts xrdp again after Kill, on the same port.
func (x *Xrdp) Restart(ctx context.Context) error { return x.command(ctx, "start") }

// LogOff ends a user's desktop, as when its session is left from inside. It
// returns when the desktop has been told.
func (x *Xrdp) LogOff(ctx context.Context, user string) error { return x.command(ctx, "logoff", user) }

func (x *Xrdp) command(ctx context.Context, word string, arguments ...string) error {
	x.commands++
	line := append([]string{word, strconv.Itoa(x.commands)}, arguments...)
	if err := x.process.Tell(strings.Join(line, " ") + "\n"); err != nil {
		return err
	}
	return x.process.WaitReady(ctx, x.process.Printing(fmt.Sprintf("done %d\n", x.commands)))
}

// Stop closes the desktops, ends the daemons and removes the users.
func (x *Xrdp) Stop() error {
	return errors.Join(x.process.Stop(), os.RemoveAll(x.dir))
}
