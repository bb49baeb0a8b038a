package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"stagedoor/otp"
)

//go:embed phone.html
var phoneHTML string

var phoneTemplate = template.Must(template.New("phone").Parse(phoneHTML))

type phoneMessage struct {
	Person, To, At, Text string
}

// phonePage shows the newest messages of all the demo's phones. It reloads
// itself, so that it can lie beside the portal's window.
func phonePage(outbox *otp.Outbox, o options) http.Handler {
	owners := map[string]string{}
	for _, a := range accounts() {
		if phone, err := otp.ParsePhone(a.Mobile, "SE", nil); err == nil {
			owners[string(phone)] = a.DisplayName
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		var messages []phoneMessage
		for _, m := range outbox.Messages() {
			messages = append(messages, phoneMessage{
				Person: owners[string(m.To)], To: string(m.To), At: m.At.Local().Format("15:04:05"), Text: strings.TrimSpace(m.Text)})
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		if err := phoneTemplate.Execute(w, messages); err != nil {
			fmt.Fprintln(w, err)
		}
	})
	return mux
}
