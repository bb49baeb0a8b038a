package gateway

import (
	"context"

	"stagedoor/otp"
	"stagedoor/store"
)

// codeAlarm makes it known that codes are being stopped by a limit against
// fraud: to whoever watches the log, the audit or the metrics. The pages of
// helpdesk and administrators ask Codes.Alarms.
func (p *Portal) codeAlarm(ctx context.Context, alarm otp.Alarm) error {
	v := visitFrom(ctx)
	if v == nil {
		v = p.background(ctx, &session{})
		v.session = nil
	}
	v.log.Error("a limit on codes is reached: somebody earns from messages, tries a list of passwords, or the portal has grown",
		"rule", alarm.Rule, "subject", alarm.Subject)
	p.metrics.alarms.WithLabelValues(alarm.Rule).Inc()
	event := store.Event{Kind: "alarm", Result: "error", Reason: alarm.Rule}
	if alarm.Subject != "" {
		event.Detail = map[string]string{"subject": alarm.Subject}
	}
	return p.audit(v, event)
}
