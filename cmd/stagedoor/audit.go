package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/desk"
	"stagedoor/store"
	"stagedoor/webroot"
)

const auditUsage = `  stagedoor audit   --config FILE [--verify] [--id ID] [--person NAME] [--target ID] [--kind KIND,...]
                    [--result ok|refused|error|begun] [--from TIME] [--to TIME] [--format text|csv|jsonl] [--limit N]
                                              print the newest audit events that fit, or verify the chain

Needs no directory and no running portal. Oldest first, at most --limit (100): a line on standard error
says where there are more. NAME is who did it or whom it was done to: DOMAIN\user, user, user@domain, or
cli:user for what was done on the server. ID is a support number. KIND is one of the audit's, such as login
or code. TIME is 2026-11-22 or "2026-11-22 14:02", as this machine's clock. The format is text on a terminal,
otherwise jsonl. --verify exits 1 where an event was altered, deleted or reordered.`

// audit prints the newest events that a search finds, oldest first, or verifies
// that none was altered, deleted or reordered.
func audit(ctx context.Context, args, environ []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("audit", flag.ContinueOnError)
	verify := flags.Bool("verify", false, "")
	var asked auditSearch
	asked.flags(flags)
	var path string
	if err := parse(flags, args, &path); err != nil {
		return err
	}
	if err := asked.wrong(); err != nil {
		return err
	}
	config, err := loadConfig(path, environ)
	if err != nil {
		return err
	}
	db, err := openStore(ctx, config)
	if err != nil {
		return err
	}
	defer db.Close()
	if *verify {
		return verifyAudit(ctx, db, stdout)
	}
	return asked.print(ctx, config, db, stdout)
}

func verifyAudit(ctx context.Context, db *store.Store, stdout io.Writer) error {
	count, err := db.VerifyEvents(ctx)
	if err != nil {
		return fmt.Errorf("the audit does not verify: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "%d events, the chain is whole\n", count)
	return err
}

// print writes what the search finds, the oldest first.
func (s *auditSearch) print(ctx context.Context, config Config, db *store.Store, stdout io.Writer) error {
	filter, err := s.filter(config)
	if err != nil {
		return err
	}
	events, older, err := db.FindEvents(ctx, filter)
	if err != nil {
		return err
	}
	if s.id != "" && len(events) == 0 {
		return fmt.Errorf("the audit has no event under support id %s; the log may: look for it as \"id\" there", filter.RequestID)
	}
	out := eventWriter(s.format, stdout)
	for _, event := range slices.Backward(events) {
		if err := out.Write(event); err != nil {
			return err
		}
	}
	if older > 0 { // not among the events: they may be on their way to another program
		fmt.Fprintf(os.Stderr, "only the newest %d: --limit, --from and --to show others\n", len(events))
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
	flags.StringVar(&s.format, "format", "", "")
	flags.IntVar(&s.limit, "limit", 100, "")
}

// wrong is what cannot be searched for; a misspelled kind would find nothing,
// which looks like an answer.
func (s *auditSearch) wrong() error {
	if !slices.Contains([]string{"", "text", "csv", "jsonl"}, s.format) {
		return usageOf("audit", "--format is text, csv or jsonl")
	}
	if !slices.Contains([]string{"", "ok", "refused", "error", "begun"}, s.result) {
		return usageOf("audit", fmt.Sprintf("--result %q: ok, refused, error or begun", s.result))
	}
	if s.limit < 1 {
		return usageOf("audit", "--limit is a number of events, 1 or more")
	}
	if s.kind == "" {
		return nil
	}
	known, err := eventKinds()
	if err != nil {
		return err
	}
	if word := unknownWord(strings.Split(s.kind, ","), known...); word != "" {
		return usageError(fmt.Sprintf("stagedoor audit: there is no kind %q; the kinds are %s", word, strings.Join(known, ", ")))
	}
	return nil
}

// eventKinds are all that the audit knows.
func eventKinds() (kinds []string, err error) {
	texts, err := webroot.OurTexts(lang)
	for _, text := range texts {
		if kind, ok := strings.CutPrefix(text.Key, "event.kind."); ok {
			kinds = append(kinds, kind)
		}
	}
	return kinds, err
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
			return filter, usageOf("audit", fmt.Sprintf("--%s %q is no time such as 2026-11-22 or \"2026-11-22 14:02\"", one.flag, one.text))
		}
		*one.to = at
	}
	return filter, nil
}

func eventWriter(format string, out io.Writer) desk.EventWriter {
	switch {
	case format == "csv":
		return desk.NewCSV(out)
	case format == "text" || format == "" && isTerminal(out):
		return &textEvents{table: newTable(out)}
	}
	return desk.NewJSONL(out)
}

// isTerminal tells whether somebody is looking.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// textEvents are for reading on a terminal, below a heading where there are any.
type textEvents struct {
	table
	any bool
}

func (t *textEvents) Write(e store.Event) error {
	if !t.any {
		t.any = true
		t.row("TIME", "KIND", "RESULT", "REASON", "WHO", "ABOUT", "TARGET", "FROM", "ID", "WHY")
	}
	t.row(stamp(e.At), e.Kind, e.Result, e.Reason, e.Name, e.Detail[store.AboutPerson], e.Target, e.Address, e.RequestID, e.Detail["why"])
	return nil
}

func (t *textEvents) Note(words string) error {
	_, err := fmt.Fprintln(t.Writer, words)
	return err
}

func (t *textEvents) Flush() error {
	if !t.any {
		if err := t.Note("no event fits"); err != nil {
			return err
		}
	}
	return t.table.Flush()
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
