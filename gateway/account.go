package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

type accountPage struct {
	page
	Masked     string // of the number that codes go to; empty: none
	Mail       string // masked, that codes go to; empty: none may
	Apps, Keys []factor.Factor
	Backup     int // codes left
	// What the policy lets the person set up.
	MaySMS, MayApp, MayKey, MayBackup bool
	Devices                           []deviceRow
	Sessions                          []sessionRow
	Saved                             bool
	From                              time.Time // from when a second factor is asked for; zero: nothing to tell
}

type deviceRow struct {
	ID, Address string
	client
	UsedAt, ExpiresAt time.Time
}

type sessionRow struct {
	ID, Address string
	client
	Since time.Time
	Here  bool
}

// accountPage shows how somebody logs in, and where they are logged in.
func (p *Portal) accountPage(w http.ResponseWriter, v *visit) error {
	s := v.session
	status, err := p.factors.Status(v.Context(), p.person(s))
	if err != nil {
		return err
	}
	data := accountPage{page: p.page(v, "title.account"), Backup: status.BackupLeft, From: status.From,
		MaySMS: status.Allows(factor.SMS), MayApp: status.Allows(factor.App), MayKey: status.Allows(factor.Key), MayBackup: status.Allows(factor.Backup),
		Saved: v.URL.Query().Has("saved")}
	if s.who.Phone != "" {
		data.Masked = s.who.Phone.Masked()
	}
	if mail := p.mailFor(s.who.Account); status.Allows(factor.Mail) && mail != "" {
		data.Mail = otp.MaskMail(mail)
	}
	for _, one := range status.Factors {
		if one.Kind == factor.App {
			data.Apps = append(data.Apps, one)
		} else {
			data.Keys = append(data.Keys, one)
		}
	}
	for _, d := range status.Devices {
		data.Devices = append(data.Devices, deviceRow{d.ID, d.Address, clientOf(d.UserAgent), d.UsedAt, d.ExpiresAt})
	}
	sessions, err := p.Store.LiveSessions(v.Context(), s.AccountID, string(stepReady))
	if err != nil {
		return fmt.Errorf("account page: %w", err)
	}
	for _, one := range sessions {
		data.Sessions = append(data.Sessions, sessionRow{one.ID, one.Address, clientOf(one.UserAgent), one.CreatedAt, one.ID == s.ID})
	}
	return p.render(w, v, http.StatusOK, "account", data)
}

// client is a browser and what it runs on, as far as its User-Agent tells.
type client struct{ Browser, System string }

// clientOf knows the names that people know. Each of them names others before it
// to be mistaken for them: the order is from the particular to the general.
func clientOf(userAgent string) client {
	first := func(pairs ...string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if strings.Contains(userAgent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	return client{
		Browser: first("Edg/", "Edge", "EdgA/", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "FxiOS/", "Firefox",
			"SamsungBrowser/", "Samsung Internet", "CriOS/", "Chrome", "Chrome/", "Chrome", "Safari/", "Safari"),
		System: first("iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "Windows", "Windows", "CrOS", "ChromeOS",
			"Mac OS X", "macOS", "Linux", "Linux"),
	}
}

// removeFactor takes an app or a key away.
func (p *Portal) removeFactor(w http.ResponseWriter, v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	removed, err := p.factors.Remove(v.Context(), v.session.AccountID, v.PostForm.Get("id"))
	if errors.Is(err, factor.ErrNotFound) { // removed in another tab
		return p.redirect(w, v, "/account")
	}
	if err != nil {
		return err
	}
	if err := p.factorChanged(v, "factor-remove", removed.Kind, removed.Name); err != nil {
		return err
	}
	if err := p.refreshFactors(v, ""); err != nil {
		return err
	}
	return p.redirect(w, v, "/account?saved")
}

// forgetDevice has a remembered browser asked for a second factor again.
func (p *Portal) forgetDevice(w http.ResponseWriter, v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	id := v.PostForm.Get("id")
	if id == "" {
		return p.redirect(w, v, "/account")
	}
	if _, err := p.factors.ForgetDevice(v.Context(), v.session.AccountID, id); err != nil {
		return err
	}
	if err := p.audit(v, store.Event{Kind: "device-forget", Result: "ok"}); err != nil {
		return err
	}
	return p.redirect(w, v, "/account?saved")
}

// endOwn ends another session of the person's own.
func (p *Portal) endOwn(w http.ResponseWriter, v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	s := v.session
	own, err := p.Store.LiveSessions(v.Context(), s.AccountID, string(stepReady))
	if err != nil {
		return fmt.Errorf("end own session: %w", err)
	}
	for _, one := range own {
		if one.ID != v.PostForm.Get("id") || one.ID == s.ID {
			continue
		}
		other := &session{Session: one, who: who{Account: s.who.Account}}
		if err := p.end(v, other, endLogout); err != nil {
			return err
		}
	}
	return p.redirect(w, v, "/account?saved")
}

// factorChanged audits that a factor was added or removed, and tells the person
// by every way that is known.
func (p *Portal) factorChanged(v *visit, kind string, factorKind factor.Kind, name string) error {
	event := store.Event{Kind: kind, Result: "ok", AccountID: v.session.AccountID, SessionID: v.session.ID,
		Name: p.person(v.session).Name, Detail: map[string]string{"factor": string(factorKind)}}
	if name != "" {
		event.Detail["name"] = name
	}
	if err := p.audit(v, event); err != nil {
		return err
	}
	s := v.session
	return p.tellOfFactor(v, s.who.Account, s.who.Phone, kind == "factor-add", factorKind)
}

// tellOfFactor tells somebody, by text message and mail, that a factor was added
// to or removed from their account.
func (p *Portal) tellOfFactor(v *visit, account directory.Account, phone otp.Phone, added bool, kind factor.Kind) error {
	key := "factor.notice.removed"
	if added {
		key = "factor.notice.added"
	}
	err := p.notices.Tell(v.Context(), otp.Notice{
		AccountID: account.ID, Name: account.Domain + `\` + account.Name, Lang: v.lang, Phones: []otp.Phone{phone}, Mail: account.Mail,
		Key:  key,
		Args: []any{"factor", p.Site.T(v.lang, "factor.ways."+string(kind)), "helpdesk", cmp.Or(p.set.Helpdesk.Name, p.set.Name)},
	})
	if errors.Is(err, otp.ErrTooMany) { // ten changes a day have been told of: the audit has them all
		v.log.Warn("the person is not told of a factor", "kind", kind, "error", err)
		return nil
	}
	return err
}
