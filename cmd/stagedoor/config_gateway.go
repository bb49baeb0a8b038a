package main

import (
	"io"
	"log/slog"

	"stagedoor/gateway"
)

// settings are the gateway's own.
func (c Config) settings() gateway.Settings {
	s := gateway.Settings{
		PublicURL: c.publicURL(), Name: c.Portal.Name, HelpDir: c.Portal.HelpDir,
		Helpdesk:       gateway.Helpdesk{Name: c.Helpdesk.Name, Phone: c.Helpdesk.Phone, Mail: c.Helpdesk.Mail},
		TrustedProxies: c.trustedProxies(),
		HelpdeskGroups: c.Helpdesk.Groups, AdministratorGroups: c.Administrators.Groups, DeskFresh: c.Helpdesk.Fresh,
		ActsPerDay: c.Helpdesk.ActsPerDay,
		Idle:       c.Session.Idle, Warning: c.Session.Warning, Absolute: c.Session.Absolute,
		PreAuth: c.Session.PreAuth, PerAccount: c.Session.PerAccount,
		TriesPerAccount: c.Login.TriesPerAccount, TriesPerAddress: c.Login.TriesPerAddress,
		TriesWindow: c.Login.TriesWindow, Factors: c.factorPolicy(), FailureFloor: c.Login.FailureFloor,
		Version: release, Probe: c.List.Probe, Country: c.countries(), Countries: c.Codes.Countries,
		AlarmMail: c.Codes.AlarmMail,
	}
	s.Phones = gateway.Phones{Order: c.Phones.Order, SelfEnrol: c.Phones.Enrol == "self", CoolDown: c.Phones.CoolDown}
	if s.Phones.CoolDown == 0 {
		s.Phones.CoolDown = -1
	}
	for _, d := range c.Directories {
		if d.Default || len(c.Directories) == 1 {
			s.DefaultDomain = d.Domain
		}
	}
	return s
}

// logger writes to out in the configured form.
func (c Config) logger(out io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Log.Level)) // validate has checked it
	options := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "text" {
		return slog.New(slog.NewTextHandler(out, options))
	}
	return slog.New(slog.NewJSONHandler(out, options))
}
