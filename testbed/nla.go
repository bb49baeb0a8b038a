package testbed

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	//lint:ignore SA1019 an NT hash is MD4
	"golang.org/x/crypto/md4"
)

// NLA is a running RDP server that demands network level authentication (NLA,
// CredSSP), as Windows does and xrdp cannot: freerdp's shadow server over an
// invisible X server.
type NLA struct {
	Address string // host:port

	parts   []*Process // in the order of their start
	dir     string
	display string // the number
}

// StartNLA starts the server for one account and waits until it listens. Its
// desktop is the testbed's, in the colour of a UnixUser without one. The
// password reaches the server as an NT hash in a file.
func StartNLA(ctx context.Context, user, password string) (*NLA, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9._-]+$`).MatchString(user) {
		return nil, fmt.Errorf("start NLA server: user name %q: want letters, digits, dot, hyphen", user)
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "stagedoor-nla-")
	if err != nil {
		return nil, fmt.Errorf("start NLA server: %w", err)
	}
	n := &NLA{Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), dir: dir}
	if err := n.start(ctx, port, user, password); err != nil {
		return nil, errors.Join(fmt.Errorf("start NLA server: %w", err), n.Stop())
	}
	return n, nil
}

func (n *NLA) start(ctx context.Context, port int, user, password string) error {
	if err := writeDesktop(n.dir, UnixUser{Name: user}); err != nil {
		return err
	}
	// The shadow server sends a new client nothing until a pixel changes.
	resources := filepath.Join(n.dir, "resources")
	if err := os.WriteFile(resources, []byte("XTerm*cursorBlink: true\n"), 0o600); err != nil {
		return err
	}
	sam := filepath.Join(n.dir, "sam")
	if err := os.WriteFile(sam, []byte(user+":::"+ntHash(password)+":::\n"), 0o600); err != nil {
		return err
	}
	screen, err := n.add(Command{Path: "Xvfb", Args: []string{"-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-noreset"}})
	if err != nil {
		return err
	}
	display := regexp.MustCompile(`(?m)^[0-9]+$`)
	if err := screen.WaitReady(ctx, func(context.Context) error {
		if !display.MatchString(screen.Output()) {
			return errors.New("it has not said its display")
		}
		return nil
	}); err != nil {
		return err
	}
	n.display = display.FindString(screen.Output())
	env := []string{"DISPLAY=:" + n.display, "HOME=" + n.dir, "USER=" + user, "XENVIRONMENT=" + resources}
	desktop, err := n.add(Command{Path: filepath.Join(n.dir, "desktop.sh"), Env: env})
	if err != nil {
		return err
	}
	if err := desktop.WaitReady(ctx, func(ctx context.Context) error { return hasWindow(ctx, env) }); err != nil {
		return err
	}
	server, err := n.add(Command{Path: "freerdp-shadow-cli", Dir: n.dir, Env: env, Args: []string{
		"/bind-address:127.0.0.1", "/port:" + strconv.Itoa(port), "/sec:nla", "/sam-file:" + sam, "+auth"}})
	if err != nil {
		return err
	}
	return server.WaitReady(ctx, Dialing(n.Address))
}

// hasWindow is nil once a window is open on the X server that env names: what
// is drawn before the shadow server starts is all that it shows for sure.
func hasWindow(ctx context.Context, env []string) error {
	windows, err := Run(ctx, Command{Path: "xprop", Args: []string{"-root", "_NET_CLIENT_LIST"}, Env: env})
	if err == nil && !strings.Contains(windows, "0x") {
		err = errors.New("no window is open")
	}
	return err
}

func (n *NLA) add(c Command) (*Process, error) {
	p, err := Start(c)
	if err == nil {
		n.parts = append(n.parts, p)
	}
	return p, err
}

// Stop ends the server, its desktop and its screen.
func (n *NLA) Stop() error {
	var errs []error
	for i := len(n.parts) - 1; i >= 0; i-- {
		errs = append(errs, n.parts[i].Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(n.dir))...)
}

// ntHash is MD4 over the password in UTF-16 (MS-NLMP section 3.3.1, NTOWFv1).
func ntHash(password string) string {
	hash := md4.New()
	for _, unit := range utf16.Encode([]rune(password)) {
		hash.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	return hex.EncodeToString(hash.Sum(nil))
}
