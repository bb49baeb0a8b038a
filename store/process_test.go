package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests of several processes on one database start this test binary again
// with these variables; it then does one of the children's works and no tests.
const (
	childWork = "STORE_TEST_CHILD"
	childPath = "STORE_TEST_PATH"
)

func TestMain(m *testing.M) {
	work := map[string]func(context.Context, *Store) error{
		"factor": childFactor, "step": childStep, "once": childOnce, "apps": childApps,
		"told":   childTold(toldAtMost(9), func(string) string { return "anna" }),
		"append": childAppend, "take": childTake, "password": childPassword, "try": childTry, "guess": childGuess, "full": childFull, "act": childAct,
		"account":  childClaim(SendLimits{PerHour: 5, PerDay: 10, PerPrefix: -1, Total: -1}, oneAccount),
		"number":   childClaim(SendLimits{PerHour: 5, PerDay: 4, PerPrefix: -1, Total: -1}, oneNumber),
		"cooldown": childClaim(SendLimits{Cooldowns: []time.Duration{time.Hour}, PerPrefix: -1, Total: -1}, oneAccount),
		"prefix":   childClaim(SendLimits{PerPrefix: 6, PrefixWindow: time.Hour, Total: -1}, onePrefix),
		"country":  childClaim(SendLimits{PerPrefix: -1, PerCountry: 7, CountryWindow: time.Hour, Total: -1}, onePrefix),
		"total":    childClaim(SendLimits{PerPrefix: -1, Total: 8, TotalWindow: time.Hour}, nothingInCommon),
		"notices":  childClaim(SendLimits{PerPrefix: -1, PerCountry: 9, CountryWindow: time.Hour, Total: -1}, codeOrNotice),
	}[os.Getenv(childWork)]
	if work == nil {
		os.Exit(m.Run())
	}
	if err := runChild(work); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runChild(work func(context.Context, *Store) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := Open(ctx, os.Getenv(childPath), time.Now)
	if err != nil {
		return err
	}
	defer s.Close()
	// The parent lets all children go at once.
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	return work(ctx, s)
}

// child is a running one. Its lines come from out.
type child struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

func startChild(t *testing.T, work, path string) *child {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), childWork+"="+work, childPath+"="+path)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	return &child{command: command, in: in, out: bufio.NewScanner(out)}
}

// runChildren starts some on one database, which may be missing, and counts
// the lines that each of them printed: one for each success.
func runChildren(t *testing.T, n int, work, path string) int {
	t.Helper()
	children := make([]*child, n)
	for i := range children {
		children[i] = startChild(t, work, path)
	}
	for i, c := range children {
		if !c.out.Scan() || c.out.Text() != "ready" {
			t.Fatalf("child %d did not start", i)
		}
	}
	for _, c := range children {
		fmt.Fprintln(c.in, "go")
	}
	lines := 0
	for i, c := range children {
		for c.out.Scan() {
			lines++
		}
		if err := c.command.Wait(); err != nil {
			t.Errorf("child %d: %v", i, err)
		}
	}
	return lines
}

// inParallel does work in goroutines and prints "ok" for each success.
func inParallel(goroutines, times int, work func() (bool, error)) error {
	var group sync.WaitGroup
	errs := make(chan error, goroutines)
	for range goroutines {
		group.Go(func() {
			for range times {
				ok, err := work()
				if err != nil {
					errs <- err
					return
				}
				if ok {
					fmt.Println("ok")
				}
			}
		})
	}
	group.Wait()
	close(errs)
	return errors.Join(<-errs)
}

func childAppend(ctx context.Context, s *Store) error {
	for range 100_000 {
		event, err := s.AppendEvent(ctx, Event{Kind: "login", Name: fmt.Sprint("from ", os.Getpid())})
		if err != nil {
			return err
		}
		fmt.Println(event.ID)
	}
	return nil
}

func childTake(ctx context.Context, s *Store) error {
	return inParallel(4, 10, func() (bool, error) {
		ok, _, err := s.Take(ctx, "address:192.0.2.1", 7, time.Hour)
		return ok, err
	})
}

func childPassword(ctx context.Context, s *Store) error {
	return inParallel(4, 10, func() (bool, error) {
		key, _, err := s.TakeGuess(ctx, "anna", Guesses{Anywhere: 3, Familiar: 2, Known: true, Window: time.Hour})
		return key != "", err
	})
}

func childAct(ctx context.Context, s *Store) error {
	return inParallel(4, 10, func() (bool, error) {
		ok, _, err := s.TakeAct(ctx, "hanna", 6)
		return ok, err
	})
}

func childTry(ctx context.Context, s *Store) error {
	limits := TryLimits{PerCode: 1000, LockEvery: 10, Lock: time.Hour, Stop: 100}
	return inParallel(4, 5, func() (bool, error) {
		_, _, taken, err := s.TakeTry(ctx, "challenge", "session", time.Now(), limits)
		return taken, err
	})
}

// childGuess tries one code, which bears five tries.
func childGuess(ctx context.Context, s *Store) error {
	limits := TryLimits{PerCode: 5, LockEvery: 10, Lock: time.Hour, Stop: 100}
	return inParallel(4, 5, func() (bool, error) {
		_, _, taken, err := s.TakeTry(ctx, "challenge", "session", time.Now(), limits)
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		return taken, err
	})
}

