package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"
)

const (
	pageRounds   = 3
	pageRound    = 1500 * time.Millisecond
	pagesAtOnce  = 2
	renderRound  = 2 * time.Second // one page at a time
	idleFor      = 5 * time.Second
	settleBefore = time.Second
)

// pageResult is one page, asked for over keep-alive connections.
type pageResult struct {
	Bytes     int     `json:"bytes"`
	AtOnce    int     `json:"at_once"`
	Pages     figure  `json:"pages_per_s"`
	CPU       figure  `json:"portal_cpu_ms_per_page"`
	RenderP50 float64 `json:"render_ms_p50"` // one at a time, from request to last byte, as the client sees it
	RenderP99 float64 `json:"render_ms_p99"`
}

// measurePage asks for one page again and again. Each answer has to be the
// whole page: it names every text, and is never shorter than the first.
func measurePage(ctx context.Context, w *worker, v *visitor, path string, cookies []*http.Cookie, texts ...string) (*pageResult, error) {
	first, err := v.get(ctx, v.at.Portal+path, cookies)
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		if !bytes.Contains(first, []byte(text)) {
			return nil, fmt.Errorf("GET %s: the page does not name %q", path, text)
		}
	}
	r := &pageResult{Bytes: len(first), AtOnce: pagesAtOnce}
	fetch := func(int, int) error {
		body, err := v.get(ctx, v.at.Portal+path, cookies)
		if err == nil && len(body) < len(first) {
			err = fmt.Errorf("GET %s: %d bytes, the first time %d", path, len(body), len(first))
		}
		return err
	}
	if _, err := during(ctx, pageRound/3, pagesAtOnce, fetch); err != nil { // to warm up
		return nil, err
	}
	if err := r.render(ctx, fetch); err != nil {
		return nil, err
	}
	return r, r.rates(ctx, w, fetch)
}

func (r *pageResult) render(ctx context.Context, fetch func(int, int) error) error {
	var times series
	_, err := during(ctx, renderRound, 1, func(worker, i int) error {
		started := time.Now()
		err := fetch(worker, i)
		times.add(milliseconds(time.Since(started)))
		return err
	})
	if err != nil {
		return err
	}
	r.RenderP50, r.RenderP99, err = halfAndWorst(times)
	return err
}

func (r *pageResult) rates(ctx context.Context, w *worker, fetch func(int, int) error) error {
	var rates, cpu series
	for range pageRounds {
		var pages done
		used, err := cpuDuring([]*worker{w}, func() (err error) {
			pages, err = during(ctx, pageRound, pagesAtOnce, fetch)
			return err
		})
		if err != nil {
			return err
		}
		rates.add(pages.perSecond())
		cpu.add(milliseconds(used[0]) / float64(pages.Count))
	}
	var err error
	if r.Pages, err = rates.sum(); err != nil {
		return err
	}
	r.CPU, err = cpu.sum()
	return err
}

// measureIdle is the portal's CPU, in ms each second, with nobody there.
func measureIdle(ctx context.Context, w *worker, v *visitor) (float64, error) {
	v.client.CloseIdleConnections()
	if err := wait(ctx, settleBefore); err != nil {
		return 0, err
	}
	used, err := cpuDuring([]*worker{w}, func() error { return wait(ctx, idleFor) })
	if err != nil {
		return 0, err
	}
	return round(milliseconds(used[0]) / idleFor.Seconds()), nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
