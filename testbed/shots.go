package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/chromedp/chromedp"
)

// Shot writes what the window shows to testbed/shots/NAME.png of the module
// that the test belongs to, and returns the file's path.
func (p *Page) Shot(name string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, p.Limit)
	defer cancel()
	file, err := p.shoot(ctx, name)
	if err != nil {
		p.t.Fatalf("screenshot: %v", err)
	}
	return file
}

func (p *Page) shoot(ctx context.Context, name string) (string, error) {
	if !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(name) {
		return "", fmt.Errorf("name %q: want lower case letters, digits and hyphens", name)
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return "", err
	}
	folder := filepath.Join(root, "testbed", "shots")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	file := filepath.Join(folder, name+".png")
	return file, os.WriteFile(file, picture, 0o644)
}

// moduleRoot is the folder with go.mod above the working directory, which in a
// test is the package's.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = parent
	}
}

// WaitColour waits until a point of the window, in CSS pixels, has a colour,
// written #rrggbb, give or take 8 a channel: a desktop of 16 bits a pixel rounds
// that much away.
func (p *Page) WaitColour(x, y int, colour string) {
	p.t.Helper()
	var r, g, b int
	if _, err := fmt.Sscanf(colour, "#%02x%02x%02x", &r, &g, &b); err != nil {
		p.t.Fatalf("colour %q: want #rrggbb", colour)
	}
	ctx, cancel := context.WithTimeout(p.ctx, p.Limit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		seen, err := p.colourAt(ctx, x, y)
		if err == nil && max(seen[0]-r, r-seen[0], seen[1]-g, g-seen[1], seen[2]-b, b-seen[2]) <= 8 {
			return
		}
		select {
		case <-ctx.Done():
			p.fail(fmt.Sprintf("wait for %s at %d,%d", colour, x, y), errors.Join(fmt.Errorf("it is %v", seen), err))
			return
		case <-tick.C:
		}
	}
}

func (p *Page) colourAt(ctx context.Context, x, y int) (rgb [3]int, err error) {
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return rgb, err
	}
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return rgb, err
	}
	if !image.Pt(x, y).In(img.Bounds()) {
		return rgb, fmt.Errorf("%d,%d is outside of %v", x, y, img.Bounds())
	}
	r, g, b, _ := img.At(x, y).RGBA()
	return [3]int{int(r >> 8), int(g >> 8), int(b >> 8)}, nil
}
