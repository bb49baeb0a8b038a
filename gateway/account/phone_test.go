package account

import (
	"errors"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"stagedoor/gateway/portal"
	"stagedoor/otp"
)

// Whatever is typed and chosen: a mobile number of an allowed country, or a
// reason in words.
func FuzzReadNumber(f *testing.F) {
	for _, seed := range [][2]string{{"070-174 06 05", "SE"}, {"+46 (0)70 174 06 05", "NO"}, {"0047 406 12 345", "xx"}, {"", ""}, {"\u202d070\u00ad174\u2009", "SE"}, {"++46", "SE"}} {
		f.Add(seed[0], seed[1])
	}
	p := &Pages{&portal.Portal{Set: portal.Settings{Country: map[string]string{"AMIDO": "SE"}, Countries: []string{"SE", "NO"}}}}
	s := &portal.Session{}
	s.Who.Account.Domain = "AMIDO"
	f.Fuzz(func(t *testing.T, raw, country string) {
		phone, err := p.readNumber(s, raw, country)
		var why *otp.NoPhoneError
		if err != nil {
			if !errors.As(err, &why) || phone != "" {
				t.Fatalf("%q, %v", phone, err)
			}
			return
		}
		number, err := phonenumbers.Parse(string(phone), "")
		if err != nil || phonenumbers.GetRegionCodeForNumber(number) != "SE" && phonenumbers.GetRegionCodeForNumber(number) != "NO" {
			t.Errorf("%q in %q was read as %s: %v", raw, country, phone, err)
		}
	})
}
