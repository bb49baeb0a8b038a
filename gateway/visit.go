package gateway

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"log/slog"
	"net/http"
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

// newSupportID is 40 random bits as eight characters that are read aloud
// easily: people give it to helpdesk over the telephone.
func newSupportID() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails (Go 1.24)
	return base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").EncodeToString(b[:])
}
