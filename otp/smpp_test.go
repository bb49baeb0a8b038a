package otp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linxGnu/gosmpp/pdu"

	"stagedoor/testbed"
)

// smppRig is a sender and the real SMSC that it talks to.
type smppRig struct {
	*testbed.SMSC
	sender   *SMPPSender
	ctx      context.Context
	receipts chan smppReport
}

type smppReport struct{ sender, reference, state, reason string }

func newSMPPRig(t *testing.T, change func(*SMPPConfig)) *smppRig {
	t.Helper()
	testbed.Need(t, "smsc")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	smsc, err := testbed.StartSMSC(ctx, testbed.Certificate{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = smsc.Stop() })
	return smppRig{SMSC: smsc, ctx: ctx}.withSender(t, change)
}

func (r smppRig) withSender(t *testing.T, change func(*SMPPConfig)) *smppRig {
	t.Helper()
	r.receipts = make(chan smppReport, 100)
	config := SMPPConfig{
		Name: "provider", Server: r.Address, SystemID: r.SystemID, Password: r.Password, Source: "Backstage",
		OnReceipt: func(_ context.Context, sender, reference, state, reason string) error {
			r.receipts <- smppReport{sender, reference, state, reason}
			return nil
		},
	}
	if change != nil {
		change(&config)
	}
	sender, err := NewSMPPSender(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sender.Close() })
	r.sender = sender
	return &r
}

func (r *smppRig) mode(t *testing.T, mode testbed.SMSCMode) {
	t.Helper()
	if err := r.SetMode(r.ctx, mode); err != nil {
		t.Fatal(err)
	}
}

