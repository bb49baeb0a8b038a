package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// profileOf takes a CPU profile of the portal while work runs.
func (v *visitor) profileOf(ctx context.Context, dir, name string, seconds int, work func() error) error {
	worked := make(chan error, 1)
	go func() { worked <- work() }()
	profile, err := v.get(ctx, fmt.Sprintf("%s/profile?seconds=%d", v.at.Control, seconds), nil)
	if fault := <-worked; fault != nil {
		return fault
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), profile, 0o644)
}

// visitor is the browsers' side: keep-alive connections, no cookies of its own.
type visitor struct {
	at     portalReady
	client *http.Client
}

func newVisitor(at portalReady) *visitor {
	return &visitor{at: at, client: &http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: atOnce},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// password sends the login form, up to the redirect to the code page.
func (v *visitor) password(ctx context.Context, account int) ([]*http.Cookie, error) {
	return v.post(ctx, "/login", url.Values{"username": {`AMIDO\` + accountName(account)}, "password": {accountPassword}}, nil, "/code")
}

// post sends a form and insists on where it leads.
func (v *visitor) post(ctx context.Context, path string, form url.Values, cookies []*http.Cookie, to string) ([]*http.Cookie, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.at.Portal+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", v.at.Portal)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	response, err := v.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != to {
		return nil, fmt.Errorf("POST %s: %s to %q, expected the way to %s: %.500s", path, response.Status, response.Header.Get("Location"), to, body)
	}
	return response.Cookies(), nil
}

// get fetches a page and insists on 200.
func (v *visitor) get(ctx context.Context, address string, cookies []*http.Cookie) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	response, err := v.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %.500s", address, response.Status, body)
	}
	return body, err
}

// logIn goes the whole way and returns the session's cookies.
func (v *visitor) logIn(ctx context.Context, account int) ([]*http.Cookie, error) {
	cookies, err := v.password(ctx, account)
	if err != nil {
		return nil, err
	}
	code, err := v.get(ctx, v.at.Control+"/code?phone="+url.QueryEscape(accountPhone(account)), nil)
	if err != nil {
		return nil, err
	}
	return v.post(ctx, "/code", url.Values{"code": {string(code)}}, cookies, "/")
}
