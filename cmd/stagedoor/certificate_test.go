package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"stagedoor/testbed"
)

// pair puts a fresh certificate for a host into the same two files.
func pair(t *testing.T, ca *testbed.CA, host, cert, key string, changed time.Time) {
	t.Helper()
	issued, err := ca.Issue("portal", host)
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{issued.CertFile: cert, issued.KeyFile: key} {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(cert, changed, changed); err != nil {
		t.Fatal(err)
	}
}

func hostOf(t *testing.T, certificate *tls.Certificate) string {
	t.Helper()
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf.DNSNames[0]
}

// A renewed certificate is taken up without a restart, a broken one is not.
func TestCertificateRenewal(t *testing.T) {
	dir := t.TempDir()
	ca, err := testbed.NewCA(dir)
	if err != nil {
		t.Fatal(err)
	}
	cert, key, start := filepath.Join(dir, "a.crt"), filepath.Join(dir, "a.key"), time.Now().Add(-time.Hour)
	pair(t, ca, "old.example", cert, key, start)
	c, err := openCertificate(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	look := func(want string) {
		t.Helper()
		c.looked = time.Time{} // ten seconds have passed
		current, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := hostOf(t, current); got != want {
			t.Errorf("presents %s, want %s", got, want)
		}
	}
	look("old.example")
	pair(t, ca, "new.example", cert, key, start.Add(time.Minute))
	look("new.example")
	if err := os.WriteFile(cert, []byte("half a cert"), 0o600); err != nil {
		t.Fatal(err)
	}
	look("new.example")
	if _, err := openCertificate(cert, key); err == nil {
		t.Error("a broken pair was opened")
	}
}
