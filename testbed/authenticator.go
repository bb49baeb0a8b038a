package testbed

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// Authenticator is a security key of a page's own that touches and verifies
// itself: what a person's finger does. Chromium gives one to pages of
// http://localhost and https only.
type Authenticator struct {
	page *Page
	id   webauthn.AuthenticatorID
}

// Authenticator plugs a new one into the page.
func (p *Page) Authenticator() *Authenticator {
	p.t.Helper()
	ask(p, "turn WebAuthn on", command(webauthn.Enable, webauthn.EnableParams{}))
	id := ask(p, "plug in a security key", func(ctx context.Context, t *chromedp.Target) (webauthn.AuthenticatorID, error) {
		result, err := cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
			Options: &webauthn.VirtualAuthenticatorOptions{
				Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
				HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
			}})
		return result.AuthenticatorID, err
	})
	return &Authenticator{p, id}
}

// Lie has it answer with a signature that is none, or without having verified
// anybody.
func (a *Authenticator) Lie(signature, verified bool) {
	a.page.t.Helper()
	ask(a.page, "have the key lie", command(webauthn.SetResponseOverrideBits, webauthn.SetResponseOverrideBitsParams{
		AuthenticatorID: a.id, IsBogusSignature: &signature, IsBadUV: &verified,
	}))
}

// Verifies sets whether it recognises its person.
func (a *Authenticator) Verifies(yes bool) {
	a.page.t.Helper()
	ask(a.page, "set the finger", command(webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: a.id, IsUserVerified: yes}))
}

// TurnBack sets the counters of its keys back, as those of a copy are.
func (a *Authenticator) TurnBack() {
	a.page.t.Helper()
	keys := ask(a.page, "read the keys", func(ctx context.Context, t *chromedp.Target) ([]*webauthn.Credential, error) {
		result, err := cdp.Call(ctx, t, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: a.id})
		return result.Credentials, err
	})
	count := 0.0
	for _, key := range keys {
		ask(a.page, "turn a key's counter back", command(webauthn.SetCredentialProperties, webauthn.SetCredentialPropertiesParams{
			AuthenticatorID: a.id, CredentialID: key.CredentialID, SignCount: &count,
		}))
	}
}
