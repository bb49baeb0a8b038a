package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// release is set by the build: -ldflags "-X main.release=1.2.3".
var release = "devel"

func version(stdout io.Writer) error {
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
