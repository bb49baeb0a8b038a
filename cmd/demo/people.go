package main

import (
	"fmt"
	"io"
	"time"

	"stagedoor/directory/directorytest"
	"stagedoor/gateway/factor"
)

// account is one row of what the demo prints. The numbers are from the range
// that the Swedish regulator keeps for fiction.
type account struct {
	directorytest.User
	state string
}

const (
	group     = "MultiAccess"
	mailCodes = "Codes-By-Mail"
	soon      = "Installers"
)

func accounts() []account {
	return []account{
		{directorytest.User{Name: "anna", Password: "Gammalt-2025", DisplayName: "Anna Ångström", Mobile: "070-174 06 05", Expired: true, Groups: []string{group}}, "her password has expired"},
		{directorytest.User{Name: "bertil", Password: "Tillfalligt-1", DisplayName: "Bertil Öberg", Mobile: "+46 70 174 06 06", MustChange: true, Groups: []string{group}}, "has to choose his own password first"},
		{directorytest.User{Name: "cecilia", Password: "Sommar-2026", DisplayName: "Cecilia Lind", Mobile: "0701740607", Groups: []string{group}}, "all is well"},
		{directorytest.User{Name: "david", Password: "Sommar-2026", DisplayName: "David Ek", Mobile: "0701740608", Disabled: true, Groups: []string{group}}, "is disabled"},
		{directorytest.User{Name: "erik", Password: "Sommar-2026", DisplayName: "Erik Sjö", Groups: []string{group}}, "has no mobile number: gives one at his first login"},
		{directorytest.User{Name: "frida", Password: "Sommar-2026", DisplayName: "Frida Åkesson", Mobile: "0701740612", Locked: true, Groups: []string{group}}, "is locked out: hanna can help her"},
		{directorytest.User{Name: "ines", Password: "Sommar-2026", DisplayName: "Ines Installatör", Mobile: "0701740613", Groups: []string{group, soon}}, "needs an app or a key two weeks from now"},
		{directorytest.User{Name: "mats", Password: "Sommar-2026", DisplayName: "Mats Ölund", Groups: []string{group, mailCodes}}, "gets his codes by mail"},
		{directorytest.User{Name: "hanna", Password: "Sommar-2026", DisplayName: "Hanna Helpdesk", Mobile: "0701740609", Groups: []string{"Helpdesk"}}, "helps others: Helpdesk at the top of her page"},
		{directorytest.User{Name: "henrik", Password: "Sommar-2026", DisplayName: "Henrik Helpdesk", Mobile: "0701740611", Groups: []string{"Helpdesk"}}, "helps too: confirms what hanna has changed"},
		{directorytest.User{Name: "sara", Password: "Sommar-2026", DisplayName: "Sara Admin", Mobile: "0701740610", Groups: []string{group, "Portal-Admins"}}, "administers the portal, and helps"},
	}
}

// address is where the account's mail goes.
func (a account) address() string { return a.Name + "@amido.example" }

// factors are the demo's rules: codes by mail for some, an authenticator app or
// a key for others in two weeks, and SMS or whatever they set up for the rest,
// whose browsers may be remembered.
func factors() factor.Policy {
	strong := []factor.Kind{factor.App, factor.Key}
	now := time.Now()
	return factor.Policy{
		{Groups: []string{`AMIDO\` + mailCodes}, Need: factor.Required, Allowed: []factor.Kind{factor.Mail, factor.App, factor.Key, factor.Backup}},
		{Groups: []string{`AMIDO\` + soon}, Need: factor.Required, Allowed: []factor.Kind{factor.App, factor.Key, factor.Backup}, Enrol: strong,
			From: time.Date(now.Year(), now.Month(), now.Day()+14, 0, 0, 0, 0, time.Local)},
		{Need: factor.Required, Allowed: []factor.Kind{factor.SMS, factor.App, factor.Key, factor.Backup}, Remember: 30 * 24 * time.Hour},
	}
}

func startDirectory() (*directorytest.Server, error) {
	var users []directorytest.User
	for _, a := range accounts() {
		a.Mail = a.address()
		users = append(users, a.User)
	}
	return directorytest.Start(directorytest.Config{
		Domain: "AMIDO", Suffix: "amido.example", Users: users, MayUnlock: true,
		Policy: directorytest.Policy{MinLength: 10, History: 5, Complexity: true, LockoutThreshold: 5, MaxAge: 90 * 24 * time.Hour},
	})
}

// explain tells a new user what to do.
func explain(w io.Writer, o options, d *desktops) {
	fmt.Fprintf(w, "\n  Stagedoor demo\n\n  portal   http://localhost:%d\n  phones   http://localhost:%d    (the codes arrive here, and the mail)\n  targets  %s    (edit it while the demo runs)\n\n", o.port, o.phonePort, d.targetsFile)
	fmt.Fprintf(w, "  %-16s %-15s\n", "log in as", "password")
	for _, a := range accounts() {
		fmt.Fprintf(w, "  %-16s %-15s %s\n", `AMIDO\`+a.Name, a.Password, a.state)
	}
	if d.missing != "" {
		fmt.Fprintf(w, "\n  no desktops: %s\n", d.missing)
	} else {
		fmt.Fprintf(w, "\n  %q asks for its own login: %s / %s\n", promptTarget, d.users[0].Name, d.users[0].Password)
	}
	fmt.Fprint(w, "\n  Ctrl-C ends everything.\n\n")
}
