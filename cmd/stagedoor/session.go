package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/store"
)

// sessionCommand lists who is logged in and what they have open, and ends it:
// for an administrator who cannot get into the portal. Every node notices within
// two seconds, whether this is its machine or not.
func sessionCommand(ctx context.Context, args, environ []string, stdout io.Writer) error {
	if len(args) == 0 || args[0] != "list" && args[0] != "end" {
		return usageError("stagedoor session: list or end\n" + usageText)
	}
	flags := flag.NewFlagSet("session "+args[0], flag.ContinueOnError)
	var all, why *string
	var id string
	rest := args[1:]
	if args[0] == "end" {
		all, why = flags.String("all-of", "", ""), flags.String("reason", "", "")
		if n := len(rest); n > 0 && !strings.HasPrefix(rest[n-1], "-") && (n == 1 || !isFlag(rest[n-2])) {
			id, rest = rest[n-1], rest[:n-1]
		}
	}
	_, db, err := openDatabase(ctx, flags, rest, environ)
	if err != nil {
		return err
	}
	defer db.Close()
	if args[0] == "list" {
		return listSessions(ctx, db, stdout)
	}
	end := sessionEnd{db: db, out: stdout, why: strings.TrimSpace(*why)}
	switch {
	case end.why == "":
		return usageError("stagedoor session end: --reason TEXT is missing: it stands in the audit\n" + usageText)
	case (*all == "") == (id == ""):
		return usageError("stagedoor session end: an ID or --all-of NAME is wanted\n" + usageText)
	case id != "":
		return end.one(ctx, id)
	}
	return end.allOf(ctx, *all)
}

// isFlag tells a flag that takes what stands after it from one that has its
// value with it.
func isFlag(word string) bool { return strings.HasPrefix(word, "-") && !strings.Contains(word, "=") }

func listSessions(ctx context.Context, db *store.Store, stdout io.Writer) error {
	sessions, err := db.OpenSessions(ctx, "")
	if err != nil {
		return err
	}
	desktops, err := db.LiveDesktops(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	for _, s := range sessions {
		name, display, err := portal.PersonOf(s)
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "session\t%s\t%s\t%s\t%s\tsince %s\tactive %s\t%s\n", s.ID, name, display, s.Step, stamp(s.CreatedAt), stamp(s.SeenAt), s.Address)
	}
	for _, d := range desktops {
		fmt.Fprintf(table, "desktop\t%s\t%s\t%s\t%s, %s\tsince %s\tactive %s\t%s, node %s\n", d.ID, d.Name, d.Display, d.Target, d.State,
			stamp(d.OpenedAt), stamp(d.InputAt), d.Address, d.Node)
	}
	return table.Flush()
}

func stamp(at time.Time) string { return at.Local().Format(time.DateTime) }

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
	return fmt.Errorf("session: there is no live session or desktop %s", id)
}

// allOf ends every session of a person, and with them their desktops.
func (e sessionEnd) allOf(ctx context.Context, person string) error {
	sessions, err := e.db.OpenSessions(ctx, "")
	if err != nil {
		return err
	}
	found := false
	for _, s := range sessions {
		name, _, err := portal.PersonOf(s)
		if err != nil {
			return err
		}
		if !strings.EqualFold(name, person) {
			continue
		}
		found = true
		if err := e.session(ctx, s); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf(`session: %s has no live session; names are written DOMAIN\user, as stagedoor session list has them`, person)
	}
	return nil
}

func (e sessionEnd) session(ctx context.Context, s store.Session) error {
	name, _, err := portal.PersonOf(s)
	if err != nil {
		return err
	}
	event := e.event("session-end", s.AccountID, name)
	event.Reason, event.SessionID = "revoked", s.ID
	if _, err := e.db.AppendEvent(ctx, event); err != nil {
		return err
	}
	if _, err := e.db.EndSession(ctx, s.ID, "revoked"); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.out, "session %s of %s ended\n", s.ID, name)
	return err
}

func (e sessionEnd) desktop(ctx context.Context, d store.LiveDesktop) error {
	event := e.event("desktop-order-end", d.AccountID, d.Name)
	event.Target, event.SessionID = d.Target, d.SessionID
	event.Detail["desktop"], event.Detail["node"] = d.ID, d.Node
	if _, err := e.db.AppendEvent(ctx, event); err != nil {
		return err
	}
	order := store.DesktopOrder{ID: rand.Text(), DesktopID: d.ID, Kind: store.OrderEnd, By: "cli"}
	if _, err := e.db.OrderDesktop(ctx, order); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.out, "desktop %s of %s is being ended by node %s\n", d.ID, d.Name, d.Node)
	return err
}

// event is one by whoever sits at the command line, about a person.
func (e sessionEnd) event(kind, accountID, name string) store.Event {
	operator := "unknown"
	if who, err := user.Current(); err == nil {
		operator = who.Username
	}
	return store.Event{Kind: kind, Result: "ok", Name: "cli", Address: "command line",
		Detail: map[string]string{store.AboutAccount: accountID, store.AboutPerson: name, "operator": operator, "why": e.why}}
}
