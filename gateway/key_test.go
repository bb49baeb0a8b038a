package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"

	"stagedoor/gateway"
	"stagedoor/gateway/factor"
)

// passkey is a key that answers as a browser with an authenticator does
// (WebAuthn level 3, sections 6.1, 6.5 and 5.8.1), or a little wrong.
type passkey struct {
	t       *testing.T
	private *ecdsa.PrivateKey
	id      []byte
	count   uint32

	origin string // that the browser saw
	host   string // that the key is bound to
	flags  byte   // present 1, verified 4
}

func newPasskey(b *bench) *passkey {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	b.must(err)
	return &passkey{t: b.t, private: private, id: []byte(rand.Text()), origin: b.server.URL, host: "localhost", flags: 5}
}

var raw = base64.RawURLEncoding

// but is the key with something changed.
func (k passkey) but(change func(*passkey)) *passkey {
	change(&k)
	return &k
}

// client is what the browser has signed: clientDataJSON.
func (k *passkey) client(kind, options string) []byte {
	k.t.Helper()
	var asked struct{ Challenge string }
	if err := json.Unmarshal([]byte(options), &asked); err != nil || asked.Challenge == "" {
		k.t.Fatalf("options %q: %v", options, err)
	}
	data, err := json.Marshal(map[string]any{"type": kind, "challenge": asked.Challenge, "origin": k.origin, "crossOrigin": false})
	if err != nil {
		k.t.Fatal(err)
	}
	return data
}

// data is the authenticator's: which site, what the person did, how often.
func (k *passkey) data(flags byte) []byte {
	k.count++
	site := sha256.Sum256([]byte(k.host))
	return binary.BigEndian.AppendUint32(append(site[:], flags), k.count)
}

func (k *passkey) answer(response map[string]string) string {
	answer, err := json.Marshal(map[string]any{"id": raw.EncodeToString(k.id), "rawId": raw.EncodeToString(k.id), "type": "public-key", "response": response})
	if err != nil {
		k.t.Fatal(err)
	}
	return string(answer)
}

// make answers creation options: attestation "none", ES256.
func (k *passkey) make(options string) string {
	k.t.Helper()
	point, err := k.private.PublicKey.Bytes() // 4, X, Y
	if err != nil {
		k.t.Fatal(err)
	}
	public, err := webauthncbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
	if err != nil {
		k.t.Fatal(err)
	}
	data := append(k.data(k.flags|0x40), make([]byte, 16)...) // of no known maker
	data = binary.BigEndian.AppendUint16(data, uint16(len(k.id)))
	object, err := webauthncbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": slices.Concat(data, k.id, public)})
	if err != nil {
		k.t.Fatal(err)
	}
	return k.answer(map[string]string{"clientDataJSON": raw.EncodeToString(k.client("webauthn.create", options)), "attestationObject": raw.EncodeToString(object)})
}

// prove answers request options.
func (k *passkey) prove(options string) string {
	k.t.Helper()
	client, data := k.client("webauthn.get", options), k.data(k.flags)
	hash := sha256.Sum256(client)
	signed := sha256.Sum256(slices.Concat(data, hash[:]))
	signature, err := ecdsa.SignASN1(rand.Reader, k.private, signed[:])
	if err != nil {
		k.t.Fatal(err)
	}
	return k.answer(map[string]string{"clientDataJSON": raw.EncodeToString(client), "authenticatorData": raw.EncodeToString(data), "signature": raw.EncodeToString(signature)})
}

// named opens a bench that is reached by a name: browsers bind keys to names only.
func named(t *testing.T, rules ...factor.Rule) *bench {
	t.Helper()
	b := open(t, func(s *gateway.Settings) {
		s.Factors = rules
		s.PublicURL = &url.URL{Scheme: "http", Host: "localhost:" + s.PublicURL.Port()}
	})
	b.server.URL = strings.Replace(b.server.URL, "127.0.0.1", "localhost", 1)
	return b
}

var shownOptions = regexp.MustCompile(`data-(?:ask|make)="([^"]+)"`)

// options are what a page has the browser ask a key.
func (b *bench) options(page answer) string {
	b.t.Helper()
	found := shownOptions.FindStringSubmatch(page.body)
	if found == nil {
		b.t.Fatalf("no options at %s: %s", page.path, excerpt(page.body))
	}
	return html.UnescapeString(found[1])
}

// refusedAnswers are wrong in one thing each; sign is how the key answers.
var refusedAnswers = []struct {
	name   string
	answer func(k *passkey, sign func(*passkey, string) string, own, others string) string
}{
	{"nothing", func(*passkey, func(*passkey, string) string, string, string) string { return "" }},
	{"half an object", func(k *passkey, sign func(*passkey, string) string, own, _ string) string { return sign(k, own)[:40] }},
	{"not an object", func(*passkey, func(*passkey, string) string, string, string) string { return `["public-key"]` }},
	{"no response", func(*passkey, func(*passkey, string) string, string, string) string {
		return `{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{}}`
	}},
	{"another origin", func(k *passkey, sign func(*passkey, string) string, own, _ string) string {
		return sign(k.but(func(k *passkey) { k.origin = "https://evil.example" }), own)
	}},
	{"bound to another host", func(k *passkey, sign func(*passkey, string) string, own, _ string) string {
		return sign(k.but(func(k *passkey) { k.host = "evil.example" }), own)
	}},
	{"touched, not verified", func(k *passkey, sign func(*passkey, string) string, own, _ string) string {
		return sign(k.but(func(k *passkey) { k.flags = 1 }), own)
	}},
	{"another session's challenge", func(k *passkey, sign func(*passkey, string) string, _, others string) string {
		return sign(k, others)
	}},
}

