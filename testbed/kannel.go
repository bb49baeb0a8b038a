package testbed

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"text/template"
)

// Kannel is a running SMS gateway (Debian's kannel: bearerbox and smsbox). It
// takes messages over HTTP, hands them to an SMSC over SMPP, and calls dlr-url
// with what became of them.
type Kannel struct {
	URL                string // http://127.0.0.1:port/cgi-bin/sendsms
	Username, Password string

	bearerbox, smsbox *Process
	dir               string
}

var kannelConf = template.Must(template.New("kannel.conf").Parse(`
group = core
admin-port = {{.Admin}}
admin-password = {{.Password}}
smsbox-port = {{.Box}}
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
store-type = spool
store-location = {{.Dir}}/spool
dlr-storage = internal
log-level = 1

group = smsc
smsc = smpp
smsc-id = testbed
host = {{.SMSCHost}}
port = {{.SMSCPort}}
transceiver-mode = true
smsc-username = {{.SystemID}}
smsc-password = {{.SMSCPassword}}
system-type = VMA
source-addr-autodetect = true
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {{.Send}}
sendsms-chars = "0123456789 +-"
global-sender = Backstage
log-level = 1

group = sendsms-user
username = {{.Username}}
password = {{.Password}}
concatenation = true
max-messages = 5

group = sms-service
keyword = default
text = "Nobody reads this."
max-messages = 0
`))

// StartKannel starts it in an empty folder, on free ports, in front of an SMSC.
func StartKannel(ctx context.Context, dir string, smsc *SMSC) (*Kannel, error) {
	k := &Kannel{Username: "stagedoor", Password: rand.Text(), dir: dir}
	if err := k.start(ctx, smsc); err != nil {
		return nil, errors.Join(fmt.Errorf("kannel: %w", err), k.Stop())
	}
	return k, nil
}

func (k *Kannel) start(ctx context.Context, smsc *SMSC) error {
	var ports [3]int
	for i := range ports {
		var err error
		if ports[i], err = FreePort(); err != nil {
			return err
		}
	}
	host, port, err := net.SplitHostPort(smsc.Address)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := kannelConf.Execute(&text, map[string]any{
		"Admin": ports[0], "Box": ports[1], "Send": ports[2], "Dir": k.dir, "Username": k.Username, "Password": k.Password,
		"SMSCHost": host, "SMSCPort": port, "SystemID": smsc.SystemID, "SMSCPassword": smsc.Password,
	}); err != nil {
		return err
	}
	conf := filepath.Join(k.dir, "kannel.conf")
	if err := errors.Join(os.Mkdir(filepath.Join(k.dir, "spool"), 0o700), os.WriteFile(conf, text.Bytes(), 0o600)); err != nil {
		return err
	}
	address := func(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
	if k.bearerbox, err = Start(Command{Path: "bearerbox", Args: []string{conf}, Dir: k.dir}); err != nil {
		return err
	}
	if err := k.bearerbox.WaitReady(ctx, Dialing(address(ports[1]))); err != nil {
		return err
	}
	if k.smsbox, err = Start(Command{Path: "smsbox", Args: []string{conf}, Dir: k.dir}); err != nil {
		return err
	}
	k.URL = "http://" + address(ports[2]) + "/cgi-bin/sendsms"
	if err := k.smsbox.WaitReady(ctx, Dialing(address(ports[2]))); err != nil {
		return err
	}
	// Before that it takes messages, and keeps them.
	_, err = smsc.State(ctx, "sessions=1")
	return err
}

// Output is what both programs have written, for the log of a failed test.
func (k *Kannel) Output() string { return k.bearerbox.Output() + k.smsbox.Output() }

// Stop ends both programs. It may be called again.
func (k *Kannel) Stop() error {
	var errs []error
	for _, process := range []*Process{k.smsbox, k.bearerbox} {
		if process != nil {
			errs = append(errs, process.Stop())
		}
	}
	return errors.Join(errs...)
}
