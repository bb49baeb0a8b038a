package otp

import (
	"bytes"
	"strings"
	"testing"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

func TestSMPPReceiptTexts(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want smppReceipt
	}{
		"as the standard has it": {"id:0123456789 sub:001 dlvrd:001 submit date:2611220700 done date:2611220701 stat:DELIVRD err:000 text:123456 är din", smppReceipt{"0123456789", DeliveryDelivered, ""}},
		"another order":          {"stat:UNDELIV err:5A id:ab-12.c", smppReceipt{"ab-12.c", DeliveryFailed, "undeliv, error 5A"}},
		"capitals and spaces":    {"Id: 77 Stat: delivrd Err: 0 Text: id:9", smppReceipt{"77", DeliveryDelivered, ""}},
		"a NUL at the end":       {"id:77 stat:EXPIRED err:1\x00", smppReceipt{"77", DeliveryFailed, "expired, error 1"}},
		"on its way":             {"id:77 stat:BUFFRED", smppReceipt{"77", "", ""}},
		"unknown state":          {"id:77 stat:HAPPY", smppReceipt{"77", "", ""}},
		"a state in the text":    {"id:77 text:stat:DELIVRD", smppReceipt{"77", "", ""}},
		"a long error":           {"id:77 stat:FAILED err:call+46701234567", smppReceipt{"77", DeliveryFailed, "failed"}},
		"a greeting":             {"hello, did:x", smppReceipt{}},
		"nothing":                {"", smppReceipt{}},
		// ToLower makes this letter longer.
		"letters that grow": {strings.Repeat("İ", 40) + " text:id:5", smppReceipt{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := smppSaidInText(c.text).receipt(); got != c.want {
				t.Errorf("%+v, not %+v", got, c.want)
			}
		})
	}
}

// Some providers tell the state beside the text, or in both, or not in full.
func TestSMPPReceiptParameters(t *testing.T) {
	state := func(state byte) pdu.Field { return pdu.Field{Tag: pdu.TagMessageStateOption, Data: []byte{state}} }
	id := pdu.Field{Tag: pdu.TagReceiptedMessageID, Data: []byte("77\x00")}
	network := pdu.Field{Tag: pdu.TagNetworkErrorCode, Data: []byte{3, 1, 4}}
	for name, c := range map[string]struct {
		text       string
		parameters []pdu.Field
		want       smppReceipt
	}{
		"no text":               {"", []pdu.Field{id, state(2)}, smppReceipt{"77", DeliveryDelivered, ""}},
		"failed, with an error": {"", []pdu.Field{id, state(5), network}, smppReceipt{"77", DeliveryFailed, "undeliv, error 260"}},
		"the id beside counts":  {"id:9 stat:DELIVRD", []pdu.Field{id}, smppReceipt{"77", DeliveryDelivered, ""}},
		"the text tells an end": {"id:9 stat:REJECTD err:7", []pdu.Field{id, state(2)}, smppReceipt{"77", DeliveryFailed, "rejectd, error 7"}},
		"the text tells none":   {"id:77 stat:ENROUTE err:7", []pdu.Field{state(8)}, smppReceipt{"77", DeliveryFailed, "rejectd"}},
		"unknown state":         {"id:77", []pdu.Field{state(99)}, smppReceipt{"77", "", ""}},
		"state of two bytes":    {"id:77", []pdu.Field{{Tag: pdu.TagMessageStateOption, Data: []byte{2, 2}}}, smppReceipt{"77", "", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			p := pdu.NewDeliverSM().(*pdu.DeliverSM)
			p.EsmClass = 4
			if err := p.Message.SetMessageDataWithEncoding([]byte(c.text), data.GSM7BIT); err != nil {
				t.Fatal(err)
			}
			for _, field := range c.parameters {
				p.RegisterOptionalParam(field)
			}
			if got, ok := readSMPPReceipt(p); !ok || got != c.want {
				t.Errorf("%+v, %t; want %+v", got, ok, c.want)
			}
		})
	}
}

func TestSMPPReceiptIDs(t *testing.T) {
	for _, c := range []struct{ form, answer, receipt, same string }{
		{"", "00AB", "00AB", "00AB"},
		{"decimal", "00AB", "171", "ab"},
		{"decimal", "00AB", "000171", "ab"},
		{"hex", "000171", "00aB", "171"},
		{"decimal", "msg-1", "msg-1", "msg-1"},
		{"hex", "340282366920938463463374607431768211456", "100000000000000000000000000000000", "340282366920938463463374607431768211456"},
	} {
		s := &smppReceipts{config: SMPPConfig{ReceiptIDs: c.form}}
		if answer, receipt := s.answeredID(c.answer), s.receiptID(c.receipt); answer != c.same || receipt != c.same {
			t.Errorf("%q: %s is %s, %s is %s; want %s", c.form, c.answer, answer, c.receipt, receipt, c.same)
		}
	}
}

func FuzzSMPPReceiptText(f *testing.F) {
	f.Add("id:0123456789 sub:001 dlvrd:001 submit date:2611220700 done date:2611220701 stat:DELIVRD err:000 text:x")
	f.Add("stat:UNDELIV err:5A id:ab")
	f.Fuzz(func(t *testing.T, text string) {
		r := smppSaidInText(text).receipt()
		if len(r.id) > 4*65 || len(r.reason) > 40 || strings.ContainsAny(r.reason, "\r\n\x00") || r.state == DeliveryDelivered && r.reason != "" {
			t.Errorf("%+v", r)
		}
	})
}

// FuzzSMPPBytes feeds a link what an SMSC might send.
func FuzzSMPPBytes(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x10\x80\x00\x00\x15\x00\x00\x00\x00\x00\x00\x00\x01"))
	f.Add([]byte("\x00\x00\x00\x11\x80\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x01\x00"))
	f.Add([]byte("\x00\x00\x00\x32\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01\x01467\x00\x05\x00B\x00\x44\x00\x00\x00\x00\x00\x00\x00\x00\x08\x05\x00\x03\x01\x02\x01hi\x00\x1e\x00\x02a\x00"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		reader := bytes.NewReader(sent)
		for {
			header, body, err := readSMPP(reader)
			if err != nil {
				return
			}
			if header.CommandID == data.DELIVER_SM || header.CommandID == data.DATA_SM {
				if parsed, err := parseSMPP(header, body); err == nil {
					if r, ok := readSMPPReceipt(parsed); ok && !smppWord.MatchString(r.id) {
						t.Errorf("%+v", r)
					}
				}
			}
			_ = smppCString(body)
		}
	})
}
