package account

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/gateway/portal"
	"stagedoor/otp"
	"stagedoor/store"
)

type phonePage struct {
	portal.Page
	// Stage is what the page is for: "have" (the number that there is), "old" (the
	// code from it), "number" (a number is typed), "new" (the code from that one)
	// "waits" (helpdesk has entered the first one, and it does not count yet) or
	// "none" (there is no number, and helpdesk enters it).
	Stage      string
	First      bool   // there is no number yet
	Masked     string // the number that there is
	NewMasked  string // the number to have
	Directory  bool   // the number is the directory's
	How        string // it was verified; "": it was not
	VerifiedAt time.Time
	Done       bool // the number has just been changed
	Pending    *pendingNumber
	Frozen     bool
	Elsewhere  bool // the number is changed in the directory only

	// Fault is why something was not taken: a NoPhoneError's reason, "yours",
	// "wrong", "expired", "used-up", "wait", "blocked", "not-sent", "pending", "moved",
	// "too-many".
	Fault     string
	Left      int    // tries
	Wait      int    // minutes
	ResendIn  int    // seconds
	Resent    bool   // a code was sent again
	Recent    bool   // none was sent, since one went to the account a moment ago
	Number    string // as it was typed
	Country   string // that was chosen
	Countries []country
	Way       portal.CodeWay // of the last message with the code that the page waits for
}

// pendingNumber is a change that waits.
type pendingNumber struct {
	ID, Masked string
	DueAt      time.Time // zero: until a second agent confirms
}

// phoneClosed: on the way in a number opens the door, and so only where it may
// be the factor that is set up.
func (p *Pages) phoneClosed(v *portal.Visit) (bool, error) {
	own, err := p.mayEnrol(v)
	return v.Session.Step == string(portal.StepEnrol) && !slices.Contains(own, factor.SMS), err
}

// phonePage shows the number that there is and how far a change of it has come.
func (p *Pages) phonePage(w http.ResponseWriter, v *portal.Visit) error {
	if closed, err := p.phoneClosed(v); err != nil {
		return err
	} else if closed {
		return p.Proceed(w, v)
	}
	data, err := p.phoneState(v)
	if err != nil {
		return err
	}
	if v.Session.Step == string(portal.StepEnrol) && v.Session.Who.Factor == "" && data.Stage == "have" {
		// Helpdesk has entered a number meanwhile: then the way in is its code.
		if err := p.End(v, v.Session, portal.EndPreAuth); err != nil {
			return err
		}
		p.Forget(w)
		return p.Proceed(w, v)
	}
	query := v.URL.Query()
	data.Resent = query.Has("resent") && data.Fault == ""
	data.Done = query.Has("done") && data.Stage == "have"
	if query.Has("edit") && data.Stage == "new" {
		data.Stage, data.Fault = "number", ""
	}
	return p.renderPhone(w, v, http.StatusOK, data)
}

// phoneState is the page as everything stands.
func (p *Pages) phoneState(v *portal.Visit) (phonePage, error) {
	s := v.Session
	before := s.Who.Phone
	number, err := p.RefreshNumber(v, s)
	if err != nil {
		return phonePage{}, err
	}
	if before != s.Who.Phone { // helpdesk has changed it: what was proven is no longer the number
		s.Who.Phoning = portal.Phoning{}
	}
	at := &s.Who.Phoning
	data := phonePage{First: number.Phone == "", Frozen: number.Frozen, Country: p.homeCountry(s)}
	if !data.First {
		data.Masked, data.Directory = number.Phone.Masked(), number.Source == otp.FromDirectory
		data.Elsewhere = !p.Numbers.MayChange(number)
		if number.Verified {
			data.How, data.VerifiedAt = number.How, number.At
		}
	}
	pending, err := p.Numbers.Pending(v.Context(), s.AccountID)
	if err == nil {
		data.Pending = &pendingNumber{pending.ID, otp.Phone(pending.New).Masked(), pending.DueAt}
	} else if !errors.Is(err, otp.ErrNoChange) {
		return phonePage{}, err
	}
	switch open := data.First && p.MayEnrolPhone(s, number) || at.OldDone && !data.First; {
	case data.First && data.Pending != nil && s.Who.Factor != "":
		data.Stage = "waits"
	case data.First && !p.MayEnrolPhone(s, number):
		data.Stage = "none"
	case data.Frozen, data.Elsewhere, data.Pending != nil:
		data.Stage = "have"
	case open && at.New != "":
		data.Stage, data.NewMasked = "new", at.New.Masked()
		return data, p.phoneCodeState(v, &data, at.NewCode)
	case open:
		data.Stage = "number"
	case at.OldCode != "" || at.Notice != "":
		data.Stage = "old"
		return data, p.phoneCodeState(v, &data, at.OldCode)
	default:
		data.Stage = "have"
	}
	return data, nil
}

