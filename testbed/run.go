package testbed

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Run runs a program to its end and returns what it wrote to standard output.
// The end of ctx kills it. An error carries what it wrote to standard error.
// StopsAtEOF and Grace mean nothing here.
func Run(ctx context.Context, c Command) (string, error) {
	path, err := Find(c.Path)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, path, c.Args...)
	cmd.Dir, cmd.Stdin = c.Dir, c.In
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	var complaints tail
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return out.String(), fmt.Errorf("%s: %w: %s", filepath.Base(path), err, strings.TrimSpace(complaints.String()))
	}
	return out.String(), nil
}
