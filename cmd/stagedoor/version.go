package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// release is set by the build: -ldflags "-X main.release=1.2.3".
var release = "devel"

func version(_ context.Context, args, _ []string, stdout io.Writer) error {
	if len(args) > 0 {
		return usageOf("version", "nothing may follow")
	}
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				revision = " " + s.Value[:12]
			}
		}
	}
	_, err := fmt.Fprintf(stdout, "stagedoor %s%s %s %s/%s\n", release, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
