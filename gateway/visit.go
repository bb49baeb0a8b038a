package gateway

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base32"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// visit is one request on its way through the portal, with what has been
// learned about it so far.
type visit struct {
	*http.Request
	id       string // support id: in the log, the audit and on error pages
	address  string // of the client, as far as trusted proxies tell
	lang     string
	route    string
	session  *session // alive; nil when nobody is logged in here
	ended    *session // the cookie's session when it is over
	returnTo string   // target to go to after the login
	log      *slog.Logger
}

type visitKey struct{}

func visitOf(r *http.Request) *visit { return visitFrom(r.Context()) }

// visitFrom is nil where nobody is visiting.
func visitFrom(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

// wrap puts middleware around a handler; the first is the outermost.
func (p *Portal) wrap(h http.Handler, middleware ...func(http.Handler) http.Handler) http.Handler {
	for _, m := range slices.Backward(middleware) {
		h = m(h)
	}
	return h
}

// begin gives a request its support id and client address, writes the access
// log, and turns a panic into an error page.
func (p *Portal) begin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		v := &visit{Request: r, id: newSupportID(), address: clientAddress(r, p.set.TrustedProxies), lang: p.language(r)}
		v.log = p.Log.With("id", v.id, "address", v.address)
		counted := &countingWriter{ResponseWriter: w}
		defer func() {
			if caught := recover(); caught != nil && caught != http.ErrAbortHandler {
				v.log.Error("panic", "panic", caught, "stack", string(debug.Stack()))
				if counted.status == 0 {
					p.answer(counted, v, errPanic)
				}
			}
			p.metrics.requests.WithLabelValues(v.route, strconv.Itoa(counted.status)).Observe(time.Since(start).Seconds())
			v.log.Info("request", "method", r.Method, "route", v.route, "status", counted.status,
				"bytes", counted.bytes, "ms", time.Since(start).Milliseconds())
		}()
		next.ServeHTTP(counted, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
	})
}

// countingWriter remembers what was answered, for the access log.
type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *countingWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Hijack is for the tunnel's WebSocket.
func (w *countingWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.status = http.StatusSwitchingProtocols
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap is for http.ResponseController.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// newSupportID is 40 random bits as eight characters that are read aloud
// easily: people give it to helpdesk over the telephone.
func newSupportID() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails (Go 1.24)
	return base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").EncodeToString(b[:])
}

// clientAddress is the peer's address, or what a trusted proxy says of it: the
// right-most entry of X-Forwarded-For that is not itself a trusted proxy.
func clientAddress(r *http.Request, trusted []netip.Prefix) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "unknown"
	}
	address := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(address) }) {
			break
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		address = next.Unmap().WithZone("")
	}
	return address.String()
}

// sameHost tells whether a Host header names the public address.
func sameHost(host string, public *url.URL) bool {
	strip := func(h string) string {
		h = strings.ToLower(h)
		if public.Scheme == "https" {
			return strings.TrimSuffix(h, ":443")
		}
		return strings.TrimSuffix(h, ":80")
	}
	return strip(host) == strip(public.Host)
}

// language is what the person chose with the switch, else what the browser
// asks for.
func (p *Portal) language(r *http.Request) string {
	if c, err := r.Cookie("lang"); err == nil && p.speaks(c.Value) {
		return c.Value
	}
	return p.Site.Match(r.Header.Get("Accept-Language"))
}

func (p *Portal) speaks(lang string) bool {
	for _, l := range p.Site.Languages() {
		if l.Code == lang {
			return true
		}
	}
	return false
}

// chooseLanguage acts on the switch that stands on every page, ?lang=sv, and
// goes back to the same page.
func (p *Portal) chooseLanguage(w http.ResponseWriter, v *visit) (done bool, err error) {
	query := v.URL.Query()
	lang := query.Get("lang")
	if v.Method != http.MethodGet || lang == "" || !p.speaks(lang) {
		return false, nil
	}
	http.SetCookie(w, &http.Cookie{
		Name: "lang", Value: lang, Path: "/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode,
	})
	query.Del("lang")
	to := &url.URL{Path: v.URL.Path, RawQuery: query.Encode()}
	if !strings.HasPrefix(to.Path, "/") || strings.HasPrefix(to.Path, "//") {
		to.Path = "/"
	}
	return true, p.redirect(w, v, to.String())
}

// languageLinks are the switch. What an address without a page of its own has
// answered leads to the page where the session belongs.
func (p *Portal) languageLinks(v *visit) []languageLink {
	var links []languageLink
	path := v.URL.Path
	if v.Method != http.MethodGet && !slices.ContainsFunc(p.siteMap(), func(r route) bool { return r.pattern == "GET "+path }) {
		path = p.next(v.session)
	}
	query := url.Values{}
	if v.returnTo != "" {
		query.Set("target", v.returnTo)
	}
	for _, l := range p.Site.Languages() {
		query.Set("lang", l.Code)
		links = append(links, languageLink{
			Code: l.Code, Name: l.Name, Current: l.Code == v.lang,
			Href: (&url.URL{Path: path, RawQuery: query.Encode()}).String(),
		})
	}
	return links
}
