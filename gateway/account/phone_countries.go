package account

import (
	"slices"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"stagedoor/gateway/portal"
)

// country is one that numbers may be of.
type country struct {
	Code, Name string // "SE", in the page's language
	Dial       int    // 46
	Flag       string // address of its picture; "": none
	Chosen     bool
}

// countries are those that codes are sent to, in the order of the page's
// language.
func (p *Pages) countries(v *portal.Visit, chosen string) []country {
	tag := language.Make(v.Lang)
	names := display.Regions(tag)
	codes := p.Set.Countries
	if len(codes) == 0 {
		codes = []string{p.homeCountry(v.Session)}
	}
	var found []country
	for _, code := range codes {
		one := country{Code: code, Name: code, Dial: phonenumbers.GetCountryCodeForRegion(code),
			Flag: p.Site.Asset("flags/" + code + ".svg"), Chosen: code == chosen}
		if region, err := language.ParseRegion(code); err == nil && names != nil {
			if name := names.Name(region); name != "" {
				one.Name = name
			}
		}
		found = append(found, one)
	}
	order := collate.New(tag)
	slices.SortStableFunc(found, func(a, b country) int { return order.CompareString(a.Name, b.Name) })
	return found
}

// homeCountry is the one that a number is read in at first.
func (p *Pages) homeCountry(s *portal.Session) string {
	if home := p.Set.Country[s.Who.Account.Domain]; slices.Contains(p.Set.Countries, home) || len(p.Set.Countries) == 0 {
		return home
	}
	return p.Set.Countries[0]
}
