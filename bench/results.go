package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// results are what a run found. Null is: not measured.
type results struct {
	Machine  machine            `json:"machine"`
	Versions map[string]*string `json:"versions"` // of the peers and what runs them; null: not installed
	*tunnelResults
	Portal *portalResults `json:"portal"`
}

// save writes the results, whole or not at all.
func (r results) save(path string) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// table prints the results for people.
func (r results) table(out io.Writer) error {
	fmt.Fprintf(out, "%s, %d cores, %s, %s, load %.1f at the start, 4 KiB synced in %.2g ms\n\n",
		r.Machine.CPU, r.Machine.Cores, r.Machine.Go, r.Machine.Kernel, r.Machine.Load, r.Machine.SyncMS)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if r.Portal != nil {
		r.Portal.rows(t)
	}
	if r.tunnelResults != nil {
		r.tunnelResults.rows(t)
	}
	return t.Flush()
}

func row(out io.Writer, name string, values ...any) {
	fmt.Fprint(out, name)
	for _, value := range values {
		fmt.Fprint(out, "\t", text(value))
	}
	fmt.Fprintln(out)
}

// text is a value as the table shows it: a figure with its range, a dash for
// what was not measured.
func text(value any) string {
	switch v := value.(type) {
	case figure:
		return fmt.Sprintf("%.4g (%.3g-%.3g)", v.Median, v.Least, v.Most)
	case *figure:
		if v != nil {
			return text(*v)
		}
	case *float64:
		if v != nil {
			return fmt.Sprintf("%.4g", *v)
		}
	default:
		return fmt.Sprint(v)
	}
	return "-"
}

func (p *portalResults) rows(out io.Writer) {
	row(out, "LOGIN", "logins/s", "binds/s", "ratio", "ms p50", "ms p99", "CPU ms/login", "CPU ms/bind", "beyond", "directory's ms/login")
	for _, name := range []string{"directorytest", "samba"} {
		if l := p.Logins[name]; l == nil {
			row(out, name, "-", "-", "-", "-", "-", "-", "-", "-", "-")
		} else {
			row(out, name, l.Logins, l.Binds, l.Ratio, l.LoginP50, l.LoginP99, l.PortalCPU, l.BindCPU, l.BeyondBind, l.DirectoryCPU)
		}
	}
	fmt.Fprintln(out)
	row(out, "PAGE", "pages/s", "render ms p50", "p99", "CPU ms/page", "bytes")
	for _, page := range []struct {
		name   string
		result *pageResult
	}{{"list, 500 targets", p.Targets}, {"login page", p.Login}} {
		if l := page.result; l == nil {
			row(out, page.name, "-", "-", "-", "-", "-")
		} else {
			row(out, page.name, l.Pages, l.RenderP50, l.RenderP99, l.CPU, l.Bytes)
		}
	}
	row(out, "nobody there", "CPU ms a second:", p.Idle)
	fmt.Fprintln(out)
}

// shown is a number with its range, where it was measured more than once.
func (t *tunnelResults) shown(name, key string) any {
	if spread, ok := t.Spread[name][key]; ok {
		return spread
	}
	if name == "direct" {
		return t.Direct[key]
	}
	return t.Relays[name][key]
}

func (t *tunnelResults) rows(out io.Writer) {
	keys := relayKeys()
	for some := range slices.Chunk(keys, 4) {
		if !t.measured(some) {
			continue // -part
		}
		fmt.Fprintln(out, "RELAY\t"+strings.Join(some, "\t"))
		for _, each := range append(relays(), relay{name: "direct"}) {
			var values []any
			for _, key := range some {
				values = append(values, t.shown(each.name, key))
			}
			row(out, each.name, values...)
		}
		fmt.Fprintln(out)
	}
	for _, key := range crowdKeys() {
		row(out, "stagedoor "+key, t.shown("stagedoor", key))
	}
	row(out, "mixed is: "+t.Mixed)
	fmt.Fprintln(out)
	t.verdicts(out)
}

// measured says whether there is any number under the keys.
func (t *tunnelResults) measured(keys []string) bool {
	for _, each := range relays() {
		for _, key := range keys {
			if t.Relays[each.name][key] != nil {
				return true
			}
		}
	}
	return false
}

func (t *tunnelResults) verdicts(out io.Writer) {
	row(out, "TARGET", "measured", "limit", "verdict")
	for _, each := range t.Targets {
		limit := "at most "
		if each.AtLeast {
			limit = "at least "
		}
		row(out, each.Name, each.Measured, limit+fmt.Sprint(each.Limit), each.Verdict)
	}
	for _, what := range slices.Sorted(maps.Keys(t.Why)) {
		fmt.Fprintf(out, "not measured: %s: %s\n", what, t.Why[what])
	}
}
