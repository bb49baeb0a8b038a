package testbed

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestNTHash(t *testing.T) {
	// What winpr-hash says of it.
	if got, want := ntHash("NlaPass1"), "f4d7e28b0bc911b8b608c45744b1876c"; got != want {
		t.Errorf("ntHash = %s, want %s", got, want)
	}
}

func TestNLA(t *testing.T) {
	Need(t, "nla")
	g := startGuacd(t, GuacdOptions{})
	u := UnixUser{Name: "nlauser", Password: "Ångström 1"}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	n, err := StartNLA(ctx, u.Name, u.Password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Stop() })

	openDesktop(t, g.Address, n.Address, "nla", u)

	wrong := dialGuacd(t, g.Address, nil)
	host, port, _ := net.SplitHostPort(n.Address)
	wrong.connect(t, map[string]string{
		"hostname": host, "port": port, "username": u.Name, "password": "wrong",
		"security": "nla", "ignore-cert": "true",
	})
	if end := endOf(t, wrong); end[0] != "error" || end[2] != "519" {
		t.Errorf("with a wrong password guacd says %q, want error 519", end)
	}

	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	lock, err := os.ReadFile("/tmp/.X" + n.display + "-lock")
	if err == nil && strings.TrimSpace(string(lock)) == strconv.Itoa(n.parts[0].PID) {
		t.Errorf("the lock of display %s is left", n.display)
	}
	if _, noSocket := os.Stat("/tmp/.X11-unix/X" + n.display); err != nil && noSocket == nil {
		t.Errorf("the socket of display %s is left", n.display)
	}
	for _, p := range n.parts {
		if left := marked(p.mark); len(left) > 0 {
			t.Errorf("%s: alive after Stop: %v", p.name, left)
		}
	}
}
