package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

// phoning is how far somebody has come with a number of theirs.
type phoning struct {
	OldCode string    // challenge of the code to the number that they have
	OldDone bool      // it was typed rightly
	New     otp.Phone // the number to have
	NewCode string    // challenge of the code to it
	Notice  string    // why no code was sent: a WaitError's rule, or "not-sent"
	Until   time.Time // of the notice
}

type phonePage struct {
	page
	// Stage is what the page is for: "have" (the number that there is), "old" (the
	// code from it), "number" (a number is typed), "new" (the code from that one)
	// or "none" (there is no number, and helpdesk enters it).
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
	// "wrong", "expired", "used-up", "wait", "not-sent", "pending", "moved",
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
}

// pendingNumber is a change that waits.
type pendingNumber struct {
	ID, Masked string
	DueAt      time.Time // zero: until a second agent confirms
}

// numbersAndNotices are put together from the portal's own parts.
func (p *Portal) numbersAndNotices() {
	p.notices = otp.NewNotices(p.Store, p.Codes.Sender)
	if mailer := p.Mailer; mailer != nil {
		p.notices.Mail = func(ctx context.Context, to, subject, text string) error {
			return mailer.Send(ctx, otp.Mail{To: to, Subject: subject, Text: text})
		}
	}
	p.notices.Text, p.notices.Key = p.Site.T, p.Codes.Key
	p.notices.Portal, p.notices.Address, p.notices.Now = p.set.Name, p.origin, p.Now
	p.notices.Failed = func(notice store.Notice, err error) {
		p.Log.Error("notice not sent", "notice", notice.ID, "key", notice.Key, "channel", notice.Channel,
			"account_id", notice.AccountID, "tries", notice.Tries, "error", err)
	}
	p.numbers = &otp.Numbers{
		Store: p.Store, Notices: p.notices, Key: p.Codes.Key, Now: p.Now,
		Order: p.set.Phones.Order, SelfEnrol: p.set.Phones.SelfEnrol, CoolDown: p.set.Phones.CoolDown,
		Changed: p.factors.Changed, Recorded: func(event store.Event) { p.logEvent(p.Log, event) },
	}
}

// applyDueNumbers puts helpdesk's changes of numbers into force when their time
// has come, for people who do not log in meanwhile: at once, for what fell due
// while no node ran, and at every tick.
func (p *Portal) applyDueNumbers(tick <-chan time.Time) {
	for {
		if _, err := p.numbers.Run(p.ctx); err != nil && p.ctx.Err() == nil {
			p.Log.Error("changes of numbers not applied", "error", err)
		}
		select {
		case <-p.ctx.Done():
			return
		case <-tick:
		}
	}
}

