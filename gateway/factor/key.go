package factor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"stagedoor/store"
)

const (
	maxKeys = 10
	keyTime = 5 * time.Minute // for finding the key and touching it
)

// newKeys are WebAuthn's rules: this host, this origin, and user verification
// always. A key that is only touched would show that somebody found it; one that
// asks for a finger or a PIN shows who, so that a stolen key and an overheard
// password together do not open the door. Attestation is not asked for: it would
// tell the maker's model, which no rule here looks at.
func newKeys(o Options) (*webauthn.WebAuthn, error) {
	if o.URL == nil {
		return nil, nil
	}
	if _, err := netip.ParseAddr(o.URL.Hostname()); err == nil {
		return nil, nil // browsers bind keys to names only
	}
	keys, err := webauthn.New(&webauthn.Config{
		RPID: o.URL.Hostname(), RPDisplayName: o.Portal, RPOrigins: []string{o.URL.Scheme + "://" + o.URL.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{
			Login:        webauthn.TimeoutConfig{Timeout: keyTime, TimeoutUVD: keyTime},
			Registration: webauthn.TimeoutConfig{Timeout: keyTime, TimeoutUVD: keyTime},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("factor: keys: %w", err)
	}
	return keys, nil
}

// owner is an account as the library sees it.
type owner struct {
	person  Person
	factors []store.Factor // keys only
	keys    []webauthn.Credential
}

func (o owner) WebAuthnID() []byte                         { return []byte(o.person.AccountID) }
func (o owner) WebAuthnName() string                       { return o.person.Name }
func (o owner) WebAuthnDisplayName() string                { return o.person.DisplayName }
func (o owner) WebAuthnCredentials() []webauthn.Credential { return o.keys }

func (f *Factors) owner(ctx context.Context, person Person) (owner, error) {
	own, err := f.Store.Factors(ctx, person.AccountID)
	if err != nil {
		return owner{}, fmt.Errorf("factor: %w", err)
	}
	o := owner{person: person}
	for _, one := range own {
		if one.Kind != string(Key) {
			continue
		}
		var key webauthn.Credential
		if err := json.Unmarshal([]byte(one.Secret), &key); err != nil {
			return owner{}, fmt.Errorf("factor: key %s: %w", one.ID, err)
		}
		o.factors, o.keys = append(o.factors, one), append(o.keys, key)
	}
	return o, nil
}

// NewKey are the options that the browser makes a new key from, as JSON
// (PublicKeyCredentialCreationOptionsJSON). Their challenge is the session's,
// and good once.
func (f *Factors) NewKey(ctx context.Context, sessionID string, person Person) ([]byte, error) {
	if f.keys == nil {
		return nil, ErrNotFound
	}
	o, err := f.owner(ctx, person)
	if err != nil {
		return nil, err
	}
	creation, data, err := f.keys.BeginRegistration(o, webauthn.WithExclusions(webauthn.Credentials(o.keys).CredentialDescriptors()))
	if err != nil {
		return nil, fmt.Errorf("factor: new key: %w", err)
	}
	return f.challenge(ctx, sessionID, "key-new", data, creation.Response)
}

// AddKey adds the key that the browser made, and leaves the trace, of NewsAdded.
// ErrExpired, ErrWrong, ErrFull, ErrUntold.
func (f *Factors) AddKey(ctx context.Context, sessionID string, person Person, name string, answer []byte, trace store.Trace) error {
	data, err := f.answered(ctx, sessionID, "key-new")
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return refused(err)
	}
	o, err := f.owner(ctx, person)
	if err != nil {
		return err
	}
	key, err := f.keys.CreateCredential(o, data, parsed)
	if err != nil {
		return refused(err)
	}
	secret, err := json.Marshal(key)
	if err != nil {
		return fmt.Errorf("factor: new key: %w", err)
	}
	added, err := f.Store.AddFactor(ctx, store.Factor{
		ID: newID(), AccountID: person.AccountID, Kind: string(Key), Name: name, Secret: string(secret),
		Credential: base64.RawURLEncoding.EncodeToString(key.ID), AddedAt: f.Now(),
	}, maxKeys, trace)
	if err != nil {
		return fmt.Errorf("factor: new key: %w", err)
	}
	if !added {
		return ErrFull
	}
	return nil
}

// AskKey are the options for a proof with one of the account's keys, as JSON
// (PublicKeyCredentialRequestOptionsJSON). ErrNotFound where it has none.
func (f *Factors) AskKey(ctx context.Context, sessionID string, person Person) ([]byte, error) {
	if f.keys == nil {
		return nil, ErrNotFound
	}
	o, err := f.owner(ctx, person)
	if err != nil {
		return nil, err
	}
	if len(o.keys) == 0 {
		return nil, ErrNotFound
	}
	request, data, err := f.keys.BeginLogin(o)
	if err != nil {
		return nil, fmt.Errorf("factor: ask for key: %w", err)
	}
	return f.challenge(ctx, sessionID, "key", data, request.Response)
}

// CheckKey takes one try at the key's answer. ErrExpired, ErrWrong, ErrCloned,
// *LockedError.
func (f *Factors) CheckKey(ctx context.Context, sessionID string, person Person, answer []byte) error {
	data, err := f.answered(ctx, sessionID, "key")
	if err != nil {
		return err
	}
	if err := f.take(ctx, person.AccountID); err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return refused(err)
	}
	o, err := f.owner(ctx, person)
	if err != nil {
		return err
	}
	key, err := f.keys.ValidateLogin(o, data, parsed)
	if err != nil {
		return refused(err)
	}
	// The library reports a counter that went back, and leaves the refusal to us.
	if key.Authenticator.CloneWarning {
		return ErrCloned
	}
	secret, err := json.Marshal(key)
	if err != nil {
		return fmt.Errorf("factor: key: %w", err)
	}
	credential := base64.RawURLEncoding.EncodeToString(key.ID)
	for _, one := range o.factors {
		if one.Credential == credential {
			return asWrong(f.Store.UseKey(ctx, person.AccountID, one.ID, string(secret), f.Now()))
		}
	}
	return ErrWrong
}

// challenge keeps what the session is asked, and gives the options as JSON.
func (f *Factors) challenge(ctx context.Context, sessionID, kind string, data *webauthn.SessionData, options any) ([]byte, error) {
	kept, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("factor: key: %w", err)
	}
	if err := f.Store.PutSetup(ctx, sessionID, kind, string(kept), f.Now().Add(keyTime)); err != nil {
		return nil, fmt.Errorf("factor: key: %w", err)
	}
	asked, err := json.Marshal(options)
	if err != nil {
		return nil, fmt.Errorf("factor: key: %w", err)
	}
	return asked, nil
}

// answered is what the session was asked, once.
func (f *Factors) answered(ctx context.Context, sessionID, kind string) (data webauthn.SessionData, err error) {
	kept, err := f.Store.TakeSetup(ctx, sessionID, kind, f.Now())
	if errors.Is(err, store.ErrNotFound) || f.keys == nil {
		return data, ErrExpired
	}
	if err != nil {
		return data, fmt.Errorf("factor: key: %w", err)
	}
	if err := json.Unmarshal([]byte(kept), &data); err != nil {
		return data, fmt.Errorf("factor: key: %w", err)
	}
	return data, nil
}

// refused is ErrWrong with the library's reason, for the log.
func refused(err error) error {
	var why *protocol.Error
	if errors.As(err, &why) && why.DevInfo != "" {
		return fmt.Errorf("%w: %s: %s", ErrWrong, why.Details, why.DevInfo)
	}
	return fmt.Errorf("%w: %w", ErrWrong, err)
}
