package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"stagedoor/directory"
	"stagedoor/targets"
	"stagedoor/webroot"
)

// check says everything that is wrong with the configuration and the target
// list, each with file and line. With --connect it also tries what they name.
func check(ctx context.Context, args, environ []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	connect := flags.Bool("connect", false, "")
	var path string
	if err := parse(flags, args, &path); err != nil {
		return err
	}
	problems := 0
	report := func(err error) {
		var load *targets.LoadError
		if !errors.As(err, &load) {
			fmt.Fprintln(stdout, err)
			problems++
			return
		}
		for _, p := range load.Problems {
			fmt.Fprintln(stdout, p)
			problems++
		}
	}
	config, configErr := loadConfig(path, environ)
	if configErr != nil {
		report(configErr)
	}
	var list *targets.List
	// The target list is checked even where the rest is at fault.
	if file := targetsFile(path, config); file != "" {
		var err error
		if list, err = targets.Load(file); err != nil {
			report(err)
		}
	}
	if configErr == nil {
		for _, err := range offline(config) {
			report(err)
		}
		if *connect && list != nil {
			problems += tryOut(ctx, config, list, stdout)
		}
	}
	if problems > 0 {
		return fmt.Errorf("%s: %d to mend", path, problems)
	}
	_, err := fmt.Fprintf(stdout, "%s: no problems, %d targets\n", path, len(list.All()))
	return err
}

// targetsFile is the target list that a configuration names, also where the
// rest of it is at fault; "" where not even that can be read.
func targetsFile(path string, config Config) string {
	if config.Targets != "" {
		return config.Targets
	}
	data, err := os.ReadFile(path)
	var only struct {
		Targets string `yaml:"targets"`
	}
	if err != nil || yaml.Unmarshal(data, &only) != nil || only.Targets == "" || filepath.IsAbs(only.Targets) {
		return only.Targets
	}
	return filepath.Join(filepath.Dir(path), only.Targets)
}

// offline are the faults that only show when a part is put together.
func offline(config Config) (faults []error) {
	if _, err := config.guacds(); err != nil {
		faults = append(faults, err)
	}
	if _, err := config.route(); err != nil {
		faults = append(faults, err)
	}
	if _, err := config.mailer(); err != nil {
		faults = append(faults, err)
	}
	if d, err := directory.Open(config.domains()); err != nil {
		faults = append(faults, err)
	} else {
		d.Close()
	}
	if config.Portal.HelpDir != "" {
		site, err := webroot.Open()
		if err != nil {
			return append(faults, err)
		}
		faults = append(faults, site.CheckHelp(config.Portal.HelpDir)...)
	}
	if config.TLS.CertFile != "" {
		if _, err := openCertificate(config.TLS.CertFile, config.TLS.KeyFile); err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}

// groups are those that the list names, each once.
func groups(list *targets.List) []string {
	var names []string
	for _, t := range list.All() {
		for _, g := range t.Groups {
			if !slices.Contains(names, g) {
				names = append(names, g)
			}
		}
	}
	return names
}

// tryOut connects to every directory server, guacd, mail server and SMS sender, without
// logging anybody in or sending anything, and looks up the groups of the list.
func tryOut(ctx context.Context, config Config, list *targets.List, stdout io.Writer) (problems int) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	line := func(what string, err error) {
		state := "ok"
		if err != nil {
			state = err.Error()
			problems++
		}
		fmt.Fprintf(stdout, "%s: %s\n", what, state)
	}
	people, err := directory.Open(config.domains())
	if err != nil {
		line("directory", err)
		return problems
	}
	defer people.Close()
	wellDomain := false
	for _, h := range people.Check(ctx) {
		what := fmt.Sprintf("directory %s %s", h.Domain, h.Server)
		if h.Err == nil {
			wellDomain = true
			what += " (" + h.Kind + ")"
		}
		line(what, h.Err)
	}
	if wellDomain {
		for _, group := range groups(list) {
			found, err := people.GroupExists(ctx, group)
			if err == nil && !found {
				err = errors.New("no such group; nobody sees what it is to show")
			}
			line("group "+group, err)
		}
	}
	guacds, _ := config.guacds() // offline has seen its faults
	for _, g := range guacds {
		line("guacd "+g.Address, g.Probe(ctx))
	}
	if mailer, _ := config.mailer(); mailer != nil {
		line("mail "+config.Mail.Server, mailer.Check(ctx))
	}
	route, _ := config.route()
	for i, sender := range route.Senders() {
		line("sms "+sender.Name(), sender.Check(ctx))
		for _, note := range config.senderNotes(i) {
			fmt.Fprintf(stdout, "sms %s: %s\n", sender.Name(), note)
		}
		if bound, ok := sender.(io.Closer); ok {
			_ = bound.Close() // its binding was for this only
		}
	}
	return problems
}
