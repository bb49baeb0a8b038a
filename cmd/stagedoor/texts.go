package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"stagedoor/webroot"
)

// texts lists every text of the pages with its key, for portal.texts.
func texts(_ context.Context, args, _ []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("texts", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	language := flags.String("language", "sv", "")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return usageOf("texts", "only --language LANGUAGE may follow")
	}
	ours, err := webroot.OurTexts(*language)
	if err != nil {
		return err
	}
	for _, text := range ours {
		if _, err := fmt.Fprintf(stdout, "%s: %s\n", text.Key, text.Text); err != nil {
			return err
		}
	}
	return nil
}