// phoneCodeState adds how the code stands that the page waits for.
func (p *Pages) phoneCodeState(v *portal.Visit, data *phonePage, challengeID string) error {
	at := &v.Session.Who.Phoning
	if challengeID == "" {
		data.Fault = "not-sent"
		if at.Until.After(p.Now()) || at.Notice == "blocked" {
			p.waits(data, at.Notice, at.Until)
		}
		return nil
	}
	challenge, err := p.Codes.Get(v.Context(), challengeID, v.Session.ID)
	if errors.Is(err, otp.ErrExpired) {
		data.Fault = "expired"
		return nil
	}
	if err != nil {
		return fmt.Errorf("phone page: %w", err)
	}
	data.Left = challenge.Left
	data.ResendIn = max(0, int(challenge.ResendAt.Sub(p.Now()).Seconds()+0.999))
	switch {
	case !challenge.SentAt.IsZero():
	case at.Notice == "cooldown":
		data.Recent = true
	case at.Until.After(p.Now()):
		p.waits(data, at.Notice, at.Until)
	default:
		data.Fault = "not-sent"
	}
	return nil
}

// waits has the page say until when a limit holds; one without an end is
// helpdesk's to lift.
func (p *Pages) waits(data *phonePage, rule string, until time.Time) {
	if rule == "blocked" {
		data.Fault = rule
		return
	}
	data.Fault, data.Wait = "wait", p.MinutesUntil(until)
}

func (p *Pages) renderPhone(w http.ResponseWriter, v *portal.Visit, status int, data phonePage) error {
	title := "phone.title"
	if data.First && data.Stage != "waits" {
		title = "phone.title.first"
	}
	data.Page = p.Page(v, title)
	if data.Stage == "old" || data.Stage == "new" {
		var err error
		if data.Way, err = p.phoneWayOf(v); err != nil {
			return err
		}
	}
	if data.Stage == "number" {
		data.Countries = p.countries(v, data.Country)
	}
	return p.Render(w, v, status, "phone", data)
}

// phone takes what was sent from the page.
func (p *Pages) phone(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return portal.BadForm(err)
	}
	if closed, err := p.phoneClosed(v); err != nil {
		return err
	} else if closed {
		return p.Proceed(w, v)
	}
	data, err := p.phoneState(v)
	if err != nil {
		return err
	}
	switch act := v.PostForm.Get("act"); {
	case act == "old" && data.Stage == "have" && !data.Frozen && !data.Elsewhere && data.Pending == nil:
		return p.startOldCode(w, v)
	case act == "number" && (data.Stage == "number" || data.Stage == "new"):
		return p.takeNumber(w, v, data)
	case act == "code" && (data.Stage == "old" || data.Stage == "new"):
		return p.checkPhoneCode(w, v, data)
	case act == "resend" && (data.Stage == "old" || data.Stage == "new"):
		return p.resendPhoneCode(w, v, data)
	case act == "restart":
		v.Session.Who.Phoning = portal.Phoning{}
		return p.keepPhoning(w, v, "/phone")
	case act == "withdraw" && data.Pending != nil && (!data.First || data.Stage == "waits"):
		return p.withdrawNumber(w, v, data.Pending.ID)
	}
	// The page was older than what has happened since.
	return p.Redirect(w, v, "/phone")
}

// startPhoneCode sends a code; what stood in the way is remembered for the page.
func (p *Pages) startPhoneCode(v *portal.Visit, phone otp.Phone, words string) (challengeID string, err error) {
	s := v.Session
	purpose := otp.PurposeChange
	if s.Who.Phone == "" {
		purpose = otp.PurposeEnrol
	}
	challenge, err := p.Codes.Start(v.Context(), otp.Request{
		SessionID: s.ID, AccountID: s.AccountID, Phone: phone, Words: p.Site.T(v.Lang, words), Purpose: purpose,
	})
	at := &s.Who.Phoning
	at.Notice, at.Until = "", time.Time{}
	result, reason := "ok", ""
	var wait *otp.WaitError
	switch {
	case err == nil:
	case errors.As(err, &wait):
		result, reason = "refused", wait.Rule
		at.Notice, at.Until = wait.Rule, wait.Until
	case errors.Is(err, otp.ErrNotSent):
		result, reason = "error", "not-sent"
		at.Notice = "not-sent"
		v.Log.Error("code not sent", "error", err)
	default:
		return "", fmt.Errorf("start code: %w", err)
	}
	return challenge.ID, p.auditPhone(v, "phone-code-sent", result, reason, phone)
}

// keepPhoning stores how far the person has come, and goes on.
func (p *Pages) keepPhoning(w http.ResponseWriter, v *portal.Visit, to string) error {
	if err := p.KeepWho(v); err != nil {
		return err
	}
	return p.Redirect(w, v, to)
}

func (p *Pages) auditPhone(v *portal.Visit, kind, result, reason string, phone otp.Phone) error {
	return p.Audit(v, store.Event{Kind: kind, Result: result, Reason: reason, Detail: map[string]string{"phone": phone.Masked()}})
}
