package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"stagedoor/store"
)

// audit prints the newest events, oldest first, as JSON lines, those of one
// name or support id alone, or verifies that none was altered, deleted or
// reordered.
func audit(ctx context.Context, args, environ []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("audit", flag.ContinueOnError)
	verify := flags.Bool("verify", false, "")
	name := flags.String("name", "", "")
	id := flags.String("id", "", "")
	limit := flags.Int("limit", 100, "")
	_, db, err := openDatabase(ctx, flags, args, environ)
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
	events, err := db.Events(ctx, store.EventFilter{Name: *name, RequestID: supportID(*id), Limit: *limit})
	if err != nil {
		return err
	}
	if *id != "" && len(events) == 0 {
		return fmt.Errorf("the audit has no event under support id %s; the log may: look for it as \"id\" there", supportID(*id))
	}
	out := json.NewEncoder(stdout)
	for _, event := range slices.Backward(events) {
		if err := out.Encode(event); err != nil {
			return err
		}
	}
	return nil
}

// supportID is a support id as it was made, from what somebody heard over the
// telephone: O is 0, I and L are 1 (Crockford's base 32), spaces are none.
func supportID(said string) string {
	return strings.NewReplacer("O", "0", "I", "1", "L", "1", " ", "", "-", "").Replace(strings.ToUpper(said))
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
