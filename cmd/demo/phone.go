package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"stagedoor/otp"
)

//go:embed phone.html
var phoneHTML string

var phoneTemplate = template.Must(template.New("phone").Parse(phoneHTML))

// received is an SMS or a mail on the page.
type received struct {
	Person, To, At, Subject string
	Parts                   []part
}

// part is a piece of a text: a link, or what stands between links.
type part struct {
	Text string
	Link bool
}

// phonePage shows the newest messages of all the demo's phones, and beside them
// the mail. It reloads itself, so that it can lie beside the portal's window.
func phonePage(outbox *otp.Outbox, mail *mailbox) http.Handler {
	owners := map[string]string{} // by number and by address
	for _, a := range accounts() {
		owners[a.address()] = a.DisplayName
		if phone, err := otp.ParsePhone(a.Mobile, "SE", nil); err == nil {
			owners[string(phone)] = a.DisplayName
		}
	}
	message := func(to, subject, text string, at time.Time) received {
		return received{Person: owners[to], To: to, At: at.Local().Format("15:04:05"), Subject: subject, Parts: links(text)}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		var page struct{ SMS, Mail []received }
		for _, m := range newest(outbox) {
			page.SMS = append(page.SMS, message(string(m.To), "", m.Text, m.At))
		}
		for _, m := range mail.newest() {
			page.Mail = append(page.Mail, message(m.To, m.Subject, m.Text, m.At))
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		if err := phoneTemplate.Execute(w, page); err != nil {
			fmt.Fprintln(w, err)
		}
	})
	return mux
}

var address = regexp.MustCompile(`https?://\S+`)

// links divides a text, so that the addresses in it can be clicked, as phones
// and mail programs have it.
func links(text string) (parts []part) {
	text = strings.TrimSpace(text)
	at := 0
	for _, found := range address.FindAllStringIndex(text, -1) {
		parts = append(parts, part{Text: text[at:found[0]]}, part{Text: text[found[0]:found[1]], Link: true})
		at = found[1]
	}
	return append(parts, part{Text: text[at:]})
}

// newest are all phones' messages, the newest first.
func newest(outbox *otp.Outbox) []otp.Sent {
	var all []otp.Sent
	for _, phone := range outbox.Phones() {
		all = append(all, outbox.Messages(phone)...)
	}
	slices.SortStableFunc(all, func(a, b otp.Sent) int { return b.At.Compare(a.At) })
	return all
}
