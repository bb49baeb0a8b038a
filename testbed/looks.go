package testbed

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Zoom sets the window's size in pixels and zooms in, as Ctrl and + do: 1280,
// 1024, 4 leaves 320x256 CSS pixels. It stays a computer with a mouse, which Size
// takes from a page that is open already.
func (p *Page) Zoom(width, height int, times float64) {
	p.t.Helper()
	ask(p, fmt.Sprintf("zoom to %g", times), command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(float64(width) / times), Height: int64(float64(height) / times), DeviceScaleFactor: times,
	}))
}

// Settle waits until every transition that has begun is over: half-way through
// one, a page has colours that nobody is meant to read.
func (p *Page) Settle() {
	p.t.Helper()
	Eval[bool](p, `Promise.all(document.getAnimations()
		.filter((a) => Number.isFinite(a.effect.getComputedTiming().endTime))
		.map((a) => a.finished.catch(() => true))).then(() => true)`)
}

// Window returns the window as a PNG, scaled, so that a wide window makes a
// small file.
func (p *Page) Window(scale float64) []byte {
	p.t.Helper()
	size := Eval[[]float64](p, "[innerWidth, innerHeight]")
	return ask(p, "take a picture", func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		picture, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{
			Clip: &page.Viewport{Width: size[0], Height: size[1], Scale: scale},
		})
		return picture.Data, err
	})
}

// Remember puts cookies back that Cookies returned, into the page's browser.
func (p *Page) Remember(cookies []*network.Cookie) {
	p.t.Helper()
	var params network.SetCookiesParams
	for _, c := range cookies {
		params.Cookies = append(params.Cookies, &network.CookieParam{Name: c.Name, Value: c.Value,
			Domain: c.Domain, Path: c.Path, Secure: c.Secure, HTTPOnly: c.HTTPOnly, SameSite: c.SameSite})
	}
	ask(p, "put cookies back", command(network.SetCookies, params))
}
