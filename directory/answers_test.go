package directory

import (
	"errors"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
)

func reasonOf(t *testing.T, err error) string {
	t.Helper()
	var refused *RefusedError
	var policy *PolicyError
	switch {
	case err == nil:
		return "broken"
	case errors.As(err, &refused):
		return refused.Reason
	case errors.As(err, &policy):
		return "policy " + string(policy.Rule)
	case errors.Is(err, ErrPasswordExpired):
		return "expired"
	case errors.Is(err, ErrChangeForbidden):
		return "forbidden"
	}
	t.Fatalf("unexpected error %v", err)
	return ""
}

func TestADRefusal(t *testing.T) {
	words := func(code string) string {
		return "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data " + code + ", v1db1"
	}
	for _, c := range []struct{ words, want string }{
		{words("52e"), "wrong-password"}, {words("525"), "unknown-account"}, {words("530"), "logon-hours"},
		{words("531"), "workstation"}, {words("532"), "expired"}, {words("533"), "disabled"}, {words("701"), "account-expired"},
		{words("773"), "expired"}, {words("775"), "locked"}, {words("52E"), "wrong-password"},
		{words("7735"), "other"}, {words("57"), "other"}, {words(""), "other"}, {"", "other"}, {"data 773", "other"},
		{"comment: 773, v1db1", "other"},
	} {
		if got := reasonOf(t, adRefusal(c.words)); got != c.want {
			t.Errorf("%q means %s, want %s", c.words, got, c.want)
		}
	}
}

func TestADChangeRefusal(t *testing.T) {
	const restriction = "0000052D: Constraint violation - check_password_restrictions: "
	for _, c := range []struct {
		code  uint16
		words string
		want  string
	}{
		{19, "00000056: AtrErr: DSID-03190F80", "wrong-password"},
		{19, "00000775: Constraint violation", "locked"},
		{19, restriction + "the password is too short. It should be equal or longer than 7 characters!", "policy length"},
		{19, restriction + "the password does not meet the complexity criteria!", "policy complexity"},
		{19, restriction + "the password was already used (previous password)!", "policy history"},
		{19, restriction + "the password was already used (in history)!", "policy history"},
		{19, restriction + "password is too young to change!", "policy too-young"},
		{19, "0000052D: AtrErr: DSID-03191083, #1: 0: 0000052D: DSID-03191083, problem 1005 (CONSTRAINT_ATT_TYPE)", "policy any"},
		{19, "samr: user may not change password", "forbidden"},
		{19, "", "forbidden"},
		{50, "00002098: SecErr: DSID-03150F94", "forbidden"},
		{53, "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0", "policy any"},
		{53, "", "policy any"},
		{32, "0000208D: NameErr", "broken"},
		{8, "", "broken"},
	} {
		if got := reasonOf(t, adChangeRefusal(c.code, c.words)); got != c.want {
			t.Errorf("%d %q means %s, want %s", c.code, c.words, got, c.want)
		}
	}
}

func TestChangeRefusal(t *testing.T) {
	for _, c := range []struct {
		code    uint16
		ppolicy int8
		words   string
		want    string
	}{
		{19, 5, "", "policy complexity"}, {19, 6, "", "policy length"}, {19, 7, "", "policy too-young"}, {19, 8, "", "policy history"},
		{19, -1, "Password fails quality checking policy", "policy any"},
		{50, 3, "", "forbidden"}, {50, -1, "", "forbidden"},
		{49, -1, "", "wrong-password"}, {19, 1, "", "locked"},
		{53, -1, "unwilling to verify old password", "broken"}, {53, -1, "not now", "policy any"}, {2, -1, "", "broken"},
	} {
		if got := reasonOf(t, changeRefusal(c.code, c.ppolicy, c.words)); got != c.want {
			t.Errorf("%d, ppolicy %d, %q means %s, want %s", c.code, c.ppolicy, c.words, got, c.want)
		}
	}
}

// FuzzADWords: whatever a server says, only its own codes make a password right.
func FuzzADWords(f *testing.F) {
	f.Add(uint16(19), "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1")
	f.Add(uint16(53), "0000052D: Constraint violation")
	f.Add(uint16(19), "00000056:")
	f.Fuzz(func(t *testing.T, code uint16, words string) {
		if adRefusal(words) == nil {
			t.Fatalf("a refusal with the words %q lets somebody in", words)
		}
		if err := adChangeRefusal(code, words); err != nil {
			reasonOf(t, err)
		}
	})
}

