package otp

import (
	"net"
	"strings"
)

// messageText is the SMS: the words with {code} and {portal} filled in, the
// code early in them, so that a lock screen shows it, and the last line bound
// to the origin, so that phones and browsers fill the code in on that host only
// (WICG, "Delivering origin-bound one-time codes over SMS": "@host #code", the
// host without a port). Words without {code} get the code in front.
func messageText(words, portal, host, code string) string {
	if !strings.Contains(words, "{code}") {
		words = "{code} " + words
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.NewReplacer("{code}", code, "{portal}", oneLine(portal)).Replace(words) + "\n\n@" + host + " #" + code
}

// withPortal fills {portal} in, and nothing else: a subject has no code.
func withPortal(subject, portal string) string {
	return strings.ReplaceAll(subject, "{portal}", oneLine(portal))
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
