package portal

import (
	"cmp"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/otp"
	"stagedoor/store"
)

// News is the trace that tells somebody in a language, by text message and mail,
// of what is done to their factors, and records nothing. args are pairs of the
// texts' placeholders and their values, besides those that all have.
func (p *Portal) News(lang string, account directory.Account, phone otp.Phone, news factor.News, args ...any) (store.Trace, error) {
	trace, err := p.Notices.Trace(otp.Notice{
		AccountID: account.ID, Name: account.Domain + `\` + account.Name, Lang: lang, Phones: []otp.Phone{phone}, Mail: account.Mail,
		Key: "factor.notice." + string(news), Args: append([]any{"helpdesk", cmp.Or(p.Set.Helpdesk.Name, p.Set.Name)}, args...),
	})
	trace.EvenUntold = news.EvenUntold()
	return trace, err
}

// Trace is News of what is done in a visit, with its event (Kind "": none).
func (p *Portal) Trace(v *Visit, lang string, account directory.Account, phone otp.Phone, event store.Event, news factor.News, args ...any) (store.Trace, error) {
	trace, err := p.News(lang, account, phone, news, args...)
	if err != nil {
		return store.Trace{}, err
	}
	if event.Kind != "" {
		trace.Event = v.event(event)
	}
	queued := trace.Done
	trace.Done = func(event store.Event, untold bool) {
		queued(event, untold)
		if event.Kind != "" {
			p.logEvent(v.Log, event)
		}
		if untold {
			v.Log.Warn("the person is not told of all: they have been told of too much today", "news", news, "account_id", account.ID)
		}
	}
	return trace, nil
}

// EventTrace is the trace of a change that its person need not be told of.
func (p *Portal) EventTrace(v *Visit, event store.Event) store.Trace {
	return store.Trace{Event: v.event(event), Done: func(event store.Event, _ bool) { p.logEvent(v.Log, event) }}
}

// FactorTrace is the trace of a factor that was added to or removed from the
// account of the visit's own person; name is what they call it.
func (p *Portal) FactorTrace(v *Visit, news factor.News, kind factor.Kind, name string) (store.Trace, error) {
	s := v.Session
	event := store.Event{Kind: "factor-add", Result: "ok", Detail: map[string]string{"factor": string(kind)}}
	if news == factor.NewsRemoved {
		event.Kind = "factor-remove"
	}
	if name != "" {
		event.Detail["name"] = name
	}
	return p.Trace(v, v.Lang, s.Who.Account, s.Who.Phone, event, news, "factor", p.FactorName(v.Lang, kind))
}

// FactorName is a kind of factor as people know it.
func (p *Portal) FactorName(lang string, kind factor.Kind) string {
	return p.Site.T(lang, "factor.ways."+string(kind))
}
