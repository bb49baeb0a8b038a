// Stagedoor is a remote-desktop access gateway: people log in on one web page
// with a password and a code from an SMS, and work on a Windows desktop in the
// browser.
//
//	stagedoor serve --config FILE            run the gateway
//	stagedoor check --config FILE [--connect] say everything that is wrong
//	stagedoor audit --config FILE [...]      search, export or verify the audit
//	stagedoor session list|end [...]         see who is logged in, and end it
//	stagedoor guacd --config FILE [...]      look at the guacds, empty one
//	stagedoor phone --config FILE show|set|verify|history ...  a person's number, for who is locked out
//	stagedoor texts [--language LANGUAGE]    list the texts of the pages by key
//	stagedoor version
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // targets name time zones; a small server may have no zone files
)

// Exit codes: 0 well, 1 it did not work, 2 the command line is wrong.
func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdout)
	var usage usageError
	switch {
	case err == nil:
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const usageText = `usage:
  stagedoor serve   --config FILE             run the gateway
  stagedoor check   --config FILE [--connect] check config and targets; --connect also tries
                                              the directory, guacd and the SMS sender
  stagedoor audit   --config FILE [--verify] [--id ID] [--person NAME] [--target ID] [--kind KIND,...]
                    [--result ok|refused|error] [--from TIME] [--to TIME] [--format text|csv|jsonl] [--limit N]
                                              print the newest audit events that fit, or verify the chain;
                                              TIME is 2026-11-22 or "2026-11-22 14:02", as this machine's clock
  stagedoor session list --config FILE        say who is logged in, and which desktops are open on any node
  stagedoor session end  --config FILE --reason TEXT (--all-of 'DOMAIN\user' | ID)
                                              end all that somebody has, or one session or desktop
  stagedoor guacd   --config FILE [--drain ADDRESS | --undrain ADDRESS]
                                              say how each guacd is; give one no new desktops, or give
                                              it some again
  stagedoor phone   --config FILE [--reason TEXT] show|set|verify|history DOMAIN\user [NUMBER]
                                              a person's number: show it and why they cannot get in; set
                                              another one at once; say that the directory's is right; its
                                              history. set and verify take --reason, which is recorded
  stagedoor texts   [--language LANGUAGE]     list the texts of the pages with the keys by which
                                              portal.texts replaces them; LANGUAGE is sv where not given
  stagedoor version`

type usageError string

func (e usageError) Error() string { return string(e) }

func run(ctx context.Context, args, environ []string, stdout io.Writer) error {
	if len(args) == 0 {
		return usageError(usageText)
	}
	switch args[0] {
	case "serve":
		return serve(ctx, args[1:], environ, stdout)
	case "check":
		return check(ctx, args[1:], environ, stdout)
	case "audit":
		return audit(ctx, args[1:], environ, stdout)
	case "session":
		return sessionCommand(ctx, args[1:], environ, stdout)
	case "guacd":
		return guacd(ctx, args[1:], environ, stdout)
	case "phone":
		return phone(ctx, args[1:], environ, stdout)
	case "texts":
		return texts(args[1:], stdout)
	case "version", "--version":
		return version(stdout)
	case "help", "--help", "-h":
		_, err := fmt.Fprintln(stdout, usageText)
		return err
	}
	return usageError("stagedoor: no command " + args[0] + "\n" + usageText)
}

// parse reads a command's flags; every command that needs the configuration
// has --config.
func parse(flags *flag.FlagSet, args []string, config *string) error {
	flags.SetOutput(io.Discard)
	flags.StringVar(config, "config", "", "the configuration file")
	if err := flags.Parse(args); err != nil {
		return usageError(fmt.Sprintf("stagedoor %s: %v\n%s", flags.Name(), err, usageText))
	}
	if flags.NArg() > 0 {
		return usageError(fmt.Sprintf("stagedoor %s: unexpected argument %q\n%s", flags.Name(), flags.Arg(0), usageText))
	}
	if *config == "" {
		return usageError(fmt.Sprintf("stagedoor %s: --config FILE is missing\n%s", flags.Name(), usageText))
	}
	return nil
}
