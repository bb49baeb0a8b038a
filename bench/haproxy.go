package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

// haproxyConfig is TCP mode and nothing else: the number of threads is
// haproxy's own choice, and it logs nothing. Descriptor 3 is the listener.
const haproxyConfig = `global
    maxconn 5000
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen viewers
    bind fd@3%s
    server guacd %s
`

// playHaproxy runs Debian's haproxy for as long as this role lives, so that it
// cannot outlive the run. Without master and workers it is one process.
func playHaproxy(in *json.Decoder, out *json.Encoder) (err error) {
	var work relayWork
	if err := in.Decode(&work); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "stagedoor-bench-haproxy-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	secure := ""
	if work.Identity != nil {
		secure = " ssl crt " + work.Identity.Both
	}
	config := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(config, fmt.Appendf(nil, haproxyConfig, secure, work.Guacd), 0o600); err != nil {
		return err
	}
	program, missing := haproxyProgram()
	if missing != "" {
		return errors.New(missing)
	}
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	defer listener.Close()
	descriptor, err := listener.File()
	if err != nil {
		return err
	}
	defer descriptor.Close()
	proxy := exec.Command(program, "-q", "-db", "-f", config)
	proxy.Stderr, proxy.ExtraFiles = os.Stderr, []*os.File{descriptor}
	return runUntilEnd(in, out, proxy, listener.Addr().String())
}

// runUntilEnd runs a program that is to be measured and kills it when standard
// input ends. That it went before is an error.
func runUntilEnd(in *json.Decoder, out *json.Encoder, program *exec.Cmd, address string) error {
	if err := program.Start(); err != nil {
		return err
	}
	gone := make(chan error, 1)
	go func() { gone <- program.Wait() }()
	ended := make(chan error, 1)
	go func() { ended <- untilEnd(in) }()
	if err := out.Encode(relayReady{Address: address, PID: program.Process.Pid}); err != nil {
		return errors.Join(err, program.Process.Kill())
	}
	select {
	case err := <-gone:
		return fmt.Errorf("%s has ended by itself: %v", program.Path, err)
	case err := <-ended:
		err = errors.Join(err, program.Process.Kill())
		<-gone
		return err
	}
}

// haproxyProgram finds haproxy also where sbin is not in the path.
func haproxyProgram() (path, missing string) {
	for _, name := range []string{"haproxy", "/usr/sbin/haproxy"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, ""
		}
	}
	return "", "haproxy is not installed (testbed/install bench)"
}
