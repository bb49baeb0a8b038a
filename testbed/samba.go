package testbed

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"text/template"
)

//go:embed samba_tool.py
var sambaTool []byte

//go:embed samba_seed.py
var sambaSeed []byte

// Debian's Samba has its Python modules for this interpreter only.
const sambaPython = "/usr/bin/python3"

// SambaOptions says what domain controller to start. It is DC1 of the domain
// AMIDO (amido.example). Its ports are fixed, so it takes an address of its own.
type SambaOptions struct {
	Dir  string // an empty folder
	CA   *CA    // issues its certificate
	IP   string // "" is 127.0.0.10
	Seed DirectorySeed
}

// Samba is a running Samba AD domain controller that speaks LDAP only.
type Samba struct {
	DirectoryServer

	process *Process
	options SambaOptions
}

// StartSamba provisions a domain, fills it and starts its controller; about 5 s.
func StartSamba(ctx context.Context, o SambaOptions) (*Samba, error) {
	if o.IP == "" {
		o.IP = "127.0.0.10"
	}
	s := &Samba{options: o}
	s.DirectoryServer = DirectoryServer{
		Domain: "AMIDO", Suffix: "amido.example", CAFile: o.CA.File,
		BaseDN: "DC=amido,DC=example", BindDN: "CN=svc-stagedoor,CN=Users,DC=amido,DC=example", BindPassword: rand.Text(),
	}
	if err := s.provision(ctx); err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	if err := s.fill(ctx); err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	if err := s.start(ctx, "dc1", o.IP); err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	return s, nil
}

// StartSecond starts another controller on the same database, for failover.
func (s *Samba) StartSecond(ctx context.Context, ip string) (*Samba, error) {
	second := &Samba{DirectoryServer: s.DirectoryServer, options: s.options}
	if err := second.start(ctx, "dc2", ip); err != nil {
		return nil, fmt.Errorf("second samba: %w", err)
	}
	return second, nil
}

// Stop ends the controller. It may be called again.
func (s *Samba) Stop() error { return s.process.Stop() }

// Output is what the controller has written, for the log of a failed test.
func (s *Samba) Output() string { return s.process.Output() }

func (s *Samba) provision(ctx context.Context) error {
	dir := s.options.Dir
	tool, empty := filepath.Join(dir, "samba_tool.py"), filepath.Join(dir, "empty.conf")
	err := errors.Join(
		os.WriteFile(tool, sambaTool, 0o600),
		os.WriteFile(filepath.Join(dir, "samba_seed.py"), sambaSeed, 0o600),
		os.WriteFile(empty, []byte("[global]\n"), 0o600), // else /etc/samba/smb.conf leaks in
	)
	if err != nil {
		return err
	}
	// No --adminpass: provisioning makes up an administrator's password, and nobody needs it.
	_, err = Run(ctx, Command{Path: sambaPython, Args: []string{
		tool, "domain", "provision", "-s", empty, "--targetdir=" + dir,
		"--realm=AMIDO.EXAMPLE", "--domain=AMIDO", "--server-role=dc", "--host-name=dc1", "--host-ip=" + s.options.IP,
		"--dns-backend=NONE", "--quiet",
	}})
	return err
}

func (s *Samba) fill(ctx context.Context) error {
	seed := s.options.Seed
	seed.Users = append(slices.Clone(seed.Users), DirectoryUser{Name: "svc-stagedoor", Password: s.BindPassword})
	text, err := json.Marshal(seed)
	if err != nil {
		return err
	}
	conf, err := s.configure("dc1", s.options.IP)
	if err != nil {
		return err
	}
	dir := s.options.Dir
	_, err = Run(ctx, Command{Path: sambaPython, In: bytes.NewReader(text), Args: []string{
		filepath.Join(dir, "samba_seed.py"), conf, filepath.Join(dir, "private", "sam.ldb"),
	}})
	return err
}

var sambaConf = template.Must(template.New("smb.conf").Parse(`[global]
  netbios name = DC1
  realm = AMIDO.EXAMPLE
  workgroup = AMIDO
  server role = active directory domain controller
  server services = ldap
  interfaces = {{.IP}}/8
  bind interfaces only = yes
  private dir = {{.Dir}}/private
  state directory = {{.Dir}}/state
  cache directory = {{.Own}}/cache
  lock directory = {{.Own}}/lock
  pid directory = {{.Own}}/run
  ncalrpc dir = {{.Own}}/ncalrpc
  binddns dir = {{.Own}}/bind-dns
  ntp signd socket directory = {{.Own}}/ntp_signd
  winbindd socket directory = {{.Own}}/winbindd
  log file = {{.Own}}/log.%m
  disable netbios = yes
  old password allowed period = 0
  tls enabled = yes
  tls keyfile = {{.Cert.KeyFile}}
  tls certfile = {{.Cert.CertFile}}
  tls cafile = {{.CAFile}}
  ldap server require strong auth = yes
`))

// configure writes the smb.conf of one controller, with a certificate and with
// folders of its own beside the shared database.
func (s *Samba) configure(name, ip string) (file string, err error) {
	own := filepath.Join(s.options.Dir, name)
	for dir, mode := range map[string]os.FileMode{
		"cache": 0o755, "lock": 0o755, "run": 0o755, "ncalrpc": 0o755, "bind-dns": 0o755,
		"ntp_signd": 0o750, "winbindd": 0o755, // Samba insists on these two
	} {
		if err := os.MkdirAll(filepath.Join(own, dir), mode); err != nil {
			return "", err
		}
	}
	cert, err := s.options.CA.Issue(name, name+".amido.example", ip)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	err = sambaConf.Execute(&text, struct {
		Dir, Own, IP, CAFile string
		Cert                 Certificate
	}{s.options.Dir, own, ip, s.options.CA.File, cert})
	if err != nil {
		return "", err
	}
	file = filepath.Join(own, "smb.conf")
	return file, os.WriteFile(file, text.Bytes(), 0o600)
}

func (s *Samba) start(ctx context.Context, name, ip string) error {
	s.URL, s.StartTLSURL = "ldaps://"+net.JoinHostPort(ip, "636"), "ldap://"+net.JoinHostPort(ip, "389")
	if conn, err := net.Dial("tcp", net.JoinHostPort(ip, "636")); err == nil {
		_ = conn.Close()
		return fmt.Errorf("port 636 of %s is taken; Samba's LDAP ports cannot be moved", ip)
	}
	conf, err := s.configure(name, ip)
	if err != nil {
		return err
	}
	// With -i it ends when standard input closes, so it cannot outlive us.
	s.process, err = Start(Command{
		Path: "samba", Args: []string{"-i", "--no-process-group", "--debug-stdout", "-M", "single", "-s", conf},
		StopsAtEOF: true,
	})
	if err != nil {
		return err
	}
	if err := s.process.WaitReady(ctx, Dialing(net.JoinHostPort(ip, "636"))); err != nil {
		return errors.Join(err, s.process.Stop())
	}
	return nil
}
