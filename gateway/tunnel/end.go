package tunnel

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/wwt/guac"
)

// ending is why a desktop is over: one row of the close table, plus what is
// known about this case. It is the error that cancels the desktop's context.
type ending struct {
	cause  string      // for the audit
	status guac.Status // the close code and reason follow from it
	text   string      // for the person, where guacd said nothing better
	detail string      // for the log
	said   string      // guacd's own words
	silent bool        // the browser is gone: nothing can be told
	hasty  bool        // it has most likely gone: it is told, and not waited for
	holds  bool        // the browser may come back to the desktop
	leaves bool        // and is in no hurry: the person went to another page
}

func (e *ending) Error() string {
	if e.detail == "" {
		return "tunnel: " + e.cause
	}
	return "tunnel: " + e.cause + ": " + e.detail
}

// because is a copy of e that carries a detail for the log.
func (e *ending) because(format string, args ...any) *ending {
	detailed := *e
	detailed.detail = fmt.Sprintf(format, args...)
	return &detailed
}

// The close table. Numbers and WebSocket codes are those of Apache's own
// tunnel, which the browser client knows.
var (
	endDisconnect     = &ending{cause: "disconnect", status: guac.Success, text: "The desktop was left."}
	endBrowserClosed  = &ending{cause: "browser-closed", status: guac.Success, silent: true}
	endBrowserLost    = &ending{cause: "browser-lost", status: guac.ResourceClosed, silent: true, holds: true}
	endBrowserTimeout = &ending{cause: "browser-timeout", status: guac.ClientTimeout, text: "The browser stopped answering.", holds: true}
	endBrowserStalled = &ending{cause: "browser-stalled", status: guac.ClientTimeout, silent: true, holds: true}
	endReplaced       = &ending{cause: "replaced", status: guac.Success, text: "The page came back in another connection.", hasty: true, holds: true}
	endLeft           = &ending{cause: "left", status: guac.Success, text: "The page was left.", hasty: true, holds: true, leaves: true}
	endEnded          = &ending{cause: "ended", status: guac.SessionClosed, text: "The desktop was ended from the list."}
	endHelpdesk       = &ending{cause: "ended-by-helpdesk", status: guac.SessionClosed, text: "The desktop was ended by helpdesk."}
	endLogoff         = &ending{cause: "logoff", status: guac.Success, text: "The desktop was logged off."}

	endGuacdError       = &ending{cause: "guacd-error", status: guac.UpstreamError, text: "The remote desktop reported an error."}
	endGuacdUnreachable = &ending{cause: "guacd-unreachable", status: guac.UpstreamUnavailable, text: "The remote desktop service cannot be reached."}
	endGuacdEOF         = &ending{cause: "guacd-eof", status: guac.UpstreamUnavailable, text: "The remote desktop service closed the connection."}
	endGuacdSilent      = &ending{cause: "guacd-silent", status: guac.UpstreamTimeout, text: "The remote desktop service stopped answering."}
	endGuacdStalled     = &ending{cause: "guacd-stalled", status: guac.UpstreamTimeout, text: "The remote desktop service stopped taking input."}
	endGuacdProtocol    = &ending{cause: "guacd-protocol", status: guac.UpstreamError, text: "The remote desktop service sent something unreadable."}
	endLacksArgument    = &ending{cause: "guacd-lacks-argument", status: guac.ServerError, text: "The remote desktop service is too old for the rules of this desktop."}
	endBadArguments     = &ending{cause: "bad-arguments", status: guac.ServerError, text: "This desktop is set up wrongly."}
	endHandshakeTimeout = &ending{cause: "handshake-timeout", status: guac.UpstreamTimeout, text: "The remote desktop service did not answer in time."}
	endNoFirstFrame     = &ending{cause: "first-frame-timeout", status: guac.UpstreamTimeout, text: "The computer accepted the connection but showed no picture."}
	endUnanswered       = &ending{cause: "answer-timeout", status: guac.ClientTimeout, text: "The question for a password was not answered in time."}

	endBadProtocol = &ending{cause: "bad-protocol", status: guac.ClientBadRequest, text: "The browser sent something that does not belong here."}
	endForbidden   = &ending{cause: "forbidden", status: guac.ClientForbidden, text: "The browser asked for something that this desktop does not allow."}
	endOverrun     = &ending{cause: "overrun", status: guac.ClientOverrun, text: "The browser sent too much at once."}
	endBadType     = &ending{cause: "bad-type", status: guac.ClientBadType, text: "The browser sent a message of the wrong type."}

	endIdle      = &ending{cause: "idle", status: guac.SessionTimeout, text: "The desktop was closed because nobody used it."}
	endRevoked   = &ending{cause: "revoked", status: guac.SessionClosed, text: "The session has ended."}
	endTakenOver = &ending{cause: "taken-over", status: guac.SessionConflict, text: "The desktop was opened somewhere else.", holds: true}
	endLimit     = &ending{cause: "limit", status: guac.ClientTooMany, text: "Too many desktops are open."}
	endShutdown  = &ending{cause: "shutdown", status: guac.UpstreamUnavailable, text: "The gateway is going down."}
	endCancelled = &ending{cause: "cancelled", status: guac.SessionClosed, text: "The session has ended."}
)

// endingOf finds the row for what cancelled the desktop's context.
func endingOf(cause error) *ending {
	if end, ok := errors.AsType[*ending](cause); ok {
		return end
	}
	switch {
	case errors.Is(cause, ErrIdle):
		return endIdle
	case errors.Is(cause, ErrRevoked):
		return endRevoked
	case errors.Is(cause, ErrTakenOver):
		return endTakenOver
	case errors.Is(cause, ErrEnded):
		return endEnded
	case errors.Is(cause, ErrHelpdesk):
		return endHelpdesk
	case errors.Is(cause, ErrLimit):
		return endLimit
	case errors.Is(cause, ErrShutdown):
		return endShutdown
	case errors.Is(cause, ErrReplaced):
		return endReplaced
	case errors.Is(cause, context.DeadlineExceeded):
		return endRevoked
	}
	return endCancelled.because("%v", cause)
}

// guacdError is the ending for an error instruction of guacd: text, status.
func guacdError(in *instruction) *ending {
	end := *endGuacdError
	end.said = printable(string(in.arg(0)))
	code, ok := parseIndex(in.arg(1))
	end.detail = fmt.Sprintf("%d %q", code, end.said)
	if status := guac.FromGuacamoleStatusCode(code); ok && status != guac.Undefined && status != guac.Success {
		end.status = status
	}
	return &end
}

// farewell is what the browser is told before the close frame: an error, or a
// plain disconnect when nothing went wrong.
func farewell(status guac.Status, text string) []byte {
	if status == guac.Success {
		return appendInstruction(nil, "disconnect")
	}
	return appendInstruction(nil, "error", text, reason(status))
}

// reason is the close frame's reason: the decimal Guacamole status, which the
// browser client reads with parseInt.
func reason(status guac.Status) string {
	return strconv.Itoa(status.GetGuacamoleStatusCode())
}

// printable cuts s to 512 printable runes.
func printable(s string) string {
	kept := strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if runes := []rune(kept); len(runes) > 512 {
		return string(runes[:512])
	}
	return kept
}
