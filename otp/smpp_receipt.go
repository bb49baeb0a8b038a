package otp

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

// What became of a message, as receipts tell it.
const (
	DeliveryDelivered = "delivered"
	DeliveryFailed    = "failed"
)

// smppReceipt is one delivery receipt. State is "" while the message is on its way.
type smppReceipt struct{ id, state, reason string }

// The states of SMPP 3.4: in texts (Appendix B), and as message_state (5.2.28).
var (
	smppStates = map[string]string{
		"DELIVRD": DeliveryDelivered, "DELIVERED": DeliveryDelivered,
		"EXPIRED": DeliveryFailed, "DELETED": DeliveryFailed, "UNDELIV": DeliveryFailed, "UNDELIVERABLE": DeliveryFailed,
		"REJECTD": DeliveryFailed, "REJECTED": DeliveryFailed, "FAILED": DeliveryFailed, "SKIPPED": DeliveryFailed,
	}
	smppStateNames = []string{"", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"}
	smppField      = regexp.MustCompile(`(?i)(?:^|[\s\x00])(id|stat|err):[ ]*([^\s\x00]{1,65})`)
	smppWord       = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,65}$`)
)

// readSMPPReceipt reads the receipt in a deliver_sm or data_sm; an SMS that
// somebody has written to us is none.
func readSMPPReceipt(p pdu.PDU) (smppReceipt, bool) {
	var text []byte
	var parameters map[pdu.Tag]pdu.Field
	kind := byte(0)
	switch p := p.(type) {
	case *pdu.DeliverSM:
		kind, parameters = p.EsmClass, p.OptionalParameters
		text, _ = p.Message.GetMessageData()
		if p.Message.Encoding() == data.UCS2 {
			text = bytes.ReplaceAll(text, []byte{0}, nil) // it is ASCII inside
		}
	case *pdu.DataSM:
		kind, parameters = p.EsmClass, p.OptionalParameters
	}
	if payload, ok := parameters[pdu.TagMessagePayload]; ok && len(text) == 0 {
		text = payload.Data
	}
	_, hasID := parameters[pdu.TagReceiptedMessageID]
	const receiptTypes = 0x3C // of esm_class: SMSC receipt, intermediate notification, ...
	if kind&receiptTypes == 0 && !hasID {
		return smppReceipt{}, false
	}
	said := smppSaidInText(string(text))
	said.complete(parameters)
	r := said.receipt()
	return r, smppWord.MatchString(r.id)
}

// smppSaid is what a receipt says, in its provider's words.
type smppSaid struct{ id, state, code string }

// smppSaidInText reads "id:1a2b sub:001 dlvrd:001 submit date:... done date:...
// stat:DELIVRD err:000 text:...", in whatever order a provider has it. What
// follows "text:" is the message's own and says nothing.
func smppSaidInText(text string) (said smppSaid) {
	text = beforeMessage(text[:min(len(text), 512)])
	for _, field := range smppField.FindAllStringSubmatch(text, -1) {
		switch strings.ToLower(field[1]) {
		case "id":
			said.id = field[2]
		case "stat":
			said.state = strings.ToUpper(field[2])
		case "err":
			said.code = field[2]
		}
	}
	return said
}

// complete adds what stands beside the text: the id there is the better one,
// and the state and its error count where the text tells no end.
func (said *smppSaid) complete(parameters map[pdu.Tag]pdu.Field) {
	if id, ok := parameters[pdu.TagReceiptedMessageID]; ok {
		said.id = smppCString(id.Data)
	}
	state, ok := parameters[pdu.TagMessageStateOption]
	if !ok || len(state.Data) != 1 || int(state.Data[0]) >= len(smppStateNames) || smppStates[said.state] != "" {
		return
	}
	said.state, said.code = smppStateNames[state.Data[0]], ""
	if network, ok := parameters[pdu.TagNetworkErrorCode]; ok && len(network.Data) == 3 {
		said.code = fmt.Sprint(int(network.Data[1])<<8 | int(network.Data[2]))
	}
}

// receipt judges the state, with its reason in words that hold nothing foreign.
func (said smppSaid) receipt() smppReceipt {
	r := smppReceipt{id: said.id, state: smppStates[said.state]}
	if r.state == DeliveryFailed {
		r.reason = strings.ToLower(said.state)
		if smppWord.MatchString(said.code) && len(said.code) <= 8 && strings.Trim(said.code, "0") != "" {
			r.reason += ", error " + withoutCodes(said.code)
		}
	}
	return r
}

// maxSMPPKnown bounds what is remembered of messages whose receipts are still
// to come, and the receipts whose messages are.
const maxSMPPKnown = 10_000

// smppReceipts joins the receipts of a message's parts, and keeps those that
// came before the answer that names their message.
type smppReceipts struct {
	ctx    context.Context
	config SMPPConfig
	grace  time.Duration // for which a receipt waits for its message
	again  time.Duration // before the second try to report; it doubles

	mu    sync.Mutex
	known map[string]*smppMessage // by the id of each part
	order []string                // of known, the oldest first
	held  map[string][]smppReceipt

	reporting sync.WaitGroup
	ended     bool
}

type smppMessage struct {
	reference string
	open      []string // parts whose receipt is still to come
}

// take gets every deliver_sm and data_sm.
func (s *smppReceipts) take(p pdu.PDU) data.CommandStatusType {
	r, ok := readSMPPReceipt(p)
	if !ok || r.state == "" || s.config.OnReceipt == nil {
		return data.ESME_ROK
	}
	r.id = s.receiptID(r.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if message := s.known[r.id]; message != nil {
		s.settle(message, r)
		return data.ESME_ROK
	}
	if len(s.held) >= maxSMPPKnown {
		return data.ESME_RMSGQFUL // the provider sends it again
	}
	if s.held[r.id] == nil {
		time.AfterFunc(s.grace, func() { s.release(r.id) })
	}
	if len(s.held[r.id]) < 4 {
		s.held[r.id] = append(s.held[r.id], r)
	}
	return data.ESME_ROK
}

// learn notes the ids of a message's parts, in the same form, and settles what has come already.
func (s *smppReceipts) learn(ids []string) {
	if s.config.OnReceipt == nil || slices.Contains(ids, "") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	message := &smppMessage{reference: ids[0], open: slices.Clone(ids)}
	for _, id := range ids {
		if s.known[id] == nil {
			s.order = append(s.order, id)
		}
		s.known[id] = message
	}
	for len(s.order) > maxSMPPKnown {
		delete(s.known, s.order[0])
		s.order = s.order[1:]
	}
	for _, id := range slices.Clone(message.open) {
		for _, r := range s.held[id] {
			s.settle(message, r)
		}
		delete(s.held, id)
	}
}

// answeredID is the id in the answer to submit_sm, receiptID the one in a
// receipt: both in the answer's base, so that 00AB, ab and 171 are one. They are
// left as they are where receipts write them like the answer, since an id need
// not be a number, and so is one that is none.
func (s *smppReceipts) answeredID(id string) string {
	answer, _ := s.bases()
	return inBase(id, answer, answer)
}

func (s *smppReceipts) receiptID(id string) string {
	answer, receipt := s.bases()
	return inBase(id, receipt, answer)
}

// bases are those of the ids in answers and in receipts; 0: any text.
func (s *smppReceipts) bases() (answer, receipt int) {
	switch s.config.ReceiptIDs {
	case "decimal":
		return 16, 10
	case "hex":
		return 10, 16
	}
	return 0, 0
}

func inBase(id string, from, to int) string {
	if from == 0 {
		return id
	}
	if number, ok := new(big.Int).SetString(id, from); ok {
		return number.Text(to)
	}
	return id
}

// settle is called with mu held. A message has arrived when all its parts have,
// and has failed with the first that has; what comes twice counts once.
func (s *smppReceipts) settle(message *smppMessage, r smppReceipt) {
	i := slices.Index(message.open, r.id)
	if i < 0 {
		return
	}
	message.open = slices.Delete(message.open, i, i+1)
	switch {
	case r.state == DeliveryFailed:
		message.open = nil
	case len(message.open) > 0:
		return
	}
	s.tell(message.reference, r)
}

// tell is called with mu held, and returns at once.
func (s *smppReceipts) tell(reference string, r smppReceipt) {
	if !s.ended {
		s.reporting.Go(func() { s.report(reference, r.state, r.reason) })
	}
}

// end waits for the reports under way, which the end of ctx has cut short.
func (s *smppReceipts) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.reporting.Wait()
}

// release reports a receipt whose message nobody here has sent: another node
// has, or this one before it was started anew.
func (s *smppReceipts) release(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held := s.held[id]; len(held) > 0 {
		s.tell(id, held[0])
	}
	delete(s.held, id)
}

func (s *smppReceipts) report(reference, state, reason string) {
	pause := s.again
	for range 5 {
		if s.ctx.Err() != nil {
			return
		}
		ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
		err := s.config.OnReceipt(ctx, s.config.Name, reference, state, reason)
		cancel()
		if err == nil {
			return
		}
		select {
		case <-time.After(pause):
		case <-s.ctx.Done():
		}
		pause *= 2
	}
}
