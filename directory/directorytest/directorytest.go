// Package directorytest is a directory of its own for tests and the demo: an
// LDAP server inside the process, over LDAPS on loopback, that answers as Active
// Directory does as far as package directory asks.
//
//	srv, err := directorytest.Start(directorytest.Config{
//		Domain: "AMIDO", Suffix: "amido.example",
//		Users: []directorytest.User{{Name: "anna", Password: "Sommar-2024", Expired: true}},
//	})
//	d, err := directory.Open([]directory.Domain{srv.Domain()})
//
// One contract test runs against it, Samba and slapd, so that it cannot drift
// from the real ones. Passwords are kept in clear: never put real ones in.
package directorytest

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jimlambrt/gldap"

	"stagedoor/directory"
)

// Config is what the directory holds.
type Config struct {
	Domain string // NetBIOS name; "" is AMIDO
	Suffix string // DNS name; "" is amido.example
	Users  []User
	Groups []Group // those that only users name need not stand here
	Policy Policy
	// Hosts that the certificate names; nil is localhost and 127.0.0.1.
	Hosts []string
	// Windows makes it answer as Windows Server does where Samba differs: 525
	// for unknown accounts, and no word about which rule a password breaks.
	Windows bool
	// Hardened hides tokenGroups from the service account.
	Hardened bool
	// MayUnlock lets the service account write lockoutTime.
	MayUnlock bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// User is an account. Its password is not checked against the policy.
type User struct {
	Name          string // sAMAccountName
	PrincipalName string // userPrincipalName; "" is Name@Suffix
	Password      string
	DisplayName   string
	Mail          string
	Mobile        string
	Telephone     string   // telephoneNumber
	Groups        []string // direct ones, by name

	MustChange     bool // at the next logon
	Expired        bool // the password
	Disabled       bool
	Locked         bool
	AccountExpired bool
	NoLogonHours   bool // no hour of the week is allowed
	CannotChange   bool // its own password
}

// Group is a group.
type Group struct {
	Name   string
	Groups []string // groups that it is a direct member of
}

// Policy is the password policy. Zero is: no such rule.
type Policy struct {
	MinLength        int
	History          int
	Complexity       bool
	MinAge           time.Duration
	MaxAge           time.Duration
	LockoutThreshold int // a lock lasts until Update or the service account takes it away
}

// Server is a running directory.
type Server struct {
	config   Config
	identity identity
	service  User
	gldap    *gldap.Server
	address  string
	dir      string // holds the CA's certificate
	stopped  chan struct{}
	stopOnce sync.Once
	stopErr  error
	ran      chan error

	mu       sync.Mutex
	accounts []*account
	groups   []*group
	conns    map[net.Conn]bool
	bound    map[int]bool // by gldap's connection id: somebody is bound
	hung     chan struct{}
	changed  func() // see OnPasswordChange
}

// Start starts a server on a free port of 127.0.0.1.
func Start(config Config) (*Server, error) {
	if config.Domain == "" {
		config.Domain = "AMIDO"
	}
	if config.Suffix == "" {
		config.Suffix = "amido.example"
	}
	if config.Hosts == nil {
		config.Hosts = []string{"localhost", "127.0.0.1"}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	id, err := newIdentity(config.Hosts)
	if err != nil {
		return nil, fmt.Errorf("directorytest: %w", err)
	}
	s := &Server{
		config: config, identity: id, stopped: make(chan struct{}), ran: make(chan error, 1),
		service: User{Name: "svc-stagedoor", Password: rand.Text()},
		conns:   map[net.Conn]bool{}, bound: map[int]bool{},
	}
	if err := s.fill(); err != nil {
		return nil, fmt.Errorf("directorytest: %w", err)
	}
	if s.dir, err = os.MkdirTemp("", "directorytest-"); err != nil {
		return nil, fmt.Errorf("directorytest: %w", err)
	}
	_, err = s.CAFile(s.dir)
	if err == nil {
		err = s.listen()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("directorytest: %w", err), os.RemoveAll(s.dir))
	}
	return s, nil
}

// addressSink hears from gldap's log which port it got: gldap says it nowhere else.
type addressSink struct{ heard chan string }

func (a addressSink) Accept(_ string, _ hclog.Level, message string, pairs ...any) {
	for i := 0; message == "listening" && i+1 < len(pairs); i += 2 {
		if address, ok := pairs[i+1].(net.Addr); ok && pairs[i] == "addr" {
			a.heard <- address.String()
		}
	}
}

func (s *Server) listen() error {
	// Never at debug level: there gldap writes packets, with the passwords in them.
	logger := hclog.NewInterceptLogger(&hclog.LoggerOptions{Level: hclog.Info, Output: io.Discard})
	sink := addressSink{heard: make(chan string, 1)}
	logger.RegisterSink(sink)
	var err error
	if s.gldap, err = gldap.NewServer(gldap.WithLogger(logger), gldap.WithOnClose(s.forget)); err != nil {
		return err
	}
	mux, err := gldap.NewMux()
	if err != nil {
		return err
	}
	err = errors.Join(mux.Bind(s.waiting(s.onBind)), mux.Search(s.waiting(s.onSearch)), mux.Modify(s.waiting(s.onModify)), s.gldap.Router(mux))
	if err != nil {
		return err
	}
	secured := &tls.Config{
		MinVersion: tls.VersionTLS12,
		// The only place where gldap shows a connection. Stop closes them: gldap waits for the client.
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			s.remember(hello.Conn)
			return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{s.identity.server}}, nil
		},
		Certificates: []tls.Certificate{s.identity.server},
	}
	go func() { s.ran <- s.gldap.Run("127.0.0.1:0", gldap.WithTLSConfig(secured)) }()
	select {
	case s.address = <-sink.heard:
		return nil
	case err := <-s.ran:
		return fmt.Errorf("listen: %w", err)
	case <-time.After(5 * time.Second):
		return errors.New("listen: gldap does not say on which port")
	}
}

