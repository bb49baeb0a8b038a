package main

import (
	"time"

	"stagedoor/gateway/factor"
	"stagedoor/otp"
)

// Config is config.yaml. Every key has its reason and its consequence for
// security in config.example.yaml. Paths are relative to the file's folder;
// after loading they are absolute.
type Config struct {
	Listen                      string            `yaml:"listen"`                         // host:port; default 127.0.0.1:8080
	PublicURL                   string            `yaml:"public_url"`                     // what browsers use: https://host[:port]; required
	TLS                         TLSConfig         `yaml:"tls"`                            // default: none
	DangerouslyListenWithoutTLS bool              `yaml:"dangerously_listen_without_tls"` // default false
	TrustedProxies              []string          `yaml:"trusted_proxies"`                // CIDRs whose X-Forwarded-For is believed; default none
	Database                    string            `yaml:"database"`                       // file; required
	ServerKeyFile               string            `yaml:"server_key_file"`                // 32 bytes or more; required, or STAGEDOOR_SERVER_KEY
	Targets                     string            `yaml:"targets"`                        // file; required
	Portal                      PortalConfig      `yaml:"portal"`
	Helpdesk                    HelpdeskConfig    `yaml:"helpdesk"`
	Administrators              AdminsConfig      `yaml:"administrators"`
	List                        ListConfig        `yaml:"list"`
	Session                     SessionConfig     `yaml:"session"`
	Login                       LoginConfig       `yaml:"login"`
	Directories                 []DirectoryConfig `yaml:"directories"` // at least one
	Codes                       CodesConfig       `yaml:"codes"`
	Factors                     []FactorsConfig   `yaml:"factors"` // default: required of everybody
	Phones                      PhonesConfig      `yaml:"phones"`
	SMS                         SMSConfig         `yaml:"sms"`
	Mail                        MailConfig        `yaml:"mail"`
	Guacd                       []GuacdConfig     `yaml:"guacd"`          // default: one, 127.0.0.1:4822
	MetricsListen               string            `yaml:"metrics_listen"` // loopback host:port; default: none
	Log                         LogConfig         `yaml:"log"`

	running running
	secrets func() secrets // a function, since fmt prints the contents of everything else
}

// TLSConfig is the certificate of the portal itself.
type TLSConfig struct {
	CertFile string `yaml:"cert_file"` // PEM, the chain
	KeyFile  string `yaml:"key_file"`  // PEM
}

// PortalConfig is what people see.
type PortalConfig struct {
	Name        string       `yaml:"name"`          // on every page and in every SMS; default Stagedoor
	Logo        string       `yaml:"logo"`          // file, SVG, PNG or WebP, at most 64 KiB; default: Stagedoor's mark
	LogoDark    string       `yaml:"logo_dark"`     // file, in the dark theme; default: logo
	LogoHasName bool         `yaml:"logo_has_name"` // the name is in the logo, not written beside it; default false
	Accent      AccentConfig `yaml:"accent"`
	Texts       []TextConfig `yaml:"texts"`    // in the place of the pages' own; default none
	HelpDir     string       `yaml:"help_dir"` // folder of own help texts, sv.md, en.md, ...; default: the built-in ones
}

// AccentConfig is the one colour of links and buttons, #rrggbb. With one of the
// two, the other is derived from it.
type AccentConfig struct {
	Light string `yaml:"light"` // default #17606b
	Dark  string `yaml:"dark"`  // default #83c9d1
}

// TextConfig replaces one text in one language.
type TextConfig struct {
	Key      string `yaml:"key"`      // as `stagedoor texts` lists them
	Language string `yaml:"language"` // sv, en, ...
	Text     string `yaml:"text"`     // one line, with the placeholders of the text that it replaces
}

// HelpdeskConfig is whom people call, and who that is in the portal.
type HelpdeskConfig struct {
	Name  string `yaml:"name"`  // default: none
	Phone string `yaml:"phone"` // default: none
	Mail  string `yaml:"mail"`  // default: none

	Groups []string      `yaml:"groups"` // whose members may use /helpdesk; DNs or DOMAIN\name; default none
	Fresh  time.Duration `yaml:"fresh"`  // how old their own second factor may be; default 1h

	ActsPerDay int `yaml:"acts_per_day"` // that one agent may do on others in any 24 hours; default 20
}

// AdminsConfig is who may use /admin, and all that helpdesk may.
type AdminsConfig struct {
	Groups []string `yaml:"groups"` // DNs or DOMAIN\name; default none
}

