package gateway

import (
	"context"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/otp"
	"stagedoor/store"
)

// codeAlarm makes it known that codes are being stopped by a limit against
// fraud: to whoever watches the log, the audit or the metrics. The pages of
// helpdesk and administrators ask Codes.Alarms.
func (p *Gateway) codeAlarm(ctx context.Context, alarm otp.Alarm) error {
	v := portal.VisitFrom(ctx)
	if v == nil {
		v = p.Background(ctx, &portal.Session{})
		v.Session = nil
	}
	v.Log.Error("a limit on codes is reached: somebody earns from messages, tries a list of passwords, or the portal has grown",
		"rule", alarm.Rule, "subject", alarm.Subject)
	p.Metrics.Alarms.WithLabelValues(alarm.Rule).Inc()
	event := store.Event{Kind: "alarm", Result: "error", Reason: alarm.Rule}
	if alarm.Subject != "" {
		event.Detail = map[string]string{"subject": alarm.Subject}
	}
	if err := p.Audit(v, event); err != nil {
		return err
	}
	if p.Mailer != nil && !alarm.Quiet {
		go p.mailAlarm(alarm)
	}
	return nil
}

// mailAlarm tells those who are to know by mail, beside the request that raised
// the alarm: a mail server takes its time.
func (p *Gateway) mailAlarm(alarm otp.Alarm) {
	lang := p.Site.Languages()[0].Code
	reach := map[string]string{"total": "alarm.mail.total", "country": "alarm.mail.country", "prefix": "alarm.mail.prefix"}[alarm.Rule]
	subject := p.Site.T(lang, "alarm.mail.subject", "portal", p.Set.Name)
	text := p.Site.T(lang, reach, "subject", alarm.Subject) + "\n\n" + p.Site.T(lang, "alarm.mail.why", "address", p.Origin) +
		"\n\n" + p.Site.T(lang, "alarm.mail.often")
	for _, to := range p.Set.AlarmMail {
		ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
		if err := p.Mailer.Send(ctx, otp.Mail{To: to, Subject: subject, Text: text}); err != nil {
			p.Log.Error("an alarm could not be mailed", "error", err)
		}
		cancel()
	}
}