// A key is made at the account's page: only as an answer to what this very
// session was just asked, at this very origin, and once.
func TestKeyIsAdded(t *testing.T) {
	b := named(t)
	cecilia := b.ready()
	b.clock.advance(2 * time.Minute) // codes are not sent more often
	elsewhere := b.ready()
	key := newPasskey(b)
	page := cecilia.get("/account/key")
	for _, c := range refusedAnswers {
		t.Run(c.name, func(t *testing.T) {
			others := b.options(elsewhere.get("/account/key"))
			page = cecilia.post("/account/key", "name", "Min nyckel", "answer", c.answer(key, (*passkey).make, b.options(page), others))
			page.shows(t, 403, "/account/key", "Nyckeln godtogs inte", `value="Min nyckel"`)
		})
	}
	if own, err := b.store.Factors(t.Context(), b.accountOf("cecilia")); err != nil || len(own) != 0 {
		t.Fatalf("%d factors, %v", len(own), err)
	}

	answer := key.make(b.options(page))
	cecilia.post("/account/key", "name", "Min nyckel", "answer", answer).shows(t, 200, "/account?saved", "Min nyckel")
	cecilia.post("/account/key", "name", "Kopian", "answer", answer).shows(t, 403, "/account/key", "tog för lång tid")
	late := key.but(func(k *passkey) { k.id = []byte("another") }).make(b.options(cecilia.get("/account/key")))
	b.clock.advance(6 * time.Minute)
	cecilia.post("/account/key", "answer", late).shows(t, 403, "/account/key", "tog för lång tid")
	if own, err := b.store.Factors(t.Context(), b.accountOf("cecilia")); err != nil || len(own) != 1 {
		t.Errorf("%d factors, %v", len(own), err)
	}
}

// A key's answer at the login holds under the same conditions; one that was
// overheard, or a copy of the key, does not log in.
func TestKeyIsProven(t *testing.T) {
	b := named(t)
	cecilia := b.ready()
	key := newPasskey(b)
	cecilia.post("/account/key", "name", "Min nyckel", "answer", key.make(b.options(cecilia.get("/account/key")))).shows(t, 200, "/account?saved")
	cecilia.post("/logout")
	copied := *key

	elsewhere := b.browser()
	elsewhere.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code/key")
	page := cecilia.login(`AMIDO\cecilia`, goodPassword)
	page.shows(t, 200, "/code/key")
	for _, c := range refusedAnswers {
		t.Run(c.name, func(t *testing.T) {
			others := b.options(elsewhere.get("/code/key"))
			page = cecilia.post("/code/key", "answer", c.answer(key, (*passkey).prove, b.options(page), others))
			page.shows(t, 403, "/code/key", "Nyckeln godtogs inte")
		})
	}
	page = cecilia.post("/code/key", "answer", newPasskey(b).prove(b.options(page)))
	page.shows(t, 403, "/code/key", "Nyckeln godtogs inte") // nobody's key

	answer := key.prove(b.options(page))
	cecilia.post("/code/key", "answer", answer).shows(t, 200, "/")
	elsewhere.get("/code/key")
	elsewhere.post("/code/key", "answer", answer).shows(t, 403, "/code/key", "Nyckeln godtogs inte")
	elsewhere.post("/code/key", "answer", copied.prove(b.options(elsewhere.get("/code/key")))).shows(t, 403, "/code/key", "Nyckeln har kopierats")
	if events := b.events(); !slices.Contains(events, "factor ok") || !slices.Contains(events, "factor refused wrong") || !slices.Contains(events, "factor refused cloned") {
		t.Errorf("audit: %q", events)
	}
}

// Nobody answers for a page that was loaded again: what it was asked is replaced,
// and an answer is good once even within its own session.
func TestKeyChallengeIsGoodOnce(t *testing.T) {
	b := named(t)
	cecilia := b.ready()
	key := newPasskey(b)
	cecilia.post("/account/key", "answer", key.make(b.options(cecilia.get("/account/key")))).shows(t, 200, "/account?saved")
	cecilia.post("/logout")
	old := key.prove(b.options(cecilia.login(`AMIDO\cecilia`, goodPassword)))
	cecilia.get("/code/key").shows(t, 200, "/code/key")
	cecilia.post("/code/key", "answer", old).shows(t, 403, "/code/key", "Nyckeln godtogs inte")
	late := key.prove(b.options(cecilia.get("/code/key")))
	b.clock.advance(6 * time.Minute)
	cecilia.post("/code/key", "answer", late).shows(t, 403, "/code/key", "tog för lång tid")
}
