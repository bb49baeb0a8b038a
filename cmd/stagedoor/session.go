package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"stagedoor/directory"
	"stagedoor/gateway/portal"
	"stagedoor/store"
)

const sessionUsage = `  stagedoor session list --config FILE        say who is logged in, and which desktops are open on any node
  stagedoor session end (ID | --all-of 'DOMAIN\user') --why TEXT --config FILE
                                              end one session or desktop, or all that somebody has

Needs no directory and no running portal. Every node notices within two seconds. ID is one of list's;
a session ends with its desktops, a desktop by itself. --why TEXT is required: it stands in the audit
beside your user name. Flags may stand anywhere.`

// sessionCommand lists who is logged in and what they have open, and ends it:
// for an administrator who cannot get into the portal. Every node notices within
// two seconds, whether this is its machine or not.
func sessionCommand(ctx context.Context, args, environ []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("session", flag.ContinueOnError)
	all, why := flags.String("all-of", "", ""), flags.String("why", "", "")
	flags.StringVar(why, "reason", "", "") // as it was called first
	var path string
	words, err := parseWords(flags, args, &path)
	if err != nil {
		return err
	}
	*why = strings.TrimSpace(*why)
	if err := sessionWords(words, *all, *why); err != nil {
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
	end := sessionEnd{db: db, out: stdout, why: *why}
	switch {
	case words[0] == "list":
		return listSessions(ctx, db, stdout)
	case *all != "":
		return end.allOf(ctx, config, *all)
	}
	return end.one(ctx, words[1])
}

// sessionWords is what is wrong with a command line.
func sessionWords(words []string, all, why string) error {
	switch {
	case len(words) == 0:
		return usageOf("session", "list or end?")
	case words[0] == "list" && len(words) == 1 && all == "":
		return nil
	case words[0] == "list":
		return usageOf("session", "list takes nothing but --config FILE")
	case words[0] != "end":
		return usageOf("session", fmt.Sprintf("there is no %q: list or end", words[0]))
	case len(words) > 2 || (all == "") == (len(words) == 1):
		return usageOf("session", `end: one ID, or --all-of 'DOMAIN\user'`)
	case why == "":
		return usageOf("session", "end: write why: --why TEXT. It stands in the audit")
	}
	return nil
}

func listSessions(ctx context.Context, db *store.Store, stdout io.Writer) error {
	sessions, err := db.OpenSessions(ctx, "")
	if err != nil {
		return err
	}
	desktops, err := db.LiveDesktops(ctx)
	if err != nil {
		return err
	}
	if len(sessions)+len(desktops) == 0 {
		_, err := fmt.Fprintln(stdout, "nobody is logged in")
		return err
	}
	table := newTable(stdout, "WHAT", "ID", "WHO", "NAME", "STATE", "SINCE", "ACTIVE", "FROM", "NODE")
	for _, s := range sessions {
		state := "logged in"
		if s.Step != "ready" {
			state = "on the way in (" + s.Step + ")"
		}
		name, display := whose(s)
		table.row("session", s.ID, name, display, state, stamp(s.CreatedAt), stamp(s.SeenAt), s.Address)
	}
	for _, d := range desktops {
		table.row("desktop", d.ID, d.Name, d.Display, d.Target+", "+d.State, stamp(d.OpenedAt), stamp(d.InputAt), d.Address, d.Node)
	}
	return table.Flush()
}

// whose is a session's person; a row that cannot be read is somebody's still,
// and must not hide the others.
func whose(s store.Session) (name, display string) {
	name, display, err := portal.PersonOf(s)
	if err != nil {
		return "?", ""
	}
	return name, display
}

// sessionEnd ends sessions and desktops, each recorded before it is done.
type sessionEnd struct {
	db  *store.Store
	out io.Writer
	why string
}

// one ends a session, or a desktop, by its id.
func (e sessionEnd) one(ctx context.Context, id string) error {
	desktop, err := e.db.LiveDesktop(ctx, id)
	if err == nil {
		return e.desktop(ctx, desktop)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	sessions, err := e.db.OpenSessions(ctx, "")
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if s.ID == id {
			return e.session(ctx, s)
		}
	}
	return fmt.Errorf("there is no live session or desktop %q: stagedoor session list has those that are", id)
}

// allOf ends every session of a person, by any spelling of their name, and with
// them their desktops.
func (e sessionEnd) allOf(ctx context.Context, config Config, person string) error {
	people, err := directory.Open(config.domains()) // which dials nothing
	if err != nil {
		return err
	}
	defer people.Close()
	spellings := people.Spellings(person)
	sessions, err := e.db.OpenSessions(ctx, "")
	if err != nil {
		return err
	}
	var theirs []store.Session
	var names []string
	for _, s := range sessions {
		name, _ := whose(s)
		if !slices.ContainsFunc(spellings, func(one string) bool { return strings.EqualFold(one, name) }) {
			continue
		}
		theirs = append(theirs, s)
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	switch {
	case len(names) > 1:
		return fmt.Errorf("%q may be %s: write which", person, strings.Join(names, " or "))
	case len(names) == 0:
		return fmt.Errorf(`%q has no live session; names are written 'DOMAIN\user', in quotes, as stagedoor session list has them`, person)
	}
	for _, s := range theirs {
		if err := e.session(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (e sessionEnd) session(ctx context.Context, s store.Session) error {
	name, _ := whose(s)
	event := e.event("session-end", s.AccountID, name)
	event.Reason, event.SessionID = "revoked", s.ID
	if _, err := e.db.AppendEvent(ctx, event); err != nil {
		return err
	}
	if _, err := e.db.EndSession(ctx, s.ID, "revoked"); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.out, "session %s of %s is ended, and its desktops within two seconds\n", s.ID, onTerminal(name))
	return err
}

func (e sessionEnd) desktop(ctx context.Context, d store.LiveDesktop) error {
	event := e.event("desktop-order-end", d.AccountID, d.Name)
	event.Target, event.SessionID = d.Target, d.SessionID
	event.Detail["desktop"], event.Detail["node"] = d.ID, d.Node
	if _, err := e.db.AppendEvent(ctx, event); err != nil {
		return err
	}
	order := store.DesktopOrder{ID: rand.Text(), DesktopID: d.ID, Kind: store.OrderEnd, By: operator()}
	if _, err := e.db.OrderDesktop(ctx, order); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.out, "desktop %s of %s is being ended by node %s\n", d.ID, onTerminal(d.Name), d.Node)
	return err
}

// event is one by whoever sits at the command line, about a person.
func (e sessionEnd) event(kind, accountID, name string) store.Event {
	return store.Event{Kind: kind, Result: "ok", Name: operator(), Address: cliAddress,
		Detail: map[string]string{store.AboutAccount: accountID, store.AboutPerson: name, "why": e.why}}
}
