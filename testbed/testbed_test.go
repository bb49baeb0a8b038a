package testbed

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestFreePort(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		port, err := FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] || port < 1024 {
			t.Fatalf("port %d twice, or too low", port)
		}
		seen[port] = true
	}
}

func TestCA(t *testing.T) {
	ca, err := NewCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		notAfter time.Time
		host     string
		want     string // part of the error
	}{
		"DNS name":   {host: "dc1.amido.example"},
		"IP address": {host: "127.0.0.10"},
		"other name": {host: "dc2.amido.example", want: "not dc2.amido.example"},
		"expired":    {host: "127.0.0.10", notAfter: time.Now().Add(-time.Hour), want: "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.notAfter.IsZero() {
				c.notAfter = time.Now().Add(time.Hour)
			}
			files, err := ca.IssueUntil(c.notAfter, strings.ReplaceAll(name, " ", "-"), "dc1.amido.example", "127.0.0.10")
			if err != nil {
				t.Fatal(err)
			}
			pair, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
			if err != nil {
				t.Fatal(err)
			}
			_, err = pair.Leaf.Verify(x509.VerifyOptions{Roots: ca.Pool(), DNSName: c.host})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("Verify = %v, want %q", err, c.want)
			}
		})
	}
}

// fakeTB records what Need does with a test.
type fakeTB struct {
	TB
	skipped, failed string
}

func (f *fakeTB) Helper()                           {}
func (f *fakeTB) Skipf(format string, args ...any)  { f.skipped = fmt.Sprintf(format, args...) }
func (f *fakeTB) Fatalf(format string, args ...any) { f.failed = fmt.Sprintf(format, args...) }

func TestNeed(t *testing.T) {
	if Missing("oracle") == "" {
		t.Error("an unknown peer is not missing")
	}
	t.Setenv("PATH", "/nonexistent")
	t.Setenv("STAGEDOOR_PEERS", "")
	for _, ci := range []string{"", "true"} {
		t.Setenv("CI", ci)
		var f fakeTB
		Need(&f, "chromium")
		got := f.skipped
		if ci == "true" {
			got = f.failed
		}
		want := "no chromium here: chromium or chromium-browser or google-chrome missing; testbed/install browser brings it"
		if got != want || f.skipped != "" && f.failed != "" {
			t.Errorf("CI=%q: skipped %q, failed %q, want %q", ci, f.skipped, f.failed, want)
		}
	}
}
