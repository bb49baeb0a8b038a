package gateway

import (
	"context"
	"stagedoor/otp"
	"stagedoor/store"
	"time"
)

// numbersAndNotices are put together from the portal's own parts.
func (p *Portal) numbersAndNotices() {
	p.notices = otp.NewNotices(p.Store, p.Codes.Sender)
	if mailer := p.Mailer; mailer != nil {
		p.notices.Mail = func(ctx context.Context, to, subject, text string) error {
			return mailer.Send(ctx, otp.Mail{To: to, Subject: subject, Text: text})
		}
	}
	p.notices.Text, p.notices.Key = p.Site.T, p.Codes.Key
	p.notices.Portal, p.notices.Address, p.notices.Now = p.set.Name, p.origin, p.Now
	p.notices.Failed = func(notice store.Notice, err error) {
		p.Log.Error("notice not sent", "notice", notice.ID, "key", notice.Key, "channel", notice.Channel,
			"account_id", notice.AccountID, "tries", notice.Tries, "error", err)
	}
	p.numbers = &otp.Numbers{
		Store: p.Store, Notices: p.notices, Key: p.Codes.Key, Now: p.Now,
		Order: p.set.Phones.Order, SelfEnrol: p.set.Phones.SelfEnrol, CoolDown: p.set.Phones.CoolDown,
		Changed: p.factors.Changed,
	}
}

// applyDueNumbers puts helpdesk's changes of numbers into force when their time
// has come, for people who do not log in meanwhile: at once, for what fell due
// while no node ran, and at every tick.
func (p *Portal) applyDueNumbers(tick <-chan time.Time) {
	for {
		if _, err := p.numbers.Run(p.ctx); err != nil && p.ctx.Err() == nil {
			p.Log.Error("changes of numbers not applied", "error", err)
		}
		select {
		case <-p.ctx.Done():
			return
		case <-tick:
		}
	}
}
