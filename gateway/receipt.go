package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/otp"
	"stagedoor/store"
)

const (
	receiptsPerAddress = 600 // a minute; a provider sends two or three for each message
	forgedInAll        = 60  // an hour, in the audit: anybody can send them; the log has all
)

// receipt takes a provider's word of what became of a message. Nobody is logged
// in here: the request proves itself as the sender's configuration says.
func (p *Gateway) receipt(w http.ResponseWriter, v *portal.Visit) error {
	ok, retry, err := p.Store.Take(v.Context(), "receipt:"+v.Network(), receiptsPerAddress, time.Minute)
	if err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	if !ok {
		w.Header().Set("Retry-After", portal.RetryAfter(retry.Sub(p.Now())))
		return p.RenderJSON(w, http.StatusTooManyRequests, map[string]string{"error": "too many"})
	}
	reader := p.Receipts[v.PathValue("sender")]
	if reader == nil {
		return p.RenderJSON(w, http.StatusNotFound, map[string]string{"error": "no such sender, or it has no receipts"})
	}
	body, err := io.ReadAll(v.Body)
	if err != nil {
		return p.receiptTooLarge(w, err)
	}
	receipt, err := reader.Read(v.Request, body)
	switch {
	case errors.Is(err, otp.ErrForged):
		return p.receiptForged(w, v)
	case err != nil:
		// Nothing of what was sent is in the log: it may hold numbers and texts.
		v.Log.Warn("a receipt names no message or no state: are receipts.id and receipts.status right?", "sender", v.PathValue("sender"))
		return p.RenderJSON(w, http.StatusBadRequest, map[string]string{"error": "no id or no status"})
	case receipt.State == "":
	default:
		receipt.At = p.Now()
		known, err := p.Store.TakeReceipt(v.Context(), receipt)
		if err != nil {
			return fmt.Errorf("receipt: %w", err)
		}
		v.Log.Info("receipt", "sender", receipt.Sender, "state", string(receipt.State), "known", known)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (p *Gateway) receiptTooLarge(w http.ResponseWriter, err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return p.RenderJSON(w, http.StatusRequestEntityTooLarge, map[string]string{"error": "too large"})
	}
	return p.RenderJSON(w, http.StatusBadRequest, map[string]string{"error": "cannot be read"})
}

// receiptForged refuses what does not prove to be the provider's: a wrong
// secret in the configuration, or somebody who would have people believe that
// their code has arrived.
func (p *Gateway) receiptForged(w http.ResponseWriter, v *portal.Visit) error {
	v.Log.Warn("a receipt that is not the provider's", "sender", v.PathValue("sender"))
	ok, _, err := p.Store.Take(v.Context(), "receipts-forged", forgedInAll, time.Hour)
	if err == nil && ok {
		err = p.Audit(v, store.Event{Kind: "receipt", Result: "refused", Reason: "forged",
			Detail: map[string]string{"sender": v.PathValue("sender")}})
	}
	if err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	return p.RenderJSON(w, http.StatusForbidden, map[string]string{"error": "not the provider's"})
}
