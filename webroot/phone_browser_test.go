package webroot

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"stagedoor/testbed"
)

// phoneServer shows the page of a first number under the portal's own policy of
// content, and remembers what its form sent.
func phoneServer(t *testing.T, sent chan<- url.Values) string {
	t.Helper()
	site := opened(t)
	var countries []country
	for _, c := range []country{{"DK", "Danmark", 45, "", false}, {"FI", "Finland", 358, "", false}, {"NO", "Norge", 47, "", false},
		{"SE", "Sverige", 46, "", true}, {"DE", "Tyskland", 49, "", false}, {"AX", "Åland", 358, "", false}, {"AT", "Österrike", 43, "", false}} {
		c.Flag = site.Asset("flags/" + c.Code + ".svg")
		countries = append(countries, c)
	}
	var page bytes.Buffer
	if err := site.Render(&page, "sv", "phone", phonePage{basePage: outside("sv", "Ange ditt mobilnummer"), Stage: "number", First: true, Countries: countries}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "+
			"connect-src 'self'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'; trusted-types 'none'")
		switch {
		case r.URL.Path != "/phone":
			site.Static().ServeHTTP(w, r)
			return
		case r.Method == http.MethodPost:
			_ = r.ParseForm()
			sent <- r.PostForm
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page.Bytes())
	}))
	t.Cleanup(server.Close)
	return server.URL + "/phone"
}

const (
	flagShown = `document.querySelector("#country-button img")?.src.split("/").pop()`
	found     = `[...document.querySelectorAll("#country-list li:not([hidden])")].map((e) => e.textContent).join(" ")`
)

func shows(t *testing.T, p *testbed.Page, expression, want string) {
	t.Helper()
	if got := testbed.Eval[string](p, "String("+expression+")"); got != want {
		t.Errorf("%s is %q, want %q", expression, got, want)
	}
}

// Choosing a country by the keyboard alone: found by name, by code, by +46, in
// any language and without its dots; the flag stands left of the field.
func TestBrowserCountryPicker(t *testing.T) {
	testbed.Need(t, "chromium")
	sent := make(chan url.Values, 1)
	address := phoneServer(t, sent)
	p := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	p.Open(address)
	p.WaitFor("#country-button")
	shows(t, p, flagShown, "SE.svg")
	p.WaitUntil(`document.querySelector("#country-button img").naturalWidth > 0`)
	shows(t, p, `document.querySelector("#country-button").getAttribute("aria-label")`, "Land: Sverige +46")
	shows(t, p, `document.activeElement.id`, "number")
	shows(t, p, `document.querySelector("#country-button").getBoundingClientRect().right <= document.querySelector("#number").getBoundingClientRect().left`, "true")
	for search, want := range map[string]string{
		"nor": "Norge+47", "NO": "Norge+47", "+47": "Norge+47", "0047": "Norge+47", "norway": "Norge+47",
		"+358": "Finland+358 Åland+358", "osterrike": "Österrike+43", "deutsch": "Tyskland+49", "zz": "",
	} {
		p.Click("#country-button")
		shows(t, p, `document.activeElement.id`, "country-search")
		p.Fill("#country-search", search)
		shows(t, p, found, want)
		p.Press("Escape")
		shows(t, p, `document.activeElement.id + document.querySelector("#countries").hidden`, "country-buttontrue")
	}

	p.Press("Enter") // the button has the focus
	shows(t, p, `document.querySelector("#country-button").getAttribute("aria-expanded")`, "true")
	active := `document.querySelector("#" + document.querySelector("#country-search").getAttribute("aria-activedescendant"))?.textContent`
	shows(t, p, active, "Sverige+46")
	p.Press("ArrowDown")
	shows(t, p, active, "Tyskland+49")
	p.Press("ArrowUp")
	p.Press("ArrowUp")
	shows(t, p, active, "Norge+47")
	p.Type("öst")
	shows(t, p, active, "Österrike+43")
	for _, finding := range p.Axe() {
		t.Errorf("open list: %v", finding)
	}
	p.Press("Enter")
	shows(t, p, flagShown, "AT.svg")
	shows(t, p, `document.activeElement.id`, "number")

	p.Type("0664 1234567")
	shows(t, p, `document.querySelector("#number-said").textContent.includes("+43 664 1234567")`, "true")
	p.Press("Enter")
	if form := <-sent; form.Get("country") != "AT" || strings.ReplaceAll(form.Get("number"), " ", "") != "06641234567" || form.Get("act") != "number" {
		t.Errorf("sent %v", form)
	}
	for _, problem := range p.Problems() {
		t.Errorf("%v", problem)
	}
}

// A number is written with its spaces as one types, tells its country by itself,
// and one in a country that is not on the list is said at once.
func TestBrowserNumberAsTyped(t *testing.T) {
	testbed.Need(t, "chromium")
	p := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	p.Open(phoneServer(t, make(chan url.Values, 1)))
	p.WaitFor("#country-button")
	said := `document.querySelector("#number-said").textContent`
	p.Type("0701740605")
	shows(t, p, `document.querySelector("#number").value`, "070-174 06 05")
	shows(t, p, said+`.includes("+46 70 174 06 05")`, "true")
	p.Fill("#number", "")
	p.Type("+4740612345")
	shows(t, p, flagShown, "NO.svg")
	shows(t, p, `document.querySelector("#country").value`, "NO")
	shows(t, p, `document.querySelector("#number").value`, "+47 40 61 23 45")
	p.Fill("#number", "")
	p.Type("+14155550143")
	shows(t, p, said, "Till nummer i det landet skickas inga koder.")
	p.Fill("#number", "")
	p.Type("åäö") // no number: it stays, for its person to see
	shows(t, p, `document.querySelector("#number").value`, "åäö")
	p.Fill("#number", "")
	p.Type("08")
	shows(t, p, said, "")
	p.Press("Tab")
	shows(t, p, said, "Det är inte ett mobilnummer ännu.")
	for _, problem := range p.Problems() {
		t.Errorf("%v", problem)
	}
}

// Without JavaScript the list and the field are an ordinary form.
func TestBrowserNumberWithoutScripts(t *testing.T) {
	testbed.Need(t, "chromium")
	sent := make(chan url.Values, 1)
	p := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	p.Scripts(false)
	p.Open(phoneServer(t, sent))
	p.WaitFor("#country")
	p.Click("#number")
	p.Type("0701740605")
	p.Press("Enter")
	if form := <-sent; form.Get("country") != "SE" || form.Get("number") != "0701740605" {
		t.Errorf("sent %v", form)
	}
}
