package portal

import "strings"

// Client is a browser and what it runs on, as far as its User-Agent tells.
type Client struct{ Browser, System string }

// ClientOf knows the names that people know. Each of them names others before it
// to be mistaken for them: the order is from the particular to the general.
func ClientOf(userAgent string) Client {
	first := func(pairs ...string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if strings.Contains(userAgent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	return Client{
		Browser: first("Edg/", "Edge", "EdgA/", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "FxiOS/", "Firefox",
			"SamsungBrowser/", "Samsung Internet", "CriOS/", "Chrome", "Chrome/", "Chrome", "Safari/", "Safari"),
		System: first("iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "Windows", "Windows", "CrOS", "ChromeOS",
			"Mac OS X", "macOS", "Linux", "Linux"),
	}
}

// ClientName is a browser as its person knows it: "Firefox på Windows".
func (p *Portal) ClientName(lang, userAgent string) string {
	switch c := ClientOf(userAgent); {
	case c.Browser != "" && c.System != "":
		return p.Site.T(lang, "account.browser", "browser", c.Browser, "system", c.System)
	case c.Browser != "":
		return c.Browser
	}
	return p.Site.T(lang, "account.browser.unknown")
}
