package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"text/template"
	"time"
)

// Exim is a running mail server of Debian. It takes mail with STARTTLS for
// @stage.example, and refuses the rest.
type Exim struct {
	Address string // host:port

	process *Process
	dir     string
}

// eximConf: exim gives up being root for the spool and each delivery, so the
// folders belong to nobody.
var eximConf = template.Must(template.New("exim.conf").Parse(`
exim_user = nobody
exim_group = nogroup
spool_directory = {{.Dir}}/spool
log_file_path = {{.Dir}}/%slog
primary_hostname = mail.stage.example
daemon_smtp_ports = {{.Port}}
local_interfaces = 127.0.0.1
domainlist local_domains = stage.example
tls_advertise_hosts = *
tls_certificate = {{.Cert.CertFile}}
tls_privatekey = {{.Cert.KeyFile}}
acl_smtp_rcpt = rcpt
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
begin acl
rcpt:
  deny message = TLS first
    !encrypted = *
  defer message = $local_part is greylisted, try again
    local_parts = later
  deny message = no such user: $local_part
    local_parts = nobody
  accept domains = +local_domains
  deny message = relay not permitted
begin routers
all:
  driver = accept
  domains = +local_domains
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {{.Dir}}/mail
  maildir_format
  user = nobody
  group = nogroup
`))

// StartExim starts it on a free port of loopback. Its folder is its own: the
// user nobody must reach it, and a test's folders are their owner's alone.
func StartExim(ctx context.Context, certificate Certificate) (*Exim, error) {
	dir, err := os.MkdirTemp("", "stagedoor-exim-")
	if err != nil {
		return nil, fmt.Errorf("exim: %w", err)
	}
	e := &Exim{dir: dir}
	if err := e.start(ctx, certificate); err != nil {
		return nil, errors.Join(fmt.Errorf("exim: %w", err), e.Stop())
	}
	return e, nil
}

func (e *Exim) start(ctx context.Context, certificate Certificate) error {
	port, err := FreePort()
	if err != nil {
		return err
	}
	e.Address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if certificate, err = e.prepare(certificate); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := eximConf.Execute(&text, map[string]any{"Dir": e.dir, "Port": port, "Cert": certificate}); err != nil {
		return err
	}
	conf := filepath.Join(e.dir, "exim.conf")
	if err := os.WriteFile(conf, text.Bytes(), 0o644); err != nil {
		return err
	}
	if e.process, err = Start(Command{Path: "exim4", Args: []string{"-C", conf, "-bdf", "-q1h"}}); err != nil {
		return err
	}
	return e.process.WaitReady(ctx, Dialing(e.Address))
}

// prepare makes what the user nobody writes and reads.
func (e *Exim) prepare(certificate Certificate) (Certificate, error) {
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return Certificate{}, err
	}
	uid, err := strconv.Atoi(nobody.Uid)
	if err != nil {
		return Certificate{}, err
	}
	gid, err := strconv.Atoi(nobody.Gid)
	if err != nil {
		return Certificate{}, err
	}
	own := Certificate{CertFile: filepath.Join(e.dir, "exim.pem"), KeyFile: filepath.Join(e.dir, "exim.key")}
	for from, to := range map[string]string{certificate.CertFile: own.CertFile, certificate.KeyFile: own.KeyFile} {
		data, err := os.ReadFile(from)
		if err != nil {
			return Certificate{}, err
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			return Certificate{}, err
		}
		if err := os.Chown(to, uid, gid); err != nil {
			return Certificate{}, err
		}
	}
	for _, folder := range []string{"spool", "mail"} {
		path := filepath.Join(e.dir, folder)
		if err := os.Mkdir(path, 0o755); err != nil {
			return Certificate{}, err
		}
		if err := os.Chown(path, uid, gid); err != nil {
			return Certificate{}, err
		}
	}
	return own, os.Chown(e.dir, uid, gid) // for its logs
}

// Stop ends the server and removes its mail. It may be called again.
func (e *Exim) Stop() error {
	var err error
	if e.process != nil {
		err = e.process.Stop()
	}
	return errors.Join(err, os.RemoveAll(e.dir))
}

// WaitMail waits for the mail that has been delivered, and reads it: there must
// not be more than one.
func (e *Exim) WaitMail(ctx context.Context) (ReceivedMail, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		files, err := filepath.Glob(filepath.Join(e.dir, "mail/new/*"))
		switch {
		case err != nil:
			return ReceivedMail{}, err
		case len(files) > 1:
			return ReceivedMail{}, fmt.Errorf("exim: %d mails", len(files))
		case len(files) == 1:
			raw, err := os.ReadFile(files[0])
			if err != nil {
				return ReceivedMail{}, err
			}
			return ReadMail(raw)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ReceivedMail{}, fmt.Errorf("wait for a mail: %w\n%s", ctx.Err(), e.log())
		}
	}
}

func (e *Exim) log() string {
	var text []byte
	for _, name := range []string{"mainlog", "rejectlog", "paniclog"} {
		if data, err := os.ReadFile(filepath.Join(e.dir, name)); err == nil {
			text = append(text, data...)
		}
	}
	return string(text)
}