// numberPerson is an account as the rules about numbers see it.
func (p *Portal) numberPerson(account directory.Account, lang string) otp.Person {
	return otp.Person{
		AccountID: account.ID, Directory: account.Mobiles, Country: p.set.Country[account.Domain], Allowed: p.set.Countries,
		Name: account.Domain + `\` + account.Name, Lang: lang, Mail: account.Mail,
	}
}

// numberOf is the number that an account's codes go to; otp.ErrNoPhone.
func (p *Portal) numberOf(ctx context.Context, account directory.Account) (otp.Number, error) {
	return p.numbers.Of(ctx, p.numberPerson(account, ""))
}

// refreshNumber has a session know the number that codes go to now; none is no
// error.
func (p *Portal) refreshNumber(v *visit, s *session) (otp.Number, error) {
	number, err := p.numberOf(v.Context(), s.who.Account)
	if err != nil && !errors.Is(err, otp.ErrNoPhone) {
		return otp.Number{}, err
	}
	if err != nil {
		v.log.Info("no usable phone number", "name", s.who.Account.Name, "error", err)
	}
	s.who.Phone, s.who.PhoneFrom = number.Phone, number.Source
	return number, nil
}

// mayEnrolPhone tells whether a session's person may give their first number.
// With the password alone that is the policy's to say, and never for those who
// help others.
func (p *Portal) mayEnrolPhone(s *session, number otp.Number) bool {
	proven := s.who.Factor != ""
	return (proven || !p.strong(s.who.Account)) && p.numbers.MayEnrol(number, proven)
}

// offerPhone adds a number to what may be set up on the way in with the
// password alone, or takes it away: phones.enrol decides, whatever the policy
// of factors names.
func (p *Portal) offerPhone(s *session, number otp.Number) {
	state := &s.who.Factors
	state.Enrol = slices.DeleteFunc(slices.Clone(state.Enrol), func(k factor.Kind) bool { return k == factor.SMS })
	if state.Allows(factor.SMS) && p.mayEnrolPhone(s, number) {
		state.Enrol = append(state.Enrol, factor.SMS)
	}
}

// phoneClosed: on the way in a number opens the door, and so only where it may
// be the factor that is set up.
func (p *Portal) phoneClosed(s *session) bool {
	return s.Step == string(stepEnrol) && !slices.Contains(p.mayEnrol(s), factor.SMS)
}

// phonePage shows the number that there is and how far a change of it has come.
func (p *Portal) phonePage(w http.ResponseWriter, v *visit) error {
	if p.phoneClosed(v.session) {
		return p.proceed(w, v)
	}
	data, err := p.phoneState(v)
	if err != nil {
		return err
	}
	if v.session.Step == string(stepEnrol) && v.session.who.Factor == "" && data.Stage == "have" {
		// Helpdesk has entered a number meanwhile: then the way in is its code.
		if err := p.end(v, v.session, endPreAuth); err != nil {
			return err
		}
		p.forget(w)
		return p.proceed(w, v)
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
func (p *Portal) phoneState(v *visit) (phonePage, error) {
	s := v.session
	before := s.who.Phone
	number, err := p.refreshNumber(v, s)
	if err != nil {
		return phonePage{}, err
	}
	if before != s.who.Phone { // helpdesk has changed it: what was proven is no longer the number
		s.who.Phoning = phoning{}
	}
	at := &s.who.Phoning
	data := phonePage{First: number.Phone == "", Frozen: number.Frozen, Country: p.homeCountry(s)}
	if !data.First {
		data.Masked, data.Directory = number.Phone.Masked(), number.Source == otp.FromDirectory
		data.Elsewhere = !p.numbers.MayChange(number)
		if number.Verified {
			data.How, data.VerifiedAt = number.How, number.At
		}
	}
	pending, err := p.numbers.Pending(v.Context(), s.AccountID)
	if err == nil {
		data.Pending = &pendingNumber{pending.ID, otp.Phone(pending.New).Masked(), pending.DueAt}
	} else if !errors.Is(err, otp.ErrNoChange) {
		return phonePage{}, err
	}
	switch open := data.First && p.mayEnrolPhone(s, number) || at.OldDone && !data.First; {
	case data.First && !p.mayEnrolPhone(s, number):
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
func (p *Portal) phoneCodeState(v *visit, data *phonePage, challengeID string) error {
	at := &v.session.who.Phoning
	if challengeID == "" {
		data.Fault = "not-sent"
		if at.Until.After(p.Now()) || at.Notice == "blocked" {
			data.Fault, data.Wait = "wait", p.minutesUntil(at.Until)
		}
		return nil
	}
	challenge, err := p.Codes.Get(v.Context(), challengeID, v.session.ID)
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
		data.Fault, data.Wait = "wait", p.minutesUntil(at.Until)
	default:
		data.Fault = "not-sent"
	}
	return nil
}

// homeCountry is the one that a number is read in at first.
func (p *Portal) homeCountry(s *session) string {
	if home := p.set.Country[s.who.Account.Domain]; slices.Contains(p.set.Countries, home) || len(p.set.Countries) == 0 {
		return home
	}
	return p.set.Countries[0]
}

func (p *Portal) renderPhone(w http.ResponseWriter, v *visit, status int, data phonePage) error {
	title := "phone.title"
	if data.First {
		title = "phone.title.first"
	}
	data.page = p.page(v, title)
	if data.Stage == "number" {
		data.Countries = p.countries(v, data.Country)
	}
	return p.render(w, v, status, "phone", data)
}

// phone takes what was sent from the page.
func (p *Portal) phone(w http.ResponseWriter, v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badForm(err)
	}
	if p.phoneClosed(v.session) {
		return p.proceed(w, v)
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
		v.session.who.Phoning = phoning{}
		return p.keepPhoning(w, v, "/phone")
	case act == "withdraw" && data.Pending != nil && !data.First:
		return p.withdrawNumber(w, v, data.Pending.ID)
	}
	// The page was older than what has happened since.
	return p.redirect(w, v, "/phone")
}

// startOldCode begins a change: a code goes to the number that there is.
func (p *Portal) startOldCode(w http.ResponseWriter, v *visit) error {
	number, err := p.numberOf(v.Context(), v.session.who.Account)
	if err != nil {
		return err
	}
	v.session.who.Phoning = phoning{}
	challenge, err := p.startPhoneCode(v, number.Phone, "phone.sms.old")
	if err != nil {
		return err
	}
	v.session.who.Phoning.OldCode = challenge
	return p.keepPhoning(w, v, "/phone")
}

// takeNumber reads the number to have, and sends a code to it.
func (p *Portal) takeNumber(w http.ResponseWriter, v *visit, data phonePage) error {
	s := v.session
	data.Stage, data.Fault = "number", ""
	data.Number, data.Country = printable(v.PostForm.Get("number"), 64), strings.ToUpper(v.PostForm.Get("country"))
	phone, err := p.readNumber(s, v.PostForm.Get("number"), data.Country)
	var why *otp.NoPhoneError
	switch {
	case errors.As(err, &why):
		data.Fault = why.Reason
	case err != nil:
		return err
	default:
		number, err := p.numberOf(v.Context(), s.who.Account)
		if err != nil && !errors.Is(err, otp.ErrNoPhone) {
			return err
		}
		if number.Phone == phone {
			data.Fault = "yours"
		}
	}
	if data.Fault != "" {
		return p.renderPhone(w, v, http.StatusUnprocessableEntity, data)
	}
	challenge, err := p.startPhoneCode(v, phone, "phone.sms.new")
	if err != nil {
		return err
	}
	s.who.Phoning.New, s.who.Phoning.NewCode = phone, challenge
	return p.keepPhoning(w, v, "/phone")
}

// readNumber reads a number as it was typed, in the country that was chosen.
func (p *Portal) readNumber(s *session, raw, country string) (otp.Phone, error) {
	home := p.homeCountry(s)
	allowed := p.set.Countries
	if len(allowed) == 0 {
		allowed = []string{home}
	}
	if !slices.Contains(allowed, country) {
		country = home
	}
	return otp.ParsePhone(raw, country, allowed)
}

// startPhoneCode sends a code; what stood in the way is remembered for the page.
func (p *Portal) startPhoneCode(v *visit, phone otp.Phone, words string) (challengeID string, err error) {
	s := v.session
	purpose := otp.PurposeChange
	if s.who.Phone == "" {
		purpose = otp.PurposeEnrol
	}
	challenge, err := p.Codes.Start(v.Context(), otp.Request{
		SessionID: s.ID, AccountID: s.AccountID, Phone: phone, Words: p.Site.T(v.lang, words), Purpose: purpose,
	})
	at := &s.who.Phoning
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
		v.log.Error("code not sent", "error", err)
	default:
		return "", fmt.Errorf("start code: %w", err)
	}
	return challenge.ID, p.auditPhone(v, "phone-code-sent", result, reason, phone)
}

// keepPhoning stores how far the person has come, and goes on.
func (p *Portal) keepPhoning(w http.ResponseWriter, v *visit, to string) error {
	if err := p.keepWho(v); err != nil {
		return err
	}
	return p.redirect(w, v, to)
}

func (p *Portal) auditPhone(v *visit, kind, result, reason string, phone otp.Phone) error {
	return p.audit(v, store.Event{Kind: kind, Result: result, Reason: reason, Detail: map[string]string{"phone": phone.Masked()}})
}
