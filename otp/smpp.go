package otp

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

// SMPPConfig tells how a provider takes messages over SMPP 3.4.
type SMPPConfig struct {
	Name   string // in logs and errors; empty means "smpp"
	Server string // host:port

	// TLS from the first byte. Without it Plaintext is needed for any host but
	// loopback: everybody on the way reads each code and the password.
	TLS       bool
	CAFile    string // PEM, instead of the system's roots
	Plaintext bool

	SystemID, Password, SystemType string // as the provider gave them

	Source      string // who the SMS is from: a name of up to 11 letters and digits, a number, a short code
	SourceType  string // its TON and NPI, "5/0"; empty: by its form
	DestType    string // of the person's number; empty means "1/1", international
	ServiceType string // empty unless the provider names one
	UCS2        bool   // write every message in UCS-2, not only those that GSM-7 has no letters for

	Window      int           // messages without an answer at once; 0 means 10
	Timeout     time.Duration // of binding, and of handing over one message; 0 means 10 s
	EnquireLink time.Duration // between two questions whether the other side is alive; 0 means 30 s

	// OnReceipt gets what became of a message: state is DeliveryDelivered or
	// DeliveryFailed, once a message. An error is answered with another try,
	// at most five in 15 s: the message may not be written down yet. nil: no
	// receipts are asked for.
	OnReceipt func(ctx context.Context, sender, reference, state, reason string) error
	// ReceiptIDs says how receipts write the id of a message: "" as its answer
	// did, "decimal" where that was hexadecimal, "hex" where that was decimal.
	ReceiptIDs string
	Log        *slog.Logger // binds won and lost; nil: none
}

// SMPPSender hands messages to a provider over one bound connection, which it
// keeps, and binds anew when it is lost. It is safe for concurrent use.
type SMPPSender struct {
	config       SMPPConfig
	tls          *tls.Config // nil: none
	source, dest pdu.Address
	parts        atomic.Uint32 // the last number that joins the parts of a text
	receipts     *smppReceipts

	ctx     context.Context
	stop    context.CancelFunc
	keeping sync.Once
	kept    sync.WaitGroup
	wake    chan struct{} // ends a pause between two tries to bind

	mu      sync.Mutex
	link    *smppLink
	err     error         // why there is no link
	pausing bool          // between two tries
	paused  time.Time     // since when
	changed chan struct{} // closed when any of these change
}

// NewSMPPSender checks the configuration, dials nothing, and reports every
// problem at once. Each begins with the name of its part.
func NewSMPPSender(config SMPPConfig) (*SMPPSender, error) {
	config.Name = orDefault(config.Name, "smpp")
	config.Window = orDefault(config.Window, 10)
	config.Timeout = orDefault(config.Timeout, 10*time.Second)
	config.EnquireLink = orDefault(config.EnquireLink, 30*time.Second)
	config.Log = orDefault(config.Log, slog.New(slog.DiscardHandler))
	s := &SMPPSender{config: config, wake: make(chan struct{}, 1), changed: make(chan struct{})}
	host, faults := config.check()
	roots, err := readRoots(config.CAFile)
	if err != nil {
		faults = append(faults, err)
	}
	if config.TLS {
		s.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: roots}
	}
	if s.source, err = smppSource(config); err != nil {
		faults = append(faults, err)
	}
	if s.dest, err = smppAddress("dest_type", orDefault(config.DestType, "1/1"), ""); err != nil {
		faults = append(faults, err)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	var start [1]byte
	_, _ = rand.Read(start[:])
	s.parts.Store(uint32(start[0]))
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.receipts = &smppReceipts{ctx: s.ctx, config: config, known: map[string]*smppMessage{}, held: map[string][]smppReceipt{}, grace: 30 * time.Second, again: time.Second}
	return s, nil
}

// check tells the host too.
func (c SMPPConfig) check() (host string, faults []error) {
	fault := func(format string, arguments ...any) { faults = append(faults, fmt.Errorf(format, arguments...)) }
	host, port, err := net.SplitHostPort(c.Server)
	number, portErr := strconv.Atoi(port)
	if err != nil || portErr != nil || host == "" || number < 1 || number > 65535 {
		fault("server: %q is not an address with a port, such as smpp.example.com:3550", c.Server)
	}
	if host != "" && !c.TLS && !c.Plaintext && !isLoopbackHost(host) {
		fault("tls: everybody on the way to %s would read each code and the password", host)
	}
	if c.CAFile != "" && !c.TLS {
		fault("CA file: means nothing without TLS")
	}
	for _, part := range []struct {
		name, value string
		most        int
	}{{"system_id", c.SystemID, 15}, {"password", c.Password, 64}, {"system_type", c.SystemType, 12}, {"service_type", c.ServiceType, 5}} {
		if len(part.value) > part.most || strings.ContainsFunc(part.value, func(r rune) bool { return r < ' ' || r > '~' }) {
			fault("%s: must be at most %d ASCII characters", part.name, part.most)
		}
	}
	if c.SystemID == "" {
		fault("system_id: is missing: the name that the provider knows you by")
	}
	if c.Window < 1 || c.Window > 1000 {
		fault("window: must be from 1 to 1000, not %d", c.Window)
	}
	switch c.ReceiptIDs {
	case "", "decimal", "hex":
	default:
		fault("receipt_ids: must be decimal or hex, not %q", c.ReceiptIDs)
	}
	return host, faults
}

