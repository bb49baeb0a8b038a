package otp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

// smppStuck is how long one message may stay without an answer on a link that
// is otherwise alive, before the link is given up. SMPP 3.4, 7.2 asks for such
// a timer and leaves its length open.
const smppStuck = time.Minute

// smppLink is one bound connection. The library's session is not used: it drops
// what does not fit into a full window, tells nobody who waits that the
// connection was lost, and bounds no dialing.
type smppLink struct {
	conn    net.Conn
	timeout time.Duration // of writing one PDU
	window  chan struct{} // holds one for each message without an answer
	take    func(pdu.PDU) data.CommandStatusType

	writing sync.Mutex
	mu      sync.Mutex
	last    int32 // sequence number
	waiting map[int32]*smppWaiter
	err     error
	down    chan struct{} // closed once err is set
}

type smppWaiter struct {
	answer chan smppAnswer // holds one
	since  time.Time
}

type smppAnswer struct {
	status data.CommandStatusType
	id     string // of the message
}

// bindSMPP connects, does TLS, and binds as a transceiver. take gets each
// deliver_sm and data_sm, and says how to answer it.
func bindSMPP(ctx context.Context, config SMPPConfig, secure *tls.Config, take func(pdu.PDU) data.CommandStatusType) (*smppLink, error) {
	ctx, cancel := context.WithTimeout(ctx, config.Timeout)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", config.Server)
	if err != nil {
		return nil, err
	}
	// Whatever blocks below ends with ctx.
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	conn := raw
	if secure != nil {
		encrypted := tls.Client(raw, secure)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			stop()
			_ = raw.Close()
			return nil, err
		}
		conn = encrypted
	}
	l := &smppLink{
		conn: conn, timeout: config.Timeout, window: make(chan struct{}, config.Window), take: take,
		waiting: map[int32]*smppWaiter{}, down: make(chan struct{}),
	}
	reader := bufio.NewReader(conn)
	err = l.bind(config, reader)
	if !stop() {
		err = fmt.Errorf("no answer to bind: %w", ctx.Err())
	}
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	go l.read(reader, config.EnquireLink+config.Timeout)
	go l.enquire(config.EnquireLink)
	return l, nil
}

func (l *smppLink) bind(config SMPPConfig, reader io.Reader) error {
	request := pdu.NewBindRequest(pdu.Transceiver)
	request.SystemID, request.Password, request.SystemType = config.SystemID, config.Password, config.SystemType
	l.last = 1
	request.SetSequenceNumber(l.last)
	if _, err := l.write(request); err != nil {
		return err
	}
	for {
		header, _, err := readSMPP(reader)
		if err != nil {
			return fmt.Errorf("no answer to bind: %w", err)
		}
		// An error comes as a bare header too, which the library takes for the
		// end of the connection.
		switch header.CommandID {
		case data.BIND_TRANSCEIVER_RESP, data.GENERIC_NACK:
			if header.CommandStatus != data.ESME_ROK || header.CommandID == data.GENERIC_NACK {
				return fmt.Errorf("bind refused: %s", smppStatus(header.CommandStatus))
			}
			return nil
		}
	}
}

// read takes PDUs until the connection ends, or until nothing has come for so
// long: an answer to enquire_link is due before that.
func (l *smppLink) read(reader io.Reader, silence time.Duration) {
	for {
		_ = l.conn.SetReadDeadline(time.Now().Add(silence)) // a closed one says so to Read
		header, body, err := readSMPP(reader)
		if err != nil {
			l.fail(fmt.Errorf("connection lost: %w", err))
			return
		}
		if err := l.handle(header, body); err != nil {
			l.fail(err)
			return
		}
	}
}

func (l *smppLink) handle(header pdu.Header, body []byte) error {
	switch header.CommandID {
	case data.SUBMIT_SM_RESP:
		l.resolve(header, smppAnswer{header.CommandStatus, smppCString(body)})
	case data.GENERIC_NACK:
		status := header.CommandStatus
		if status == data.ESME_ROK {
			status = data.ESME_RUNKNOWNERR
		}
		l.resolve(header, smppAnswer{status: status})
	case data.ENQUIRE_LINK_RESP:
		l.resolve(header, smppAnswer{})
	case data.UNBIND_RESP:
		l.resolve(header, smppAnswer{})
		return errors.New("unbound")
	case data.UNBIND:
		_ = l.respond(header, data.ESME_ROK)
		return errors.New("the provider has ended the session (unbind)")
	case data.ENQUIRE_LINK:
		return l.respond(header, data.ESME_ROK)
	case data.DELIVER_SM, data.DATA_SM:
		return l.respond(header, l.deliver(header, body))
	case data.ALERT_NOTIFICATION, data.OUTBIND: // have no answer
	default:
		if header.CommandID > 0 { // a request
			nack := pdu.NewGenericNack().(*pdu.GenericNack)
			nack.CommandStatus = data.ESME_RINVCMDID
			nack.SetSequenceNumber(header.SequenceNumber)
			_, err := l.write(nack)
			return err
		}
	}
	return nil
}

// deliver hands over what can be read. What cannot be is taken as well: the
// provider would only send the same again.
func (l *smppLink) deliver(header pdu.Header, body []byte) data.CommandStatusType {
	parsed, err := parseSMPP(header, body)
	if err != nil {
		return data.ESME_ROK
	}
	return l.take(parsed)
}

// request writes a PDU under a sequence number of its own, on which the answer comes.
func (l *smppLink) request(p pdu.PDU) (*smppWaiter, int, error) {
	waiter := &smppWaiter{answer: make(chan smppAnswer, 1), since: time.Now()}
	l.mu.Lock()
	if l.last++; l.last < 1 {
		l.last = 1
	}
	p.SetSequenceNumber(l.last)
	l.waiting[l.last] = waiter
	l.mu.Unlock()
	n, err := l.write(p)
	return waiter, n, err
}

func (l *smppLink) resolve(header pdu.Header, answer smppAnswer) {
	l.mu.Lock()
	waiter := l.waiting[header.SequenceNumber]
	delete(l.waiting, header.SequenceNumber)
	l.mu.Unlock()
	if waiter != nil {
		waiter.answer <- answer
	}
}

// enquire asks now and then whether the other side is alive, so that a dead
// connection is found before somebody waits for a code, and gives up a link
// that does not answer messages.
func (l *smppLink) enquire(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-l.down:
			return
		case now := <-tick.C:
			if l.oldest(now) > smppStuck {
				l.fail(fmt.Errorf("no answer to a message for %s", smppStuck))
				return
			}
			_, _, _ = l.request(pdu.NewEnquireLink()) // a failed write ends the link by itself
		}
	}
}

func (l *smppLink) oldest(now time.Time) (age time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, waiter := range l.waiting {
		age = max(age, now.Sub(waiter.since))
	}
	return age
}

// fail ends the link; the first reason counts.
func (l *smppLink) fail(err error) {
	l.mu.Lock()
	first := l.err == nil
	if first {
		l.err = err
		close(l.down)
	}
	l.mu.Unlock()
	if first {
		_ = l.conn.Close()
	}
}

// unbind ends the link politely, within a second.
func (l *smppLink) unbind() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.ask(ctx, pdu.NewUnbind())
	l.fail(errors.New("unbound"))
}
