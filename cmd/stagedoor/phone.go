package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/helpdesk"
	"stagedoor/otp"
	"stagedoor/store"
)

// phone is helpdesk on the portal's own machine, for an administrator who is
// locked out: it shows, sets and confirms a person's number. The rules about
// whom and how often do not hold here, since whoever runs this can write to the
// database anyway; the record does, as do the notices to the person.
func phone(ctx context.Context, args, environ []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("phone", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var path string
	flags.StringVar(&path, "config", "", "")
	reason := flags.String("reason", "", "")
	if err := flags.Parse(args); err != nil {
		return usageError(fmt.Sprintf("stagedoor phone: %v\n%s", err, usageText))
	}
	words := map[string]int{"show": 2, "verify": 2, "history": 2, "set": 3}
	if path == "" || flags.NArg() == 0 || words[flags.Arg(0)] != flags.NArg() {
		return usageError("stagedoor phone: --config FILE [--reason TEXT] show|verify|history DOMAIN\\user, or set DOMAIN\\user NUMBER\n" + usageText)
	}
	config, err := loadConfig(path, environ)
	if err != nil {
		return err
	}
	desk, closeDesk, err := openDesk(ctx, config)
	if err != nil {
		return err
	}
	defer closeDesk()
	person, err := desk.Directory.Lookup(ctx, flags.Arg(1))
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return fmt.Errorf(`the directory has no account %q; write DOMAIN\user`, flags.Arg(1))
	case err != nil:
		return fmt.Errorf("the directory does not answer: %w", err)
	}
	agent := helpdesk.Agent{Name: operator(), Address: "cli", Server: true}
	switch flags.Arg(0) {
	case "set":
		err = setPhone(ctx, desk, agent, person, flags.Arg(2), *reason, stdout)
	case "verify":
		if err = desk.ConfirmNumber(ctx, agent, person.ID, *reason); err == nil {
			_, err = fmt.Fprintln(stdout, "the directory's number is confirmed")
		}
	case "history":
		err = phoneHistory(ctx, desk, person, stdout)
	default:
		err = showPhone(ctx, desk, agent, person, stdout)
	}
	return inWords(err)
}

// operator is who runs the command, as the record has it.
func operator() string {
	if who, err := user.Current(); err == nil {
		return "cli:" + who.Username
	}
	return fmt.Sprintf("cli:%d", os.Getuid())
}

// openDesk opens what helpdesk needs of a configuration. Notices are queued for
// the gateway to send.
func openDesk(ctx context.Context, config Config) (helpdesk.Desk, func(), error) {
	people, err := directory.Open(config.domains())
	if err != nil {
		return helpdesk.Desk{}, nil, err
	}
	db, err := store.Open(ctx, config.Database, time.Now)
	if err != nil {
		people.Close()
		return helpdesk.Desk{}, nil, err
	}
	notices := otp.NewNotices(db, nil)
	notices.Key, notices.Portal, notices.Address = config.serverKey(), config.Portal.Name, config.PublicURL
	if config.Mail.Server != "" {
		notices.Mail = func(context.Context, string, string, string) error {
			return errors.New("the gateway sends what is queued here")
		}
	}
	settings := config.settings()
	desk := helpdesk.Desk{
		Directory: people, Store: db, Now: time.Now,
		Codes: &otp.Codes{Store: db, Key: config.serverKey(), Lifetime: config.Codes.Lifetime, Tries: config.Codes.Tries,
			PerHour: config.Codes.PerHour, PerDay: config.Codes.PerDay, Total: config.Codes.InAll},
		Numbers: &otp.Numbers{Store: db, Notices: notices, Key: config.serverKey(),
			Order: settings.Phones.Order, SelfEnrol: settings.Phones.SelfEnrol, CoolDown: settings.Phones.CoolDown,
			// Remembered browsers stood on the old number.
			Changed: func(ctx context.Context, id string) error { _, err := db.ForgetDevices(ctx, id, ""); return err }},
		Record: func(ctx context.Context, event store.Event) error {
			_, err := db.AppendEvent(ctx, event)
			return err
		},
		Settings: helpdesk.Settings{Country: settings.Country, Countries: settings.Countries},
	}
	return desk, func() { people.Close(); _ = db.Close() }, nil
}

func setPhone(ctx context.Context, desk helpdesk.Desk, agent helpdesk.Agent, person directory.Account, number, reason string, stdout io.Writer) error {
	change, err := desk.CorrectNumber(ctx, agent, person.ID, number, reason)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, `%s\%s has the number %s from now on; the person is told`+"\n", person.Domain, person.Name, change.New)
	return err
}

func showPhone(ctx context.Context, desk helpdesk.Desk, agent helpdesk.Agent, person directory.Account, stdout io.Writer) error {
	facts, err := desk.Look(ctx, agent, person.ID)
	if err != nil {
		return err
	}
	number := "none: " + facts.Phone.Problem
	if facts.Phone.Problem == "" {
		number = fmt.Sprintf("%s, from %s", facts.Phone.Masked, facts.Phone.Source)
		if facts.Phone.Verified {
			number += fmt.Sprintf(", verified (%s) %s", facts.Phone.How, facts.Phone.VerifiedAt.Local().Format(time.DateTime))
		}
	}
	fmt.Fprintf(stdout, "%s\\%s (%s)\nnumber: %s\n", person.Domain, person.Name, person.DisplayName, number)
	if p := facts.Phone.Pending; p != nil {
		fmt.Fprintf(stdout, "waiting: %s, asked for by %s %s\n", p.Masked, p.By, p.Since.Local().Format(time.DateTime))
	}
	for _, cause := range facts.Why {
		if _, err := fmt.Fprintf(stdout, "why: %s\n", cause); err != nil {
			return err
		}
	}
	return nil
}

func phoneHistory(ctx context.Context, desk helpdesk.Desk, person directory.Account, stdout io.Writer) error {
	events, err := desk.Numbers.History(ctx, person.ID)
	if err != nil {
		return err
	}
	for _, e := range events {
		who := e.ByName
		if who == "" {
			who = "-"
		}
		_, err := fmt.Fprintf(stdout, "%s  %-19s  %s -> %s  %s  %s  %s  %s\n", e.At.Local().Format(time.DateTime), e.Act,
			helpdesk.LastFour(e.Old), helpdesk.LastFour(e.New), who, e.Address, e.How, e.Reason)
		if err != nil {
			return err
		}
	}
	if len(events) == 0 {
		_, err = fmt.Fprintln(stdout, "nothing has been done to this number")
	}
	return err
}

// inWords says what a refusal means to who has typed the command.
func inWords(err error) error {
	words := map[helpdesk.Rule]string{
		helpdesk.RuleReason:    "write why, with 3 to 200 characters: --reason TEXT",
		helpdesk.RuleBadNumber: "this is no mobile number of a country that codes are sent to (codes.countries)",
		helpdesk.RuleSame:      "this is the number already",
		helpdesk.RuleElsewhere: "by phones.order the number is another source's, or there is no number of the directory",
		helpdesk.RulePending:   "a change of the number waits already",
		helpdesk.RuleTooMany:   "the person has been told of too much today",
		helpdesk.RuleDirectory: "the directory does not answer",
	}
	var refused *helpdesk.RefusedError
	if errors.As(err, &refused) && words[refused.Rule] != "" {
		return errors.New("not done: " + words[refused.Rule])
	}
	return err
}
