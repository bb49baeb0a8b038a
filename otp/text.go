package otp

import (
	"net"
	"strings"
)

// messageText is the SMS: the code first, so that a lock screen shows it, and
// the last line bound to the origin, so that phones and browsers fill the code
// in on that host only (WICG, "Delivering origin-bound one-time codes over
// SMS": "@host #code", the host without a port).
func messageText(portal, host, code, language string) string {
	before, after := " är din kod till ", ". Lämna aldrig ut den."
	if strings.HasPrefix(strings.ToLower(language), "en") {
		before, after = " is your code for ", ". Never give it to anyone."
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return code + before + strings.Join(strings.Fields(portal), " ") + after + "\n\n@" + host + " #" + code
}
