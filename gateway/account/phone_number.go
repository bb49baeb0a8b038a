package account

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"stagedoor/gateway/portal"
	"stagedoor/otp"
)

// startOldCode begins a change: a code goes to the number that there is.
func (p *Pages) startOldCode(w http.ResponseWriter, v *portal.Visit) error {
	number, err := p.NumberOf(v.Context(), v.Session.Who.Account)
	if err != nil {
		return err
	}
	v.Session.Who.Phoning = portal.Phoning{}
	challenge, err := p.startPhoneCode(v, number.Phone, "phone.sms.old")
	if err != nil {
		return err
	}
	v.Session.Who.Phoning.OldCode = challenge
	return p.keepPhoning(w, v, "/phone")
}

// takeNumber reads the number to have, and sends a code to it.
func (p *Pages) takeNumber(w http.ResponseWriter, v *portal.Visit, data phonePage) error {
	s := v.Session
	data.Stage, data.Fault = "number", ""
	data.Number, data.Country = portal.Printable(v.PostForm.Get("number"), 64), strings.ToUpper(v.PostForm.Get("country"))
	phone, err := p.readNumber(s, v.PostForm.Get("number"), data.Country)
	var why *otp.NoPhoneError
	switch {
	case errors.As(err, &why):
		data.Fault = why.Reason
	case err != nil:
		return err
	default:
		number, err := p.NumberOf(v.Context(), s.Who.Account)
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
	s.Who.Phoning.New, s.Who.Phoning.NewCode = phone, challenge
	return p.keepPhoning(w, v, "/phone")
}

// readNumber reads a number as it was typed, in the country that was chosen.
func (p *Pages) readNumber(s *portal.Session, raw, country string) (otp.Phone, error) {
	home := p.homeCountry(s)
	allowed := p.Set.Countries
	if len(allowed) == 0 {
		allowed = []string{home}
	}
	if !slices.Contains(allowed, country) {
		country = home
	}
	return otp.ParsePhone(raw, country, allowed)
}
