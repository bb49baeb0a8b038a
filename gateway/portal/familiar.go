package portal

import (
	"fmt"
	"net/http"
)

// familiarCookie tells in which browsers an account has logged in. A wrong
// password there is counted by itself, so that strangers who type an account's
// name use up none of its person's own tries; it does nothing else.
const familiarCookie = "stagedoor-familiar"

// Familiar tells whether an account has logged in with this browser.
func (p *Portal) Familiar(v *Visit, accountID string) (bool, error) {
	return p.Factors.Familiar(v.Context(), accountID, p.familiarValue(v))
}

// MakeFamiliar has the browser know that an account has logged in with it.
func (p *Portal) MakeFamiliar(w http.ResponseWriter, v *Visit, accountID string) error {
	value, expires, err := p.Factors.MakeFamiliar(v.Context(), accountID, p.familiarValue(v))
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{
		Name: p.CookieName(familiarCookie), Value: value, Path: "/", Expires: expires,
		HttpOnly: true, Secure: p.Secure, SameSite: http.SameSiteLaxMode,
	})
	return nil
}

// EndFamiliar makes strangers of all browsers that an account has logged in with
// but this one, if it is one of them: its password has been changed here.
func (p *Portal) EndFamiliar(w http.ResponseWriter, v *Visit, accountID string) error {
	known, err := p.Familiar(v, accountID)
	if err != nil {
		return err
	}
	if err := p.Store.EndFamiliar(v.Context(), accountID); err != nil {
		return fmt.Errorf("end familiar: %w", err)
	}
	if !known {
		return nil
	}
	return p.MakeFamiliar(w, v, accountID)
}

func (p *Portal) familiarValue(v *Visit) string {
	cookie, err := v.Cookie(p.CookieName(familiarCookie))
	if err != nil {
		return ""
	}
	return cookie.Value
}