// ListConfig is what the list of workstations tells.
type ListConfig struct {
	Probe bool `yaml:"probe"` // whether workstations answer, found out from here by a TCP connection; default true
}

// SessionConfig bounds how long somebody stays logged in.
type SessionConfig struct {
	Idle       time.Duration `yaml:"idle"`        // without human input; default 15m
	Warning    time.Duration `yaml:"warning"`     // before the idle logout; default 2m
	Absolute   time.Duration `yaml:"absolute"`    // whatever happens; default 12h
	PreAuth    time.Duration `yaml:"pre_auth"`    // from the password to the code; default 10m
	PerAccount int           `yaml:"per_account"` // sessions at once; default 3
}

// LoginConfig slows down guessing.
type LoginConfig struct {
	FailureFloor    time.Duration `yaml:"failure_floor"`     // least time that a refusal takes; default 1s
	TriesPerAccount int           `yaml:"tries_per_account"` // failing passwords in tries_window; default 0: one fewer than the directory's lockout threshold
	TriesPerAddress int           `yaml:"tries_per_address"` // failing passwords in tries_window; default 60
	TriesWindow     time.Duration `yaml:"tries_window"`      // default 30m
}

// DirectoryConfig is one domain.
type DirectoryConfig struct {
	Domain           string        `yaml:"domain"`             // before the backslash; required
	Suffixes         []string      `yaml:"suffixes"`           // after the @; default none
	Default          bool          `yaml:"default"`            // a bare user name means this domain; default false
	Servers          []string      `yaml:"servers"`            // ldaps://host[:port] or ldap://host[:port] (StartTLS), in order; required
	CAFile           string        `yaml:"ca_file"`            // PEM; default: the system's authorities
	BaseDN           string        `yaml:"base_dn"`            // default: what the server names
	BindDN           string        `yaml:"bind_dn"`            // the service account; required
	BindPasswordFile string        `yaml:"bind_password_file"` // required, or STAGEDOOR_DIRECTORIES__<DOMAIN>__BIND_PASSWORD
	Timeout          time.Duration `yaml:"timeout"`            // of each network step; default 5s
	NameAttribute    string        `yaml:"name_attribute"`     // default sAMAccountName or uid
	MobileAttribute  string        `yaml:"mobile_attribute"`   // one, where mobile_attributes is not given; default mobile
	MobileAttributes []string      `yaml:"mobile_attributes"`  // several, in order; default mobile_attribute
	Country          string        `yaml:"country"`            // ISO 3166 code of numbers without one; default SE
}

// CodesConfig bounds the one-time codes.
type CodesConfig struct {
	Lifetime   time.Duration   `yaml:"lifetime"`    // default 5m
	Tries      int             `yaml:"tries"`       // per code; default 5
	Waits      []time.Duration `yaml:"waits"`       // after the 1st, 2nd, ... message within an hour, the last one repeats; default 30s, 60s, 120s
	PerHour    int             `yaml:"per_hour"`    // messages per account and number; default 5
	PerDay     int             `yaml:"per_day"`     // messages per account and number; default 10
	PerCountry int             `yaml:"per_country"` // messages to new numbers of one country within 10 minutes; default 100
	InAll      int             `yaml:"in_all"`      // messages of the whole portal within 10 minutes; default 200
	Countries  []string        `yaml:"countries"`   // ISO codes that messages go to; default SE
	AlarmMail  []string        `yaml:"alarm_mail"`  // addresses that are told when a limit against fraud stops messages; default none
	Timeout    time.Duration   `yaml:"timeout"`     // of one hand-over to the sender; default 10s
}

// MailConfig is the server that takes mail over; without a server there is none.
type MailConfig struct {
	Server       string        `yaml:"server"`        // host:port; default: no mail
	TLS          string        `yaml:"tls"`           // starttls, implicit, none (loopback only); default starttls
	Username     string        `yaml:"username"`      // default: no authentication
	PasswordFile string        `yaml:"password_file"` // or STAGEDOOR_MAIL__PASSWORD
	From         string        `yaml:"from"`          // an address, with or without a name; required where there is a server
	CAFile       string        `yaml:"ca_file"`       // PEM; default: the system's authorities
	Timeout      time.Duration `yaml:"timeout"`       // of one hand-over; default 10s
}

