package testbed

import (
	"context"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Finger is where a finger is on the window, in CSS pixels.
type Finger struct{ X, Y int }

// Touch puts the fingers down, or moves those that are down; with none it
// lifts all.
func (p *Page) Touch(fingers ...Finger) {
	p.t.Helper()
	event := input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchMove, TouchPoints: []*input.TouchPoint{}}
	switch {
	case len(fingers) == 0:
		event.Type = input.DispatchTouchEventTypeTouchEnd
	case p.fingers != len(fingers):
		event.Type = input.DispatchTouchEventTypeTouchStart
	}
	p.fingers = len(fingers)
	for i, finger := range fingers {
		id := float64(i)
		event.TouchPoints = append(event.TouchPoints, &input.TouchPoint{X: float64(finger.X), Y: float64(finger.Y), ID: &id})
	}
	ask(p, "touch", command(input.DispatchTouchEvent, event))
}

// Tap touches a point for a moment, with one finger or, beside each other, more.
func (p *Page) Tap(fingers ...Finger) {
	p.t.Helper()
	p.Touch(fingers...)
	p.Touch()
}

// TapOn taps on the middle of an element.
func (p *Page) TapOn(selector string) {
	p.t.Helper()
	p.WaitFor(selector)
	box := Eval[struct{ X, Y float64 }](p, "(() => { const b = document.querySelector("+quote(selector)+").getBoundingClientRect(); return {X: b.x + b.width / 2, Y: b.y + b.height / 2} })()")
	p.Tap(Finger{int(box.X), int(box.Y)})
}

// Insert gives the focused field a text that comes without keys, as dictation
// and the emoji panel do.
func (p *Page) Insert(text string) {
	p.t.Helper()
	ask(p, "insert a text", command(input.InsertText, input.InsertTextParams{Text: text}))
}

// Compose lets an input method show each of stages and then enter the last: a
// dead key's accent and then the letter.
func (p *Page) Compose(stages ...string) {
	p.t.Helper()
	for _, stage := range stages {
		end := int64(len([]rune(stage)))
		ask(p, "compose", command(input.ImeSetComposition, input.ImeSetCompositionParams{Text: stage, SelectionStart: end, SelectionEnd: end}))
	}
	p.Insert(stages[len(stages)-1])
}

// Dead presses a dead key and then the key of letter, whose keydown has the
// accented letter, as in Chrome on Windows.
func (p *Page) Dead(letter string, code int64) {
	p.t.Helper()
	for _, event := range []input.DispatchKeyEventParams{
		{Type: input.DispatchKeyEventTypeRawKeyDown, Key: "Dead", Code: "BracketRight", WindowsVirtualKeyCode: 221},
		{Type: input.DispatchKeyEventTypeKeyUp, Key: "Dead", Code: "BracketRight", WindowsVirtualKeyCode: 221},
		{Type: input.DispatchKeyEventTypeKeyDown, Key: letter, Text: letter, WindowsVirtualKeyCode: code},
		{Type: input.DispatchKeyEventTypeKeyUp, Key: letter, WindowsVirtualKeyCode: code},
	} {
		ask(p, "press a dead key", command(input.DispatchKeyEvent, event))
	}
}

// Dense sets the window's inner size on a screen with so many pixels to a CSS pixel.
func (p *Page) Dense(width, height int, ratio float64) {
	p.t.Helper()
	ask(p, "set the density", command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(width), Height: int64(height), DeviceScaleFactor: ratio,
	}))
}

// Opens does something that opens a window, and returns the window's page.
func (p *Page) Opens(act func()) *Page {
	p.t.Helper()
	opened := chromedp.WaitNewTarget(p.ctx, func(*target.Info) bool { return true })
	act()
	var id target.ID
	select {
	case id = <-opened:
	case <-time.After(p.Limit):
		p.fail("wait for a window", context.DeadlineExceeded)
	}
	ctx, cancel := chromedp.NewContext(p.ctx, chromedp.WithTargetID(id))
	p.t.Cleanup(cancel)
	other := &Page{Limit: p.Limit, t: p.t, ctx: ctx}
	if err := chromedp.Listen(ctx, other.hear); err != nil {
		p.t.Fatalf("listen to a window: %v", err)
	}
	return other
}

// MoveTo moves the pointer to a point of the window, in CSS pixels.
func (p *Page) MoveTo(x, y int) {
	p.t.Helper()
	ask(p, fmt.Sprintf("move to %d,%d", x, y), chromedp.MouseEvent(chromedp.MouseMoved, float64(x), float64(y)))
}
