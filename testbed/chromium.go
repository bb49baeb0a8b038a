package testbed

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"
)

// BrowserOptions may stay empty.
type BrowserOptions struct {
	// Trust names PEM files of server certificates that the browser takes
	// without knowing who issued them, and no others.
	Trust []string
	// Microphone gives the browser one that beeps, and lets pages use it.
	Microphone bool
}

// Browser is a headless Chromium. It is its own first page; further pages share
// its cookies or not.
type Browser struct {
	*Page
}

// browserStartLimit bounds the start of Chromium: 0.5 s on an idle machine.
const browserStartLimit = time.Minute

// StartBrowser starts Chromium with an empty profile and stops it with the
// test. What goes wrong in a step of the browser or its pages fails the test,
// with the step, what the page says and a screenshot.
func StartBrowser(t TB, o BrowserOptions) *Browser {
	t.Helper()
	Need(t, "chromium")
	path, err := Find("chromium|chromium-browser|google-chrome")
	if err != nil {
		t.Fatalf("start browser: %v", err)
	}
	home := t.TempDir()
	mark := "STAGEDOOR_TESTBED=" + rand.Text()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // root and containers have no other choice; it opens the test's own pages only
		chromedp.DisableGPU,
		chromedp.UserDataDir(home),
		chromedp.Env("HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home, mark),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true),
		// A mouse, which a machine without one would not have: hover, fine pointer.
		chromedp.Flag("blink-settings", "primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4"),
		chromedp.WindowSize(1280, 800),
	)
	if o.Microphone {
		options = append(options, chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true))
	}
	for _, file := range o.Trust {
		hash, err := keyHash(file)
		if err != nil {
			t.Fatalf("start browser: %v", err)
		}
		options = append(options, chromedp.Flag("ignore-certificate-errors-spki-list", hash))
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(func() {
		cancel()
		if left := endMarked(mark); len(left) > 0 {
			t.Logf("the browser left processes behind: %v", left)
		}
	})
	return &Browser{Page: newPage(t, allocator)}
}

// NewPage opens a page in a new tab, with the same cookies. It starts at
// 1280x800 like the first.
func (b *Browser) NewPage() *Page {
	b.t.Helper()
	return newPage(b.t, b.ctx)
}

// NewPerson opens a page that shares no cookies with any other, as a second
// person's browser would.
func (b *Browser) NewPerson() *Page {
	b.t.Helper()
	return newPage(b.t, b.ctx, chromedp.WithNewBrowserContext())
}

// newPage opens a tab; the first one of an allocator starts the browser, whose
// life hangs on this context, so that the limit must not be a deadline of it.
func newPage(t TB, parent context.Context, o ...chromedp.ContextOption) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, o...)
	t.Cleanup(cancel)
	p := &Page{Limit: 20 * time.Second, t: t, ctx: ctx}
	limit := time.AfterFunc(browserStartLimit, cancel)
	defer limit.Stop()
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatalf("open a page in the browser: %v", err)
	}
	p.Size(1280, 800)
	return p
}

// endMarked kills what a browser has left and returns what would not go in 3 s.
func endMarked(mark string) []int {
	deadline := time.Now().Add(3 * time.Second)
	for {
		left := marked(mark)
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended by now
		}
		time.Sleep(10 * time.Millisecond) // polls the process table
	}
}

// keyHash is what Chromium knows a trusted key by: the SHA-256 of its
// SubjectPublicKeyInfo, in base64.
func keyHash(certFile string) (string, error) {
	text, err := os.ReadFile(certFile)
	if err != nil {
		return "", err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return "", fmt.Errorf("%s: no certificate in it", certFile)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", fmt.Errorf("%s: %w", certFile, err)
	}
	hash := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(hash[:]), nil
}