// remember keeps a connection for Stop, and forgets those that are closed.
func (s *Server) remember(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for old := range s.conns {
		if old.SetWriteDeadline(time.Time{}) != nil {
			delete(s.conns, old)
		}
	}
	s.conns[c] = true
}

func (s *Server) forget(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.bound, id)
}

// Stop ends the server and its connections. It may be called again.
func (s *Server) Stop() error {
	s.stopOnce.Do(func() {
		close(s.stopped)
		s.CloseConnections()
		ended := make(chan error, 1)
		go func() { ended <- s.gldap.Stop() }()
		select {
		case s.stopErr = <-ended:
		case <-time.After(2 * time.Second):
			s.stopErr = errors.New("directorytest: a connection does not end")
		}
		s.stopErr = errors.Join(s.stopErr, os.RemoveAll(s.dir))
	})
	return s.stopErr
}

// CloseConnections ends all connections and goes on listening, as a server
// does whose idle timeout has passed.
func (s *Server) CloseConnections() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
		delete(s.conns, c)
	}
}

// Hang makes the server accept everything and answer nothing, until resume.
func (s *Server) Hang() (resume func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hung := make(chan struct{})
	s.hung = hung
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hung = nil
		close(hung)
	})
}

// waiting lets a request wait while the server hangs.
func (s *Server) waiting(handle gldap.HandlerFunc) gldap.HandlerFunc {
	return func(w *gldap.ResponseWriter, r *gldap.Request) {
		s.mu.Lock()
		hung := s.hung
		s.mu.Unlock()
		if hung != nil {
			select {
			case <-hung:
			case <-s.stopped:
				return
			}
		}
		handle(w, r)
	}
}

// URL is ldaps://127.0.0.1:PORT.
func (s *Server) URL() string { return "ldaps://" + s.address }

// CAFile writes the CA that has issued the server's certificate into dir, for
// programs that outlive the server; Domain has a file of its own.
func (s *Server) CAFile(dir string) (string, error) {
	file := s.caFile(dir)
	return file, os.WriteFile(file, s.identity.caPEM, 0o600)
}

func (s *Server) caFile(dir string) string { return filepath.Join(dir, "directorytest-ca.pem") }

// Domain is the configuration of this directory, ready for directory.Open.
func (s *Server) Domain() directory.Domain {
	return directory.Domain{
		Name: s.config.Domain, Suffixes: []string{s.config.Suffix}, Servers: []string{s.URL()}, CAFile: s.caFile(s.dir),
		BindDN: s.userDN(s.service.Name), BindPassword: s.service.Password,
	}
}
