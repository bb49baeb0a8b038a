package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"stagedoor/directory"
	"stagedoor/directory/directorytest"
	"stagedoor/testbed"
)

const (
	accountPassword = "Sommar-2026-bench" // of accounts that exist for this run only
	accountGroup    = "MultiAccess"

	fakeAccounts  = 1000
	sambaAccounts = 60 // Samba takes its time to make one
)

// people are the accounts that log in.
type people struct {
	directory string // whose they are: "directorytest", "samba"
	domain    directory.Domain
	count     int
	dn        string // of an account: fmt verb %s for its name
	server    *worker
	stop      func() error
}

func accountName(i int) string  { return fmt.Sprintf("person%04d", i) }
func accountPhone(i int) string { return fmt.Sprintf("+4670174%04d", i) }

// startFakeDirectory is the in-process directory in a process of its own.
func startFakeDirectory(ctx context.Context) (*people, error) {
	p := &people{directory: "directorytest", count: fakeAccounts, dn: "CN=%s,CN=Users,DC=amido,DC=example"}
	var err error
	if p.server, err = start(ctx, "directory", fakeAccounts, &p.domain); err != nil {
		return nil, err
	}
	p.stop = p.server.stop
	return p, nil
}

// playDirectory is asked for a number of accounts and answers with the domain.
func playDirectory(in *json.Decoder, out *json.Encoder) error {
	var count int
	if err := in.Decode(&count); err != nil {
		return err
	}
	config := directorytest.Config{Domain: "AMIDO", Suffix: "amido.example"}
	for i := range count {
		config.Users = append(config.Users, directorytest.User{
			Name: accountName(i), Password: accountPassword, DisplayName: fmt.Sprint("Person ", i),
			Mobile: accountPhone(i), Groups: []string{accountGroup},
		})
	}
	server, err := directorytest.Start(config)
	if err != nil {
		return err
	}
	if err := out.Encode(server.Domain()); err != nil {
		return errors.Join(err, server.Stop())
	}
	return errors.Join(untilEnd(in), server.Stop())
}

// startSamba is a real Samba AD; nil, with the reason, where it is not installed.
func startSamba(ctx context.Context, dir string) (_ *people, missing string, err error) {
	if missing = testbed.Missing("samba"); missing != "" {
		return nil, missing, nil
	}
	dir = filepath.Join(dir, "samba")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, "", err
	}
	ca, err := testbed.NewCA(dir)
	if err != nil {
		return nil, "", err
	}
	seed := testbed.DirectorySeed{Groups: []testbed.DirectoryGroup{{Name: accountGroup}}}
	for i := range sambaAccounts {
		seed.Users = append(seed.Users, testbed.DirectoryUser{
			Name: accountName(i), Password: accountPassword, DisplayName: fmt.Sprint("Person ", i),
			Mobile: accountPhone(i), Groups: []string{accountGroup},
		})
	}
	dc := filepath.Join(dir, "dc")
	if err := os.Mkdir(dc, 0o755); err != nil {
		return nil, "", err
	}
	server, err := testbed.StartSamba(ctx, testbed.SambaOptions{Dir: dc, CA: ca, Seed: seed})
	if err != nil {
		return nil, "", err
	}
	return &people{
		directory: "samba", count: sambaAccounts, dn: "CN=%s,CN=Users," + server.BaseDN, stop: server.Stop,
		domain: directory.Domain{
			Name: server.Domain, Suffixes: []string{server.Suffix}, Servers: []string{server.URL}, CAFile: server.CAFile,
			BaseDN: server.BaseDN, BindDN: server.BindDN, BindPassword: server.BindPassword,
		},
	}, "", nil
}
