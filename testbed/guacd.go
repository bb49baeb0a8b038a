package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// GuacdOptions may stay empty.
type GuacdOptions struct {
	// Port on 127.0.0.1; 0 is a free one.
	Port int
	// TLS, if set, is what guacd presents. It then takes TLS only.
	TLS Certificate
}

// Guacd is a running guacd: the daemon that turns RDP into the Guacamole
// protocol. It has no authentication, so it listens on loopback only.
type Guacd struct {
	*Process
	Address string // host:port
	home    string
}

// StartGuacd starts guacd in the foreground with a home of its own (its RDP
// side keeps known certificates there) and waits until it listens.
func StartGuacd(ctx context.Context, o GuacdOptions) (*Guacd, error) {
	if o.Port == 0 {
		port, err := FreePort()
		if err != nil {
			return nil, err
		}
		o.Port = port
	}
	home, err := os.MkdirTemp("", "stagedoor-guacd-")
	if err != nil {
		return nil, fmt.Errorf("start guacd: %w", err)
	}
	args := []string{"-f", "-b", "127.0.0.1", "-l", strconv.Itoa(o.Port), "-L", "info"}
	if o.TLS != (Certificate{}) {
		args = append(args, "-C", o.TLS.CertFile, "-K", o.TLS.KeyFile)
	}
	p, err := Start(Command{Path: "guacd", Args: args, Dir: home, Env: []string{"HOME=" + home}})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(home))
	}
	g := &Guacd{Process: p, Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port)), home: home}
	// A dial alone could reach somebody else's guacd on a port that was taken;
	// the line alone comes just before guacd listens.
	listening, dialing := p.Printing("Listening on host"), Dialing(g.Address)
	if err := p.WaitReady(ctx, func(ctx context.Context) error {
		if err := listening(ctx); err != nil {
			return err
		}
		return dialing(ctx)
	}); err != nil {
		return nil, errors.Join(err, g.Stop())
	}
	return g, nil
}

// Stop ends guacd and its children, one of which serves each connection.
func (g *Guacd) Stop() error {
	if err := g.Resume(); err != nil { // a frozen process ends only when it is killed
		return errors.Join(err, g.Process.Stop(), os.RemoveAll(g.home))
	}
	return errors.Join(g.Process.Stop(), os.RemoveAll(g.home))
}

// Pause freezes guacd and its children, as an overloaded machine would: it
// takes connections, as many as its backlog holds, and says nothing. Resume or
// Stop must follow.
func (g *Guacd) Pause() error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		if err := g.signal(syscall.SIGSTOP); err != nil {
			return err
		}
		// A signal takes effect when the process is scheduled next.
		running := slices.DeleteFunc(g.alive(), stopped)
		if len(running) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("guacd: %v do not stop", running)
		}
		time.Sleep(5 * time.Millisecond) // polls the process table
	}
}

// stopped says whether a process is frozen or gone (proc(5), the state in stat).
func stopped(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || bytes.Contains(stat, []byte(") T ")) || bytes.Contains(stat, []byte(") Z "))
}

// Resume ends Pause.
func (g *Guacd) Resume() error { return g.signal(syscall.SIGCONT) }

func (g *Guacd) signal(signal syscall.Signal) error {
	for _, pid := range g.alive() {
		// It may have ended since it was listed.
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("%v guacd: %w", signal, err)
		}
	}
	return nil
}
