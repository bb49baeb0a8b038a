package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	loginRounds = 5
	loginRound  = 2 * time.Second // of each of the two that are compared
)

// loginResult compares logins through the portal with bare binds to the same
// directory, in turns.
type loginResult struct {
	Accounts            int      `json:"accounts"`
	AtOnce              int      `json:"at_once"`
	Logins              figure   `json:"logins_per_s"`
	Binds               figure   `json:"binds_per_s"`
	Ratio               figure   `json:"logins_to_binds"`
	LoginP50            float64  `json:"login_ms_p50"`
	LoginP99            float64  `json:"login_ms_p99"`
	PortalCPU           figure   `json:"portal_cpu_ms_per_login"`
	BindCPU             figure   `json:"client_cpu_ms_per_bind"`
	BeyondBind          figure   `json:"cpu_ms_beyond_bind"`
	DirectoryCPU        *figure  `json:"directory_cpu_ms_per_login"` // null: the directory's process is not ours to look at
	DirectoryCPUPerBind *figure  `json:"directory_cpu_ms_per_bind"`
	rounds              loginSum // what the figures are made of
}

type loginSum struct {
	logins, binds, ratio, portalCPU, bindCPU, beyond, directoryLogin, directoryBind series

	mu        sync.Mutex
	latencies []float64 // ms
}

// loginRun is one directory with a portal and a binding role on it.
type loginRun struct {
	people *people
	portal *worker
	binder *worker
	client *visitor
	next   int // account
}

func (run *loginRun) open(ctx context.Context, dir string, p *people) (err error) {
	run.people = p
	var ready portalReady
	if run.portal, err = start(ctx, "portal", portalWork{Dir: dir, Domain: p.domain}, &ready); err != nil {
		return err
	}
	run.client = newVisitor(ready)
	var said string
	run.binder, err = start(ctx, "binds", bindWork{URL: p.domain.Servers[0], CAFile: p.domain.CAFile, DN: p.dn, Count: p.count}, &said)
	return err
}

func (run *loginRun) stop() (err error) {
	for _, w := range []*worker{run.portal, run.binder} {
		if w != nil {
			err = errors.Join(err, w.stop())
		}
	}
	return err
}

// measure takes turns: some seconds of binds, some seconds of logins.
func (run *loginRun) measure(ctx context.Context) (*loginResult, error) {
	r := &loginResult{Accounts: run.people.count, AtOnce: atOnce}
	var warm loginSum
	if err := run.round(ctx, 500*time.Millisecond, &warm); err != nil {
		return nil, err
	}
	for range loginRounds {
		if err := run.round(ctx, loginRound, &r.rounds); err != nil {
			return nil, err
		}
	}
	return r, r.add(run.people.server != nil)
}

func (run *loginRun) round(ctx context.Context, d time.Duration, s *loginSum) error {
	var binds done
	bindCPU, directoryBind, err := run.cost(run.binder, func() error { return run.binder.ask(d.Milliseconds(), &binds) })
	if err != nil {
		return fmt.Errorf("raw binds: %w", err)
	}
	var logins done
	portalCPU, directoryLogin, err := run.cost(run.portal, func() (err error) {
		logins, err = run.logIn(ctx, d, s)
		return err
	})
	if err != nil {
		return fmt.Errorf("logins: %w", err)
	}
	if binds.Count == 0 || logins.Count == 0 {
		return fmt.Errorf("%d binds and %d logins in %v: too slow to measure", binds.Count, logins.Count, d)
	}
	s.binds.add(binds.perSecond())
	s.logins.add(logins.perSecond())
	s.ratio.add(logins.perSecond() / binds.perSecond())
	eachLogin, eachBind := milliseconds(portalCPU)/float64(logins.Count), milliseconds(bindCPU)/float64(binds.Count)
	s.portalCPU.add(eachLogin)
	s.bindCPU.add(eachBind)
	s.beyond.add(eachLogin - eachBind)
	s.directoryLogin.add(milliseconds(directoryLogin) / float64(logins.Count))
	s.directoryBind.add(milliseconds(directoryBind) / float64(binds.Count))
	return nil
}

// cost is the CPU that a role, and the directory where it is one, used for work.
func (run *loginRun) cost(w *worker, work func() error) (role, directory time.Duration, err error) {
	all := []*worker{w}
	if run.people.server != nil {
		all = append(all, run.people.server)
	}
	used, err := cpuDuring(all, work)
	if err != nil {
		return 0, 0, err
	}
	if len(all) > 1 {
		directory = used[1]
	}
	return used[0], directory, nil
}

// cpuDuring is what some roles used while work ran.
func cpuDuring(workers []*worker, work func() error) ([]time.Duration, error) {
	used := make([]time.Duration, len(workers))
	for i, w := range workers {
		before, err := w.cpu()
		if err != nil {
			return nil, err
		}
		used[i] = -before
	}
	if err := work(); err != nil {
		return nil, err
	}
	for i, w := range workers {
		after, err := w.cpu()
		if err != nil {
			return nil, err
		}
		used[i] += after
	}
	return used, nil
}

func (run *loginRun) logIn(ctx context.Context, d time.Duration, s *loginSum) (done, error) {
	first := run.next
	result, err := during(ctx, d, atOnce, func(_, i int) error {
		started := time.Now()
		if _, err := run.client.password(ctx, (first+i)%run.people.count); err != nil {
			return err
		}
		took := milliseconds(time.Since(started))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.latencies = append(s.latencies, took)
		return nil
	})
	run.next += int(result.Count)
	return result, err
}

// add makes the figures of the rounds. The directory is seen where it is a role.
func (r *loginResult) add(seen bool) error {
	s := &r.rounds
	for _, each := range []struct {
		to   *figure
		from series
	}{
		{&r.Logins, s.logins}, {&r.Binds, s.binds}, {&r.Ratio, s.ratio},
		{&r.PortalCPU, s.portalCPU}, {&r.BindCPU, s.bindCPU}, {&r.BeyondBind, s.beyond},
	} {
		var err error
		if *each.to, err = each.from.sum(); err != nil {
			return err
		}
	}
	if seen {
		login, err := s.directoryLogin.sum()
		if err != nil {
			return err
		}
		bind, err := s.directoryBind.sum()
		if err != nil {
			return err
		}
		r.DirectoryCPU, r.DirectoryCPUPerBind = &login, &bind
	}
	var err error
	r.LoginP50, r.LoginP99, err = halfAndWorst(s.latencies)
	return err
}

// halfAndWorst are the 50th and the 99th percentile.
func halfAndWorst(values []float64) (p50, p99 float64, err error) {
	if p50, err = quantile(values, 0.5); err != nil {
		return 0, 0, err
	}
	p99, err = quantile(values, 0.99)
	return round(p50), round(p99), err
}
