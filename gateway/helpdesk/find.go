package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"stagedoor/directory"
	"stagedoor/otp"
	"stagedoor/store"
)

// Hit is somebody whom a search has found.
type Hit struct {
	directory.Account
	Phone string // the last four digits of the number that codes go to; empty: none
}

const hits = 20

// Found is what a search has found. Incomplete: a directory did not answer.
type Found struct {
	People     []Hit
	Incomplete bool
	Remembered bool   // some are the portal's own memory of who has logged in, because of that
	SupportID  string // what the text was found as: one person had it on their page
}

// Find finds people by display name, user name, mail, number in any spelling,
// the directory's or the portal's own, or the support id on somebody's page; while
// a directory does not answer, among those who have logged in before. RuleText,
// RuleSearches.
func (d Desk) Find(ctx context.Context, agent Agent, text string) (Found, error) {
	ok, until, err := d.Store.Take(ctx, "desk-find:"+agent.AccountID, findsInAll, findsWindow)
	if err != nil {
		return Found{}, fmt.Errorf("helpdesk: count search: %w", err)
	}
	if !ok {
		return Found{}, &RefusedError{Rule: RuleSearches, Until: until}
	}
	found, err := d.find(ctx, strings.TrimSpace(text))
	if err != nil {
		return Found{}, err
	}
	return found, d.fillPhones(ctx, found.People)
}

func (d Desk) find(ctx context.Context, text string) (Found, error) {
	if found, err := d.bySupportID(ctx, text); err != nil || len(found.People) > 0 {
		return found, err
	}
	accounts, err := d.Directory.Search(ctx, text, hits)
	found := Found{}
	switch {
	case errors.Is(err, directory.ErrSearchText):
		return Found{}, refuse(RuleText)
	case errors.Is(err, directory.ErrUnavailable):
		found.Incomplete = true
	case err != nil:
		return Found{}, fmt.Errorf("helpdesk: search: %w", err)
	}
	for _, account := range accounts {
		found.People = append(found.People, Hit{Account: account})
	}
	if err := d.byOwnNumber(ctx, &found, text); err != nil {
		return Found{}, err
	}
	if found.Incomplete {
		return found, d.remember(ctx, &found, text)
	}
	return found, nil
}

// byOwnNumber adds those whose number only the portal knows: set up by
// themselves, corrected by helpdesk, entered on the server.
func (d Desk) byOwnNumber(ctx context.Context, found *Found, text string) error {
	digits := numberTail(text)
	if digits == "" {
		return nil
	}
	ids, err := d.Store.OwnNumbers(ctx, digits, hits)
	if err != nil {
		return fmt.Errorf("helpdesk: search: %w", err)
	}
	for _, id := range ids {
		if len(found.People) == hits || slices.ContainsFunc(found.People, func(h Hit) bool { return h.ID == id }) {
			continue
		}
		if err := d.addByID(ctx, found, id); err != nil {
			return err
		}
	}
	return nil
}

// addByID adds who has an account: as the directory has them or, while it does
// not answer, as they were when they logged in last. Nobody is no error.
func (d Desk) addByID(ctx context.Context, found *Found, id string) error {
	account, err := d.Directory.ByID(ctx, "", id)
	switch {
	case err == nil:
		found.People = append(found.People, Hit{Account: account})
		return nil
	case errors.Is(err, directory.ErrNotFound):
		return nil
	case !errors.Is(err, directory.ErrUnavailable):
		return fmt.Errorf("helpdesk: search: %w", err)
	}
	found.Incomplete = true
	person, err := d.Store.FindPerson(ctx, id)
	switch {
	case err == nil:
		found.People, found.Remembered = append(found.People, rememberedHit(person)), true
	case !errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("helpdesk: search: %w", err)
	}
	return nil
}

// fillPhones says of each which number their codes go to: it need not be the
// directory's, by which they may have been found.
func (d Desk) fillPhones(ctx context.Context, people []Hit) error {
	for i := range people {
		number, err := d.phoneOf(ctx, people[i].Account)
		if err != nil && !errors.Is(err, otp.ErrNoPhone) {
			return fmt.Errorf("helpdesk: search: %w", err)
		}
		people[i].Phone = LastFour(string(number.Phone))
	}
	return nil
}

