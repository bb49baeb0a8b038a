package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"stagedoor/directory"
	"stagedoor/directory/directorytest"
	"stagedoor/store"
	"stagedoor/store/storetest"
	"stagedoor/testbed"
)

// phoneRig is a machine that a portal with an administrator is configured on.
type phoneRig struct {
	t              *testing.T
	people         *directorytest.Server
	config, portal string // file, address
	environ        []string
	db             *store.Store

	mu    sync.Mutex
	texts []url.Values // messages that the SMS provider has got: to, text
}

// newPhoneRig takes further lines of the configuration.
func newPhoneRig(t *testing.T, more string) *phoneRig {
	t.Helper()
	r := &phoneRig{t: t}
	var err error
	r.people, err = directorytest.Start(directorytest.Config{MayUnlock: true, Users: []directorytest.User{
		{Name: "sara", Password: "Sommar-2026", DisplayName: "Sara Åkesson", Mobile: "070-174 06 10", Mail: "sara@amido.example", Groups: []string{"Portal-Admins"}},
		{Name: "erik", Password: "x"},
	}})
	r.must(err)
	t.Cleanup(func() { _ = r.people.Stop() })
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_ = q.ParseForm()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.texts = append(r.texts, q.PostForm)
	}))
	t.Cleanup(provider.Close)
	folder := t.TempDir()
	domain := r.people.Domain()
	var key [32]byte
	_, _ = rand.Read(key[:])
	writeFile(t, filepath.Join(folder, "key"), hex.EncodeToString(key[:]), 0o600)
	writeFile(t, filepath.Join(folder, "bind"), domain.BindPassword, 0o600)
	writeFile(t, filepath.Join(folder, "targets.yaml"), "targets:\n  - {id: a, name: A, visible_to: everyone, kind: link, url: 'https://a.example/'}\n", 0o600)
	r.config, r.portal = filepath.Join(folder, "config.yaml"), freeAddress(t)
	writeFile(t, r.config, fmt.Sprintf(`listen: %s
public_url: http://%s
database: db
log: {level: error}
server_key_file: key
targets: targets.yaml
administrators: {groups: ['AMIDO\Portal-Admins']}
directories:
  - {domain: AMIDO, servers: [%q], ca_file: %q, bind_dn: %q, bind_password_file: bind}
sms:
  senders:
    - {name: provider, kind: http, http: {url: %q, body: "to={{urlquery .To}}&text={{urlquery .Text}}"}}
%s`, r.portal, r.portal, domain.Servers[0], domain.CAFile, domain.BindDN, provider.URL, more), 0o600)
	if _, err := r.phone("show", `AMIDO\sara`); err == nil || !strings.Contains(err.Error(), "there is no "+filepath.Join(folder, "db")) {
		t.Errorf("without a database: %v", err)
	}
	r.db = storetest.Open(t, filepath.Join(folder, "db"), time.Now)
	return r
}

func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := testbed.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("localhost:%d", port)
}

func (r *phoneRig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// phone runs `stagedoor phone`.
func (r *phoneRig) phone(args ...string) (string, error) {
	r.t.Helper()
	var out bytes.Buffer
	err := run(r.t.Context(), append([]string{"phone", "--config", r.config}, args...), r.environ, &out)
	return out.String(), err
}

// says runs `stagedoor phone`, which has to go well and to say all that.
func (r *phoneRig) says(args []string, wants ...string) string {
	r.t.Helper()
	out, err := r.phone(args...)
	if err != nil {
		r.t.Errorf("%q: %v", args, err)
	}
	for _, want := range wants {
		if !strings.Contains(out, want) {
			r.t.Errorf("%q does not say %q:\n%s", args, want, out)
		}
	}
	return out
}

func (r *phoneRig) id(name string) string {
	r.t.Helper()
	people, err := directory.Open([]directory.Domain{r.people.Domain()})
	r.must(err)
	defer people.Close()
	account, err := people.Lookup(r.t.Context(), name)
	r.must(err)
	return account.ID
}

// serve runs the portal until the test is over.
func (r *phoneRig) serve() {
	r.t.Helper()
	ctx, stop := context.WithCancel(r.t.Context())
	said, to := io.Pipe()
	over := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"serve", "--config", r.config}, r.environ, to)
		_ = to.CloseWithError(fmt.Errorf("serve: %w", err))
		over <- err
	}()
	r.t.Cleanup(func() {
		stop()
		if err := <-over; err != nil {
			r.t.Errorf("serve: %v", err)
		}
	})
	if _, err := said.Read(make([]byte, 1000)); err != nil {
		r.t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
}

// wrongCodes are so many on an account, one an hour, of which the last was an
// hour ago.
func (r *phoneRig) wrongCodes(account string, n int) {
	r.t.Helper()
	limits := store.TryLimits{LockEvery: 10, Lock: time.Millisecond, Stop: 100}
	for i := n; i > 0; i-- {
		_, _, err := r.db.TakeAccountTry(r.t.Context(), account, time.Now().Add(-time.Duration(i)*time.Hour), limits)
		r.must(err)
	}
}

// takeTexts are the messages since the last call.
func (r *phoneRig) takeTexts() []url.Values {
	r.mu.Lock()
	defer r.mu.Unlock()
	texts := r.texts
	r.texts = nil
	return texts
}

// visitor is a browser at the portal.
type visitor struct {
	r *phoneRig
	http.Client
}

func (r *phoneRig) visitor() *visitor {
	jar, _ := cookiejar.New(nil)
	return &visitor{r, http.Client{Jar: jar}}
}

// post sends a form and tells where that led, and what the page says.
func (v *visitor) post(path string, form url.Values) (at, body string) {
	v.r.t.Helper()
	answer, err := v.PostForm("http://"+v.r.portal+path, form)
	v.r.must(err)
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	v.r.must(err)
	return answer.Request.URL.Path, string(page)
}

var codeForm = regexp.MustCompile(`\b\d{6}\b`)

// logIn tries with the password and the code that comes, if one does.
func (v *visitor) logIn(name, password string) (at, body string) {
	v.r.t.Helper()
	if at, body = v.post("/login", url.Values{"username": {name}, "password": {password}}); at != "/code" {
		return at, body
	}
	texts := v.r.takeTexts()
	if len(texts) == 0 {
		return at, body
	}
	return v.post("/code", url.Values{"code": {codeForm.FindString(texts[len(texts)-1].Get("text"))}})
}
