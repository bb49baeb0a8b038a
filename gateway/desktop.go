package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/gateway/tunnel"
	"stagedoor/store"
	"stagedoor/targets"
)

type desktopPage struct {
	portal.Page
	Desktops  string // JSON: the targets to open, the address's own first
	Choices   string // JSON: what can be chosen and is (preferences.go)
	SupportID string // where no WebSocket brings its own
}

// desktopTarget is what the page's scripts know of a target (webroot's
// src/desktop/target.ts): the tools offer only what may cross.
type desktopTarget struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Group      string `json:"group"`
	Copy       bool   `json:"copy"`
	Paste      bool   `json:"paste"`
	Upload     bool   `json:"upload"`
	Download   bool   `json:"download"`
	Print      bool   `json:"print"`
	Audio      bool   `json:"audio"`
	Microphone bool   `json:"microphone"`
	ReadOnly   bool   `json:"readOnly"`
	Keyboard   string `json:"keyboard"`       // its own layout; "": there is none to choose
	Resizes    string `json:"resizes"`        // "live", "anew" or ""
	Page       string `json:"page,omitempty"` // what to call itself, to come to a desktop that there is
}

func desktopOf(t targets.Target) desktopTarget {
	may, write := t.Transfers, !t.ReadOnly
	return desktopTarget{ID: t.ID, Name: t.Name, Group: t.Group, Copy: may.Copy, Paste: may.Paste && write, Upload: may.Upload && write,
		Download: may.Download, Print: may.Print, Audio: may.AudioOut, Microphone: may.AudioIn && write, ReadOnly: t.ReadOnly,
		Keyboard: t.Keyboard(), Resizes: t.Resizes()}
}

// panesInWindow is how many desktops one page shows.
const panesInWindow = 4

// desktopPage is the page that desktops are shown on: the target of its
// address, and those of ?with=ID,ID; the pictures come through the tunnels. The
// list leads to a running desktop with ?desktop=NAME.
func (p *Gateway) desktopPage(w http.ResponseWriter, v *portal.Visit) error {
	target, ok := p.targetOf(v.Session, v.PathValue("target"))
	if !ok {
		return p.noSuchTarget(v)
	}
	if target.Kind != targets.Desktop {
		return p.Redirect(w, v, item(target).Href)
	}
	if p.Set.NoGuacd != "" {
		return p.Render(w, v, http.StatusServiceUnavailable, "message", portal.MessagePage{
			Page: p.Page(v, "message.no-guacd.heading"), Heading: p.Site.T(v.Lang, "message.no-guacd.heading"),
			Text: p.Set.NoGuacd, SupportID: v.ID, Actions: p.WayBack(v)})
	}
	shown := []desktopTarget{desktopOf(target)}
	ids := []string{target.ID}
	shown[0].Page = p.desktops.nameFor(v.Session.ID, target.ID, v.URL.Query().Get("desktop"))
	for id := range strings.SplitSeq(v.URL.Query().Get("with"), ",") {
		// One that has gone from the list since is left out without a word.
		beside, ok := p.targetOf(v.Session, id)
		if ok && beside.Kind == targets.Desktop && len(shown) < panesInWindow && !slices.Contains(ids, id) {
			shown, ids = append(shown, desktopOf(beside)), append(ids, id)
		}
	}
	// Where no WebSocket comes through, this is all that helpdesk finds.
	event := store.Event{Kind: "desktop-page", Result: "ok", Target: target.ID, Detail: map[string]string{"desktops": strings.Join(ids, " ")}}
	if err := p.Audit(v, event); err != nil {
		return err
	}
	desktops, err := json.Marshal(shown)
	if err != nil {
		return err
	}
	choices, err := p.choices(v)
	if err != nil {
		return err
	}
	data := desktopPage{Page: p.Page(v, "title.targets"), Desktops: string(desktops), Choices: choices, SupportID: v.ID}
	data.Title = target.Name
	allowMicrophone(w.Header())
	return p.Render(w, v, http.StatusOK, "desktop", data)
}

// moreDesktops are all that the person may open, for opening one beside another.
func (p *Gateway) moreDesktops(w http.ResponseWriter, v *portal.Visit) error {
	answer := struct {
		Desktops []desktopTarget `json:"desktops"`
	}{[]desktopTarget{}}
	for _, t := range p.Targets.List().VisibleTo(v.Session.Who.Account.MemberOf) {
		if t.Kind == targets.Desktop {
			answer.Desktops = append(answer.Desktops, desktopOf(t))
		}
	}
	return p.RenderJSON(w, http.StatusOK, answer)
}

// noSuchTarget: unknown and hidden targets are not told apart, and asking for
// one is audited.
func (p *Gateway) noSuchTarget(v *portal.Visit) error {
	id := portal.Printable(v.PathValue("target"), 64)
	if err := p.Audit(v, store.Event{Kind: "desktop-open", Result: "refused", Reason: "no-such-target", Target: id}); err != nil {
		return err
	}
	return &portal.Fault{Status: http.StatusNotFound, Message: "no-target"}
}

