package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const roleArgument = "role"

// patience is how long a role may take to end.
const patience = 5 * time.Second

// play is this program in a role. A role reads its configuration as JSON from
// standard input, where secrets may go, answers with how to reach it, and ends
// when standard input does, so that it cannot outlive the run.
func play(name string, in io.Reader, out io.Writer) error {
	roles := map[string]func(*json.Decoder, *json.Encoder) error{
		"directory": playDirectory,
		"binds":     playBinds,
		"portal":    playPortal,
		"relay":     playRelay,
		"wwtguac":   playWWTGuac,
		"haproxy":   playHaproxy,
		"copy":      playCopy,
	}
	role, known := roles[name]
	if !known {
		return fmt.Errorf("there is no role %q", name)
	}
	if err := role(json.NewDecoder(in), json.NewEncoder(out)); err != nil {
		return fmt.Errorf("role %s: %w", name, err)
	}
	return nil
}

// untilEnd waits for the end of standard input.
func untilEnd(in *json.Decoder) error {
	var anything json.RawMessage
	if err := in.Decode(&anything); !errors.Is(err, io.EOF) {
		return fmt.Errorf("expected nothing more: %w", err)
	}
	return nil
}

// worker is a role that runs.
type worker struct {
	name string
	pid  int
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *json.Decoder
}

// start runs a program in a role, mostly this one, and waits for its first answer.
func start(ctx context.Context, name string, config, ready any) (*worker, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := []string{program, roleArgument, name}
	if name == "guacamolelite" { // is not Go, and plays its role in a file of its own
		command = []string{"node", "guacamolelite.cjs"}
	}
	w := &worker{name: name, cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
	w.cmd.Stderr = os.Stderr
	// A Ctrl-C at the terminal is for the run, which then ends its roles.
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	w.cmd.Cancel = w.in.Close // so that it can tidy up
	w.cmd.WaitDelay = patience
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.out = json.NewDecoder(out)
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	w.pid = w.cmd.Process.Pid
	if err := w.ask(config, ready); err != nil {
		return nil, errors.Join(err, w.stop())
	}
	return w, nil
}

// ask sends one value and reads one.
func (w *worker) ask(question, answer any) error {
	if err := json.NewEncoder(w.in).Encode(question); err != nil {
		return fmt.Errorf("role %s: %w", w.name, err)
	}
	if err := w.out.Decode(answer); err != nil {
		return fmt.Errorf("role %s does not answer: %w", w.name, err)
	}
	return nil
}

// stop ends the role. One that does not end by itself is killed.
func (w *worker) stop() error {
	closed := w.in.Close()
	timer := time.AfterFunc(patience, func() { _ = w.cmd.Process.Kill() })
	defer timer.Stop()
	if err := w.cmd.Wait(); err != nil {
		return fmt.Errorf("role %s: %w", w.name, err)
	}
	if errors.Is(closed, os.ErrClosed) {
		return nil // it was told to end before
	}
	return closed
}

// cpu is the CPU time that the role has used so far.
func (w *worker) cpu() (time.Duration, error) { return cpuOf(w.pid) }
