package gateway

import (
	"bufio"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"stagedoor/gateway/portal"
)

// wrap puts middleware around a handler; the first is the outermost.
func (p *Gateway) wrap(h http.Handler, middleware ...func(http.Handler) http.Handler) http.Handler {
	for _, m := range slices.Backward(middleware) {
		h = m(h)
	}
	return h
}

// begin gives a request its support id and client address, writes the access
// log, and turns a panic into an error page.
func (p *Gateway) begin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		v := &portal.Visit{Request: r, ID: portal.NewSupportID(), Address: clientAddress(r, p.Set.TrustedProxies), Lang: p.Language(r)}
		v.Log = p.Log.With("id", v.ID, "address", v.Address)
		counted := &countingWriter{ResponseWriter: w}
		defer func() {
			if caught := recover(); caught != nil && caught != http.ErrAbortHandler {
				v.Log.Error("panic", "panic", caught, "stack", string(debug.Stack()))
				if counted.status == 0 {
					p.Answer(counted, v, portal.ErrPanic)
				}
			}
			p.Metrics.Requests.WithLabelValues(v.Route, strconv.Itoa(counted.status)).Observe(time.Since(start).Seconds())
			v.Log.Info("request", "method", r.Method, "route", v.Route, "status", counted.status,
				"bytes", counted.bytes, "ms", time.Since(start).Milliseconds())
		}()
		next.ServeHTTP(counted, r.WithContext(v.In(r.Context())))
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
