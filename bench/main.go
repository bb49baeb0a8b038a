// Bench measures what the portal and the tunnel cost, against the bare work
// and against others in the same run: raw LDAP binds, other Guacamole relays,
// and TCP proxies that only copy.
//
//	go run . -out results.json
//
// What is measured is always a process of its own: this program again, in a
// role, or somebody else's relay. The load and guacd's stand-in run here.
// Everything is on loopback and is over in a quarter of an hour.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// wholeRun bounds a run; a machine that needs longer has no time for numbers.
const wholeRun = 15 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) == 3 && os.Args[1] == roleArgument {
		err = play(os.Args[2], os.Stdin, os.Stdout)
	} else {
		err = run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	out     string
	stream  string
	only    string
	part    string
	profile string
}

func run(ctx context.Context, args []string, stdout, progress io.Writer) (err error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.out, "out", "", "file for the results as JSON")
	flags.StringVar(&o.stream, "stream", "", "recording of guacd's stream (.guac.xz) to replay; empty: one that lies beside the checkout, else a made one")
	flags.StringVar(&o.only, "only", "", "portal or tunnel: measure that only")
	flags.StringVar(&o.part, "part", "", strings.Join(parts(), ", ")+": of the tunnel, measure that only")
	flags.StringVar(&o.profile, "profile", "", "folder for CPU profiles of the portal and the relay, taken in further rounds that are not measured")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.only != "" && o.only != "portal" && o.only != "tunnel" {
		return fmt.Errorf("-only %s: portal or tunnel", o.only)
	}
	if !knownPart(o.part) {
		return fmt.Errorf("-part %s: one of %s", o.part, strings.Join(parts(), ", "))
	}
	ctx, cancel := context.WithTimeout(ctx, wholeRun)
	defer cancel()
	dir, err := os.MkdirTemp("", "stagedoor-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	r := results{Versions: versions()}
	if r.Machine, err = thisMachine(dir); err != nil {
		return err
	}
	say := func(format string, args ...any) { fmt.Fprintf(progress, format+"\n", args...) }
	if r.Machine.busy() {
		say("others are using this machine (load %.1f on %d cores): the numbers will be noisy", r.Machine.Load, r.Machine.Cores)
	}
	faults := r.measure(ctx, dir, o, say)
	if faults != nil && r.tunnelResults == nil {
		return faults
	}
	if err := r.table(stdout); err != nil {
		return err
	}
	return errors.Join(r.save(o.out), faults)
}

// measure fills in the results. The tunnel's may come with an error.
func (r *results) measure(ctx context.Context, dir string, o options, say func(string, ...any)) (err error) {
	if o.only != "tunnel" {
		if r.Portal, err = measurePortal(ctx, dir, o.profile, say); err != nil {
			return fmt.Errorf("portal: %w", err)
		}
	}
	if o.only != "portal" {
		if r.tunnelResults, err = measureTunnel(ctx, dir, o, say); err != nil {
			return fmt.Errorf("tunnel: %w", err)
		}
	}
	return nil
}
