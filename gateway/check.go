package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/gateway/tunnel"
	"stagedoor/store"
)

// The connection check is open to everybody, and writes into the audit: so few
// results are recorded that nobody fills the disk with them.
const (
	checksPerNetwork = 10 // recorded in an hour
	checksInAll      = 60
	checkWindow      = time.Hour
	checkBytes       = 4 << 10 // of one result
	checkCookie      = "check" // set by the page: does the browser bring it back?

	socketsPerNetwork = 4 // at once
	socketsInAll      = 64
)

type checkPage struct {
	portal.Page
	Host string
}

// checkedKeys are those that trouble people, in any language (format.keys):
// letters, and what needs AltGr.
const checkedKeys = `åäöæøüß@{[]}\`

// checkPage is the page whose script tries browser, connection, clock and keyboard.
func (p *Gateway) checkPage(w http.ResponseWriter, v *portal.Visit) error {
	p.SetCookie(w, checkCookie, "1")
	return p.Render(w, v, http.StatusOK, "check", checkPage{p.Page(v, "check.title"), p.Set.PublicURL.Host})
}

// portalAnswer is what the portal knows of the browser's request.
type portalAnswer struct {
	Now     int64  `json:"now"` // ms since the epoch
	Cookies bool   `json:"cookies"`
	Address string `json:"address"` // of the browser, as the portal sees it
	Proxy   bool   `json:"proxy"`   // somebody else's proxy is on the way
}

func (p *Gateway) checkPortal(w http.ResponseWriter, v *portal.Visit) error {
	return p.RenderJSON(w, http.StatusOK, portalAnswer{
		Now: p.Now().UnixMilli(), Cookies: p.broughtCookie(v), Address: v.Address, Proxy: p.behindProxy(v.Request),
	})
}

func (p *Gateway) broughtCookie(v *portal.Visit) bool {
	_, err := v.Cookie(p.CookieName(checkCookie))
	return err == nil
}

// behindProxy tells of a proxy that is not one of ours and that says so.
func (p *Gateway) behindProxy(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	ours := func(network netip.Prefix) bool { return network.Contains(peer.Addr().Unmap()) }
	if err != nil || slices.ContainsFunc(p.Set.TrustedProxies, ours) {
		return false
	}
	return r.Header.Get("Via") != "" || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != ""
}

// checkSocket is a WebSocket like a desktop's that gives back what it is told.
func (p *Gateway) checkSocket(w http.ResponseWriter, v *portal.Visit) error {
	leave, free := p.checks.enter(v.Network())
	defer leave()
	ws, err := tunnel.Upgrade(w, v.Request, p.Origin)
	switch {
	case err != nil:
		v.Log.Info("check refused", "error", err) // the answer has been sent
	case free:
		tunnel.Echo(p.ctx, ws)
	default:
		tunnel.Busy(ws)
	}
	return nil
}

// checkSockets counts the open WebSockets of checks.
type checkSockets struct {
	mu    sync.Mutex
	open  map[string]int // by network
	inAll int
}

// enter counts one more; free is false where there are too many. leave has to
// be called in either case.
func (c *checkSockets) enter(network string) (leave func(), free bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inAll >= socketsInAll || c.open[network] >= socketsPerNetwork {
		return func() {}, false
	}
	if c.open == nil {
		c.open = map[string]int{}
	}
	c.open[network]++
	c.inAll++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.inAll--
		if c.open[network]--; c.open[network] == 0 {
			delete(c.open, network)
		}
	}, true
}

// checkReport is what a page found out. Everything in it is a stranger's word.
type checkReport struct {
	Missing   []string `json:"missing"`    // what the browser lacks
	Cookies   bool     `json:"cookies"`    // the browser says that it keeps them
	Socket    string   `json:"socket"`     // ok, blocked, cut, busy
	Trips     int      `json:"trips"`      // round trips that came back
	RoundTrip int      `json:"round_trip"` // ms, the median
	Jitter    int      `json:"jitter"`     // ms
	Clock     int      `json:"clock"`      // s that the computer's clock is ahead
	Network   string   `json:"network"`    // wifi, cellular, ...; "" not known
	Keyboard  string   `json:"keyboard"`   // characters that arrived; "" not tried
	AltGr     bool     `json:"altgr"`
	Earlier   string   `json:"earlier"` // support id of the check that this one completes
}

var (
	checkWord   = regexp.MustCompile(`^[a-zA-Z0-9-]{0,24}$`)
	idForm      = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{8}$`)
	socketWords = []string{"ok", "blocked", "cut", "busy"}
)