func (r *smppRig) state(t *testing.T, query string) testbed.SMSCState {
	t.Helper()
	state, err := r.State(r.ctx, query)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func (r *smppRig) send(t *testing.T, text string) Receipt {
	t.Helper()
	receipt, err := r.sender.Send(r.ctx, Message{ID: "MSGID", To: annasPhone, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func (r *smppRig) report(t *testing.T) smppReport {
	t.Helper()
	select {
	case report := <-r.receipts:
		return report
	case <-r.ctx.Done():
		t.Fatal("no receipt was reported")
		return smppReport{}
	}
}

func TestSMPPTextsArriveWhole(t *testing.T) {
	r := newSMPPRig(t, nil)
	for i, c := range []struct {
		name, text    string
		parts, coding int
	}{
		{"a code", sample.Text, 1, 0},
		{"Swedish", "123456 är din kod. Åäö ÅÄÖ é @£$¥ {[~]}", 1, 0},
		{"160 letters", strings.Repeat("å", 160), 1, 0},
		{"161 letters", strings.Repeat("å", 161), 2, 0},
		{"80 euro signs", strings.Repeat("€", 80), 1, 0},
		{"140 euro signs", strings.Repeat("€", 140), 2, 0},
		{"an escape at the seam", strings.Repeat("x", 152) + strings.Repeat("€", 20), 2, 0},
		{"an emoji", "🎭 123456", 1, 8},
		{"35 emoji", strings.Repeat("🎭", 35), 1, 8},
		{"71 emoji", strings.Repeat("🎭", 71), 3, 8},
		{"a surrogate pair at the seam", strings.Repeat("ш", 66) + strings.Repeat("🎭", 10), 2, 8},
		{"Cyrillic", "Код 123456", 1, 8},
		{"the longest", strings.Repeat("0123456789", 153), 10, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			receipt := r.send(t, c.text)
			messages := r.state(t, fmt.Sprintf("messages=%d", i+1)).Messages
			got := messages[i]
			if got.Text != c.text {
				t.Errorf("%d characters arrived of %d: %q", len([]rune(got.Text)), len([]rune(c.text)), got.Text)
			}
			if got.Parts != c.parts || got.Coding != c.coding || got.IDs[0] != receipt.Reference {
				t.Errorf("%d parts in coding %d with ids %s; reference %s", got.Parts, got.Coding, got.IDs, receipt.Reference)
			}
			if got.From != "Backstage" || got.FromType != "5/0" || got.To != strings.TrimPrefix(string(annasPhone), "+") || got.ToType != "1/1" || got.Registered != 1 {
				t.Errorf("from %s (%s) to %s (%s), registered %d", got.From, got.FromType, got.To, got.ToType, got.Registered)
			}
		})
	}
	if _, err := r.sender.Send(r.ctx, Message{To: annasPhone, Text: strings.Repeat("x", 1531)}); !errors.Is(err, ErrNotAccepted) {
		t.Errorf("1531 letters: %v", err)
	}
	if _, err := r.sender.Send(r.ctx, Message{Mail: "anna@amido.example", Text: "x"}); !errors.Is(err, ErrNotAccepted) {
		t.Errorf("no number: %v", err)
	}
}

func TestSMPPAddresses(t *testing.T) {
	r := newSMPPRig(t, nil)
	for i, c := range []struct{ source, sourceType, from, fromType string }{
		{"", "", "", "0/0"},
		{"+46700000000", "", "46700000000", "1/1"},
		{"46700000000", "", "46700000000", "1/1"},
		{"71234", "", "71234", "3/0"},
		{"71234", "6/9", "71234", "6/9"},
		{"Back stage", "", "Back stage", "5/0"},
	} {
		r := r.withSender(t, func(config *SMPPConfig) {
			config.Source, config.SourceType, config.DestType, config.ServiceType = c.source, c.sourceType, "2/8", "CMT"
			config.OnReceipt, config.UCS2 = nil, true
		})
		r.send(t, "123456")
		got := r.state(t, fmt.Sprintf("messages=%d", i+1)).Messages[i]
		if got.From != c.from || got.FromType != c.fromType || got.ToType != "2/8" || got.ServiceType != "CMT" || got.Registered != 0 || got.Coding != 8 || got.Text != "123456" {
			t.Errorf("%s %s: %+v", c.source, c.sourceType, got)
		}
	}
}

func TestSMPPWindow(t *testing.T) {
	r := newSMPPRig(t, func(config *SMPPConfig) { config.Window = 7 })
	r.mode(t, testbed.SMSCMode{Delay: 5})
	var sends sync.WaitGroup
	for i := range 200 {
		sends.Go(func() {
			if _, err := r.sender.Send(r.ctx, Message{To: annasPhone, Text: fmt.Sprint("code ", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	sends.Wait()
	state := r.state(t, "messages=200")
	different := map[string]bool{}
	for _, m := range state.Messages {
		different[m.Text] = true
	}
	if len(state.Messages) != 200 || len(different) != 200 || state.Most > 7 || state.Most < 2 || state.Binds != 1 {
		t.Errorf("%d messages, %d different, %d at once, %d binds", len(state.Messages), len(different), state.Most, state.Binds)
	}
}

func TestSMPPFullWindow(t *testing.T) {
	r := newSMPPRig(t, func(config *SMPPConfig) { config.Window, config.Timeout = 2, 300*time.Millisecond })
	r.mode(t, testbed.SMSCMode{Submit: -1})
	for range 2 {
		if _, err := r.sender.Send(r.ctx, sample); err == nil || errors.Is(err, ErrNotAccepted) {
			t.Errorf("no answer: %v; want an error that leaves it open", err)
		}
	}
	if _, err := r.sender.Send(r.ctx, sample); !errors.Is(err, ErrNotAccepted) || !strings.Contains(err.Error(), "window is full") {
		t.Errorf("full window: %v", err)
	}
	if state := r.state(t, "unanswered=2"); state.Unanswered != 2 || state.Most != 2 {
		t.Errorf("%d without an answer, %d at once", state.Unanswered, state.Most)
	}
	r.mode(t, testbed.SMSCMode{}) // the answers come, too late for who waited
	r.state(t, "messages=2")
	r.send(t, "123456")
	if state := r.state(t, "messages=3"); state.Binds != 1 {
		t.Errorf("%d binds", state.Binds)
	}
}

func TestSMPPRefusals(t *testing.T) {
	for name, mode := range map[string]testbed.SMSCMode{
		"throttled":      {Submit: 0x58},
		"system error":   {Submit: 0x08},
		"a bare header":  {Submit: 0x0B, SubmitBare: true},
		"generic nack":   {Submit: 0x03, Nack: true},
		"vendor's error": {Submit: 0x451},
	} {
		t.Run(name, func(t *testing.T) {
			r := newSMPPRig(t, nil)
			r.mode(t, mode)
			_, err := r.sender.Send(r.ctx, sample)
			if !errors.Is(err, ErrNotAccepted) || !strings.Contains(err.Error(), fmt.Sprintf("(0x%08X)", mode.Submit)) || holdsSecrets(err, r.Password) {
				t.Errorf("%v", err)
			}
			want := "refused"
			if mode.Submit == 0x0B { // ESME_RINVDSTADR
				want = "number"
			}
			if got := failure(err); got != want {
				t.Errorf("%v: for the person it is %q, want %q", err, got, want)
			}
			r.mode(t, testbed.SMSCMode{})
			r.send(t, "123456")
		})
	}
}

// holdsSecrets tells whether an error repeats the sample's text, number or code.
func holdsSecrets(err error, more ...string) bool {
	for _, secret := range append(more, "123456", strings.TrimPrefix(string(annasPhone), "+"), "Lämna") {
		if strings.Contains(err.Error(), secret) {
			return true
		}
	}
	return false
}

func TestSMPPBindRefused(t *testing.T) {
	for name, c := range map[string]struct {
		mode   testbed.SMSCMode
		change func(*SMPPConfig)
		say    string
	}{
		"wrong password":   {change: func(c *SMPPConfig) { c.Password = "wrong" }, say: "bind refused"},
		"bind refused":     {mode: testbed.SMSCMode{Bind: 0x0D}, say: "0x0000000D"},
		"a bare header":    {mode: testbed.SMSCMode{Bind: -2}, say: "0x0000000E"},
		"no answer at all": {mode: testbed.SMSCMode{Bind: -1}, change: func(c *SMPPConfig) { c.Timeout = 200 * time.Millisecond }, say: "bound"},
		"nobody there":     {change: func(c *SMPPConfig) { c.Server = "127.0.0.1:1" }, say: "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newSMPPRig(t, c.change)
			r.mode(t, c.mode)
			for _, err := range []error{r.sender.Check(r.ctx), func() error { _, err := r.sender.Send(r.ctx, sample); return err }()} {
				if err == nil || !strings.Contains(err.Error(), c.say) || holdsSecrets(err, r.Password) {
					t.Errorf("%v; want one with %q", err, c.say)
				}
			}
			if _, err := r.sender.Send(r.ctx, sample); !errors.Is(err, ErrNotAccepted) {
				t.Errorf("not bound: %v", err)
			}
		})
	}
}

// The right password, later: the sender binds without being made anew.
func TestSMPPBindsWhenProviderIsBack(t *testing.T) {
	r := newSMPPRig(t, nil)
	r.mode(t, testbed.SMSCMode{Bind: 0x0D})
	if err := r.sender.Check(r.ctx); err == nil {
		t.Fatal("bound")
	}
	r.mode(t, testbed.SMSCMode{})
	r.state(t, "binds=1&sessions=1") // by itself
	r.send(t, "123456")
}

func TestSMPPDropped(t *testing.T) {
	for name, cut := range map[string]func(*smppRig) error{
		"cut":    func(r *smppRig) error { return r.Drop(r.ctx) },
		"unbind": func(r *smppRig) error { return r.Unbind(r.ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newSMPPRig(t, nil)
			r.mode(t, testbed.SMSCMode{Submit: -1})
			ended := make(chan error, 1)
			go func() {
				_, err := r.sender.Send(r.ctx, sample)
				ended <- err
			}()
			r.state(t, "unanswered=1")
			if err := cut(r); err != nil {
				t.Fatal(err)
			}
			// Who waits is told at once, and not that it surely was not sent.
			if err := <-ended; err == nil || errors.Is(err, ErrNotAccepted) || holdsSecrets(err) {
				t.Errorf("%v", err)
			}
			r.state(t, "binds=2&sessions=1")
			r.mode(t, testbed.SMSCMode{})
			r.send(t, "123456")
		})
	}
}

func TestSMPPSilence(t *testing.T) {
	r := newSMPPRig(t, func(config *SMPPConfig) { config.EnquireLink, config.Timeout = 50*time.Millisecond, 2*time.Second })
	if err := r.sender.Check(r.ctx); err != nil {
		t.Fatal(err)
	}
	r.state(t, "enquiries=5")
	if state := r.state(t, "sessions=1"); state.Binds != 1 {
		t.Errorf("%d binds of an idle link", state.Binds)
	}
	r.mode(t, testbed.SMSCMode{Mute: true})
	r.state(t, "binds=2") // given up and bound anew
}

func TestSMPPReceipts(t *testing.T) {
	long := strings.Repeat("x", 400) // three parts
	delivered := func(when string) testbed.SMSCReceipt { return testbed.SMSCReceipt{State: "DELIVRD", When: when} }
	for name, c := range map[string]struct {
		mode       testbed.SMSCMode
		text       string
		receiptIDs string
		state      string
		reason     string
		answers    int
	}{
		"after the answer":     {mode: testbed.SMSCMode{Receipts: []testbed.SMSCReceipt{delivered("after")}}, state: DeliveryDelivered, answers: 1},
		"before the answer":    {mode: testbed.SMSCMode{Delay: 20, Receipts: []testbed.SMSCReceipt{delivered("before")}}, state: DeliveryDelivered, answers: 1},
		"twice":                {mode: testbed.SMSCMode{Receipts: []testbed.SMSCReceipt{delivered("before"), delivered("after")}}, state: DeliveryDelivered, answers: 2},
		"on its way first":     {mode: testbed.SMSCMode{Receipts: []testbed.SMSCReceipt{{State: "ENROUTE", When: "before"}, {State: "ACCEPTD", When: "after"}, delivered("after")}}, state: DeliveryDelivered, answers: 3},
		"text alone":           {mode: testbed.SMSCMode{Form: "text", Receipts: []testbed.SMSCReceipt{delivered("after")}}, state: DeliveryDelivered, answers: 1},
		"TLV alone":            {mode: testbed.SMSCMode{Form: "tlv", Receipts: []testbed.SMSCReceipt{{State: "UNDELIV", When: "after"}}}, state: DeliveryFailed, reason: "undeliv", answers: 1},
		"failed":               {mode: testbed.SMSCMode{Receipts: []testbed.SMSCReceipt{{State: "EXPIRED", Code: "027", When: "after"}}}, state: DeliveryFailed, reason: "expired, error 027", answers: 1},
		"failed and delivered": {mode: testbed.SMSCMode{Receipts: []testbed.SMSCReceipt{{State: "REJECTD", When: "before"}, delivered("after")}}, state: DeliveryFailed, reason: "rejectd", answers: 2},
		"long":                 {text: long, mode: testbed.SMSCMode{Receipts: []testbed.SMSCReceipt{delivered("after")}}, state: DeliveryDelivered, answers: 3},
		"long, before":         {text: long, mode: testbed.SMSCMode{Receipts: []testbed.SMSCReceipt{delivered("before")}}, state: DeliveryDelivered, answers: 3},
		"long and failed":      {text: long, mode: testbed.SMSCMode{Receipts: []testbed.SMSCReceipt{{State: "UNDELIV", When: "after"}}}, state: DeliveryFailed, reason: "undeliv", answers: 3},
		"ids in another form":  {receiptIDs: "decimal", mode: testbed.SMSCMode{ReceiptIDs: "decimal", Form: "text", Receipts: []testbed.SMSCReceipt{delivered("after")}}, state: DeliveryDelivered, answers: 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newSMPPRig(t, func(config *SMPPConfig) { config.ReceiptIDs = c.receiptIDs })
			r.mode(t, c.mode)
			reference := r.send(t, orDefault(c.text, "123456")).Reference
			if got, want := r.report(t), (smppReport{"provider", reference, c.state, c.reason}); got != want {
				t.Errorf("reported %+v, not %+v", got, want)
			}
			answers := r.state(t, fmt.Sprintf("receiptAnswers=%d", c.answers)).ReceiptAnswers
			for _, status := range answers {
				if status != 0 {
					t.Errorf("answers to the receipts: %v", answers)
				}
			}
			if err := r.Incoming(r.ctx); err != nil { // and no receipt of that
				t.Fatal(err)
			}
			r.send(t, "the next")
			if next := r.report(t); next.reference == reference {
				t.Errorf("reported twice: %+v", next)
			}
		})
	}
}

// A message is delivered when its last part is.
func TestSMPPLongMessageWaitsForItsParts(t *testing.T) {
	reports := make(chan string, 10)
	sender, err := NewSMPPSender(SMPPConfig{Server: "127.0.0.1:1", SystemID: "x", OnReceipt: func(_ context.Context, _, reference, state, reason string) error {
		reports <- reference + " " + state
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	deliver := func(id, state string) {
		p := pdu.NewDeliverSM().(*pdu.DeliverSM)
		p.EsmClass = 4
		_ = p.Message.SetMessageDataWithEncoding([]byte("id:"+id+" stat:"+state), nil)
		if status := sender.receipts.take(p); status != 0 {
			t.Errorf("%s: status %d", id, status)
		}
	}
	reported := func(when, want string) {
		t.Helper()
		sender.receipts.reporting.Wait()
		got := ""
		for len(reports) > 0 {
			got += <-reports + ";"
		}
		if got != want {
			t.Errorf("%s: reported %q, not %q", when, got, want)
		}
	}
	deliver("2", "DELIVRD")
	sender.receipts.learn([]string{"1", "2", "3"})
	deliver("1", "DELIVRD")
	deliver("1", "DELIVRD")
	reported("a part is missing", "")
	deliver("3", "DELIVRD")
	reported("all parts", "1 delivered;")
	sender.receipts.learn([]string{"4", "5"})
	deliver("5", "UNDELIV")
	reported("a part has failed", "4 failed;")
	deliver("4", "DELIVRD")
	deliver("3", "UNDELIV")
	reported("afterwards", "")
}

// A receipt for a message that this process has not sent is reported when
// nobody has claimed it.
func TestSMPPReceiptOfAnother(t *testing.T) {
	r := newSMPPRig(t, nil)
	r.sender.receipts.grace = time.Millisecond
	p := pdu.NewDeliverSM().(*pdu.DeliverSM)
	p.EsmClass = 4
	_ = p.Message.SetMessageDataWithEncoding([]byte("id:77aa stat:DELIVRD"), nil)
	r.sender.receipts.take(p)
	if got, want := r.report(t), (smppReport{"provider", "77aa", DeliveryDelivered, ""}); got != want {
		t.Errorf("reported %+v, not %+v", got, want)
	}
}

// The message may not be written down yet when its receipt is there.
func TestSMPPReportsAgain(t *testing.T) {
	tries := make(chan string, 10)
	r := newSMPPRig(t, func(config *SMPPConfig) {
		config.OnReceipt = func(_ context.Context, _, reference, _, _ string) error {
			tries <- reference
			if len(tries) < 3 {
				return errors.New("no such message")
			}
			return nil
		}
	})
	r.sender.receipts.again = time.Millisecond
	r.mode(t, testbed.SMSCMode{Receipts: []testbed.SMSCReceipt{{State: "DELIVRD", When: "after"}}})
	reference := r.send(t, "123456").Reference
	for deadline := time.After(10 * time.Second); len(tries) < 3; {
		select {
		case <-deadline:
			t.Fatalf("%d tries", len(tries))
		case <-time.After(time.Millisecond):
		}
	}
	for range 3 {
		if got := <-tries; got != reference {
			t.Errorf("%s, not %s", got, reference)
		}
	}
}

func TestSMPPOverTLS(t *testing.T) {
	testbed.Need(t, "smsc")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ca, err := testbed.NewCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.Issue("smsc", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	other, err := testbed.NewCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	smsc, err := testbed.StartSMSC(ctx, certificate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = smsc.Stop() })
	for name, c := range map[string]struct {
		tls  bool
		file string
		say  string
	}{
		"right":         {tls: true, file: ca.File},
		"wrong CA":      {tls: true, file: other.File, say: "unknown authority"},
		"system's CAs":  {tls: true, say: "unknown authority"},
		"TLS forgotten": {say: "bound"},
	} {
		t.Run(name, func(t *testing.T) {
			r := smppRig{SMSC: smsc, ctx: ctx}.withSender(t, func(config *SMPPConfig) {
				config.TLS, config.CAFile, config.Timeout = c.tls, c.file, 3*time.Second
			})
			err := r.sender.Check(ctx)
			if c.say == "" && err != nil || c.say != "" && (err == nil || !strings.Contains(err.Error(), c.say)) {
				t.Errorf("%v; want %q", err, c.say)
			}
			_, err = r.sender.Send(ctx, sample)
			if c.say == "" && err != nil || c.say != "" && !errors.Is(err, ErrNotAccepted) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestSMPPClose(t *testing.T) {
	r := newSMPPRig(t, nil)
	r.send(t, "123456")
	if err := r.sender.Close(); err != nil {
		t.Fatal(err)
	}
	if state := r.state(t, "sessions=0"); state.Unbinds != 1 {
		t.Errorf("%d unbinds", state.Unbinds)
	}
	if _, err := r.sender.Send(r.ctx, sample); !errors.Is(err, ErrNotAccepted) {
		t.Errorf("after Close: %v", err)
	}
	never, err := NewSMPPSender(SMPPConfig{Server: r.Address, SystemID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(never.Close(), never.Close()); err != nil {
		t.Error(err)
	}
}

func TestSMPPConfig(t *testing.T) {
	good := SMPPConfig{Server: "smpp.example.com:3550", TLS: true, SystemID: "stage"}
	if _, err := NewSMPPSender(good); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*SMPPConfig)
		say    string
	}{
		"no server":        {func(c *SMPPConfig) { c.Server = "" }, "server: "},
		"no port":          {func(c *SMPPConfig) { c.Server = "smpp.example.com" }, "server: "},
		"plaintext":        {func(c *SMPPConfig) { c.TLS = false }, "tls: everybody on the way to smpp.example.com"},
		"CA without TLS":   {func(c *SMPPConfig) { c.TLS, c.Plaintext, c.CAFile = false, true, "/dev/null" }, "CA file: means nothing"},
		"no CA":            {func(c *SMPPConfig) { c.CAFile = "/dev/null" }, "CA file /dev/null"},
		"no name":          {func(c *SMPPConfig) { c.SystemID = "" }, "system_id: is missing"},
		"long name":        {func(c *SMPPConfig) { c.SystemID = strings.Repeat("x", 16) }, "system_id: must be"},
		"foreign password": {func(c *SMPPConfig) { c.Password = "lösen" }, "password: must be"},
		"window":           {func(c *SMPPConfig) { c.Window = -1 }, "window: "},
		"source":           {func(c *SMPPConfig) { c.Source = "Amido Backstage" }, "source: "},
		"source type":      {func(c *SMPPConfig) { c.SourceType = "alphanumeric" }, "source_type: "},
		"dest type":        {func(c *SMPPConfig) { c.DestType = "7/1" }, "dest_type: "},
		"receipt ids":      {func(c *SMPPConfig) { c.ReceiptIDs = "octal" }, "receipt_ids: "},
	} {
		t.Run(name, func(t *testing.T) {
			config := good
			c.change(&config)
			if _, err := NewSMPPSender(config); err == nil || !strings.Contains(err.Error(), c.say) {
				t.Errorf("%v; want %q", err, c.say)
			}
		})
	}
	_, err := NewSMPPSender(SMPPConfig{Window: -1, Source: "Amido Backstage"})
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("not all problems at once: %v", err)
	}
}
