package testbed

import (
	"strings"

	"github.com/chromedp/cdproto/network"
)

// RecordRequests notes, from now on, every address that the page asks for.
func (p *Page) RecordRequests() {
	p.t.Helper()
	ask(p, "record requests", command(network.Enable, network.EnableParams{}))
}

// Requests returns what RecordRequests has noted, in order; favicons and what
// redirects lead to and WebSockets among it, what stands in the page as data: is
// not.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.requests...)
}

func (p *Page) note(address string) {
	if strings.HasPrefix(address, "data:") {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, address)
}