// sound tells whether a report can have come from our page.
func (c checkReport) sound() bool {
	for _, word := range append(c.Missing, c.Network) {
		if !checkWord.MatchString(word) {
			return false
		}
	}
	foreign := func(r rune) bool { return !strings.ContainsRune(checkedKeys, r) }
	return len(c.Missing) <= 16 && slices.Contains(socketWords, c.Socket) &&
		c.Trips >= 0 && c.Trips <= 30 && c.RoundTrip >= 0 && c.RoundTrip <= 60_000 && c.Jitter >= 0 && c.Jitter <= 60_000 &&
		c.Clock > -1<<32 && c.Clock < 1<<32 && len(c.Keyboard) <= 2*len(checkedKeys) && !strings.ContainsFunc(c.Keyboard, foreign) &&
		(c.Earlier == "" || idForm.MatchString(c.Earlier))
}

// Where a check begins to say that something is wrong; src/check.ts has the same.
const (
	clockOff = 120 // s
	slowTrip = 300 // ms
)

// reason is the worst of a report, "" when a person can work.
func (c checkReport) reason(cookies bool) string {
	switch {
	case !cookies || !c.Cookies:
		return "cookies"
	case len(c.Missing) > 0:
		return "browser"
	case c.Socket == "blocked" || c.Socket == "cut":
		return "websocket"
	case c.Clock > clockOff || c.Clock < -clockOff:
		return "clock"
	case c.RoundTrip > slowTrip:
		return "slow"
	}
	return ""
}

// recordAnswer tells the page under which id helpdesk finds its result.
type recordAnswer struct {
	ID       string `json:"id"`
	Recorded bool   `json:"recorded"` // in the audit; else in the log alone
}

// recordCheck writes a check's result into the audit, under this visit's own
// support id: the browser has no say in it.
func (p *Gateway) recordCheck(w http.ResponseWriter, v *portal.Visit) error {
	report, err := readCheck(w, v)
	if err != nil {
		return err
	}
	event := store.Event{Kind: "check", Result: "ok", Reason: report.reason(p.broughtCookie(v)), Detail: report.detail()}
	if event.Reason != "" {
		event.Result = "error"
	}
	event.Detail["browser"] = portal.Printable(v.UserAgent(), 200)
	ok, retry, err := p.mayRecordCheck(v)
	if err != nil {
		return err
	}
	if !ok {
		v.Log.Info("too many checks: not in the audit", "reason", event.Reason, "detail", event.Detail)
		w.Header().Set("Retry-After", portal.RetryAfter(retry.Sub(p.Now())))
		return p.RenderJSON(w, http.StatusTooManyRequests, recordAnswer{ID: v.ID})
	}
	if err := p.Audit(v, event); err != nil {
		return err
	}
	return p.RenderJSON(w, http.StatusOK, recordAnswer{ID: v.ID, Recorded: true})
}

func (p *Gateway) mayRecordCheck(v *portal.Visit) (ok bool, retry time.Time, err error) {
	ok, retry, err = p.Store.Take(v.Context(), "check:"+v.Network(), checksPerNetwork, checkWindow)
	if err == nil && ok {
		ok, retry, err = p.Store.Take(v.Context(), "checks", checksInAll, checkWindow)
	}
	if err != nil {
		err = fmt.Errorf("count check: %w", err)
	}
	return ok, retry, err
}

// readCheck decodes a report strictly.
func readCheck(w http.ResponseWriter, v *portal.Visit) (report checkReport, err error) {
	bad := &portal.Fault{Status: http.StatusBadRequest, Message: "bad-request"}
	if v.Header.Get("Content-Type") != "application/json" {
		bad.Err = errors.New("a check that is not JSON")
		return report, bad
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, v.Body, checkBytes))
	decoder.DisallowUnknownFields()
	if err = decoder.Decode(&report); err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = errors.New("more than one value")
		}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return report, err
	case err == nil && !report.sound():
		err = errors.New("values that our page does not send")
	}
	if err != nil {
		bad.Err = fmt.Errorf("check: %w", err)
		return report, bad
	}
	return report, nil
}

// detail is a report as helpdesk reads it.
func (c checkReport) detail() map[string]string {
	detail := map[string]string{
		"cookies": strconv.FormatBool(c.Cookies), "socket": c.Socket, "trips": strconv.Itoa(c.Trips),
		"clock_s": strconv.Itoa(c.Clock),
	}
	if c.Trips > 0 {
		detail["round_trip_ms"], detail["jitter_ms"] = strconv.Itoa(c.RoundTrip), strconv.Itoa(c.Jitter)
	}
	if c.Keyboard != "" {
		detail["keyboard"], detail["altgr"] = c.Keyboard, strconv.FormatBool(c.AltGr)
	}
	for name, value := range map[string]string{"missing": strings.Join(c.Missing, " "), "network": c.Network, "earlier": c.Earlier} {
		if value != "" {
			detail[name] = value
		}
	}
	return detail
}
