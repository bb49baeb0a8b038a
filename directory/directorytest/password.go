package directorytest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/jimlambrt/gldap"
)

func (s *Server) onBind(w *gldap.ResponseWriter, r *gldap.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	response := r.NewBindResponse(gldap.WithResponseCode(gldap.ResultSuccess))
	defer func() { _ = w.Write(response) }() // the client may have gone
	m, err := r.GetSimpleBindMessage()
	if err != nil {
		response.SetResultCode(gldap.ResultProtocolError)
		return
	}
	if m.Password == "" {
		// Success and nobody bound, as Windows answers (RFC 4513 section 5.1.2).
		delete(s.bound, r.ConnectionID())
		return
	}
	if code := s.refuse(s.accountBinding(m.UserName), string(m.Password)); code != "" {
		response.SetResultCode(gldap.ResultInvalidCredentials)
		response.SetDiagnosticMessage("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data " + code + ", v1db1")
		return // like Samba, it leaves whoever was bound before
	}
	s.bound[r.ConnectionID()] = true
}

// accountBinding finds an account by DOMAIN\name, by its principal name, or by its DN.
func (s *Server) accountBinding(name string) *account {
	for _, a := range s.accounts {
		for _, spelling := range []string{
			s.config.Domain + `\` + a.Name, a.Name + "@" + s.config.Suffix, s.principal(a), s.userDN(a.Name),
		} {
			if strings.EqualFold(spelling, name) {
				return a
			}
		}
	}
	return nil
}

// refuse returns the Windows error code that a bind ends with, "" for success.
// Only the right password learns what is wrong with the account.
func (s *Server) refuse(a *account, password string) string {
	switch {
	case a == nil && s.config.Windows:
		return "525"
	case a == nil:
		return "52e"
	case a.Locked:
		return "775"
	case a.Password != password:
		s.countBad(a)
		return "52e"
	case a.Disabled:
		return "533"
	case a.AccountExpired:
		return "701"
	case a.NoLogonHours:
		return "530"
	case a.MustChange:
		return "773"
	case a.Expired:
		return "532"
	}
	a.bad = 0
	return ""
}

func (s *Server) countBad(a *account) {
	a.bad++
	if threshold := s.config.Policy.LockoutThreshold; threshold > 0 && a.bad >= threshold {
		a.Locked, a.lockedAt = true, s.config.Now()
	}
}

// OnPasswordChange has do called whenever somebody's password has been changed,
// before the client hears of it. do must not call the server.
func (s *Server) OnPasswordChange(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = do
}

func (s *Server) onModify(w *gldap.ResponseWriter, r *gldap.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	response := r.NewModifyResponse(gldap.WithResponseCode(gldap.ResultSuccess))
	defer func() { _ = w.Write(response) }() // the client may have gone
	m, err := r.GetModifyMessage()
	if err != nil {
		response.SetResultCode(gldap.ResultProtocolError)
		return
	}
	code, words := s.modify(m, s.bound[r.ConnectionID()])
	response.SetResultCode(code)
	response.SetDiagnosticMessage(words)
}

// modify allows two things: to delete the old unicodePwd and add a new one, and
// to unlock.
func (s *Server) modify(m *gldap.ModifyMessage, bound bool) (code int, words string) {
	if !bound {
		return gldap.ResultOperationsError, "00002020: Operation unavailable without authentication"
	}
	var a *account
	for _, candidate := range s.accounts {
		if strings.EqualFold(s.userDN(candidate.Name), m.DN) {
			a = candidate
		}
	}
	if a == nil {
		return gldap.ResultNoSuchObject, ""
	}
	if len(m.Changes) == 1 && strings.EqualFold(m.Changes[0].Modification.Type, "lockoutTime") {
		return s.unlock(a, m.Changes[0])
	}
	if len(m.Changes) != 2 || m.Changes[0].Operation != gldap.DeleteAttribute || m.Changes[1].Operation != gldap.AddAttribute {
		return gldap.ResultInsufficientAccessRights, "00002098: only a change of one's own password is allowed"
	}
	old, errOld := unicodePwd(m.Changes[0].Modification)
	new, errNew := unicodePwd(m.Changes[1].Modification)
	if errOld != nil || errNew != nil {
		return gldap.ResultUnwillingToPerform, "0000001F: unicodePwd is malformed"
	}
	switch {
	case a.Locked:
		return gldap.ResultConstraintViolation, "00000775: Constraint violation - account locked out"
	case a.CannotChange:
		return gldap.ResultConstraintViolation, "user may not change password"
	case old != a.Password:
		s.countBad(a)
		return gldap.ResultConstraintViolation, "00000056: Constraint violation - old password is wrong"
	}
	if rule := s.broken(a, new); rule != "" {
		if s.config.Windows {
			return gldap.ResultConstraintViolation, "0000052D: AtrErr: DSID-03191083, #1: 0: 0000052D: DSID-03191083, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 9005a (unicodePwd)"
		}
		return gldap.ResultConstraintViolation, "0000052D: Constraint violation - check_password_restrictions: " + rule
	}
	a.Password, a.MustChange, a.Expired = new, false, false
	a.pwdSetAt, a.earlier = s.config.Now(), append([]string{new}, a.earlier...)
	if s.changed != nil {
		s.changed()
	}
	return gldap.ResultSuccess, ""
}

// unlock writes lockoutTime, which may only become 0 (MS-SAMR section 3.1.1.8.10).
func (s *Server) unlock(a *account, change gldap.Change) (code int, words string) {
	switch {
	case !s.config.MayUnlock:
		return gldap.ResultInsufficientAccessRights, "00002098: lockoutTime may not be written"
	case change.Operation != gldap.ReplaceAttribute || len(change.Modification.Vals) != 1:
		return gldap.ResultUnwillingToPerform, "0000209A: lockoutTime may only become 0"
	}
	value, err := ber.DecodePacketErr([]byte(change.Modification.Vals[0])) // gldap leaves the SET's content encoded
	if err != nil || value.Data.String() != "0" {
		return gldap.ResultUnwillingToPerform, "0000209A: lockoutTime may only become 0"
	}
	a.Locked, a.bad = false, 0
	return gldap.ResultSuccess, ""
}

// unicodePwd decodes the one value of a change: BER, UTF-16LE, in quotes.
func unicodePwd(p gldap.PartialAttribute) (string, error) {
	if !strings.EqualFold(p.Type, "unicodePwd") || len(p.Vals) != 1 {
		return "", fmt.Errorf("%d values of %s", len(p.Vals), p.Type)
	}
	value, err := ber.DecodePacketErr([]byte(p.Vals[0])) // gldap leaves the SET's content encoded
	if err != nil {
		return "", err
	}
	raw := value.Data.Bytes()
	if len(raw)%2 != 0 {
		return "", fmt.Errorf("%d bytes are no UTF-16", len(raw))
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(raw[2*i:])
	}
	text := string(utf16.Decode(units))
	if len(text) < 2 || !strings.HasPrefix(text, `"`) || !strings.HasSuffix(text, `"`) {
		return "", fmt.Errorf("no quotes")
	}
	return text[1 : len(text)-1], nil
}

// broken says in Samba's words which rule a new password breaks.
func (s *Server) broken(a *account, new string) string {
	p := s.config.Policy
	switch {
	case p.MinAge > 0 && !a.MustChange && s.config.Now().Sub(a.pwdSetAt) < p.MinAge:
		return "password is too young to change!"
	case len(utf16.Encode([]rune(new))) < p.MinLength:
		return fmt.Sprintf("the password is too short. It should be equal or longer than %d characters!", p.MinLength)
	case p.Complexity && !complexEnough(new, a):
		return "the password does not meet the complexity criteria!"
	case p.History > 0 && new == a.Password:
		return "the password was already used (previous password)!"
	case slices.Contains(a.earlier[:min(p.History, len(a.earlier))], new):
		return "the password was already used (in history)!"
	}
	return ""
}

// complexEnough: three of five kinds of characters, and not the account's name.
func complexEnough(password string, a *account) bool {
	var upper, lower, digit, other, letter bool
	for _, r := range password {
		switch {
		case unicode.IsUpper(r):
			upper = true
		case unicode.IsLower(r):
			lower = true
		case unicode.IsDigit(r):
			digit = true
		case unicode.IsLetter(r):
			letter = true
		default:
			other = true
		}
	}
	kinds := 0
	for _, has := range []bool{upper, lower, digit, other, letter} {
		if has {
			kinds++
		}
	}
	named := len(a.Name) > 2 && strings.Contains(strings.ToLower(password), strings.ToLower(a.Name))
	return kinds >= 3 && !named
}