// openTunnel opens one desktop, or comes back to it. The browser names the
// target, its screen and its page; every other parameter comes from the target
// list.
func (p *Gateway) openTunnel(w http.ResponseWriter, v *portal.Visit) error {
	target, ok := p.targetOf(v.Session, v.PathValue("target"))
	if !ok || target.Kind != targets.Desktop {
		return p.noSuchTarget(v)
	}
	live, back, err := p.desktops.open(p.ctx, *v.Session, target.ID, pageNameOf(v.URL.Query()))
	if err != nil {
		return p.refuseTunnel(w, v, target, err)
	}
	ws, err := p.upgradeTunnel(w, v, target, back)
	if ws == nil {
		if !back {
			live.close()
		}
		return err
	}
	s := &shown{visit: v, target: target, name: pageNameOf(v.URL.Query()), ws: ws, options: p.tunnelOptions(v, target, live)}
	s.options.OnReady = func() {
		s.options.Arguments = nil // the password is in them
		s.seen.Store(true)
	}
	if err := live.show(s); err != nil {
		p.notShown(s, err)
		return nil
	}
	if !back {
		// In a goroutine of its own: once the handler has returned, net/http frees
		// the buffers of the request, 6 KB for each desktop.
		go p.carry(live)
	}
	return nil
}

// notShown tells a page that it does not get the desktop that it came back to.
func (p *Gateway) notShown(s *shown, why error) {
	if errors.Is(why, tunnel.ErrTakenOver) {
		if err := p.Audit(s.visit, store.Event{Kind: "desktop-close", Result: "refused", Reason: "taken-over", Target: s.target.ID}); err != nil {
			s.visit.Log.Error("end of a desktop not recorded", "target", s.target.ID, "error", err)
		}
	}
	tunnel.Refuse(s.ws, s.visit.ID, why)
}

// upgradeTunnel records that a desktop is opened and makes the request a
// WebSocket; nil when it is none, and then the answer has been written.
func (p *Gateway) upgradeTunnel(w http.ResponseWriter, v *portal.Visit, target targets.Target, back bool) (*tunnel.WebSocket, error) {
	event := store.Event{Kind: "desktop-open", Result: "ok", Target: target.ID}
	if back {
		event.Reason = "back"
	}
	if err := p.Audit(v, event); err != nil {
		return nil, err
	}
	if err := p.Store.SetReturn(v.Context(), v.Session.ID, target.ID); err != nil {
		return nil, fmt.Errorf("open tunnel: %w", err)
	}
	if err := p.Store.NoteUse(v.Context(), v.Session.AccountID, target.ID); err != nil {
		return nil, fmt.Errorf("open tunnel: %w", err)
	}
	if err := p.Drain(v.Context()); err != nil {
		return nil, fmt.Errorf("open tunnel: %w", err)
	}
	ws, err := tunnel.Upgrade(w, v.Request, p.Origin)
	if err != nil {
		v.Log.Info("tunnel refused", "target", target.ID, "error", err)
		return nil, p.Audit(v, store.Event{Kind: "desktop-close", Result: "refused", Reason: "upgrade", Target: target.ID})
	}
	return ws, nil
}

// carry runs a desktop, in one WebSocket after the other, until it is over.
func (p *Gateway) carry(live *desktop) {
	defer live.close()
	remote := p.Guacds.Desktop()
	defer remote.Leave()
	for held := ""; ; {
		s, ctx := live.turn(held)
		if s == nil {
			return
		}
		held = p.carryIn(ctx, s, live, remote)
	}
}

// carryIn runs a desktop in one WebSocket, and tells why the desktop waits for
// the next; "" when it does not. Its frame is small, for it waits for hours
// (tunnel.Desktop.Serve).
func (p *Gateway) carryIn(ctx context.Context, s *shown, live *desktop, remote *tunnel.Desktop) (held string) {
	defer s.caught()
	return p.carried(s, live, remote.Serve(ctx, s.ws, &s.options))
}

// caught does for a desktop what net/http does for a handler: a panic in one
// must not end the others.
func (s *shown) caught() {
	if caught := recover(); caught != nil {
		s.visit.Log.Error("panic in a desktop", "panic", caught, "stack", string(debug.Stack()))
		s.ws.Close()
	}
}

// carried notes how a desktop ended in a WebSocket.
func (p *Gateway) carried(s *shown, live *desktop, end tunnel.End) (held string) {
	if s.target.Credentials == targets.Session && passwordRefused(end) {
		live.refuse()
	}
	if err := p.tunnelEnded(s.visit, s.target, end); err != nil {
		s.visit.Log.Error("end of a desktop not recorded", "target", s.target.ID, "error", err)
	}
	if err := p.noteUsage(s, live, end); err != nil {
		s.visit.Log.Error("use of a desktop not counted", "target", s.target.ID, "error", err)
	}
	if !end.Held {
		return ""
	}
	return end.Cause
}

