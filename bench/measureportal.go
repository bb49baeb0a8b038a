package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// portalResults are the portal's numbers; null is: not measured.
type portalResults struct {
	Logins  map[string]*loginResult `json:"logins"` // by directory: directorytest, samba
	Targets *pageResult             `json:"list_500_targets"`
	Login   *pageResult             `json:"login_page"`
	Idle    *float64                `json:"idle_cpu_ms_per_s"`
}

func measurePortal(ctx context.Context, dir, profiles string, say func(string, ...any)) (_ *portalResults, err error) {
	r := &portalResults{Logins: map[string]*loginResult{"directorytest": nil, "samba": nil}}
	say("portal: logins against the in-process directory")
	fake, err := startFakeDirectory(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.with(ctx, dir, profiles, fake, say); err != nil {
		return nil, err
	}
	samba, missing, err := startSamba(ctx, dir)
	switch {
	case err != nil:
		return nil, err
	case missing != "":
		say("portal: logins against Samba AD are not measured: %s", missing)
		return r, nil
	}
	say("portal: logins against Samba AD")
	return r, r.with(ctx, dir, profiles, samba, say)
}

// with measures on one directory. The pages do not depend on it, so they are
// measured on the first.
func (r *portalResults) with(ctx context.Context, dir, profiles string, p *people, say func(string, ...any)) (err error) {
	defer func() { err = errors.Join(err, p.stop()) }()
	dir = filepath.Join(dir, "portal-"+p.directory)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	var run loginRun
	defer func() { err = errors.Join(err, run.stop()) }()
	if err := run.open(ctx, dir, p); err != nil {
		return err
	}
	if r.Logins[p.directory], err = run.measure(ctx); err != nil {
		return fmt.Errorf("%s: %w", p.directory, err)
	}
	if r.Targets == nil {
		if err := r.pages(ctx, &run, say); err != nil {
			return err
		}
	}
	if profiles == "" {
		return nil
	}
	return run.profile(ctx, profiles)
}

func (r *portalResults) pages(ctx context.Context, run *loginRun, say func(string, ...any)) error {
	say("portal: pages")
	cookies, err := run.client.logIn(ctx, 0)
	if err != nil {
		return err
	}
	r.Targets, err = measurePage(ctx, run.portal, run.client, "/", cookies, "MultiAccess000", fmt.Sprintf("MultiAccess%03d", listedTargets-1))
	if err != nil {
		return err
	}
	if r.Login, err = measurePage(ctx, run.portal, run.client, "/login", nil, `name="password"`); err != nil {
		return err
	}
	say("portal: nobody there")
	idle, err := measureIdle(ctx, run.portal, run.client)
	r.Idle = &idle
	return err
}

// profile takes CPU profiles of the portal under logins and under list pages.
func (run *loginRun) profile(ctx context.Context, dir string) error {
	const seconds = 4
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var ignored loginSum
	err := run.client.profileOf(ctx, dir, "logins-"+run.people.directory+".pprof", seconds, func() error {
		_, err := run.logIn(ctx, (seconds+1)*time.Second, &ignored)
		return err
	})
	if err != nil {
		return err
	}
	cookies, err := run.client.logIn(ctx, 0)
	if err != nil {
		return err
	}
	return run.client.profileOf(ctx, dir, "pages-"+run.people.directory+".pprof", seconds, func() error {
		_, err := during(ctx, (seconds+1)*time.Second, pagesAtOnce, func(int, int) error {
			_, err := run.client.get(ctx, run.client.at.Portal+"/", cookies)
			return err
		})
		return err
	})
}
