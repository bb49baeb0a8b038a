package gateway

import (
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
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

func TestSupportID(t *testing.T) {
	form, seen := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{8}$`), map[string]bool{}
	for range 1000 {
		id := newSupportID()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("support id %q", id)
		}
		seen[id] = true
	}
}

func TestScreenFromQuery(t *testing.T) {
	cases := []struct {
		name, text string
		want       int
	}{
		{"usual", "1280", 1280},
		{"missing", "", 1024},
		{"not a number", "12a", 1024},
		{"overflow", strings.Repeat("9", 40), 1024},
		{"negative", "-5", 320},
		{"too small", "1", 320},
		{"too large", "100000", 7680},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := within(c.text, 1024, 320, 7680); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
	if got := knownTypes([]string{"image/jpeg", "text/html", "image/png"}, "image/png", "image/jpeg"); strings.Join(got, " ") != "image/png image/jpeg" {
		t.Errorf("picture types: %q", got)
	}
	if got := knownTypes(nil, "image/png", "image/jpeg"); strings.Join(got, " ") != "image/png" {
		t.Errorf("no picture types: %q", got)
	}
	for text, want := range map[string]string{
		"Europe/Stockholm": "Europe/Stockholm", "UTC": "UTC", "../../etc/passwd": "", "Mars/Olympus": "", "a;b": "",
	} {
		if got := timezone(text); got != want {
			t.Errorf("timezone(%q) = %q, want %q", text, got, want)
		}
	}
}
