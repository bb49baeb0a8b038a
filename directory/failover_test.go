package directory_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stagedoor/directory"
	"stagedoor/directory/directorytest"
	"stagedoor/testbed"
)

// These tests run in parallel because they mostly wait.

// patience is the timeout of a network step in these tests: long enough for a
// handshake on a busy machine, short enough to wait for.
const patience = time.Second

func annaOnly() directorytest.Config {
	return directorytest.Config{
		Users:  []directorytest.User{{Name: "anna", Password: goodPassword}},
		Policy: directorytest.Policy{LockoutThreshold: 3},
	}
}

// through is srv's domain, reached by other servers first.
func through(srv *directorytest.Server, first ...string) directory.Domain {
	domain := srv.Domain()
	domain.Servers = append(first, domain.Servers...)
	domain.Timeout = patience
	return domain
}

func startFaulty(t *testing.T, srv *directorytest.Server, fault directorytest.Fault) *directorytest.Faulty {
	t.Helper()
	f, err := srv.StartFaulty(fault)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, f.Stop) })
	return f
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "ldaps://" + l.Addr().String()
}

func TestBrokenServerLeadsToTheNext(t *testing.T) {
	t.Parallel()
	srv := start(t, annaOnly())
	other := start(t, annaOnly()) // its certificate comes from a CA that srv's domain does not trust
	faulty := func(fault directorytest.Fault) string { return startFaulty(t, srv, fault).URL() }
	t.Cleanup(func() {
		if n := other.BadPasswords("svc-stagedoor"); n != 0 {
			t.Errorf("a server with a foreign certificate was sent %d passwords", n)
		}
	})
	for _, c := range []struct{ name, first string }{
		{"closed port", closedPort(t)},
		{"silent", faulty(directorytest.Silent)},
		{"silent StartTLS", strings.Replace(faulty(directorytest.Silent), "ldaps:", "ldap:", 1)},
		{"silent after the handshake", faulty(directorytest.SilentTLS)},
		{"garbage", faulty(directorytest.Garbage)},
		{"flood", faulty(directorytest.Flood)},
		{"foreign certificate", other.URL()},
		{"StartTLS to a TLS port", strings.Replace(srv.URL(), "ldaps:", "ldap:", 1)},
		{"no such host", "ldaps://directory.invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := open(t, through(srv, c.first))
			if _, err := d.Authenticate(limited(t, 10*time.Second), "anna", goodPassword); err != nil {
				t.Errorf("with a good second server: %v", err)
			}
			alone := srv.Domain()
			alone.Servers, alone.Timeout = []string{c.first}, patience
			d = open(t, alone)
			for _, call := range []struct {
				name string
				err  error
			}{
				{"Authenticate", second(d.Authenticate(limited(t, 10*time.Second), "anna", goodPassword))},
				{"Lookup", second(d.Lookup(limited(t, 10*time.Second), "anna"))},
				{"ChangePassword", d.ChangePassword(limited(t, 10*time.Second), "anna", goodPassword, "Vinter-2025")},
				{"GroupExists", second(d.GroupExists(limited(t, 10*time.Second), `AMIDO\Domain Users`))},
				{"Check", d.Check(limited(t, 10*time.Second))[0].Err},
			} {
				if !errors.Is(call.err, directory.ErrUnavailable) || errors.Is(call.err, directory.ErrRefused) {
					t.Errorf("%s alone: %v, want ErrUnavailable", call.name, call.err)
				}
				if strings.Contains(call.err.Error(), goodPassword) {
					t.Errorf("the error of %s holds the password", call.name)
				}
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

func TestCertificateForAnotherHost(t *testing.T) {
	config := annaOnly()
	config.Hosts = []string{"dc1.amido.example"}
	d := open(t, start(t, config).Domain())
	_, err := d.Authenticate(limited(t, 10*time.Second), "anna", goodPassword)
	if !errors.Is(err, directory.ErrUnavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("certificate for another host: %v", err)
	}
}

func TestFailedServerIsPassedOverForAWhile(t *testing.T) {
	t.Parallel()
	srv := start(t, annaOnly())
	silent := startFaulty(t, srv, directorytest.Silent)
	var clock atomic.Int64
	d := open(t, through(srv, silent.URL()))
	began := time.Now()
	d.Now = func() time.Time { return began.Add(time.Duration(clock.Load())) }
	login := func() {
		t.Helper()
		if _, err := d.Authenticate(limited(t, 10*time.Second), "anna", goodPassword); err != nil {
			t.Fatal(err)
		}
	}
	login()
	if n := silent.Accepted(); n != 1 {
		t.Fatalf("the first server was tried %d times, want 1", n)
	}
	login()
	if n := silent.Accepted(); n != 1 {
		t.Errorf("the second login tried the silent server again")
	}
	clock.Store(int64(11 * time.Second))
	login()
	if n := silent.Accepted(); n != 2 {
		t.Errorf("after 11 s the first server has been tried %d times, want 2", n)
	}
}

func TestAllServersDownCostOneTimeout(t *testing.T) {
	t.Parallel()
	srv := start(t, annaOnly())
	domain := srv.Domain()
	a, b := startFaulty(t, srv, directorytest.Silent), startFaulty(t, srv, directorytest.Silent)
	domain.Servers, domain.Timeout = []string{a.URL(), b.URL()}, patience
	d := open(t, domain)
	for range 3 {
		if _, err := d.Lookup(limited(t, 10*time.Second), "anna"); !errors.Is(err, directory.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if tries := a.Accepted() + b.Accepted(); tries != 4 { // both, then one each time
		t.Errorf("3 calls to two dead servers made %d tries, want 4", tries)
	}
}

func TestWrongPasswordIsNotTriedOnAnotherServer(t *testing.T) {
	first, next := start(t, annaOnly()), start(t, annaOnly())
	domain := first.Domain()
	both, err := os.ReadFile(domain.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	more, err := os.ReadFile(next.Domain().CAFile)
	if err != nil {
		t.Fatal(err)
	}
	domain.CAFile = t.TempDir() + "/both.pem"
	if err := os.WriteFile(domain.CAFile, append(both, more...), 0o600); err != nil {
		t.Fatal(err)
	}
	domain.Servers = append(domain.Servers, next.URL())
	d := open(t, domain)
	_, err = d.Authenticate(limited(t, 10*time.Second), "anna", "wrong")
	if outcome(err) != "refused: wrong-password" {
		t.Fatal(err)
	}
	if a, b := first.BadPasswords("anna"), next.BadPasswords("anna"); a != 1 || b != 0 {
		t.Errorf("wrong passwords counted: %d and %d, want 1 and 0", a, b)
	}
}

func TestRefusedServiceAccountIsNotHammered(t *testing.T) {
	srv := start(t, annaOnly())
	domain := srv.Domain()
	domain.BindPassword = "not that"
	d := open(t, domain)
	for range 5 {
		_, err := d.Authenticate(limited(t, 10*time.Second), "anna", goodPassword)
		if !errors.Is(err, directory.ErrUnavailable) || errors.Is(err, directory.ErrRefused) {
			t.Fatalf("service account refused: %v, want ErrUnavailable", err)
		}
		if strings.Contains(err.Error(), domain.BindPassword) {
			t.Error("the error holds the service account's password")
		}
	}
	if n := srv.BadPasswords("svc-stagedoor"); n != 1 {
		t.Errorf("5 logins tried the wrong service password %d times, want 1", n)
	}
}

func TestIdleConnectionsMayDie(t *testing.T) {
	srv := start(t, annaOnly())
	d := open(t, srv.Domain())
	for range 3 {
		if _, err := d.Authenticate(limited(t, 10*time.Second), "anna", goodPassword); err != nil {
			t.Fatal(err)
		}
		srv.CloseConnections()
	}
}

func TestCancelledCallReturns(t *testing.T) {
	srv := start(t, annaOnly())
	silent := startFaulty(t, srv, directorytest.SilentTLS)
	domain := srv.Domain()
	domain.Servers, domain.Timeout = []string{silent.URL()}, time.Minute
	d := open(t, domain)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- second(d.Authenticate(ctx, "anna", goodPassword)) }()
	select {
	case <-silent.Arrivals():
	case <-time.After(10 * time.Second):
		t.Fatal("the server is never asked")
	}
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, directory.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a cancelled call goes on")
	}
}

func TestServerThatHangsMidway(t *testing.T) {
	t.Parallel()
	srv := start(t, annaOnly())
	domain := srv.Domain()
	domain.Timeout = patience
	d := open(t, domain)
	ctx := limited(t, 20*time.Second)
	if _, err := d.Lookup(ctx, "anna"); err != nil { // leaves an idle connection
		t.Fatal(err)
	}
	resume := srv.Hang()
	if _, err := d.Lookup(ctx, "anna"); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("while it hangs: %v, want ErrUnavailable", err)
	}
	resume()
	if _, err := d.Lookup(ctx, "anna"); err != nil {
		t.Errorf("after it hung: %v", err)
	}
}

// TestStartTLSOrNothing: where StartTLS is refused, nothing else is sent.
func TestStartTLSOrNothing(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string][]byte{
		"refused":              {0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07, 0x0a, 0x01, 0x02, 0x04, 0x00, 0x04, 0x00},
		"accepted without TLS": append([]byte{0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00}, "plain text"...),
		"not LDAP":             []byte("220 mail.example ESMTP\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			sent := make(chan []byte, 1)
			go func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				request := make([]byte, 1024)
				n, _ := c.Read(request)
				_, _ = c.Write(answer)
				rest, _ := io.ReadAll(c)
				sent <- append(request[:n], rest...)
			}()
			d := open(t, directory.Domain{
				Name: "AMIDO", Servers: []string{"ldap://" + l.Addr().String()}, Timeout: patience,
				BindDN: "cn=svc-stagedoor,dc=amido,dc=example", BindPassword: "service-secret",
			})
			_, err = d.Authenticate(limited(t, 10*time.Second), "anna", goodPassword)
			if !errors.Is(err, directory.ErrUnavailable) {
				t.Errorf("Authenticate: %v, want ErrUnavailable", err)
			}
			select {
			case all := <-sent:
				if strings.Contains(string(all), "service-secret") || strings.Contains(string(all), "svc-stagedoor") {
					t.Error("the service account was sent in clear")
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the connection stays open")
			}
		})
	}
}

func TestManyAtOnce(t *testing.T) {
	srv := start(t, annaOnly())
	d := open(t, srv.Domain())
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			password, want := goodPassword, "ok"
			if i%20 == 19 {
				password, want = "", "refused: empty-password"
			}
			if got := outcome(second(d.Authenticate(limited(t, 30*time.Second), "anna", password))); got != want {
				t.Errorf("login %d: %s, want %s", i, got, want)
			}
		})
	}
	all.Wait()
}

func TestSambaFailover(t *testing.T) {
	t.Parallel()
	testbed.Need(t, "samba")
	s := testbed.DirectorySeed{Users: []testbed.DirectoryUser{{Name: "anna", Password: goodPassword}}}
	first, err := testbed.StartSamba(limited(t, time.Minute), testbed.SambaOptions{Dir: t.TempDir(), CA: newCA(t), Seed: s})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, first.Stop) })
	next, err := first.StartSecond(limited(t, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, next.Stop) })
	domain := asDomain(first.DirectoryServer)
	domain.Servers = []string{first.StartTLSURL, next.URL}
	d := open(t, domain)
	if _, err := d.Authenticate(limited(t, 10*time.Second), "anna", goodPassword); err != nil {
		t.Fatalf("StartTLS to the first controller: %v", err)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Authenticate(limited(t, 10*time.Second), "anna", goodPassword); err != nil {
		t.Errorf("with the first controller stopped: %v", err)
	}
	health := d.Check(limited(t, 10*time.Second))
	if !errors.Is(health[0].Err, directory.ErrUnavailable) || health[1].Err != nil {
		t.Errorf("Check: %+v, want the first unavailable and the second well", health)
	}
}