// PhonesConfig is whose numbers count, and who may change them.
type PhonesConfig struct {
	Order    []string      `yaml:"order"`     // of sources: verified (the portal's own), directory; default both, in this order
	Enrol    string        `yaml:"enrol"`     // who enrols the first number of a person: self, helpdesk; default helpdesk
	CoolDown time.Duration `yaml:"cool_down"` // before helpdesk's change of a number takes effect; default 24h
}

// GuacdConfig is one guacd daemon.
type GuacdConfig struct {
	Address               string `yaml:"address"`                 // host:port; default 127.0.0.1:4822
	TLS                   bool   `yaml:"tls"`                     // default false
	CAFile                string `yaml:"ca_file"`                 // PEM; default: the system's authorities
	Resume                string `yaml:"resume"`                  // auto, always, never; default auto
	DangerouslyWithoutTLS bool   `yaml:"dangerously_without_tls"` // for an address that is not loopback; default false
}

// LogConfig is the log on standard error.
type LogConfig struct {
	Level  string `yaml:"level"`  // debug, info, warn, error; default info
	Format string `yaml:"format"` // json, text; default json
}

func defaultConfig() Config {
	return Config{
		Listen:   "127.0.0.1:8080",
		Portal:   PortalConfig{Name: "Stagedoor"},
		List:     ListConfig{Probe: true},
		Helpdesk: HelpdeskConfig{Fresh: time.Hour, ActsPerDay: 20},
		Session: SessionConfig{
			Idle: 15 * time.Minute, Warning: 2 * time.Minute, Absolute: 12 * time.Hour,
			PreAuth: 10 * time.Minute, PerAccount: 3,
		},
		Login:  LoginConfig{FailureFloor: time.Second, TriesPerAddress: 60, TriesWindow: 30 * time.Minute},
		Codes:  CodesConfig{Lifetime: 5 * time.Minute, Tries: 5, PerHour: 5, PerDay: 10, PerCountry: 100, InAll: 200, Timeout: 10 * time.Second},
		Mail:   MailConfig{TLS: otp.MailStartTLS, Timeout: 10 * time.Second},
		Phones: PhonesConfig{Enrol: "helpdesk", CoolDown: 24 * time.Hour},
		SMS:    SMSConfig{Breaker: BreakerConfig{Failures: 3, Pause: time.Minute}},
		Log:    LogConfig{Level: "info", Format: "json"},
	}
}

// withListDefaults fills in lists, and what stands in lists, which cannot be
// filled in before reading.
func (c Config) withListDefaults() Config {
	if c.Codes.Countries == nil {
		c.Codes.Countries = []string{"SE"}
	}
	if c.Codes.Waits == nil {
		c.Codes.Waits = []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute}
	}
	if c.Phones.Order == nil {
		c.Phones.Order = []string{otp.FromVerified, otp.FromDirectory}
	}
	if c.Guacd == nil {
		c.Guacd = []GuacdConfig{{}}
	}
	for i := range c.Guacd {
		setIfZero(&c.Guacd[i].Address, "127.0.0.1:4822")
		setIfZero(&c.Guacd[i].Resume, "auto")
	}
	c.SMS.withDefaults()
	for i := range c.Factors {
		setIfZero(&c.Factors[i].Need, string(factor.Required))
		if c.Factors[i].Allowed == nil {
			c.Factors[i].Allowed = allowedFactors
		}
	}
	for i := range c.Directories {
		setIfZero(&c.Directories[i].Timeout, 5*time.Second)
		setIfZero(&c.Directories[i].Country, "SE")
		if c.Directories[i].MobileAttributes == nil && c.Directories[i].MobileAttribute != "" {
			c.Directories[i].MobileAttributes = []string{c.Directories[i].MobileAttribute}
		}
	}
	return c
}

func setIfZero[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// paths are all keys that hold the path of a file.
func (c *Config) paths() []*string {
	paths := []*string{
		&c.TLS.CertFile, &c.TLS.KeyFile, &c.Database, &c.ServerKeyFile, &c.Targets,
		&c.Mail.PasswordFile, &c.Mail.CAFile,
		&c.Portal.Logo, &c.Portal.LogoDark, &c.Portal.HelpDir,
	}
	for i := range c.Directories {
		paths = append(paths, &c.Directories[i].CAFile, &c.Directories[i].BindPasswordFile)
	}
	for i := range c.SMS.Senders {
		paths = append(paths, c.SMS.Senders[i].paths()...)
	}
	for i := range c.Guacd {
		paths = append(paths, &c.Guacd[i].CAFile)
	}
	return paths
}
