package targets

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// records is a log that tests read.
type records struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *records) count(word string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Count(r.text.String(), word)
}

func (r *records) logger() *slog.Logger { return slog.New(slog.NewTextHandler(r, nil)) }

// change edits files and waits until the watcher has read what done wants.
func change(t *testing.T, w *Watcher, edit func(), done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	next := w.Changed()
	edit()
	for {
		select {
		case <-next:
		case <-ctx.Done():
			t.Fatalf("the watcher did not see the change; list of %d, error %v", len(w.List().All()), w.Err())
		}
		next = w.Changed()
		if done() {
			return
		}
	}
}

func ids(w *Watcher) string {
	var ids []string
	for _, target := range w.List().All() {
		ids = append(ids, target.ID)
	}
	return strings.Join(ids, " ")
}

func TestWatcher(t *testing.T) {
	folder := testFolder(t)
	path := filepath.Join(folder, "targets.yaml")
	write(t, path, "targets:\n"+entries("a"), 0o644)
	log := &records{}
	w, err := Open(path, log.logger())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if ids(w) != "a" || w.Err() != nil {
		t.Fatalf("%s, %v", ids(w), w.Err())
	}
	good := func(want string) func() bool {
		return func() bool { return w.Err() == nil && ids(w) == want }
	}
	refused := func(fault string) func() bool {
		return func() bool { return w.Err() != nil && strings.Contains(w.Err().Error(), fault) }
	}

	// Written in place.
	change(t, w, func() { write(t, path, "targets:\n"+entries("a", "b"), 0o644) }, good("a b"))
	// Saved as editors do: another file takes the name.
	change(t, w, func() {
		write(t, path+".new", "targets:\n"+entries("c"), 0o644)
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}, good("c"))
	// A fault keeps the last good list and names file and line.
	change(t, w, func() { write(t, path, "targets:\n"+entries("d")+"    hots: x\n", 0o644) }, refused(path+`:6: unknown key "hots"`))
	if ids(w) != "c" {
		t.Errorf("with a fault the list became %s", ids(w))
	}
	if log.count("unknown key") != 1 || log.count("targets.yaml:6") != 1 {
		t.Errorf("the fault was logged %d times", log.count("unknown key"))
	}
	// The file goes: the list stays.
	change(t, w, func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}, refused("no such file"))
	if ids(w) != "c" {
		t.Errorf("without a file the list became %s", ids(w))
	}
	// And it comes back, with a stored password.
	stored := "    credentials: stored\n    username: u\n    password_file: password\n"
	change(t, w, func() { write(t, path, "targets:\n"+entries("e")+stored, 0o644) }, good("e"))
	password := func() string {
		arguments, _ := w.List().All()[0].Parameters(Login{})
		return arguments["password"]
	}
	if password() != testPassword {
		t.Fatal("the stored password was not read")
	}
	// A change of the password file counts.
	change(t, w, func() { write(t, filepath.Join(folder, "password"), "new one", 0o600) },
		func() bool { return w.Err() == nil && password() == "new one" })
	// So does its mode.
	change(t, w, func() {
		if err := os.Chmod(filepath.Join(folder, "password"), 0o644); err != nil {
			t.Fatal(err)
		}
	}, refused("mode 0644"))
	if password() != "new one" {
		t.Error("the last good password is gone")
	}
	if log.count("new one") > 0 || log.count(testPassword) > 0 {
		t.Error("a password was logged")
	}
}

// Where the file is a link into a folder that is exchanged whole, as
// Kubernetes mounts it.
func TestWatcherFollowsLinks(t *testing.T) {
	folder := t.TempDir()
	for _, version := range []string{"v1", "v2"} {
		if err := os.Mkdir(filepath.Join(folder, version), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, version, "targets.yaml"), "targets:\n"+entries(version), 0o644)
	}
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(folder, name+".new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(folder, name+".new"), filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("v1", "..data")
	link("..data/targets.yaml", "targets.yaml")
	w, err := Open(filepath.Join(folder, "targets.yaml"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	change(t, w, func() { link("v2", "..data") }, func() bool { return ids(w) == "v2" })
}

// Without file events the slow look finds changes too.
func TestWatcherPolls(t *testing.T) {
	path := filepath.Join(t.TempDir(), "targets.yaml")
	write(t, path, "targets:\n"+entries("a"), 0o644)
	w, err := open(path, slog.New(slog.DiscardHandler), nil, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	change(t, w, func() { write(t, path, "targets:\n"+entries("a", "b"), 0o644) }, func() bool { return ids(w) == "a b" })
	change(t, w, func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}, func() bool { return w.Err() != nil })
	if ids(w) != "a b" {
		t.Errorf("without a file the list became %s", ids(w))
	}
}

func TestOpenRefusesABadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "targets.yaml")
	if _, err := Open(path, slog.New(slog.DiscardHandler)); err == nil || err.Error() != path+": no such file" {
		t.Errorf("got %v", err)
	}
	write(t, path, "targets:\n  - id: a\n", 0o644)
	if _, err := Open(path, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), path+":2: ") {
		t.Errorf("got %v", err)
	}
}

func TestCloseTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "targets.yaml")
	write(t, path, "targets: []\n", 0o644)
	w, err := Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	w.Close()
	if w.List() == nil {
		t.Error("no list after Close")
	}
}
