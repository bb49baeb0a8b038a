package testbed

import (
	"context"
	"crypto/rand"
	"fmt"
)

// SMSC is a running SMPP server (npm smpp, testbed/smsc.mjs): it takes binds
// and messages, and misbehaves on request.
type SMSC struct {
	Address            string // host:port
	SystemID, Password string

	peer *nodePeer
}

// SMSCMode is how the SMSC behaves from now on. The zero value is well-behaved
// and sends no receipts.
type SMSCMode struct {
	Bind       int           `json:"bind"`       // status of the answer; -1: no answer; -2: refused with a bare header
	Submit     int           `json:"submit"`     // status of the answer; -1: none before the next SetMode
	SubmitBare bool          `json:"submitBare"` // a refusal is a bare header
	Nack       bool          `json:"nack"`       // a refusal is a generic_nack
	Delay      int           `json:"delay"`      // ms before the answer to a message
	Mute       bool          `json:"-"`          // does not answer enquire_link
	Receipts   []SMSCReceipt `json:"receipts"`   // for each PDU that asks for one
	Form       string        `json:"form,omitempty"`
	ReceiptIDs string        `json:"receiptIDs,omitempty"` // "decimal", where the answer's are hexadecimal
}

// SMSCReceipt is one delivery receipt. When is "before" or "after" the answer.
type SMSCReceipt struct {
	State string `json:"stat"` // DELIVRD, EXPIRED, ...
	Code  string `json:"err,omitempty"`
	When  string `json:"when"`
}

// SMSCMessage is one message, joined where it came in parts.
type SMSCMessage struct {
	ID, Text, From, To, FromType, ToType, ServiceType string
	IDs                                               []string // of the parts
	Parts, Coding, Registered, EsmClass               int
}

// SMSCState is what has happened so far.
type SMSCState struct {
	Messages            []SMSCMessage
	Binds, RefusedBinds int
	Sessions            int // bound now
	Most                int // messages without an answer at once, in one session
	Unanswered          int // messages that wait for their answer
	Enquiries, Unbinds  int
	ReceiptAnswers      []int // statuses of the answers to receipts
}

// StartSMSC starts it on a free port of loopback; with TLS where certificate
// is not empty.
func StartSMSC(ctx context.Context, certificate Certificate) (*SMSC, error) {
	s := &SMSC{SystemID: "stage" + rand.Text()[:6], Password: rand.Text()[:8]}
	var err error
	s.peer, err = startNode(ctx, "smsc.mjs", map[string]string{
		"cert": certificate.CertFile, "key": certificate.KeyFile, "systemID": s.SystemID, "password": s.Password,
	})
	if err != nil {
		return nil, fmt.Errorf("smsc: %w", err)
	}
	s.Address = s.peer.address()
	return s, nil
}

// Stop ends the SMSC. It may be called again.
func (s *SMSC) Stop() error { return s.peer.process.Stop() }

// SetMode changes how it behaves, and answers what was left without an answer.
func (s *SMSC) SetMode(ctx context.Context, mode SMSCMode) error {
	if mode.Receipts == nil {
		mode.Receipts = []SMSCReceipt{}
	}
	return s.peer.tell(ctx, "mode", struct {
		SMSCMode
		Enquire bool `json:"enquire"`
	}{mode, !mode.Mute})
}

// Drop cuts every bound connection; Unbind ends them politely; Incoming sends
// an SMS that somebody has written.
func (s *SMSC) Drop(ctx context.Context) error     { return s.peer.tell(ctx, "drop", nil) }
func (s *SMSC) Unbind(ctx context.Context) error   { return s.peer.tell(ctx, "unbind", nil) }
func (s *SMSC) Incoming(ctx context.Context) error { return s.peer.tell(ctx, "incoming", nil) }

// State waits until there is so much of what query names, and tells all:
// "messages=2&binds=1"; "sessions=0" waits for exactly so many.
func (s *SMSC) State(ctx context.Context, query string) (SMSCState, error) {
	var state SMSCState
	err := s.peer.ask(ctx, query, &state)
	return state, err
}
