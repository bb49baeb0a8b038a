package testbed

import (
	"crypto/tls"
	"fmt"
	"html"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const testPage = `<!doctype html>
<html><head><meta name="viewport" content="width=device-width"><title>Test</title>
<style nonce="n">body { background: #ffffff } @media (prefers-color-scheme: dark) { body { background: #101820; color: #fff } } #hidden { display: none }</style>
</head><body>
<h1>Stage door</h1>
<p id="lang">%s</p><p id="cookie">%s</p><p id="said">%s</p><p id="hidden">hidden text</p>
<noscript><p id="noscript">no scripts here</p></noscript>
<form method="post" action="/said"><input id="word" name="word" value="old"><button id="send">Send</button></form>
<a id="leave" href="/slow">Slow</a> <p id="keys"></p>
<script nonce="n">
addEventListener('keydown', e => document.getElementById('keys').textContent += (e.ctrlKey ? 'Ctrl+' : '') + (e.shiftKey ? 'Shift+' : '') + e.key + ' ')
addEventListener('click', e => { document.getElementById('keys').dataset.click = e.clientX + ',' + e.clientY })
</script>
</body></html>`

func testSite(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	show := func(w http.ResponseWriter, r *http.Request, said string) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; script-src 'nonce-n'; style-src 'nonce-n'")
		cookie := "none"
		if c, err := r.Cookie("person"); err == nil {
			cookie = c.Value
		}
		fmt.Fprintf(w, testPage, html.EscapeString(r.Header.Get("Accept-Language")), html.EscapeString(cookie), html.EscapeString(said))
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { show(w, r, "nothing") })
	mux.HandleFunc("POST /said", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "person", Value: "anna", HttpOnly: true, Path: "/"})
		show(w, r, "you said "+r.FormValue("word"))
	})
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(200 * time.Millisecond) // a slow server
		show(w, r, "slow answer")
	})
	mux.HandleFunc("GET /forbidden", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "not for you", http.StatusForbidden)
	})
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /bad", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; script-src 'nonce-n'")
		fmt.Fprint(w, `<p>bad</p><script>document.title = 'ran'</script><script nonce="n">console.error('oh', {a: 1}); alert('stop'); throw new Error('thrown')</script>`)
	})
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	return site
}

func TestBrowserForm(t *testing.T) {
	site := testSite(t)
	b := StartBrowser(t, BrowserOptions{})
	for name, c := range map[string]struct{ word, want string }{
		"plain":         {word: "hello", want: "you said hello"},
		"other letters": {word: "Ångström 🎭 *)(uid=*", want: "you said Ångström 🎭 *)(uid=*"},
		"nothing":       {word: "", want: "you said"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := b.Open(site.URL + "/"); got != http.StatusOK {
				t.Errorf("status %d", got)
			}
			b.Fill("#word", c.word)
			b.Click("#send")
			b.WaitURL("/said")
			b.WaitText(c.want)
			if got := strings.TrimSpace(Eval[string](b.Page, "document.querySelector('#said').textContent")); got != c.want {
				t.Errorf("said %q, want %q", got, c.want)
			}
		})
	}
	if got := b.Problems(); len(got) > 0 {
		t.Errorf("problems: %v", got)
	}
}

func TestBrowserSteps(t *testing.T) {
	site := testSite(t)
	b := StartBrowser(t, BrowserOptions{})
	b.Open(site.URL + "/")

	b.WaitFor("h1")
	b.WaitGone("#hidden")
	b.WaitUntil("document.title === 'Test'")
	if text := b.Text(); !strings.Contains(text, "Stage door") || strings.Contains(text, "hidden text") {
		t.Errorf("text = %q", text)
	}

	b.Press("Tab")
	b.Press("Ctrl+Shift+ArrowLeft")
	b.Type("aé")
	if got := Eval[string](b.Page, "document.querySelector('#keys').textContent"); got != "Tab Ctrl+Shift+ArrowLeft a é " {
		t.Errorf("keys = %q", got)
	}
	b.ClickAt(700, 500)
	b.WaitUntil("document.querySelector('#keys').dataset.click === '700,500'")

	b.Click("#leave")
	b.WaitText("slow answer") // while the page goes elsewhere
	b.Back()
	b.WaitText("nothing")
	b.Reload()
	if got := b.URL(); got != site.URL+"/" {
		t.Errorf("URL = %s", got)
	}
	if got := b.Open(site.URL + "/forbidden"); got != http.StatusForbidden {
		t.Errorf("status %d, want 403", got)
	}
}

