package main

import (
	"fmt"
	"io"
	"time"

	"stagedoor/directory/directorytest"
)

// account is one row of what the demo prints. The numbers are from the range
// that the Swedish regulator keeps for fiction.
type account struct {
	directorytest.User
	state string
}

const group = "MultiAccess"

func accounts() []account {
	return []account{
		{directorytest.User{Name: "anna", Password: "Gammalt-2025", DisplayName: "Anna Ångström", Mobile: "070-174 06 05", Expired: true, Groups: []string{group}}, "her password has expired"},
		{directorytest.User{Name: "bertil", Password: "Tillfalligt-1", DisplayName: "Bertil Öberg", Mobile: "+46 70 174 06 06", MustChange: true, Groups: []string{group}}, "has to choose his own password first"},
		{directorytest.User{Name: "cecilia", Password: "Sommar-2026", DisplayName: "Cecilia Lind", Mobile: "0701740607", Groups: []string{group}}, "all is well"},
		{directorytest.User{Name: "david", Password: "Sommar-2026", DisplayName: "David Ek", Mobile: "0701740608", Disabled: true, Groups: []string{group}}, "is disabled"},
		{directorytest.User{Name: "erik", Password: "Sommar-2026", DisplayName: "Erik Sjö", Groups: []string{group}}, "has no mobile number"},
		{directorytest.User{Name: "hanna", Password: "Sommar-2026", DisplayName: "Hanna Helpdesk", Mobile: "0701740609", Groups: []string{"Helpdesk"}}, "helps others: Helpdesk at the top of her page"},
		{directorytest.User{Name: "frida", Password: "Sommar-2026", DisplayName: "Frida Åkesson", Mobile: "0701740612", Locked: true, Groups: []string{group}}, "is locked out: hanna can help her"},
		{directorytest.User{Name: "sara", Password: "Sommar-2026", DisplayName: "Sara Admin", Mobile: "0701740610", Groups: []string{group, "Portal-Admins"}}, "administers the portal, and helps"},
	}
}

func startDirectory() (*directorytest.Server, error) {
	var users []directorytest.User
	for _, a := range accounts() {
		a.Mail = a.Name + "@amido.example"
		users = append(users, a.User)
	}
	return directorytest.Start(directorytest.Config{
		Domain: "AMIDO", Suffix: "amido.example", Users: users, MayUnlock: true,
		Policy: directorytest.Policy{MinLength: 10, History: 5, Complexity: true, LockoutThreshold: 5, MaxAge: 90 * 24 * time.Hour},
	})
}

// explain tells a new user what to do.
func explain(w io.Writer, o options, d *desktops) {
	fmt.Fprintf(w, "\n  Stagedoor demo\n\n  portal   http://localhost:%d\n  phones   http://localhost:%d    (the codes arrive here)\n  targets  %s    (edit it while the demo runs)\n\n", o.port, o.phonePort, d.targetsFile)
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