// passwordRefused: the target did not take the login. guacd 1.3 tells a refused
// NLA login with the words of a dead host and status 519; that counts as well.
func passwordRefused(end tunnel.End) bool {
	switch end.Code() {
	case 769, 771: // client unauthorized, client forbidden
		return true
	case 519: // upstream not found
		return strings.Contains(end.Text, "refused connection")
	}
	return false
}

// refuseTunnel: the session has as many desktops as it may, or helpdesk ended
// this one while its page was away. The page is told in the protocol's words,
// which is the only way it hears why.
func (p *Gateway) refuseTunnel(w http.ResponseWriter, v *portal.Visit, target targets.Target, why error) error {
	reason := "limit"
	if errors.Is(why, tunnel.ErrHelpdesk) {
		reason = "ended-by-helpdesk"
	}
	if err := p.Audit(v, store.Event{Kind: "desktop-open", Result: "refused", Reason: reason, Target: target.ID}); err != nil {
		return err
	}
	ws, err := tunnel.Upgrade(w, v.Request, p.Origin)
	if err == nil {
		tunnel.Refuse(ws, v.ID, why)
	}
	return nil
}

func (p *Gateway) tunnelEnded(v *portal.Visit, target targets.Target, end tunnel.End) error {
	result := "ok"
	if end.Code() != 0 {
		result = "error"
	}
	v.Log.Info("desktop closed", "target", target.ID, "cause", end.Cause, "text", end.Text,
		"status", end.Code(), "in", end.BytesIn, "out", end.BytesOut, "seconds", int(end.Duration.Seconds()))
	// The browser has gone; the event must be written all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Context()), 5*time.Second)
	defer cancel()
	v.Request = v.WithContext(ctx)
	return p.Audit(v, store.Event{Kind: "desktop-close", Result: result, Reason: end.Cause, Target: target.ID,
		Detail: map[string]string{"seconds": strconv.Itoa(int(end.Duration.Seconds())), "text": end.Text, "held": strconv.FormatBool(end.Held)}})
}

// tunnelOptions are the desktop's, from the list and, for the screen, from the
// query: width, height, dpi, tz, the person's keyboard and the image, audio types
// that the browser can show.
func (p *Gateway) tunnelOptions(v *portal.Visit, target targets.Target, live *desktop) tunnel.Options {
	login := targets.Login{}
	if target.Credentials == targets.Session && !live.isRefused() {
		password, err := p.unseal(v, v.Session)
		if err != nil { // guacd or the desktop asks the person instead
			v.Log.Info("no portal password for the target", "target", target.ID, "error", err)
		} else {
			login = targets.Login{Username: v.Session.Who.Account.Name, Domain: v.Session.Who.Account.Domain, Password: password}
		}
	}
	arguments, mustHave := target.Parameters(login)
	query := v.URL.Query()
	target.SetKeyboard(arguments, query.Get("keyboard"))
	t := target.Transfers
	options := tunnel.Options{
		ID:       v.ID,
		Protocol: target.Protocol, Arguments: arguments, MustHave: mustHave,
		Timezone: target.Timezone, Name: v.Session.Who.Account.DisplayName,
		Width: within(query.Get("width"), 1024, 320, 7680), Height: within(query.Get("height"), 768, 240, 4320),
		DPI:   within(query.Get("dpi"), 96, 48, 384),
		Image: knownTypes(query["image"], "image/png", "image/jpeg", "image/webp"),
		Policy: tunnel.Policy{Copy: t.Copy, Paste: t.Paste, Upload: t.Upload, Download: t.Download,
			Print: t.Print, AudioOut: t.AudioOut, AudioIn: t.AudioIn, ReadOnly: target.ReadOnly},
		OnInput: live.input,
		Notices: live.notices,
		Log:     v.Log.With("target", target.ID),
	}
	if pageNameOf(query).desktop != "" {
		options.Hold, options.HoldLeft = holdTime, leftTime
	}
	if t.AudioOut {
		options.Audio = knownTypes(query["audio"], "audio/L8", "audio/L16")
	}
	if options.Timezone == "" {
		options.Timezone = timezone(query.Get("tz"))
	}
	return options
}

// within reads a number from a browser; what is not one, or out of bounds, is
// brought to the nearest sensible value.
func within(text string, missing, least, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return missing
	}
	return min(max(n, least), most)
}

// knownTypes keeps the media types that we know; never empty for pictures.
func knownTypes(asked []string, known ...string) []string {
	var types []string
	for _, k := range known {
		for _, a := range asked {
			if a == k || len(a) > len(k) && a[:len(k)+1] == k+";" && audioForm.MatchString(a) {
				types = append(types, a)
				break
			}
		}
	}
	if types == nil {
		types = known[:1:1]
	}
	return types
}

var audioForm = regexp.MustCompile(`^audio/L(8|16);rate=\d{4,6},channels=[12]$`)

var timezoneForm = regexp.MustCompile(`^[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}$`)

func timezone(text string) string {
	if !timezoneForm.MatchString(text) {
		return ""
	}
	if _, err := time.LoadLocation(text); err != nil {
		return ""
	}
	return text
}
