// Package testbed starts real peers on loopback, on demand, and stops them: a
// Samba AD domain controller, slapd, guacd, xrdp, an RDP server with NLA,
// Chromium, an SMSC, Kannel, mail servers. Tests use it, and so does the demo.
//
//	testbed.Need(t, "guacd")                                   // skips with one line; fails under CI=true
//	guacd, err := testbed.StartGuacd(ctx, testbed.GuacdOptions{}) // guacd.Stop() in t.Cleanup
//
// Every peer is a child in its own process group, ended by its id, and ends
// also when the program that started it is killed. In every Start function ctx
// bounds the start only; the peer lives until Stop.
package testbed

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// TB is what this package needs of testing.TB, so that it can be used outside
// tests without the testing package's flags.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Logf(format string, args ...any)
	Cleanup(func())
	TempDir() string
}

// givenPorts remembers what FreePort has given out in this process.
var givenPorts sync.Map

// The ports that FreePort gives are below those that the kernel gives out by
// itself (ip(7), ip_local_port_range), to other tests' servers and clients.
const firstPort, ports = 15_000, 15_000

// FreePort returns a TCP port of 127.0.0.1 that nobody listens on, never the
// same one twice in a process. Another process may still take it first, so a
// Start function must report a taken port.
func FreePort() (int, error) {
	for range 100 {
		port := firstPort + rand.IntN(ports)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("free port: %w", err)
		}
		if err := l.Close(); err != nil {
			return 0, fmt.Errorf("free port: %w", err)
		}
		if _, given := givenPorts.LoadOrStore(port, true); !given {
			return port, nil
		}
	}
	return 0, fmt.Errorf("free port: a hundred were taken or given out already")
}
