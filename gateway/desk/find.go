package desk

import (
	"context"
	"errors"
	"net/http"
	"time"

	"stagedoor/directory"
	"stagedoor/gateway/factor"
	"stagedoor/gateway/helpdesk"
	"stagedoor/gateway/portal"
	"stagedoor/otp"
	"stagedoor/store"
)

// deskPage is what every page of helpdesk has besides.
type deskPage struct {
	portal.Page
	Section string // which of them is shown, for the links between them
}

func (p *Pages) deskPage(v *portal.Visit, titleKey, section string) deskPage {
	return deskPage{p.Page(v, titleKey), section}
}

// helpdeskOf are helpdesk's rules, with a record of what happens under this
// visit's support id.
func (p *Pages) helpdeskOf(v *portal.Visit) helpdesk.Desk {
	return helpdesk.Desk{
		Directory: p.Directory, Store: p.Store, Codes: p.Codes, Numbers: p.Numbers, Factors: p.Factors, Now: p.Now, PasswordTries: p.gateway.PasswordTries,
		FactorPerson: p.FactorPerson,
		News: func(ctx context.Context, person directory.Account, lang string, news factor.News, kind factor.Kind) (store.Trace, error) {
			number, err := p.NumberOf(ctx, person)
			if err != nil && !errors.Is(err, otp.ErrNoPhone) {
				return store.Trace{}, err
			}
			var args []any
			if kind != "" {
				args = []any{"factor", p.FactorName(lang, kind)}
			}
			return p.Trace(v, lang, person, number.Phone, store.Event{}, news, args...)
		},
		Record: func(ctx context.Context, event store.Event) error { return p.Audit(v.With(ctx), event) },
		Ended: func(ctx context.Context, person directory.Account, ids []string) error {
			return p.EndOthers(v.With(ctx), person, ids, portal.EndRevoked)
		},
		Order: p.gateway.Order,
		Settings: helpdesk.Settings{
			ActsPerDay: p.Set.ActsPerDay, AgentGroups: p.Set.HelpdeskGroups, AdministratorGroups: p.Set.AdministratorGroups,
			Country: p.Set.Country, Countries: p.Set.Countries,
		},
	}
}

// actLasts is how long an act may take, with the messages that it sends: it is
// done and recorded, whoever is there to see it.
const actLasts = time.Minute

// agentOf is who helps, in a visit to a page of helpdesk.
func (p *Pages) agentOf(v *portal.Visit) helpdesk.Agent {
	s := v.Session
	return helpdesk.Agent{
		AccountID: s.AccountID, Name: s.Login(), SessionID: s.ID, Address: v.Address,
		IsAdministrator: p.IsAdministrator(s),
	}
}

type findPage struct {
	deskPage
	Query      string
	Searched   bool
	People     []personLink
	Recent     []personLink
	Incomplete bool   // a directory did not answer
	Remembered bool   // some are shown as they were when they logged in
	Problem    string // why nothing was looked for
}

// personLink is somebody in a table.
type personLink struct {
	Href, Name, User, Mail, Phone string
	At                            time.Time
}

func personAddress(id string) string { return "/helpdesk/person/" + id }

// findPeople is helpdesk's first page: a search, and whom one has helped lately.
func (p *Pages) findPeople(w http.ResponseWriter, v *portal.Visit) error {
	data := findPage{deskPage: p.deskPage(v, "title.helpdesk", "find"), Query: v.URL.Query().Get("q")}
	data.Searched = v.URL.Query().Has("q")
	desk, agent, status := p.helpdeskOf(v), p.agentOf(v), http.StatusOK
	if data.Searched {
		found, err := desk.Find(v.Context(), agent, data.Query)
		var refused *helpdesk.RefusedError
		switch {
		case errors.As(err, &refused):
			data.Searched, data.Problem, status = false, p.refusalText(v, refused), p.refusalStatus(refused)
		case err != nil:
			return err
		case found.SupportID != "" && len(found.People) == 1:
			return p.Redirect(w, v, personAddress(found.People[0].ID))
		}
		data.Incomplete, data.Remembered = found.Incomplete, found.Remembered
		for _, hit := range found.People {
			data.People = append(data.People, personLink{
				Href: personAddress(hit.ID), Name: hit.DisplayName, User: hit.Domain + `\` + hit.Name, Mail: hit.Mail, Phone: helpdesk.LastFour(hit.Mobile),
			})
		}
	}
	recents, err := desk.Recents(v.Context(), agent)
	if err != nil {
		return err
	}
	for _, r := range recents {
		data.Recent = append(data.Recent, personLink{Href: personAddress(r.ID), Name: r.Name, At: r.At})
	}
	return p.Render(w, v, status, "helpdesk", data)
}

// refusalText says in words why something was not done.
func (p *Pages) refusalText(v *portal.Visit, refused *helpdesk.RefusedError) string {
	switch refused.Rule {
	case helpdesk.RuleWrongCode:
		return p.Site.T(v.Lang, "desk.refused.wrong-code", "left", refused.Left)
	case helpdesk.RuleQuota, helpdesk.RuleSearches, helpdesk.RuleWait:
		return p.Site.T(v.Lang, "desk.refused."+string(refused.Rule), "time", p.Site.Span(v.Lang, max(time.Second, refused.Until.Sub(p.Now()).Round(time.Second))))
	}
	return p.Site.T(v.Lang, "desk.refused."+string(refused.Rule))
}

func (p *Pages) refusalStatus(refused *helpdesk.RefusedError) int {
	switch refused.Rule {
	case helpdesk.RuleQuota, helpdesk.RuleSearches, helpdesk.RuleWait, helpdesk.RuleLocked:
		return http.StatusTooManyRequests
	case helpdesk.RuleReason, helpdesk.RuleText, helpdesk.RuleNoNumber, helpdesk.RuleBadNumber, helpdesk.RuleMessage:
		return http.StatusUnprocessableEntity
	case helpdesk.RuleDirectory, helpdesk.RuleNotSent:
		return http.StatusServiceUnavailable
	case helpdesk.RuleSelf, helpdesk.RuleColleague, helpdesk.RuleForbidden, helpdesk.RuleWrongCode, helpdesk.RuleUsedUp, helpdesk.RuleUnverified, helpdesk.RuleRemover, helpdesk.RuleSecond:
		return http.StatusForbidden
	}
	return http.StatusConflict
}