// remember adds those who have logged in before, as they were then: all that is
// known while a directory does not answer. Like the directory it looks for every
// word, after DOMAIN\ for those of one domain, and for a number as one.
func (d Desk) remember(ctx context.Context, found *Found, text string) error {
	texts := []string{strings.Replace(text, `\`, `\ `, 1)}
	if digits := numberTail(text); digits != "" {
		texts = append(texts, digits)
		if strings.Contains(text, " ") { // whose groups of digits are no words
			texts = texts[1:]
		}
	}
	var people []store.Person
	for _, text := range texts {
		more, err := d.Store.FindPeople(ctx, text, hits)
		if err != nil {
			return fmt.Errorf("helpdesk: search: %w", err)
		}
		people = append(people, more...)
	}
	for _, person := range people {
		if len(found.People) < hits && !slices.ContainsFunc(found.People, func(h Hit) bool { return h.ID == person.AccountID }) {
			found.People, found.Remembered = append(found.People, rememberedHit(person)), true
		}
	}
	return nil
}

func rememberedHit(p store.Person) Hit {
	account := directory.Account{ID: p.AccountID, Domain: p.Domain, Name: p.Name, DisplayName: p.DisplayName, Mail: p.Mail}
	if p.PhoneSource != otp.FromVerified { // which d.Numbers has
		account.Mobile, account.Mobiles = p.Phone, []string{p.Phone}
	}
	return Hit{Account: account}
}

var numberForm = regexp.MustCompile(`^\+?[0-9 ()./-]{4,30}$`)

// numberTail is what every spelling of a number has in common: its digits
// without the 0 or 00 before them. Empty: the text is no number, or too short.
func numberTail(text string) string {
	if !numberForm.MatchString(text) {
		return ""
	}
	// The 0 of +46 (0)70 is dialled within the country only.
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, strings.Replace(text, "(0)", "", 1))
	tail := strings.TrimLeft(digits, "0")
	if len(tail) < 4 && len(digits) == 4 {
		return digits // the last four, as the pages show them
	}
	if len(tail) < 4 {
		return ""
	}
	return tail
}

// supportIDForm is a support id, Crockford's base 32, as it was made.
var supportIDForm = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{8}$`)

// SupportID is a support id as it was made, from what somebody heard over the
// telephone: O is 0, I and L are 1, spaces are none. Empty: it is none.
func SupportID(said string) string {
	id := strings.NewReplacer("O", "0", "I", "1", "L", "1", " ", "", "-", "").Replace(strings.ToUpper(said))
	if !supportIDForm.MatchString(id) {
		return ""
	}
	return id
}

// bySupportID finds who had a support id on their page.
func (d Desk) bySupportID(ctx context.Context, text string) (Found, error) {
	id := SupportID(text)
	if id == "" {
		return Found{}, nil
	}
	events, err := d.Store.Events(ctx, store.EventFilter{RequestID: id, Limit: 20})
	if err != nil {
		return Found{}, fmt.Errorf("helpdesk: support id: %w", err)
	}
	found := Found{SupportID: id}
	var seen []string
	for _, event := range events {
		if event.AccountID == "" || slices.Contains(seen, event.AccountID) {
			continue
		}
		seen = append(seen, event.AccountID)
		if err := d.addByID(ctx, &found, event.AccountID); err != nil {
			return Found{}, err
		}
	}
	return found, nil
}

// Recent is somebody whom an agent has looked at.
type Recent struct {
	ID, Name string
	store.Event
}

// Recents are the people whom an agent has looked at lately, the last first.
func (d Desk) Recents(ctx context.Context, agent Agent) ([]Recent, error) {
	const most = 8
	events, err := d.Store.Events(ctx, store.EventFilter{AccountID: agent.AccountID, Kind: kindLook, Limit: 60})
	if err != nil {
		return nil, fmt.Errorf("helpdesk: recents: %w", err)
	}
	var found []Recent
	for _, event := range events {
		id, name := event.Detail[detailAccount], event.Detail[detailPerson]
		if event.AccountID != agent.AccountID || id == "" || name == "" || len(found) == most ||
			slices.ContainsFunc(found, func(r Recent) bool { return r.ID == id }) {
			continue
		}
		found = append(found, Recent{id, name, event})
	}
	return found, nil
}
