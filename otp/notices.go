package otp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"stagedoor/store"
)

// Notices is a durable queue of messages that tell people of what was done to
// their account, by SMS and by mail:
//
//	err := notices.Tell(ctx, otp.Notice{..., Key: "phone.notice.changed"})
//	notices.Watch(ctx)      // sends; on every node
//
// A message is sent at least once: again after a failure, with longer and
// longer waits, until it is 24 h old. A text message counts for the limits of its
// country and of all messages, and waits where one of them holds; what goes by
// mail goes meanwhile. What is queued holds no secret; the token
// of a freeze link is computed while sending.
type Notices struct {
	Store *store.Store
	// Mail hands one mail over; nil: nothing is told by mail, nor queued for it.
	Mail func(ctx context.Context, to, subject, text string) error
	// Text is a text of the pages: of a notice KEY.sms, or KEY.subject and
	// KEY.mail. args are pairs of a placeholder's name and its value.
	Text    func(lang, key string, args ...any) string
	Key     []byte // the server key
	Portal  string // name, for {portal}
	Address string // of the portal, https://portal.example.se
	Now     func() time.Time
	// Failed hears of messages that were given up or could not be sent; for the
	// log. The error never holds the text.
	Failed func(notice store.Notice, err error)

	PerDay  int           // per account and way, and per recipient; 0 means 10
	Timeout time.Duration // of handing a mail over; 0 means 10 s

	codes *Codes
	woken chan struct{}
}

// NewNotices is a Notices that can be woken, over the store, the sender and the
// limits of codes; fields may be set before Watch.
func NewNotices(codes *Codes) *Notices {
	return &Notices{Store: codes.Store, codes: codes, woken: make(chan struct{}, 1)}
}

// Notice is what to tell one person. Each number and the mail address get one
// message each.
type Notice struct {
	AccountID  string
	Name, Lang string // of the person; {name} in the texts
	Phones     []Phone
	Mail       string // "": none
	Key        string // of the texts: KEY.sms, KEY.subject, KEY.mail
	Args       []any  // pairs: placeholder, text or whole number
	Freeze     string // id of a change of number; its link is {link} in the texts
}

const (
	noticeLasts = 24 * time.Hour
	noticeLease = 2 * time.Minute // and twice what handing a text message over may take
	noticeWait  = 30 * time.Second
	noticeTries = 12 // with the waits below more than 24 h
)

// Tell queues a notice, all of its messages or none. ErrTooMany where the
// person or a recipient has had too many.
func (n *Notices) Tell(ctx context.Context, notice Notice) error {
	rows, err := n.rows(notice)
	if err != nil {
		return err
	}
	if err := n.Store.QueueNotices(ctx, rows, n.limits()); err != nil {
		if errors.Is(err, ErrTooMany) {
			return ErrTooMany
		}
		return fmt.Errorf("otp: tell: %w", err)
	}
	n.wake()
	return nil
}

// Trace is a notice as it goes with a change that the store makes: both are
// written, or neither.
func (n *Notices) Trace(notice Notice) (store.Trace, error) {
	rows, err := n.rows(notice)
	if err != nil {
		return store.Trace{}, err
	}
	return store.Trace{Notices: rows, Limits: n.limits(), Done: func(store.Event, bool) { n.wake() }}, nil
}

func (n *Notices) rows(notice Notice) ([]store.Notice, error) {
	args, err := json.Marshal(notice.Args)
	if err != nil {
		return nil, fmt.Errorf("otp: notice %s: %w", notice.Key, err)
	}
	now := n.now()
	row := store.Notice{AccountID: notice.AccountID, Name: notice.Name, Lang: notice.Lang, Key: notice.Key,
		Args: string(args), ChangeID: notice.Freeze, At: now, ExpiresAt: now.Add(noticeLasts)}
	var rows []store.Notice
	add := func(channel, recipient string) {
		row.ID, row.Channel, row.Recipient = newID(), channel, recipient
		rows = append(rows, row)
	}
	phones := slices.Clone(notice.Phones)
	slices.Sort(phones)
	for _, phone := range slices.Compact(phones) {
		if phone.valid() {
			add("sms", string(phone))
		}
	}
	if n.Mail != nil && notice.Mail != "" {
		add("mail", notice.Mail)
	}
	return rows, nil
}

// Told is how much somebody has been told of in the last 24 hours, by the way
// that is nearest to its limit.
type Told struct {
	Count, Most int
	Until       time.Time // when it is one less, or, at the limit, when there is room again; zero: nothing was told
}

// Full tells whether nothing more is told, and so nothing done that has to be.
func (t Told) Full() bool { return t.Most > 0 && t.Count >= t.Most }

// Told counts what a person has been told of, by SMS to phone and by mail; either
// may be empty.
func (n *Notices) Told(ctx context.Context, accountID string, phone Phone, mail string) (Told, error) {
	most := n.limits().PerDay
	told, after := Told{Most: most}, n.now().Add(-24*time.Hour)
	for _, way := range [][2]string{{"sms", string(phone)}, {"mail", mail}} {
		account, to, err := n.Store.NoticeTimes(ctx, accountID, way[0], way[1], after)
		if err != nil {
			return Told{}, fmt.Errorf("otp: told: %w", err)
		}
		for _, times := range [][]time.Time{account, to} {
			if len(times) == 0 {
				continue
			}
			// Of more than the limit, which a change that takes effect may queue,
			// as many have to be a day old as leave one place.
			until := times[min(len(times), most)-1].Add(24 * time.Hour)
			if len(times) > told.Count || len(times) == told.Count && until.After(told.Until) {
				told.Count, told.Until = len(times), until
			}
		}
	}
	return told, nil
}

