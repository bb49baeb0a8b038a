package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"stagedoor/directory"
	"stagedoor/gateway/desk"
	"stagedoor/store"
)

// audit prints the newest events that a search finds, oldest first, or verifies
// that none was altered, deleted or reordered.
func audit(ctx context.Context, args, environ []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("audit", flag.ContinueOnError)
	verify := flags.Bool("verify", false, "")
	var asked auditSearch
	asked.flags(flags)
	config, db, err := openDatabase(ctx, flags, args, environ)
	if err != nil {
		return err
	}
	defer db.Close()
	if *verify {
		count, err := db.VerifyEvents(ctx)
		if err != nil {
			return fmt.Errorf("the audit does not verify: %w", err)
		}
		_, err = fmt.Fprintf(stdout, "%d events, the chain is whole\n", count)
		return err
	}
	filter, err := asked.filter(config)
	if err != nil {
		return err
	}
	out, err := eventWriter(asked.format, stdout)
	if err != nil {
		return err
	}
	events, _, err := db.FindEvents(ctx, filter)
	if err != nil {
		return err
	}
	if asked.id != "" && len(events) == 0 {
		return fmt.Errorf("the audit has no event under support id %s; the log may: look for it as \"id\" there", filter.RequestID)
	}
	for _, event := range slices.Backward(events) {
		if err := out.Write(event); err != nil {
			return err
		}
	}
	return out.Flush()
}

// auditSearch is what the command line asks for.
type auditSearch struct {
	id, person, target, kind, result, from, to, format string
	limit                                              int
}

func (s *auditSearch) flags(flags *flag.FlagSet) {
	flags.StringVar(&s.id, "id", "", "")
	flags.StringVar(&s.person, "person", "", "")
	flags.StringVar(&s.person, "name", "", "") // as it was called first
	flags.StringVar(&s.target, "target", "", "")
	flags.StringVar(&s.kind, "kind", "", "")
	flags.StringVar(&s.result, "result", "", "")
	flags.StringVar(&s.from, "from", "", "")
	flags.StringVar(&s.to, "to", "", "")
	flags.StringVar(&s.format, "format", "jsonl", "")
	flags.IntVar(&s.limit, "limit", 100, "")
}

func (s *auditSearch) filter(config Config) (filter store.EventFilter, err error) {
	filter = store.EventFilter{RequestID: desk.SupportID(s.id), Target: s.target, Result: s.result, Limit: s.limit}
	if s.kind != "" {
		filter.Kinds = strings.Split(s.kind, ",")
	}
	if s.person != "" {
		people, err := directory.Open(config.domains()) // which dials nothing
		if err != nil {
			return filter, err
		}
		defer people.Close()
		filter.Names = people.Spellings(s.person)
	}
	for _, one := range []struct {
		flag, text string
		to         *time.Time
	}{{"from", s.from, &filter.Since}, {"to", s.to, &filter.Until}} {
		at, ok := desk.LocalTime(one.text)
		if !ok {
			return filter, usageError(fmt.Sprintf("stagedoor audit: --%s %q is no time such as 2026-11-22 or \"2026-11-22 14:02\"\n%s", one.flag, one.text, usageText))
		}
		*one.to = at
	}
	return filter, nil
}

func eventWriter(format string, out io.Writer) (desk.EventWriter, error) {
	switch format {
	case "jsonl":
		return desk.NewJSONL(out), nil
	case "csv":
		return desk.NewCSV(out), nil
	case "text":
		return textEvents{tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}, nil
	}
	return nil, usageError("stagedoor audit: --format is text, csv or jsonl\n" + usageText)
}

// textEvents are for reading on a terminal: what comes from strangers is quoted
// where it could move the cursor.
type textEvents struct{ *tabwriter.Writer }

func (t textEvents) Write(e store.Event) error {
	words := []string{stamp(e.At), e.Kind, e.Result, e.Reason, e.Name, e.Detail[store.AboutPerson], e.Target, e.Address, e.RequestID}
	for i, word := range words {
		switch {
		case word == "":
			words[i] = "-"
		case strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }):
			words[i] = strconv.Quote(word)
		}
	}
	_, err := fmt.Fprintln(t.Writer, strings.Join(words, "\t"))
	return err
}

func (t textEvents) Note(words string) error {
	_, err := fmt.Fprintln(t.Writer, words)
	return err
}

// openDatabase is what a command needs that looks into the gateway's state,
// whether it runs or not.
func openDatabase(ctx context.Context, flags *flag.FlagSet, args, environ []string) (Config, *store.Store, error) {
	var path string
	if err := parse(flags, args, &path); err != nil {
		return Config{}, nil, err
	}
	config, err := loadConfig(path, environ)
	if err != nil {
		return Config{}, nil, err
	}
	db, err := store.Open(ctx, config.Database, time.Now)
	return config, db, err
}
