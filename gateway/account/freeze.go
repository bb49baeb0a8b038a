package account

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/portal"
	"stagedoor/otp"
	"stagedoor/store"
)

type freezePage struct {
	portal.Page
	Stage string // "ask", "done", "stopped" (it is already), "late" (nothing to stop any more), "unknown" (not a link of ours), "wait"
	Wait  int    // minutes
	Token string
}

// Links are 128 bits long; the limit is there so that nobody has us try. Wrong
// ones count alone: what a mail scanner opens, or others behind the same address,
// must not keep somebody from stopping a change.
const (
	wrongLinksPerAddress = 30
	wrongLinksWindow     = 15 * time.Minute
)

// freezeAsk says what the link in a notice does. It needs no login: whoever has
// lost a number cannot log in. Looking changes nothing, since mail programs
// look at links by themselves; and nothing tells whose number it is.
func (p *Pages) freezeAsk(w http.ResponseWriter, v *portal.Visit) error {
	return p.freezeWith(w, v, v.URL.Query().Get("t"), func(change, token string) error {
		_, err := p.Numbers.Freezable(v.Context(), change, token)
		return err
	}, "ask")
}

// freeze stops the change. Once it is stopped, what was opened with its number
// ends though the browser leaves; and where that broke, whoever presses again
// has it done.
func (p *Pages) freeze(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	v, cancel := v.Lasting(portal.FollowUp)
	defer cancel()
	return p.freezeWith(w, v, v.PostForm.Get("t"), func(id, token string) error {
		change, err := p.Numbers.Freeze(v.Context(), id, token, v.Address, func(change otp.Change) store.Trace {
			return p.EventTrace(v, frozenEvent(change))
		})
		if err != nil && !errors.Is(err, otp.ErrStopped) {
			return err
		}
		if failed := p.endOpened(v, change); failed != nil {
			return failed
		}
		return err
	}, "done")
}

func (p *Pages) freezeWith(w http.ResponseWriter, v *portal.Visit, token string, act func(change, token string) error, stage string) error {
	data := freezePage{Stage: stage, Token: token}
	switch err := act(v.PathValue("change"), token); {
	case err == nil:
		return p.renderFreeze(w, v, http.StatusOK, data)
	case errors.Is(err, otp.ErrStopped): // by the other one of two notices, or before
		data.Stage = "stopped"
		return p.renderFreeze(w, v, http.StatusOK, data)
	case errors.Is(err, otp.ErrNoChange):
		data.Stage = "late"
		return p.renderFreeze(w, v, http.StatusGone, data)
	case errors.Is(err, otp.ErrLink):
		return p.wrongLink(w, v)
	default:
		return err
	}
}

func (p *Pages) wrongLink(w http.ResponseWriter, v *portal.Visit) error {
	ok, retry, err := p.Store.Take(v.Context(), "freeze:"+v.Network(), wrongLinksPerAddress, wrongLinksWindow)
	if err != nil {
		return err
	}
	if ok {
		return p.renderFreeze(w, v, http.StatusNotFound, freezePage{Stage: "unknown"})
	}
	w.Header().Set("Retry-After", portal.RetryAfter(retry.Sub(p.Now())))
	return p.renderFreeze(w, v, http.StatusTooManyRequests, freezePage{Stage: "wait", Wait: p.MinutesUntil(retry)})
}

func frozenEvent(change otp.Change) store.Event {
	return store.Event{Kind: "phone-frozen", Result: "ok", Reason: "link", AccountID: change.AccountID, Name: change.Name,
		Detail: map[string]string{"change": change.ID, "old": otp.Phone(change.Old).Masked(), "new": otp.Phone(change.New).Masked()}}
}

// openedLate is how long after a change was stopped a login may still have been
// under way with its number.
const openedLate = time.Minute

// endOpened ends what may have been opened with the number that was stopped, and
// nothing later: the link works for ever, and must not be a way to log its person
// out of what they open with their own number.
func (p *Pages) endOpened(v *portal.Visit, change otp.Change) error {
	if change.AppliedAt.IsZero() {
		return nil
	}
	domain, name, _ := strings.Cut(change.Name, `\`)
	account := directory.Account{ID: change.AccountID, Domain: domain, Name: name}
	ended, err := p.Store.EndSessionsUntil(v.Context(), change.AccountID, change.EndedAt.Add(openedLate), portal.EndRevoked)
	if err != nil {
		return err
	}
	return p.EndOthers(v, account, ended, portal.EndRevoked)
}

func (p *Pages) renderFreeze(w http.ResponseWriter, v *portal.Visit, status int, data freezePage) error {
	data.Page = p.Page(v, "freeze.title")
	for i, link := range data.Languages { // back to this page, with its token
		query := url.Values{"lang": {link.Code}, "t": {data.Token}}
		data.Languages[i].Href = (&url.URL{Path: v.URL.Path, RawQuery: query.Encode()}).String()
	}
	return p.Render(w, v, status, "freeze", data)
}
