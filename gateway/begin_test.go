package gateway

import (
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
)

func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	cases := []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", "192.0.2.7:4711", nil, "192.0.2.7"},
		{"a stranger's header is not believed", "192.0.2.7:4711", []string{"198.51.100.1"}, "192.0.2.7"},
		{"one proxy", "10.0.0.1:4711", []string{"198.51.100.1"}, "198.51.100.1"},
		{"what the client put in front is not believed", "10.0.0.1:4711", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.0.0.1:4711", []string{"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"several headers", "10.0.0.1:4711", []string{"198.51.100.1", "10.0.0.2"}, "198.51.100.1"},
		{"garbage ends the walk", "10.0.0.1:4711", []string{"198.51.100.1, <script>"}, "10.0.0.1"},
		{"proxy without header", "10.0.0.1:4711", nil, "10.0.0.1"},
		{"IPv6 proxy", "[::1]:4711", []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv4 in IPv6", "[::ffff:192.0.2.7]:4711", nil, "192.0.2.7"},
		{"not an address", "@", nil, "unknown"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = c.peer
			r.Header["X-Forwarded-For"] = c.forwarded
			if got := clientAddress(r, trusted); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSameHost(t *testing.T) {
	https, _ := url.Parse("https://portal.example.se")
	http, _ := url.Parse("http://localhost:8080")
	cases := []struct {
		name, host string
		public     *url.URL
		want       bool
	}{
		{"the name", "portal.example.se", https, true},
		{"with its default port", "portal.example.se:443", https, true},
		{"in capitals", "PORTAL.example.se", https, true},
		{"another port", "portal.example.se:8443", https, false},
		{"another name", "evil.example", https, false},
		{"a longer name", "portal.example.se.evil.example", https, false},
		{"none", "", https, false},
		{"plain with port", "localhost:8080", http, true},
		{"plain, other port", "localhost:8081", http, false},
		{"plain, number for name", "127.0.0.1:8080", http, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := sameHost(c.host, c.public); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