// Messages that have something in common; id is random.
func oneAccount(id string) Send {
	return Send{AccountID: "anna", Phone: "+46701" + id, Prefix: id, Country: id}
}
func oneNumber(id string) Send {
	return Send{AccountID: id, Phone: "+46701234567", Prefix: id, Country: id}
}
func onePrefix(id string) Send {
	return Send{AccountID: id, Phone: "+46701" + id, Prefix: "+46701", Country: "SE"}
}
func nothingInCommon(id string) Send {
	return Send{AccountID: id, Phone: id, Prefix: id, Country: id}
}

func codeOrNotice(id string) Send {
	return Send{AccountID: id, Phone: "+46701" + id, Prefix: "+46701", Country: "SE", Notice: id[len(id)-1]%2 == 0}
}

func childClaim(limits SendLimits, of func(id string) Send) func(context.Context, *Store) error {
	return func(ctx context.Context, s *Store) error {
		return inParallel(4, 5, func() (bool, error) {
			id, err := newEventID(time.Now())
			if err != nil {
				return false, err
			}
			send := of(id)
			send.ID, send.At = id, time.Now()
			wait, err := s.ClaimSend(ctx, send, limits)
			return wait.Rule == "", err
		})
	}
}

// childFull writes until the file may not grow any more, as on a full disk.
func childFull(ctx context.Context, s *Store) error {
	limit := syscall.Rlimit{Cur: 512 << 10, Max: 512 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	for range 10_000 {
		_, err := s.AppendEvent(ctx, Event{Kind: "login", Name: strings.Repeat("x", 1000)})
		if errors.Is(err, ErrUnavailable) {
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Println("ok")
	}
	return errors.New("the file grew without end")
}

// Parallel sends and guesses of several processes on one database never get
// past a limit, nor stop short of it; nor do those that are started later.
func TestProcessesKeepLimits(t *testing.T) {
	for _, test := range []struct {
		work string
		want int
	}{
		{"take", 7},
		{"password", 5}, // wrong ones from anywhere, and from known browsers, together
		{"act", 6},
		{"try", 10},    // wrong codes in a row on the account, whatever the code
		{"guess", 5},   // wrong codes at one code
		{"factor", 10}, // wrong codes of an app, printed and bypass codes, and codes by SMS, together
		{"step", 1},
		{"once", 1},
		{"apps", 3},
		{"told", 9},
		{"account", 5},
		{"number", 4},
		{"cooldown", 1},
		{"notices", 9}, // and codes, together
		{"prefix", 6},
		{"country", 7},
		{"total", 8},
	} {
		t.Run(test.work, func(t *testing.T) {
			path := newFile(t)
			if prepare := prepared[test.work]; prepare != nil {
				if err := prepare(t.Context(), open(t, path, time.Now)); err != nil {
					t.Fatal(err)
				}
			}
			if got := runChildren(t, 4, test.work, path); got != test.want {
				t.Errorf("%d got through, want %d", got, test.want)
			}
			// And processes that start after the first ones have ended: a limit survives
			// a restart.
			if got := runChildren(t, 2, test.work, path); got != 0 {
				t.Errorf("%d more got through after a restart", got)
			}
			// What was written with them is whole.
			if _, err := open(t, path, time.Now).VerifyEvents(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestKillLosesNothingAcknowledged(t *testing.T) {
	path := t.TempDir() + "/stagedoor.db"
	writers := []*child{startChild(t, "append", path), startChild(t, "append", path)}
	for _, c := range writers {
		if !c.out.Scan() {
			t.Fatal("a child did not start")
		}
		fmt.Fprintln(c.in, "go")
	}
	acknowledged := map[string]bool{}
	for _, c := range writers {
		for range 200 {
			if !c.out.Scan() {
				t.Fatal("a child stopped writing")
			}
			acknowledged[c.out.Text()] = true
		}
	}
	for _, c := range writers {
		if err := c.command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for c.out.Scan() { // what it still had acknowledged; the last line may be cut off
			if len(c.out.Text()) == 36 {
				acknowledged[c.out.Text()] = true
			}
		}
		_ = c.command.Wait()
	}
	s := open(t, path, time.Now)
	n, err := s.VerifyEvents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	events, err := s.Events(t.Context(), EventFilter{Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(events)) != n {
		t.Errorf("Events has %d, VerifyEvents %d", len(events), n)
	}
	for _, event := range events {
		delete(acknowledged, event.ID)
	}
	if len(acknowledged) > 0 {
		t.Errorf("%d acknowledged events are lost", len(acknowledged))
	}
}

func TestFullFile(t *testing.T) {
	path := t.TempDir() + "/stagedoor.db"
	acknowledged := runChildren(t, 1, "full", path)
	n, err := open(t, path, time.Now).VerifyEvents(t.Context())
	if err != nil || n != int64(acknowledged) || n == 0 {
		t.Errorf("%d events, %v; want the %d that were acknowledged", n, err, acknowledged)
	}
}