func TestBrowserLooks(t *testing.T) {
	site := testSite(t)
	b := StartBrowser(t, BrowserOptions{})
	b.Open(site.URL + "/")
	for name, c := range map[string]struct{ width, height int }{"desktop": {1280, 800}, "phone": {360, 740}} {
		t.Run(name, func(t *testing.T) {
			b.Size(c.width, c.height)
			if got := Eval[[]int](b.Page, "[innerWidth, innerHeight]"); !slices.Equal(got, []int{c.width, c.height}) {
				t.Errorf("inner size %v, want %d x %d", got, c.width, c.height)
			}
			file := b.Shot("testbed-" + name)
			picture, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer picture.Close()
			config, err := png.DecodeConfig(picture)
			if err != nil || config.Width != c.width || config.Height != c.height {
				t.Errorf("screenshot %d x %d, %v", config.Width, config.Height, err)
			}
		})
	}
	b.WaitColour(300, 700, "#ffffff")
	b.Prefer("prefers-color-scheme", "dark")
	b.WaitColour(300, 700, "#101820")
	b.Prefer("prefers-color-scheme", "")
	b.WaitColour(300, 700, "#ffffff")
}

func TestBrowserLanguageAndScripts(t *testing.T) {
	site := testSite(t)
	b := StartBrowser(t, BrowserOptions{})
	b.Language("sv")
	b.Open(site.URL + "/")
	if got := Eval[string](b.Page, "document.querySelector('#lang').textContent + ' ' + navigator.language"); got != "sv sv" {
		t.Errorf("language %q, want sv", got)
	}
	b.Scripts(false)
	b.Open(site.URL + "/")
	b.WaitText("no scripts here")
	b.Fill("#word", "without")
	b.Click("#send")
	b.WaitText("you said without")
	b.Scripts(true)
	b.Open(site.URL + "/")
	b.WaitGone("#noscript")
}

func TestBrowserPeople(t *testing.T) {
	site := testSite(t)
	b := StartBrowser(t, BrowserOptions{})
	b.Open(site.URL + "/")
	b.Click("#send")
	b.WaitURL("/said")
	same, other := b.NewPage(), b.NewPerson()
	same.Open(site.URL + "/")
	same.WaitText("anna")
	other.Open(site.URL + "/")
	other.WaitText("none")
	cookies := same.Cookies()
	if len(cookies) != 1 || cookies[0].Name != "person" || !cookies[0].HTTPOnly {
		t.Errorf("cookies = %+v", cookies)
	}
	if got := other.Cookies(); len(got) != 0 {
		t.Errorf("the other person's cookies = %+v", got)
	}
}

func TestBrowserProblems(t *testing.T) {
	site := testSite(t)
	b := StartBrowser(t, BrowserOptions{})
	b.Open(site.URL + "/bad") // its alert would stop every step
	b.WaitText("bad")
	b.Open(site.URL + "/forbidden")
	var kinds []string
	for _, p := range b.Problems() {
		kinds = append(kinds, p.Kind)
		want := map[string]string{"csp": "Content Security Policy", "console": "oh", "exception": "thrown", "network": "403"}[p.Kind]
		if want == "" || !strings.Contains(p.Text, want) {
			t.Errorf("problem %+v", p)
		}
	}
	slices.Sort(kinds)
	if diff := cmp.Diff([]string{"console", "csp", "exception", "network"}, slices.Compact(kinds)); diff != "" {
		t.Errorf("kinds (-want +got):\n%s\n%v", diff, b.Problems())
	}
	b.ForgetProblems()
	b.Open(site.URL + "/")
	if got := b.Problems(); len(got) > 0 {
		t.Errorf("problems of a good page: %v", got)
	}
}

func TestBrowserTrust(t *testing.T) {
	ca, err := NewCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue("site", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert.CertFile, cert.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "secure") }))
	site.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	site.StartTLS()
	t.Cleanup(site.Close)
	b := StartBrowser(t, BrowserOptions{Trust: []string{cert.CertFile}})
	b.Open(site.URL)
	b.WaitText("secure")
}

// steps catches what a failing step does to its test.
type steps struct {
	*testing.T
	failed string
}

func (s *steps) Fatalf(format string, args ...any) {
	if s.failed == "" {
		s.failed = fmt.Sprintf(format, args...)
	}
}

func TestBrowserStepThatFails(t *testing.T) {
	site := testSite(t)
	s := &steps{T: t}
	b := StartBrowser(s, BrowserOptions{})
	b.Open(site.URL + "/")
	b.Limit = 200 * time.Millisecond
	b.WaitText("never there")
	t.Cleanup(func() { _ = os.Remove("shots/failed.png") })
	for _, want := range []string{`wait for the text "never there"`, "not within 200ms", site.URL, "Stage door", "failed.png"} {
		if !strings.Contains(s.failed, want) {
			t.Errorf("the failure does not say %q:\n%s", want, s.failed)
		}
	}
}