func TestValues(t *testing.T) {
	epoch := time.Unix(0, 0).UTC()
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"GUID", guidText([]byte{0x4, 0x3, 0x2, 0x1, 0x6, 0x5, 0x8, 0x7, 9, 10, 11, 12, 13, 14, 15, 16}), "01020304-0506-0708-090a-0b0c0d0e0f10"},
		{"GUID too short", guidText(make([]byte, 15)), ""},
		{"UUID", uuidText("23337798-7A42-1041-85a8-a30be22d3ef9"), "23337798-7a42-1041-85a8-a30be22d3ef9"},
		{"UUID without dashes", uuidText("233377987a42104185a8a30be22d3ef9"), ""},
		{"UUID with a letter too many", uuidText("2333779g-7a42-1041-85a8-a30be22d3ef9"), ""},
		{"filetime", filetime("116444736000000000"), epoch},
		{"filetime never", filetime("9223372036854775807"), time.Time{}},
		{"filetime 0", filetime("0"), time.Time{}},
		{"filetime garbage", filetime("1e9"), time.Time{}},
		{"interval", interval("-864000000000"), 24 * time.Hour},
		{"interval never", interval("-9223372036854775808"), time.Duration(0)},
		{"interval forward", interval("864000000000"), time.Duration(0)},
		{"generalized", generalizedTime("19700101000000Z"), epoch},
		{"generalized with a fraction", generalizedTime("19700101000000.5Z"), epoch.Add(time.Second / 2)},
		{"generalized for good", generalizedTime("000001010000Z"), time.Time{}},
		{"number", number("42"), 42}, {"number negative", number("-1"), 0}, {"number too large", number("99999999999"), 0},
		{"text is cleaned", printable(" a\x1b[31m\u202eb\r\nc\xff ", 100), "a[31mbc"},
		{"text is cut", printable("åäö", 2), "åä"},
		{"an unprintable name is none", exactText("Multi\u200bAccess"), ""},
		{"unicodePwd", quotedUTF16("å😀"), "\"\x00\xe5\x00\x3d\xd8\x00\xde\"\x00"},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func FuzzEntryValues(f *testing.F) {
	f.Add("9223372036854775807")
	f.Add("-9223372036854775808")
	f.Add("20261121000000Z")
	f.Fuzz(func(t *testing.T, s string) {
		if at := generalizedTime(s); at.Year() < 0 || at.Year() > 9999 {
			t.Fatalf("%q is read as %v", s, at)
		}
		if filetime(s).Before(time.Time{}) {
			t.Fatalf("%q is read as %v", s, filetime(s))
		}
		if id := uuidText(s); id != "" && len(id) != 36 {
			t.Fatalf("%q is read as the UUID %q", s, id)
		}
		if interval(s) < 0 || number(s) < 0 || seconds(s) < 0 {
			t.Fatalf("%q is read as a negative value", s)
		}
		if usableDN(s) {
			if dn, err := ldap.ParseDN(s); err != nil || len(dn.RDNs) == 0 {
				t.Fatalf("%q is taken for a DN", s)
			}
		}
	})
}

// Where OpenLDAP counts wrong tries without end, only a right one ends it.
func TestOpenLDAPLockout(t *testing.T) {
	for _, c := range []struct {
		lockout, interval string
		want              Policy
	}{
		{"TRUE", "1800", Policy{LockoutThreshold: 5, LockoutWindow: 30 * time.Minute}},
		{"TRUE", "0", Policy{LockoutThreshold: 5, LockoutWindow: Forever}},
		{"TRUE", "", Policy{LockoutThreshold: 5, LockoutWindow: Forever}},
		{"FALSE", "1800", Policy{}},
	} {
		e := ldap.NewEntry("cn=default", map[string][]string{
			"pwdLockout": {c.lockout}, "pwdMaxFailure": {"5"}, "pwdFailureCountInterval": {c.interval},
		})
		if got := readPolicy(e).Policy; got != c.want {
			t.Errorf("pwdLockout %s, pwdFailureCountInterval %q: %+v, want %+v", c.lockout, c.interval, got, c.want)
		}
	}
}
