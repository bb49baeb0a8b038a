package account

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
	"stagedoor/otp"
	"stagedoor/store"
)

type accountPage struct {
	portal.Page
	Masked     string // of the number that codes go to; empty: none
	Waiting    string // of the one that helpdesk has entered and that does not count yet, masked; empty: none
	Mail       string // masked, that codes go to; empty: none may
	Apps, Keys []factor.Factor
	Backup     int // codes left
	// What the policy lets the person set up.
	MaySMS, MayApp, MayKey, MayBackup bool
	Devices                           []deviceRow
	Sessions                          []sessionRow
	Saved                             bool
	Held                              bool      // nothing may be set up now, since helpdesk has removed a factor lately
	Untold                            bool      // nothing was added: the person has been told of too much today
	From                              time.Time // from when a second factor is asked for; zero: nothing to tell
	Other                             bool      // what there is now does not count from then on
}

type deviceRow struct {
	ID, Address string
	portal.Client
	UsedAt, ExpiresAt time.Time
}

type sessionRow struct {
	ID, Address string
	portal.Client
	Since time.Time
	Here  bool
}

// accountPage shows how somebody logs in, and where they are logged in.
func (p *Pages) accountPage(w http.ResponseWriter, v *portal.Visit) error {
	return p.renderAccount(w, v, http.StatusOK, portal.Trouble{})
}

func (p *Pages) renderAccount(w http.ResponseWriter, v *portal.Visit, code int, t portal.Trouble) error {
	s := v.Session
	status, err := p.Factors.Status(v.Context(), p.Person(s))
	if err != nil {
		return err
	}
	data := accountPage{Page: p.Page(v, "title.account"), Backup: status.BackupLeft,
		MaySMS: status.Allows(factor.SMS), MayApp: status.Allows(factor.App), MayKey: status.Allows(factor.Key), MayBackup: status.Allows(factor.Backup),
		Saved: v.URL.Query().Has("saved"), Untold: t.Untold}
	if status.Invites() {
		data.From, data.Other = status.From, status.Changes()
	}
	if s.Who.Phone != "" {
		data.Masked = s.Who.Phone.Masked()
	}
	if data.Waiting, err = p.WaitingNumber(v.Context(), s); err != nil {
		return err
	}
	// Who has another factor is led to it first, unless they have just shown the password (Fresh).
	data.Held = status.Held && onlyPassword(s) && (len(status.Has) == 0 || p.Now().Sub(s.Who.ProvenAt) <= p.Set.Fresh)
	if data.Held {
		data.MayApp, data.MayKey, data.MayBackup = false, false, false
	}
	if mail := p.MailFor(s.Who.Account); status.Allows(factor.Mail) && mail != "" {
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
		data.Devices = append(data.Devices, deviceRow{d.ID, d.Address, portal.ClientOf(d.UserAgent), d.UsedAt, d.ExpiresAt})
	}
	sessions, err := p.Store.LiveSessions(v.Context(), s.AccountID, string(portal.StepReady))
	if err != nil {
		return fmt.Errorf("account page: %w", err)
	}
	for _, one := range sessions {
		data.Sessions = append(data.Sessions, sessionRow{one.ID, one.Address, portal.ClientOf(one.UserAgent), one.CreatedAt, one.ID == s.ID})
	}
	return p.Render(w, v, code, "account", data)
}

// removeFactor takes an app or a key away.
func (p *Pages) removeFactor(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	_, err := p.Factors.Remove(v.Context(), v.Session.AccountID, v.PostForm.Get("id"), func(one factor.Factor) (store.Trace, error) {
		return p.FactorTrace(v, factor.NewsRemoved, one.Kind, one.Name)
	})
	if errors.Is(err, factor.ErrNotFound) { // removed in another tab
		return p.Redirect(w, v, "/account")
	}
	if err != nil {
		return err
	}
	if err := p.RefreshFactors(v, ""); err != nil {
		return err
	}
	return p.Redirect(w, v, "/account?saved")
}

// forgetDevice has a remembered browser asked for a second factor again.
func (p *Pages) forgetDevice(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	id := v.PostForm.Get("id")
	if id == "" {
		return p.Redirect(w, v, "/account")
	}
	trace := p.EventTrace(v, store.Event{Kind: "device-forget", Result: "ok"})
	_, err := p.Factors.ForgetDevice(v.Context(), v.Session.AccountID, id, trace)
	if errors.Is(err, factor.ErrNotFound) { // forgotten in another tab
		return p.Redirect(w, v, "/account")
	}
	if err != nil {
		return err
	}
	return p.Redirect(w, v, "/account?saved")
}

// endOwn ends another session of the person's own.
func (p *Pages) endOwn(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	s := v.Session
	own, err := p.Store.LiveSessions(v.Context(), s.AccountID, string(portal.StepReady))
	if err != nil {
		return fmt.Errorf("end own session: %w", err)
	}
	for _, one := range own {
		if one.ID != v.PostForm.Get("id") || one.ID == s.ID {
			continue
		}
		other := &portal.Session{Session: one, Who: portal.Who{Account: s.Who.Account}}
		if err := p.End(v, other, portal.EndLogout); err != nil {
			return err
		}
	}
	return p.Redirect(w, v, "/account?saved")
}
