package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"stagedoor/gateway"
	"stagedoor/otp"
)

func selfEnrol(s *gateway.Settings) {
	s.Phones.SelfEnrol = true
	s.Countries = []string{"SE", "NO"}
}

// notice waits for the newest notice to a number, and gives its link's path.
func (b *bench) notice(phone otp.Phone) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer cancel()
	for {
		for _, sent := range b.outbox.Messages(phone) {
			if found := linkForm.FindString(sent.Text); found != "" {
				return strings.TrimPrefix(found, b.server.URL)
			}
		}
		select {
		case <-ctx.Done():
			b.t.Fatalf("no notice to %s", phone)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

var linkForm = regexp.MustCompile(`http://\S+/freeze/\S+`)

// The way in of somebody without a number, where the policy lets them.
func TestEnrolPhone(t *testing.T) {
	b := open(t, selfEnrol)
	browser := b.browser()
	browser.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/phone", `name="number"`, `<option value="NO"`, `data-dial="46"`, "Norge", "/flags/SE.svg")
	for typed, says := range map[string]string{
		"":                "Ange ditt mobilnummer.",
		"hej":             "inte ett telefonnummer som finns",
		"070-1":           "inte ett telefonnummer som finns",
		"08-465 004 99":   "inget mobilnummer",
		"+1 202 555 0143": "i det landet skickas inga koder",
		"<b>&\"\x00\xff":  "inte ett telefonnummer som finns",
	} {
		browser.post("/phone", "act", "number", "country", "SE", "number", typed).shows(t, 422, "/phone", says, `aria-invalid="true"`)
	}
	if len(b.outbox.Phones()) > 0 {
		t.Fatalf("codes went to %v", b.outbox.Phones())
	}
	browser.post("/phone", "act", "code", "code", "123456").shows(t, 200, "/phone", `name="number"`) // none was asked for
	browser.post("/phone", "act", "number", "country", "SE", "number", "070-174 06 99").shows(t, 200, "/phone", "•• 99", `name="code"`)
	browser.post("/phone", "act", "code", "code", "000000").shows(t, 403, "/phone", "Fel kod")
	browser.post("/phone", "act", "resend").shows(t, 429, "/phone")
	browser.get("/phone?edit").shows(t, 200, "/phone?edit", `name="number"`)
	b.clock.advance(time.Minute)
	browser.post("/phone", "act", "number", "country", "NO", "number", "406 12 345").shows(t, 200, "/phone", "•• 45")
	browser.get("/").shows(t, 200, "/phone", `name="code"`) // not in before it is proven
	browser.post("/phone", "act", "code", "code", b.code("+4740612345")).shows(t, 200, "/")
	for _, event := range []string{"phone-code refused wrong", "phone-enrolled ok", "code ok enrolled"} {
		if !slices.Contains(b.events(), event) {
			t.Errorf("the audit lacks %q: %q", event, b.events())
		}
	}
	b.notice("+4740612345")
	b.clock.advance(time.Hour)
	again := b.browser()
	again.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code", "•• 45")
}

// Without the policy's word a password alone decides no number; and never for
// those who help others.
func TestEnrolIsHelpdesks(t *testing.T) {
	b := open(t, nil)
	browser := b.browser()
	browser.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/code", "inget mobilnummer")
	browser.get("/phone").shows(t, 200, "/code")
	browser.post("/phone", "act", "number", "country", "SE", "number", "0701740699").shows(t, 200, "/code")

	b = open(t, func(s *gateway.Settings) { selfEnrol(s); s.HelpdeskGroups = []string{`AMIDO\Helpdesk`} })
	b.browser().login(`AMIDO\ivar`, goodPassword).shows(t, 200, "/code", "inget mobilnummer")
	if len(b.outbox.Phones()) > 0 {
		t.Errorf("codes went to %v", b.outbox.Phones())
	}
}

// A change by oneself: codes from the old number and from the new one.
func TestChangePhone(t *testing.T) {
	b := open(t, nil)
	browser := b.ready()
	browser.get("/phone").shows(t, 200, "/phone", "•• 07", "katalog", `value="old"`)
	browser.post("/phone", "act", "number", "country", "SE", "number", "0701740699").shows(t, 200, "/phone", `value="old"`) // not yet
	b.clock.advance(time.Minute)
	browser.post("/phone", "act", "old").shows(t, 200, "/phone", "nuvarande nummer", `name="code"`)
	browser.post("/phone", "act", "number", "country", "SE", "number", "0701740699").shows(t, 200, "/phone", "nuvarande nummer") // nor now
	browser.post("/phone", "act", "code", "code", b.code("+46701740607")).shows(t, 200, "/phone", `name="number"`)
	browser.post("/phone", "act", "number", "country", "SE", "number", "+46 70 174 06 07").shows(t, 422, "/phone", "redan ditt nummer")
	b.clock.advance(2 * time.Minute)
	browser.post("/phone", "act", "number", "country", "SE", "number", "0046 70 174 06 99").shows(t, 200, "/phone", "•• 99")
	browser.post("/phone", "act", "code", "code", b.code("+46701740699")).shows(t, 200, "/phone?done", "Numret är bytt", "•• 99", "verifierades")
	for _, phone := range []otp.Phone{"+46701740607", "+46701740699"} {
		if path := b.notice(phone); !strings.HasPrefix(path, "/freeze/") {
			t.Errorf("%s was told of %q", phone, path)
		}
	}
	b.clock.advance(time.Hour)
	b.browser().login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "•• 99")
}

// The link in a notice: no login, a look changes nothing, a button stops it.
func TestFreezeLink(t *testing.T) {
	b := open(t, nil)
	browser := b.ready()
	b.clock.advance(time.Minute)
	browser.post("/phone", "act", "old")
	browser.post("/phone", "act", "code", "code", b.code("+46701740607"))
	b.clock.advance(2 * time.Minute)
	browser.post("/phone", "act", "number", "country", "SE", "number", "0701740699")
	browser.post("/phone", "act", "code", "code", b.code("+46701740699")).shows(t, 200, "/phone?done")
	link := b.notice("+46701740607")
	path, token, _ := strings.Cut(link, "?t=")

	owner := b.browser() // a telephone that is logged in nowhere
	ask := owner.get(link)
	ask.shows(t, 200, link, "Stoppa bytet", `name="t"`)
	if ask.header.Get("Referrer-Policy") != "no-referrer" {
		t.Error("the link would be told to other sites")
	}
	for _, told := range []string{"cecilia", "Cecilia", "•• 07", "•• 99", "0701740"} {
		if strings.Contains(ask.body, told) {
			t.Errorf("the page tells %q", told)
		}
	}
	b.browser().get(link+"&lang=en").shows(t, 200, path+"?t="+token, "Stop the change")
	owner.get(path+"?t=wrong").shows(t, 404, path+"?t=wrong", "Länken är inte hel")
	owner.post(path, "t", "wrong").shows(t, 404, path)
	owner.get("/freeze/NOSUCH?t="+token).shows(t, 404, "/freeze/NOSUCH?t="+token)
	browser.get("/").shows(t, 200, "/") // still in
	owner.post(path, "t", token).shows(t, 200, path, "Bytet är stoppat", "08-465 004 99")
	browser.get("/").shows(t, 200, "/login")                                       // whoever had the new number is out
	owner.get(link).shows(t, 200, link, "Bytet är redan stoppat", "08-465 004 99") // the other notice has it too
	owner.post(path, "t", token).shows(t, 200, path, "Bytet är redan stoppat")
	b.await("phone-frozen ok link")

	b.clock.advance(time.Hour)
	back := b.browser()
	back.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code", "•• 07")
	back.post("/code", "code", b.code("+46701740607")).shows(t, 200, "/")
	back.get("/phone").shows(t, 200, "/phone", "har stoppats")
	back.post("/phone", "act", "old").shows(t, 200, "/phone", "har stoppats")

	for range 40 {
		owner.get("/freeze/NOSUCH?t=" + token)
	}
	owner.get(link).shows(t, http.StatusTooManyRequests, link, "För många försök")
}

// A change needs a fresh proof, and what helpdesk has begun can be refused.
func TestPhoneWantsFreshProof(t *testing.T) {
	b := open(t, nil)
	browser := b.ready()
	b.clock.advance(11 * time.Minute)
	browser.get("/phone").shows(t, 200, "/again?to=%2Fphone")
}

func TestNoCodeNoNumber(t *testing.T) {
	b := open(t, selfEnrol)
	b.codes.Sender = noProvider{}
	browser := b.browser()
	browser.login(`AMIDO\erik`, goodPassword).shows(t, 200, "/phone")
	browser.post("/phone", "act", "number", "country", "SE", "number", "0701740699").shows(t, 200, "/phone", "kunde inte skickas", `value="resend"`)
	browser.post("/phone", "act", "code", "code", "000000").shows(t, 403, "/phone")
	browser.get("/").shows(t, 200, "/phone")
}

// noProvider is one that takes nothing.
type noProvider struct{}

func (noProvider) Name() string                { return "none" }
func (noProvider) Check(context.Context) error { return nil }
func (noProvider) Send(context.Context, otp.Message) (otp.Receipt, error) {
	return otp.Receipt{}, errors.Join(otp.ErrNotAccepted, errors.New("no"))
}