func (n *Notices) limits() store.NoticeLimits {
	return store.NoticeLimits{PerDay: orDefault(n.PerDay, 10)}
}

// Watch sends what is queued until ctx ends: at once what this node queues, and
// every 30 s what others left.
func (n *Notices) Watch(ctx context.Context) {
	ticker := time.NewTicker(noticeWait)
	defer ticker.Stop()
	for {
		if _, err := n.Deliver(ctx); err != nil && ctx.Err() == nil && n.Failed != nil {
			n.Failed(store.Notice{}, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-n.woken:
		}
	}
}

func (n *Notices) wake() {
	select {
	case n.woken <- struct{}{}:
	default: // awake already, or nobody watches
	}
}

// Deliver sends what is due now, each message once, and says how many it tried.
func (n *Notices) Deliver(ctx context.Context) (tried int, err error) {
	for ctx.Err() == nil {
		now := n.now()
		due, err := n.Store.NoticeDue(ctx, now)
		if err != nil {
			return tried, fmt.Errorf("otp: notices: %w", err)
		}
		if !due {
			return tried, nil
		}
		notice, err := n.Store.LeaseNotice(ctx, newID(), now, now.Add(max(noticeLease, 2*n.codes.Timeout)))
		if errors.Is(err, store.ErrNotFound) { // another node was quicker
			return tried, nil
		}
		if err != nil {
			return tried, fmt.Errorf("otp: notices: %w", err)
		}
		tried++
		if err := n.send(ctx, notice); err != nil {
			return tried, err
		}
	}
	return tried, ctx.Err()
}

// send hands one message over and records what became of it.
func (n *Notices) send(ctx context.Context, notice store.Notice) error {
	sendErr := errors.New("too old")
	now := n.now()
	if now.Before(notice.ExpiresAt) {
		sendErr = n.handOver(ctx, notice)
	}
	var wait *WaitError
	if errors.As(sendErr, &wait) && wait.Until.Before(notice.ExpiresAt) {
		return n.finished(n.Store.PostponeNotice(context.WithoutCancel(ctx), notice, wait.Until, "limit: "+wait.Rule))
	}
	state, next, reason := "sent", now, ""
	if sendErr != nil {
		state, reason = "queued", sendErr.Error()
		next = now.Add(noticeWait << min(notice.Tries-1, 9)) // 30 s, 1 min, ... 4 h
		if errors.Is(sendErr, ErrRefusedForGood) || notice.Tries >= noticeTries || next.After(notice.ExpiresAt) {
			state = "failed"
		}
		if n.Failed != nil {
			n.Failed(notice, sendErr)
		}
	}
	// The hand-over has happened: it is recorded even when the portal goes down.
	return n.finished(n.Store.FinishNotice(context.WithoutCancel(ctx), notice, state, next, reason))
}

// finished: another node that has taken the lease over is no error.
func (n *Notices) finished(err error) error {
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("otp: notices: %w", err)
	}
	return nil
}

func (n *Notices) handOver(ctx context.Context, notice store.Notice) error {
	args, err := n.args(notice)
	if err != nil {
		return err
	}
	if notice.Channel == "sms" {
		return n.codes.tell(ctx, notice.AccountID, Phone(notice.Recipient), n.Text(notice.Lang, notice.Key+".sms", args...))
	}
	ctx, cancel := context.WithTimeout(ctx, orDefault(n.Timeout, 10*time.Second))
	defer cancel()
	switch {
	case n.Mail == nil:
		err = errors.New("no mail is configured")
	default:
		err = n.Mail(ctx, notice.Recipient, n.Text(notice.Lang, notice.Key+".subject", args...), n.Text(notice.Lang, notice.Key+".mail", args...))
	}
	return err
}

// args are the values of a text's placeholders, with those that every notice has.
func (n *Notices) args(notice store.Notice) ([]any, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(notice.Args)))
	decoder.UseNumber()
	var args []any
	if err := decoder.Decode(&args); err != nil {
		return nil, fmt.Errorf("notice %s: %w", notice.ID, err)
	}
	for i, arg := range args {
		if number, ok := arg.(json.Number); ok {
			if whole, err := number.Int64(); err == nil {
				args[i] = int(whole)
			}
		}
	}
	args = append(args, "name", notice.Name, "portal", oneLine(n.Portal))
	if notice.ChangeID != "" {
		args = append(args, "link", n.FreezeLink(notice.ChangeID))
	}
	return args, nil
}

// FreezeLink is the address that freezes a change of number. It is a secret of
// whom it is sent to.
func (n *Notices) FreezeLink(changeID string) string {
	return n.Address + "/freeze/" + changeID + "?t=" + freezeToken(n.Key, changeID)
}

func (n *Notices) now() time.Time {
	if n.Now == nil {
		return time.Now()
	}
	return n.Now()
}
