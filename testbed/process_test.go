package testbed

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestProcessStop(t *testing.T) {
	for name, c := range map[string]struct {
		script     string
		stopsAtEOF bool
		children   int
	}{
		"obeys":                            {script: `echo up; exec sleep 1000`},
		"ignores SIGTERM":                  {script: `trap '' TERM; echo up; while :; do sleep 1000; done`, children: 1},
		"has children":                     {script: `sleep 1000 & sleep 1000 & echo up; wait`, children: 2},
		"a child leaves the process group": {script: `setsid sleep 1000 & sleep 0.05; echo up; wait`, children: 1},
		"a child outlives it":              {script: `sleep 1000 & echo up`, children: 1},
		"waits for end of file":            {script: `trap '' TERM; echo up; cat >/dev/null`, stopsAtEOF: true, children: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := Start(Command{Path: "sh", Args: []string{"-c", c.script}, StopsAtEOF: c.stopsAtEOF, Grace: 300 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.WaitReady(t.Context(), p.Printing("up\n")); err != nil {
				t.Fatal(err)
			}
			if err := p.WaitReady(t.Context(), func(context.Context) error {
				if got := len(p.Children()); got != c.children {
					return errors.New("children: " + strconv.Itoa(got))
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
			if err := p.Stop(); err != nil {
				t.Fatal(err)
			}
			if left := marked(p.mark); len(left) > 0 {
				t.Errorf("still alive after Stop: %v", left)
			}
			if err := p.Stop(); err != nil {
				t.Errorf("second Stop: %v", err)
			}
		})
	}
}

func TestWaitReadyOfProcessThatFails(t *testing.T) {
	p, err := Start(Command{Path: "sh", Args: []string{"-c", "echo no such thing >&2; exit 3"}})
	if err != nil {
		t.Fatal(err)
	}
	err = p.WaitReady(t.Context(), Dialing("127.0.0.1:1"))
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("error = %v, want the exit status and the last words", err)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}

func TestWaitReadyEndsWithContext(t *testing.T) {
	p, err := Start(Command{Path: "sleep", Args: []string{"1000"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.WaitReady(ctx, Dialing("127.0.0.1:1")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want the deadline", err)
	}
}

// TestKilledTestLeavesNothing starts this test binary again, has it start a
// process of each kind, kills it with SIGKILL and looks for what is left.
func TestKilledTestLeavesNothing(t *testing.T) {
	if os.Getenv("TESTBED_VICTIM") != "" {
		victim()
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledTestLeavesNothing$")
	cmd.Env = append(os.Environ(), "TESTBED_VICTIM=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 200)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	marks := strings.Fields(string(buf[:n]))
	if len(marks) != 2 {
		t.Fatalf("the victim said %q", buf[:n])
	}
	for _, mark := range marks {
		if len(marked(mark)) == 0 {
			t.Errorf("%s: nothing runs before the kill", mark)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for _, mark := range marks {
		deadline := time.Now().Add(5 * time.Second)
		for len(marked(mark)) > 0 {
			if time.Now().After(deadline) {
				t.Errorf("%s: still alive: %v", mark, marked(mark))
				for _, pid := range marked(mark) {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
			time.Sleep(10 * time.Millisecond) // polls the process table
		}
	}
}

func victim() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var marks []string
	for _, c := range []Command{
		{Path: "sleep", Args: []string{"1000"}},
		{Path: "sh", Args: []string{"-c", `trap '' TERM; echo up; cat`}, StopsAtEOF: true},
	} {
		p, err := Start(c)
		if err != nil {
			os.Exit(3)
		}
		if err := p.WaitReady(ctx, func(context.Context) error {
			if len(marked(p.mark)) == 0 {
				return errors.New("not there")
			}
			return nil
		}); err != nil {
			os.Exit(4)
		}
		marks = append(marks, p.mark)
	}
	_, _ = os.Stdout.WriteString(strings.Join(marks, " ") + "\n")
	<-ctx.Done() // killed long before
	os.Exit(5)
}

func TestRun(t *testing.T) {
	out, err := Run(t.Context(), Command{Path: "cat", In: strings.NewReader("hello")})
	if err != nil || out != "hello" {
		t.Errorf("Run = %q, %v", out, err)
	}
	_, err = Run(t.Context(), Command{Path: "sh", Args: []string{"-c", "echo why >&2; exit 2"}})
	if err == nil || !strings.Contains(err.Error(), "exit status 2: why") {
		t.Errorf("error = %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Run(ctx, Command{Path: "sh", Args: []string{"-c", "sleep 1000"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want the deadline", err)
	}
}
