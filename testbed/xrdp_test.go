package testbed

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func startXrdp(t *testing.T, o XrdpOptions) *Xrdp {
	t.Helper()
	Need(t, "xrdp")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	x, err := StartXrdp(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Stop(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// openDesktop logs in through guacd and returns the connection once the user's
// desktop shows its colour.
func openDesktop(t *testing.T, guacd, address, security string, u UnixUser) *guacConn {
	t.Helper()
	conn := dialGuacd(t, guacd, nil)
	host, port, _ := net.SplitHostPort(address)
	conn.connect(t, map[string]string{
		"hostname": host, "port": port, "username": u.Name, "password": u.Password,
		"security": security, "ignore-cert": "true",
	})
	conn.waitForColour(t, cmp.Or(u.Colour, "#2e7d32"))
	return conn
}

// traces are what a desktop of xrdp could leave behind on a machine: its
// displays begin at 60, and one xrdp runs at a time.
func traces(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"/tmp/.X[6-9][0-9]-lock", "/tmp/.X11-unix/X[6-9][0-9]", "/run/xrdp/sockdir/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

func TestXrdp(t *testing.T) {
	g := startGuacd(t, GuacdOptions{})
	users := []UnixUser{NewUnixUser(), NewUnixUser()}
	users[1].Title, users[1].Colour = "R-CARD M5 Arbetsstation", "#1d3557"
	x := startXrdp(t, XrdpOptions{Users: users})
	before := traces(t)

	first := openDesktop(t, g.Address, x.Address, "any", users[0])
	openDesktop(t, g.Address, x.Address, "tls", users[1])
	if got := newTraces(t, before); len(got) == 0 {
		t.Error("two open desktops and no X11 socket: the look for traces is blind")
	}

	if err := x.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if instruction := endOf(t, first); instruction[0] != "error" && instruction[0] != "disconnect" {
		t.Errorf("after Kill guacd says %q, want error or disconnect", instruction)
	}
	if err := x.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	first = openDesktop(t, g.Address, x.Address, "any", users[0])
	proof := filepath.Join(x.Home(users[0].Name), "proof")
	first.typeKeys(t, "touch proof\r")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := x.process.WaitReady(ctx, func(context.Context) error {
		_, err := os.Stat(proof)
		return err
	}); err != nil {
		t.Error(err)
	}

	if err := x.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := newTraces(t, before); len(got) > 0 {
		t.Errorf("left after Stop: %v", got)
	}
	for _, u := range users {
		if _, err := user.Lookup(u.Name); err == nil {
			t.Errorf("the user %s is still there", u.Name)
		}
	}
	if left := running(t, x.dir, users[0].Name, users[1].Name, "xrdp-sesman"); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}
	if _, err := os.Stat(x.dir); err == nil {
		t.Errorf("%s is still there", x.dir)
	}
}

func TestXrdpTakesTurns(t *testing.T) {
	first := startXrdp(t, XrdpOptions{Users: []UnixUser{NewUnixUser()}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	second, err := StartXrdp(ctx, XrdpOptions{Users: []UnixUser{NewUnixUser()}})
	if err == nil {
		_ = second.Stop()
		t.Fatal("two at a time")
	}
	if !strings.Contains(err.Error(), "another xrdp of a testbed runs on this machine") {
		t.Errorf("error = %v", err)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	startXrdp(t, XrdpOptions{Users: []UnixUser{NewUnixUser()}})
}

// TestXrdpStopWhileDesktopStarts stops at the worst moment: the login is
// accepted, the desktop is not there yet.
func TestXrdpStopWhileDesktopStarts(t *testing.T) {
	g := startGuacd(t, GuacdOptions{})
	u := NewUnixUser()
	x := startXrdp(t, XrdpOptions{Users: []UnixUser{u}})
	before := traces(t)
	conn := dialGuacd(t, g.Address, nil)
	host, port, _ := net.SplitHostPort(x.Address)
	conn.connect(t, map[string]string{
		"hostname": host, "port": port, "username": u.Name, "password": u.Password, "ignore-cert": "true",
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := x.process.WaitReady(ctx, func(context.Context) error {
		log, err := os.ReadFile(filepath.Join(x.dir, "xrdp.log"))
		if err == nil && !bytes.Contains(log, []byte("login successful")) {
			err = errors.New("nobody has logged in")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := x.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := newTraces(t, before); len(got) > 0 {
		t.Errorf("left after Stop: %v", got)
	}
	if _, err := user.Lookup(u.Name); err == nil {
		t.Error("the user is still there")
	}
}

// TestKilledTestLeavesNoXrdp kills a test, this binary started again, that has a
// desktop open.
func TestKilledTestLeavesNoXrdp(t *testing.T) {
	Need(t, "guacd", "xrdp")
	if os.Getenv("TESTBED_VICTIM") != "" {
		g, u := startGuacd(t, GuacdOptions{}), NewUnixUser()
		x := startXrdp(t, XrdpOptions{Users: []UnixUser{u}})
		openDesktop(t, g.Address, x.Address, "any", u)
		fmt.Printf("victim %s %s %s\n", x.dir, u.Name, g.home)
		time.Sleep(20 * time.Second) // is killed long before
		return
	}
	before := traces(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledTestLeavesNoXrdp$")
	cmd.Env = append(os.Environ(), "TESTBED_VICTIM=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(out)
	line, err := said.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var dir, name, home string
	if n, _ := fmt.Sscanf(line, "victim %s %s %s", &dir, &name, &home); n != 3 {
		rest, _ := io.ReadAll(said)
		_ = cmd.Wait()
		t.Fatalf("the victim failed: %s%s", line, rest)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	deadline := time.Now().Add(30 * time.Second)
	for _, err := os.Stat(dir); err == nil; _, err = os.Stat(dir) {
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", dir)
		}
		time.Sleep(50 * time.Millisecond) // polls the file system
	}
	if _, err := user.Lookup(name); err == nil {
		t.Errorf("the user %s is still there", name)
	}
	if got := newTraces(t, before); len(got) > 0 {
		t.Errorf("left behind: %v", got)
	}
	if left := running(t, dir, name); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}
}

func newTraces(t *testing.T, before []string) []string {
	return slices.DeleteFunc(traces(t), func(s string) bool { return slices.Contains(before, s) })
}

// typeKeys types ASCII text, a carriage return for Enter, on the desktop.
func (c *guacConn) typeKeys(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		keysym := strconv.Itoa(int(r))
		if r == '\r' {
			keysym = "65293" // XK_Return
		}
		c.send(t, "key", keysym, "1")
		c.send(t, "key", keysym, "0")
	}
}

// endOf reads until guacd says why it ends.
func endOf(t *testing.T, c *guacConn) []string {
	t.Helper()
	for {
		instruction, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		switch instruction[0] {
		case "error", "disconnect":
			return instruction
		case "sync":
			c.send(t, "sync", instruction[1])
		}
	}
}

// running returns the command lines that name one of the words.
func running(t *testing.T, words ...string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(string(line), w) }) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

func TestXrdpRefuses(t *testing.T) {
	good := NewUnixUser()
	for name, c := range map[string]struct {
		users []UnixUser
		want  string
	}{
		"nobody":                 {want: "no users"},
		"odd name":               {users: []UnixUser{{Name: "a;b", Password: "x"}}, want: "user name"},
		"no password":            {users: []UnixUser{{Name: good.Name}}, want: "the password is empty"},
		"a second line":          {users: []UnixUser{{Name: good.Name, Password: "a\nroot:b"}}, want: "line break"},
		"odd colour":             {users: []UnixUser{{Name: good.Name, Password: "x", Colour: "red"}}, want: "#rrggbb"},
		"a user of this machine": {users: []UnixUser{good, {Name: "daemon", Password: "x"}}, want: "daemon exists already"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "a user of this machine" {
				Need(t, "xrdp")
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			x, err := StartXrdp(ctx, XrdpOptions{Users: c.users})
			if err == nil {
				_ = x.Stop()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want %q", err, c.want)
			}
			if _, err := user.Lookup(good.Name); err == nil {
				t.Error("a user was left behind")
			}
		})
	}
}
