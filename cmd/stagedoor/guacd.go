package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"stagedoor/store"
)

// guacd says how each guacd is. With --drain one gets no new desktops from any
// node, so that it can be stopped once those that it has are over
// (stagedoor_guacd_connections of each node's metrics counts them).
func guacd(ctx context.Context, args, environ []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("guacd", flag.ContinueOnError)
	drain := flags.String("drain", "", "")
	undrain := flags.String("undrain", "", "")
	config, db, err := openDatabase(ctx, flags, args, environ)
	if err != nil {
		return err
	}
	defer db.Close()
	if *drain != "" && *undrain != "" {
		return usageOf("guacd", "--drain and --undrain are one or the other")
	}
	if *drain != "" {
		err = setDrain(ctx, config, db, "guacd-drain", *drain, db.Drain)
	}
	if *undrain != "" {
		err = setDrain(ctx, config, db, "guacd-undrain", *undrain, db.Undrain)
	}
	if err != nil {
		return err
	}
	return tellGuacds(ctx, config, db, stdout)
}

// setDrain audits and does what an operator decides about a guacd.
func setDrain(ctx context.Context, config Config, db *store.Store, kind, address string, set func(context.Context, string) error) error {
	var addresses []string
	for _, g := range config.Guacd {
		addresses = append(addresses, g.Address)
	}
	if !slices.Contains(addresses, address) {
		return fmt.Errorf("guacd: %s is not in the configuration, which has %s", address, strings.Join(addresses, ", "))
	}
	if _, err := db.AppendEvent(ctx, store.Event{Kind: kind, Result: "ok", Target: address, Name: operator(), Address: cliAddress}); err != nil {
		return err
	}
	return set(ctx, address)
}

func tellGuacds(ctx context.Context, config Config, db *store.Store, stdout io.Writer) error {
	drains, err := db.Drains(ctx)
	if err != nil {
		return err
	}
	guacds, err := config.guacds()
	if err != nil {
		return err
	}
	for _, g := range guacds {
		state := "answers"
		if err := g.Probe(ctx); err != nil {
			state = err.Error()
		}
		if slices.Contains(drains, g.Address) {
			state = "gets no new desktops; " + state
		}
		if _, err := fmt.Fprintf(stdout, "%s  %s\n", g.Address, state); err != nil {
			return err
		}
	}
	return nil
}
