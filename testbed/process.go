package testbed

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Command says what to start. Secrets do not belong in Args or Env, which any
// user of the machine can read: they go through Stdin or a file.
type Command struct {
	Path string    // a program; found as Find does
	Args []string  // without the program itself
	Dir  string    // working directory; "" is the caller's
	Env  []string  // added to the caller's environment
	In   io.Reader // what the program reads first; nil is nothing

	// StopsAtEOF keeps standard input open after In has been read; Stop closes
	// it and expects the program to end by itself. So does the death of the
	// program that started it, however it dies, and where a signal would not
	// reach (sudo).
	StopsAtEOF bool

	// Grace is how long Stop waits before it kills. 0 is 5 s.
	Grace time.Duration
}

// Process is a running peer: the leader of its own process group, so that a
// Ctrl-C at the terminal ends the test first and the test ends the peer.
type Process struct {
	PID int

	cmd   *exec.Cmd
	name  string
	grace time.Duration
	leash io.WriteCloser // not nil: closing it ends the process
	mark  string         // the environment entry by which its descendants are found
	out   tail
	done  chan struct{}

	stopping sync.Once
	stopErr  error
}

// Start starts a program. It is told to end (SIGTERM) when the caller's process
// dies, and all that it has started ends with Stop.
func Start(c Command) (*Process, error) {
	path, err := Find(c.Path)
	if err != nil {
		return nil, err
	}
	p := &Process{
		name:  filepath.Base(path),
		grace: c.Grace,
		mark:  "STAGEDOOR_TESTBED=" + rand.Text(),
		done:  make(chan struct{}),
	}
	if p.grace == 0 {
		p.grace = 5 * time.Second
	}
	p.cmd = exec.Command(path, c.Args...)
	p.cmd.Dir = c.Dir
	p.cmd.Env = append(append(os.Environ(), c.Env...), p.mark)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.WaitDelay = 500 * time.Millisecond // descendants may hold the output open
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := p.start(c); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	return p, nil
}

func (p *Process) start(c Command) error {
	p.cmd.Stdin = c.In
	if c.StopsAtEOF {
		p.cmd.Stdin = nil
		stdin, err := p.cmd.StdinPipe()
		if err != nil {
			return err
		}
		p.leash = stdin
	}
	started := make(chan error)
	go func() {
		// Pdeathsig comes when the thread that forked ends, not the process:
		// the goroutine keeps its thread until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = p.cmd.Wait() // ProcessState says how it ended
		close(p.done)
	}()
	if err := <-started; err != nil {
		return err
	}
	p.PID = p.cmd.Process.Pid
	if p.leash != nil && c.In != nil {
		_, err := io.Copy(p.leash, c.In)
		// A process that has ended before it read all says why to WaitReady.
		if err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, os.ErrClosed) {
			return errors.Join(err, p.Stop())
		}
	}
	return nil
}

// Tell writes text to the standard input of a process that StopsAtEOF.
func (p *Process) Tell(text string) error {
	if _, err := io.WriteString(p.leash, text); err != nil {
		return fmt.Errorf("tell %s: %w", p.name, err)
	}
	return nil
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Output returns the last 64 KiB of what the process and its descendants have
// written to standard output and standard error.
func (p *Process) Output() string { return p.out.String() }

// WaitReady polls ready, every 20 ms, until it returns nil. It gives up when
// ctx ends or the process does, with the process's last words in the error.
func (p *Process) WaitReady(ctx context.Context, ready func(context.Context) error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil && !p.ended() { // or something else answers in its place
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended before it was ready (%v)%s", p.name, p.cmd.ProcessState, p.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w: %w%s", p.name, ctx.Err(), err, p.lastWords())
		case <-tick.C:
		}
	}
}

// Dialing is ready, for WaitReady, once address accepts a TCP connection.
func Dialing(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		dialer := net.Dialer{Timeout: time.Second}
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// Printing is ready, for WaitReady, once the process has written text.
func (p *Process) Printing(text string) func(context.Context) error {
	return func(context.Context) error {
		if strings.Contains(p.Output(), text) {
			return nil
		}
		return fmt.Errorf("it has not said %q", strings.TrimSpace(text))
	}
}

func (p *Process) lastWords() string {
	words := strings.TrimSpace(p.Output())
	if len(words) > 2000 {
		words = "..." + words[len(words)-2000:]
	}
	if words == "" {
		return ""
	}
	return "; it said:\n" + words
}

// Children returns the ids of the live processes that the process has started,
// and those that they have, also where they left its process group.
func (p *Process) Children() []int {
	var children []int
	for _, pid := range marked(p.mark) {
		if pid != p.PID {
			children = append(children, pid)
		}
	}
	return children
}

// Kill ends the process at once (SIGKILL) and leaves its children alone, as a
// crash does. Stop must still follow.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.name, err)
	}
	<-p.done
	return nil
}

// Stop ends the process and its descendants: it asks them, waits for Grace, and
// kills who is left. It may be called again, and on a process that has ended.
func (p *Process) Stop() error {
	p.stopping.Do(func() {
		if p.leash != nil {
			_ = p.leash.Close() // the process may be gone: then the pipe is too
			if p.await(p.grace, 0) {
				return
			}
		}
		if !p.await(p.grace, syscall.SIGTERM) && !p.await(3*time.Second, syscall.SIGKILL) {
			p.stopErr = fmt.Errorf("stop %s: still alive after SIGKILL: %v", p.name, p.alive())
		}
	})
	return p.stopErr
}

// await waits until the process and its descendants are gone. It sends each a
// signal, if it is not 0, also those that are started meanwhile.
func (p *Process) await(limit time.Duration, signal syscall.Signal) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	told := map[int]bool{}
	for {
		alive := p.alive()
		if len(alive) == 0 {
			<-p.done // bounded by WaitDelay
			return true
		}
		for _, pid := range alive {
			if signal != 0 && !told[pid] {
				_ = syscall.Kill(pid, signal) // it may have ended by now
				told[pid] = true
			}
		}
		select {
		case <-deadline.C:
			return false
		case <-tick.C:
		}
	}
}

func (p *Process) alive() []int {
	pids := p.Children()
	if !p.ended() {
		pids = append(pids, p.PID)
	}
	return pids
}

func (p *Process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}