var (
	smppNumber = regexp.MustCompile(`^\+?[0-9]{1,15}$`)
	smppLetter = regexp.MustCompile(`^[ -~]{1,11}$`)
)

// smppSource is the sender's address: a number abroad as 1/1, a name as 5/0, a
// short code as 3/0, unless the configuration says otherwise.
func smppSource(c SMPPConfig) (pdu.Address, error) {
	number := smppNumber.MatchString(c.Source)
	switch {
	case c.Source == "":
		return smppAddress("source_type", orDefault(c.SourceType, "0/0"), "")
	case !number && !smppLetter.MatchString(c.Source):
		return pdu.Address{}, fmt.Errorf("source: %q is neither a number nor a name of at most 11 letters and digits", c.Source)
	case !number:
		return smppAddress("source_type", orDefault(c.SourceType, "5/0"), c.Source)
	case strings.HasPrefix(c.Source, "+"):
		return smppAddress("source_type", orDefault(c.SourceType, "1/1"), c.Source[1:])
	case len(c.Source) <= 8:
		return smppAddress("source_type", orDefault(c.SourceType, "3/0"), c.Source)
	}
	return smppAddress("source_type", orDefault(c.SourceType, "1/1"), c.Source)
}

func smppAddress(key, tonNPI, address string) (pdu.Address, error) {
	ton, npi, ok := strings.Cut(tonNPI, "/")
	t, tonErr := strconv.ParseUint(ton, 10, 8)
	n, npiErr := strconv.ParseUint(npi, 10, 8)
	if !ok || tonErr != nil || npiErr != nil || t > 6 || n > 18 {
		return pdu.Address{}, fmt.Errorf("%s: %q is not a TON and an NPI such as 5/0", key, tonNPI)
	}
	return pdu.NewAddressWithTonNpiAddr(byte(t), byte(n), address)
}

// Name is the configured one.
func (s *SMPPSender) Name() string { return s.config.Name }

// Send hands over one message, in as many SMS as it takes. Its errors hold
// neither the text, the number nor the password. The receipt's reference is the
// provider's id of the first SMS.
func (s *SMPPSender) Send(ctx context.Context, message Message) (Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	failed := func(err error) (Receipt, error) { return Receipt{}, fmt.Errorf("%s: %w", s.config.Server, err) }
	if !message.To.valid() {
		return failed(fmt.Errorf("%w: there is no number that an SMS can go to", ErrNotAccepted))
	}
	text, err := splitSMPP(message.Text, s.config.UCS2)
	if err != nil {
		return failed(fmt.Errorf("%w: %w", ErrNotAccepted, err))
	}
	link, err := s.bound(ctx)
	if err != nil {
		return failed(fmt.Errorf("%w: %w", ErrNotAccepted, err))
	}
	var ids []string
	for i, submit := range s.compose(message.To, text) {
		id, err := link.submit(ctx, submit)
		if err != nil && i > 0 { // a part is on its way already, maybe with the code
			return failed(fmt.Errorf("part %d of %d: %s", i+1, len(text.parts), err))
		}
		if err != nil {
			return failed(err)
		}
		ids = append(ids, s.receipts.answeredID(id))
	}
	s.receipts.learn(ids)
	return Receipt{Reference: ids[0]}, nil
}

// compose makes a PDU of each part.
func (s *SMPPSender) compose(to Phone, text smppText) []*pdu.SubmitSM {
	join := byte(s.parts.Add(1))
	submits := make([]*pdu.SubmitSM, len(text.parts))
	for i, part := range text.parts {
		p := pdu.NewSubmitSM().(*pdu.SubmitSM)
		p.ServiceType = s.config.ServiceType
		p.SourceAddr, p.DestAddr = s.source, s.dest
		_ = p.DestAddr.SetAddress(strings.TrimPrefix(string(to), "+")) // 15 digits at most
		_ = p.Message.SetMessageDataWithEncoding(part, text.encoding)  // 160 bytes at most
		if len(text.parts) > 1 {
			p.EsmClass |= data.SM_UDH_GSM
			p.Message.SetUDH(pdu.UDH{pdu.NewIEConcatMessage(byte(len(text.parts)), byte(i+1), join)})
		}
		if s.config.OnReceipt != nil {
			p.RegisteredDelivery = data.SM_SMSC_RECEIPT_REQUESTED
		}
		submits[i] = p
	}
	return submits
}

// Check binds, or asks over the live bind whether the other side answers; it
// sends no message.
func (s *SMPPSender) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	link, err := s.bound(ctx)
	if err == nil {
		err = link.ask(ctx, pdu.NewEnquireLink())
	}
	if err != nil {
		return fmt.Errorf("otp: check %s: %s: %w", s.config.Name, s.config.Server, err)
	}
	return nil
}
