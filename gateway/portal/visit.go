package portal

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// Visit is one request on its way through the portal, with what has been
// learned about it so far.
type Visit struct {
	*http.Request
	ID       string // support id: in the log, the audit and on error pages
	Address  string // of the client, as far as trusted proxies tell
	Lang     string
	Route    string
	Session  *Session // alive; nil when nobody is logged in here
	Ended    *Session // the cookie's session when it is over
	ReturnTo string   // target to go to after the login
	Log      *slog.Logger
}

// With is the same visit in another context.
func (v *Visit) With(ctx context.Context) *Visit {
	other := *v
	other.Request = v.WithContext(ctx)
	return &other
}

// FollowUp is how long what follows a change may take that is made and cannot be
// made again: a few writes, each of which waits up to 5 s for another process.
const FollowUp = 15 * time.Second

// Lasting is the visit for what must be finished though its browser leaves; it
// ends after most.
func (v *Visit) Lasting(most time.Duration) (*Visit, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Context()), most)
	return v.With(ctx), cancel
}

// Network is what limits count by: the client's IPv4 address, or the /64 network
// in which whoever has one IPv6 address has them all.
func (v *Visit) Network() string {
	a, err := netip.ParseAddr(v.Address)
	if err != nil || !a.Is6() || a.Is4In6() {
		return v.Address
	}
	network, _ := a.WithZone("").Prefix(64) // always fits
	return network.String()
}

type visitKey struct{}

// VisitOf is the visit that a request is.
func VisitOf(r *http.Request) *Visit { return VisitFrom(r.Context()) }

// In is a context that a visit is found in.
func (v *Visit) In(ctx context.Context) context.Context {
	return context.WithValue(ctx, visitKey{}, v)
}

// VisitFrom is nil where nobody is visiting.
func VisitFrom(ctx context.Context) *Visit {
	v, _ := ctx.Value(visitKey{}).(*Visit)
	return v
}

// NewSupportID is 40 random bits as eight characters that are read aloud
// easily: people give it to helpdesk over the telephone.
func NewSupportID() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails (Go 1.24)
	return base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").EncodeToString(b[:])
}
