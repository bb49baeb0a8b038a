package gateway

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"

	"stagedoor/gateway/portal"
)

// Single sign-on to targets needs the portal's password once more. It is
// sealed with AES-256-GCM under a key that only the browser's cookie holds,
// bound to the session's id; the sealed text lies in the session's row. Either
// half alone is useless, and the row's goes when the session ends.

// seal returns the sealed password and gives the key to the browser.
func (p *Gateway) seal(w http.ResponseWriter, sessionID, password string) ([]byte, error) {
	var key [32]byte
	_, _ = rand.Read(key[:])
	aead, err := newAEAD(key[:])
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce)
	p.SetCookie(w, portal.KeyCookie, base64.RawURLEncoding.EncodeToString(key[:]))
	return aead.Seal(nonce, nonce, []byte(password), []byte(sessionID)), nil
}

var errNotSealed = errors.New("no password is sealed in this session")

// unseal gives the password back, only to be written to guacd.
func (p *Gateway) unseal(v *portal.Visit, s *portal.Session) (string, error) {
	cookie, err := v.Cookie(p.CookieName(portal.KeyCookie))
	if err != nil || len(s.Sealed) == 0 {
		return "", errNotSealed
	}
	key, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(key) != 32 {
		return "", errNotSealed
	}
	aead, err := newAEAD(key)
	if err != nil {
		return "", err
	}
	if len(s.Sealed) < aead.NonceSize() {
		return "", errNotSealed
	}
	password, err := aead.Open(nil, s.Sealed[:aead.NonceSize()], s.Sealed[aead.NonceSize():], []byte(s.ID))
	if err != nil {
		return "", fmt.Errorf("unseal: %w", err)
	}
	return string(password), nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
