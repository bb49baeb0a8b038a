package otp

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

// smppStatus is a status in words, with its number: what a provider's support asks for.
func smppStatus(status data.CommandStatusType) string {
	return fmt.Sprintf("%s (0x%08X)", status.Desc(), uint32(status))
}

// readSMPP reads one PDU: its header, and the body's bytes.
func readSMPP(reader io.Reader) (pdu.Header, []byte, error) {
	var raw [data.PDU_HEADER_SIZE]byte
	if _, err := io.ReadFull(reader, raw[:]); err != nil {
		return pdu.Header{}, nil, err
	}
	header := pdu.ParseHeader(raw)
	if header.CommandLength < data.PDU_HEADER_SIZE || header.CommandLength > data.MAX_PDU_LEN {
		return header, nil, fmt.Errorf("a PDU of %d bytes", uint32(header.CommandLength))
	}
	body := make([]byte, header.CommandLength-data.PDU_HEADER_SIZE)
	_, err := io.ReadFull(reader, body)
	return header, body, err
}

func parseSMPP(header pdu.Header, body []byte) (pdu.PDU, error) {
	parsed, err := pdu.CreatePDUFromCmdID(header.CommandID)
	if err != nil {
		return nil, err
	}
	buffer := pdu.NewBuffer(make([]byte, 0, data.PDU_HEADER_SIZE+len(body)))
	header.Marshal(buffer)
	_, _ = buffer.Write(body)
	return parsed, parsed.Unmarshal(buffer)
}

// smppCString is the text before the first NUL, at most 65 bytes (message_id).
func smppCString(body []byte) string {
	for i, b := range body {
		if b == 0 || i == 65 {
			return string(body[:i])
		}
	}
	return string(body)
}

// respond answers a request with a status.
func (l *smppLink) respond(to pdu.Header, status data.CommandStatusType) error {
	answer := make([]byte, data.PDU_HEADER_SIZE, data.PDU_HEADER_SIZE+1)
	if to.CommandID == data.DELIVER_SM || to.CommandID == data.DATA_SM {
		answer = append(answer, 0) // message_id, empty
	}
	binary.BigEndian.PutUint32(answer, uint32(len(answer)))
	binary.BigEndian.PutUint32(answer[4:], uint32(to.CommandID)|1<<31)
	binary.BigEndian.PutUint32(answer[8:], uint32(status))
	binary.BigEndian.PutUint32(answer[12:], uint32(to.SequenceNumber))
	_, err := l.writeBytes(answer)
	return err
}

func (l *smppLink) write(p pdu.PDU) (int, error) {
	buffer := pdu.NewBuffer(nil)
	p.Marshal(buffer)
	return l.writeBytes(buffer.Bytes())
}

func (l *smppLink) writeBytes(bytes []byte) (int, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := l.conn.SetWriteDeadline(time.Now().Add(l.timeout)); err != nil {
		return 0, err
	}
	n, err := l.conn.Write(bytes)
	if err != nil {
		l.fail(fmt.Errorf("connection lost: %w", err)) // half a PDU spoils all that follow
	}
	return n, err
}
