package testbed

import "github.com/chromedp/cdproto/network"

// RecordRequests notes, from now on, every address that the page asks for.
func (p *Page) RecordRequests() {
	p.t.Helper()
	ask(p, "record requests", command(network.Enable, network.EnableParams{}))
}

// Requests returns what RecordRequests has noted, in order; favicons and what
// redirects lead to among it, what stands in the page as data: is not.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.requests...)
}
