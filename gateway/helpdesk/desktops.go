package helpdesk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"stagedoor/directory"
	"stagedoor/store"
)

// maxMessage is how long a message over a desktop may be, in characters. The
// form and its texts say so too.
const maxMessage = 300

const maxDesktopID = 64 // bytes of one in an address that is recorded; ours have 26

// EndDesktop closes a live desktop, by its id, on whichever node it is. RuleOver.
func (d Desk) EndDesktop(ctx context.Context, agent Agent, desktopID, reason string) error {
	return d.order(ctx, agent, "desktop-order-end", reason, store.DesktopOrder{DesktopID: desktopID, Kind: store.OrderEnd})
}

// MessageDesktop shows a message over a live desktop. RuleMessage: it is empty
// or longer than 300 characters. RuleOver.
func (d Desk) MessageDesktop(ctx context.Context, agent Agent, desktopID, text, reason string) error {
	text = Tidy(text)
	if text == "" || utf8.RuneCountInString(text) > maxMessage {
		text = ""
	}
	return d.order(ctx, agent, "desktop-order-message", reason,
		store.DesktopOrder{DesktopID: desktopID, Kind: store.OrderMessage, Text: text})
}

// order gives an order about a desktop, as an act on the person whose it is.
func (d Desk) order(ctx context.Context, agent Agent, kind, reason string, order store.DesktopOrder) error {
	live, err := d.Store.LiveDesktop(ctx, order.DesktopID)
	if errors.Is(err, store.ErrNotFound) {
		gone := deed{kind: kind}
		if len(order.DesktopID) <= maxDesktopID {
			gone.facts = map[string]string{"desktop": order.DesktopID}
		}
		return d.refused(ctx, agent, directory.Account{}, gone, refuse(RuleOver))
	}
	if err != nil {
		return fmt.Errorf("helpdesk: desktop: %w", err)
	}
	order.ID, order.By = rand.Text(), agent.Name
	facts := map[string]string{"desktop": live.ID, "node": live.Node, "session": live.SessionID}
	what := deed{id: live.AccountID, kind: kind, reason: reason, target: live.Target, facts: facts}
	switch {
	case order.Text != "":
		facts["text"] = order.Text
	case order.Kind == store.OrderMessage:
		what.unfit = refuse(RuleMessage)
	}
	return d.do(ctx, agent, what,
		func(directory.Account, string) (map[string]string, error) {
			err := d.Order(ctx, order)
			if errors.Is(err, store.ErrNotFound) {
				return nil, refuse(RuleOver)
			}
			return nil, wrapped("order about a desktop", err)
		})
}

// Tidy is what somebody typed on one line: printable, without spaces around it,
// and without the marks that turn the direction of what follows.
func Tidy(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return ' '
		}
		if r < ' ' || r == 0x7f || r == 0xfffd || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "")))
}
