package gateway

import (
	"net/http"

	"stagedoor/gateway/portal"
)

// contentSecurityPolicy lets a page load its own script, style, pictures and
// tunnel and nothing else. data: is what the desktop's pictures are drawn
// from; Trusted Types keep any script of ours from writing HTML.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"connect-src 'self'; media-src 'self' blob:; font-src 'self'; object-src 'none'; base-uri 'none'; " +
	"form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// permissions are what a page may ask the browser for, but for the microphone.
const permissions = "camera=(), geolocation=(), clipboard-read=(self), clipboard-write=(self)"

// allowMicrophone is for the page of desktops: a target may take a microphone,
// and another may be opened beside those that are on the page. The tunnel lets
// no sound through where the target does not.
func allowMicrophone(h http.Header) {
	h.Set("Permissions-Policy", permissions+", microphone=(self)")
}

// securityHeaders stand on every answer.
func (p *Gateway) securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", permissions+", microphone=()")
		if p.Secure {
			h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// refuseForeign refuses what a page of another site sends (CSRF): browsers say
// where a request comes from in Sec-Fetch-Site and Origin. The tunnel, a GET,
// checks its Origin itself.
func (p *Gateway) refuseForeign(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	// The public origin counts as the same even where a proxy rewrites Host.
	if err := protection.AddTrustedOrigin(p.Origin); err != nil {
		panic(err) // settings were checked: the origin is scheme://host
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := protection.Check(r); err != nil {
			p.Answer(w, portal.VisitOf(r), &portal.Fault{Status: http.StatusForbidden, Message: "cross-site", Err: err})
			return
		}
		next.ServeHTTP(w, r)
	})
}
