package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"stagedoor/testbed"
)

// desktops are guacd, an xrdp with two desktops, and the target list.
type desktops struct {
	guacd       string // its address
	missing     string // why there are none, and how to get them; "" when there are
	targetsFile string
	users       []testbed.UnixUser
	stops       []func() error
}

const promptTarget = "R-CARD M5 Arbetstation"

func startDesktops(ctx context.Context, dir string) (*desktops, error) {
	d := &desktops{guacd: "127.0.0.1:4822", targetsFile: filepath.Join(dir, "targets.yaml")}
	address := "127.0.0.1:3389"
	for _, peer := range []string{"guacd", "xrdp"} {
		if d.missing == "" {
			d.missing = testbed.Missing(peer)
		}
	}
	if d.missing == "" {
		var err error
		if address, err = d.start(ctx); err != nil {
			return nil, errors.Join(err, d.stop())
		}
	}
	if err := d.writeTargets(dir, address); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	return d, nil
}

func (d *desktops) start(ctx context.Context) (xrdpAddress string, err error) {
	guacd, err := testbed.StartGuacd(ctx, testbed.GuacdOptions{})
	if err != nil {
		return "", err
	}
	d.guacd, d.stops = guacd.Address, append(d.stops, guacd.Stop)
	first, second := testbed.NewUnixUser(), testbed.NewUnixUser()
	first.Title, first.Colour = "XXX.MultiAccess01", "#1b4d5c"
	second.Title, second.Colour = "XXX.Stockholm.MultiAccess02", "#2e5e3e"
	d.users = []testbed.UnixUser{first, second}
	xrdp, err := testbed.StartXrdp(ctx, testbed.XrdpOptions{Users: d.users})
	if err != nil {
		return "", err
	}
	d.stops = append(d.stops, xrdp.Stop)
	return xrdp.Address, nil
}

func (d *desktops) stop() error {
	var errs []error
	for i := len(d.stops) - 1; i >= 0; i-- {
		errs = append(errs, d.stops[i]())
	}
	d.stops = nil
	return errors.Join(errs...)
}

// writeTargets writes the list of the portal that this one replaces. The
// certificate of the demo's xrdp is made at start, and so not checked.
func (d *desktops) writeTargets(dir, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	var list strings.Builder
	list.WriteString("# The demo's targets. Save this file and the list changes at once.\ntargets:\n")
	desktop := func(id, name, description, extra string) {
		fmt.Fprintf(&list, "  - id: %s\n    name: %s\n    group: MultiAccess\n    description: %s\n    icon: door\n    host: %s\n    port: %s\n"+
			"    security: tls\n    dangerously_ignore_certificate: true\n    visible_to: [\"AMIDO\\\\MultiAccess\"]\n"+
			"    transfers: {copy: true, paste: true}\n%s", id, name, description, host, port, extra)
	}
	stored := func(i int) (string, error) {
		if d.missing != "" {
			return "    credentials: prompt\n", nil
		}
		file := filepath.Join(dir, fmt.Sprintf("password-%d", i))
		extra := fmt.Sprintf("    credentials: stored\n    username: %s\n    password_file: %s\n", d.users[i].Name, file)
		return extra, os.WriteFile(file, []byte(d.users[i].Password), 0o600)
	}
	for i, name := range []string{"XXX.MultiAccess01", "XXX.Stockholm.MultiAccess02"} {
		extra, err := stored(i)
		if err != nil {
			return err
		}
		desktop(fmt.Sprintf("multiaccess0%d", i+1), name, "Passersystem", extra)
	}
	desktop("rcard-m5", promptTarget, "Frågar efter sin egen inloggning", "    credentials: prompt\n")
	port = "1" // nothing listens there: what a workstation that is switched off looks like
	desktop("multiaccess03", "XXX.Stockholm.MultiAccess03", "Avstängd", "    credentials: prompt\n")
	help := filepath.Join(dir, "R-CARD M5 instruktioner.txt")
	if err := os.WriteFile(help, []byte(instructions), 0o600); err != nil {
		return err
	}
	fmt.Fprintf(&list, "  - id: rcard-m5-help\n    name: R-CARD M5 Arbetstation INSTRUKTIONER OCH HJÄLPVERKTYG\n    group: Instruktioner\n"+
		"    icon: book\n    kind: document\n    file: %q\n    visible_to: everyone\n", help)
	return os.WriteFile(d.targetsFile, []byte(list.String()), 0o600)
}

const instructions = `R-CARD M5 Arbetsstation

1. Välj "R-CARD M5 Arbetstation" i listan.
2. Logga in med användarnamn och lösenord för systemet.
3. Ctrl + Alt + Skift visar verktygen och släpper tangentbordet.
`
