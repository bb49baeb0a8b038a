// Stagedoor is a remote-desktop access gateway: people log in on one web page
// with a password and a code from an SMS, and work on a Windows desktop in the
// browser.
//
//	stagedoor serve --config FILE            run the gateway
//	stagedoor check --config FILE [--connect] say everything that is wrong
//	stagedoor audit --config FILE [...]      search, export or verify the audit
//	stagedoor session list|end [...]         see who is logged in, and end it
//	stagedoor guacd --config FILE [...]      look at the guacds, empty one
//	stagedoor phone VERB 'DOMAIN\user' [...] help who is locked out, administrators too
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
	"slices"
	"strings"
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

// subcommands are what there is, in the order of the usage.
func subcommands() []subcommand {
	return []subcommand{
		{"serve", serve, serveUsage}, {"check", check, checkUsage}, {"audit", audit, auditUsage},
		{"session", sessionCommand, sessionUsage}, {"phone", phone, phoneUsage}, {"guacd", guacd, guacdUsage},
		{"texts", texts, textsUsage}, {"version", version, versionUsage},
	}
}

// subcommand is one of the program's.
type subcommand struct {
	name  string
	run   func(ctx context.Context, args, environ []string, stdout io.Writer) error
	usage string // how it is called, and what it does; the first paragraph is its part of the whole usage
}

const (
	serveUsage = `  stagedoor serve   --config FILE             run the gateway`
	checkUsage = `  stagedoor check   --config FILE [--connect] check config and targets; --connect also tries
                                              the directory, guacd and the SMS sender`
	guacdUsage = `  stagedoor guacd   --config FILE [--drain ADDRESS | --undrain ADDRESS]
                                              say how each guacd is; give one no new desktops, or give
                                              it some again`
	textsUsage = `  stagedoor texts   [--language LANGUAGE]     list the texts of the pages with the keys by which
                                              portal.texts replaces them; LANGUAGE is sv where not given`
	versionUsage = `  stagedoor version                           print the version`
)

// usageText is the whole usage.
func usageText() string {
	parts := []string{"usage:"}
	for _, c := range subcommands() {
		part, _, _ := strings.Cut(c.usage, "\n\n")
		parts = append(parts, part)
	}
	return strings.Join(parts, "\n") + "\nstagedoor COMMAND --help says more of one. Exit codes: 0 done, 1 not done, 2 the command line is wrong"
}

// usageError: the command line is wrong.
type usageError string

func (e usageError) Error() string { return string(e) }

// usageOf is a usageError with how the command is called. What is wrong comes
// first, and must not be lost above a page of help.
func usageOf(name, wrong string) error {
	for _, c := range subcommands() {
		if c.name == name {
			how, more, _ := strings.Cut(c.usage, "\n\n")
			if more != "" {
				how += "\nstagedoor " + name + " --help says more"
			}
			return usageError("stagedoor " + name + ": " + wrong + "\nusage:\n" + how)
		}
	}
	return usageError("stagedoor: " + wrong + "\n" + usageText())
}

// run does one command.
func run(ctx context.Context, args, environ []string, stdout io.Writer) error {
	if len(args) == 0 {
		return usageError(usageText())
	}
	name, args := args[0], args[1:]
	switch name {
	case "--version":
		name = "version"
	case "help", "--help", "-h":
		if len(args) == 0 {
			_, err := fmt.Fprintln(stdout, usageText())
			return err
		}
		name, args = args[0], []string{"--help"}
	}
	for _, c := range subcommands() {
		if c.name != name {
			continue
		}
		if slices.Contains(args, "--help") || slices.Contains(args, "-h") {
			_, err := fmt.Fprintln(stdout, "usage:\n"+c.usage)
			return err
		}
		return c.run(ctx, args, environ, stdout)
	}
	return usageError("stagedoor: no command " + name + "\n" + usageText())
}

// parse reads a command's flags; every command that needs the configuration
// has --config.
func parse(flags *flag.FlagSet, args []string, config *string) error {
	words, err := parseWords(flags, args, config)
	if err == nil && len(words) > 0 {
		err = usageOf(flags.Name(), fmt.Sprintf("unexpected argument %q", words[0]))
	}
	return err
}

// parseWords is parse for a command that takes words besides: flags may stand
// before, between and after them.
func parseWords(flags *flag.FlagSet, args []string, config *string) (words []string, err error) {
	flags.SetOutput(io.Discard)
	flags.StringVar(config, "config", "", "the configuration file")
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, usageOf(flags.Name(), err.Error())
		}
		if args = flags.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	if *config == "" {
		return nil, usageOf(flags.Name(), "--config FILE is missing")
	}
	return words, nil
}
