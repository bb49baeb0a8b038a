package portal

import (
	"net/http"
	"net/url"
	"strings"
)

// Language is what the person chose with the switch, else what the browser
// asks for.
func (p *Portal) Language(r *http.Request) string {
	if c, err := r.Cookie("lang"); err == nil && p.speaks(c.Value) {
		return c.Value
	}
	return p.Site.Match(r.Header.Get("Accept-Language"))
}

func (p *Portal) speaks(lang string) bool {
	for _, l := range p.Site.Languages() {
		if l.Code == lang {
			return true
		}
	}
	return false
}

// ChooseLanguage acts on the switch that stands on every page, ?lang=sv, and
// goes back to the same page.
func (p *Portal) ChooseLanguage(w http.ResponseWriter, v *Visit) (done bool, err error) {
	query := v.URL.Query()
	lang := query.Get("lang")
	if v.Method != http.MethodGet || lang == "" || !p.speaks(lang) {
		return false, nil
	}
	http.SetCookie(w, &http.Cookie{
		Name: "lang", Value: lang, Path: "/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, Secure: p.Secure, SameSite: http.SameSiteLaxMode,
	})
	query.Del("lang")
	to := &url.URL{Path: v.URL.Path, RawQuery: query.Encode()}
	if !strings.HasPrefix(to.Path, "/") || strings.HasPrefix(to.Path, "//") {
		to.Path = "/"
	}
	return true, p.Redirect(w, v, to.String())
}

// languageLinks are the switch. What an address without a page of its own has
// answered leads to the page where the session belongs.
func (p *Portal) languageLinks(v *Visit) []languageLink {
	var links []languageLink
	path := v.URL.Path
	if v.Method != http.MethodGet && !p.Patterns["GET "+path] {
		path = p.Next(v.Session)
	}
	query := url.Values{}
	if v.ReturnTo != "" {
		query.Set("target", v.ReturnTo)
	}
	for _, l := range p.Site.Languages() {
		query.Set("lang", l.Code)
		links = append(links, languageLink{
			Code: l.Code, Name: l.Name, Current: l.Code == v.Lang,
			Href: (&url.URL{Path: path, RawQuery: query.Encode()}).String(),
		})
	}
	return links
}

type languageLink struct {
	Code, Name, Href string
	Current          bool
}
