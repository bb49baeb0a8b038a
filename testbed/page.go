package testbed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Page is one tab of a Browser, driven as a person drives it. Selectors are
// CSS. Each step waits for what it needs, Limit at most, and fails the test if
// it does not come.
type Page struct {
	Limit time.Duration // of one step; 20 s unless changed

	t       TB
	ctx     context.Context
	fingers int // that are down

	mu       sync.Mutex
	problems []Problem
	requests []string
}

// Open goes to an address and returns the HTTP status of the answer, after
// redirects; 0 where the page came without HTTP. An answer of 400 or more
// without a body is an error to the browser, and so a failure here.
func (p *Page) Open(url string) int {
	p.t.Helper()
	response := ask(p, "open "+url, chromedp.NavigateResponse(url))
	if response == nil {
		return 0
	}
	return int(response.Status)
}

// Reload loads the page again, as the browser's button does.
func (p *Page) Reload() {
	p.t.Helper()
	ask(p, "reload", chromedp.Reload())
}

// Back goes back, as the browser's button does. It waits for nothing: the page
// may come from the browser's own memory, without a load event.
func (p *Page) Back() {
	p.t.Helper()
	ask(p, "go back", chromedp.Evaluate[chromedp.Void]("history.back()"))
}

// WaitFor waits until an element is there and visible.
func (p *Page) WaitFor(selector string) {
	p.t.Helper()
	p.until("wait for "+selector, visible(selector))
}

// WaitGone waits until no such element is visible.
func (p *Page) WaitGone(selector string) {
	p.t.Helper()
	p.until("wait until gone: "+selector, "!("+visible(selector)+")")
}

// WaitText waits until the page shows a text.
func (p *Page) WaitText(text string) {
	p.t.Helper()
	p.until("wait for the text "+quote(text), "!!document.body && document.body.innerText.includes("+quote(text)+")")
}

// WaitURL waits until the page's address contains part.
func (p *Page) WaitURL(part string) {
	p.t.Helper()
	p.until("wait for the address "+part, "location.href.includes("+quote(part)+")")
}

// WaitUntil waits until a JavaScript expression is true. It survives the page
// going elsewhere.
func (p *Page) WaitUntil(expression string) {
	p.t.Helper()
	p.until("wait until "+expression, "!!("+expression+")")
}

// Fill replaces what stands in a field, as pasting over it does.
func (p *Page) Fill(selector, text string) {
	p.t.Helper()
	p.WaitFor(selector)
	step := "fill " + selector // not the text, which may be a password
	ask(p, step, chromedp.Evaluate[chromedp.Void]("{ const e = document.querySelector("+quote(selector)+"); e.focus(); e.select() }"))
	if text == "" {
		ask(p, step, chromedp.KeyEvent(kb.Backspace))
		return
	}
	ask(p, step, command(input.InsertText, input.InsertTextParams{Text: text}))
}

// Click scrolls to an element and clicks it with the mouse.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.WaitFor(selector)
	ask(p, "click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// ClickAt moves the pointer to a point of the window, in CSS pixels, and clicks.
func (p *Page) ClickAt(x, y int) {
	p.t.Helper()
	ask(p, fmt.Sprintf("move to %d,%d", x, y), chromedp.MouseEvent(chromedp.MouseMoved, float64(x), float64(y)))
	ask(p, fmt.Sprintf("click at %d,%d", x, y), chromedp.MouseClickXY(float64(x), float64(y)))
}

// Type types text on the keyboard, key by key, wherever the focus is.
func (p *Page) Type(text string) {
	p.t.Helper()
	for _, r := range text {
		if _, known := kb.Keys[r]; known {
			ask(p, "type", chromedp.KeyEvent(string(r)))
			continue
		}
		// A key of a keyboard that chromedp does not know, such as å.
		for _, event := range []input.DispatchKeyEventParams{
			{Type: input.DispatchKeyEventTypeKeyDown, Key: string(r), Text: string(r)},
			{Type: input.DispatchKeyEventTypeKeyUp, Key: string(r)},
		} {
			ask(p, "type", command(input.DispatchKeyEvent, event))
		}
	}
}

// Press presses one key: Enter, Tab, Escape, Backspace, Delete, Home, End,
// PageUp, PageDown, ArrowUp, ArrowDown, ArrowLeft, ArrowRight, F1 to F12 or a
// character, after any of Shift+, Ctrl+, Alt+.
func (p *Page) Press(key string) {
	p.t.Helper()
	name, modifiers := key, chromedp.ModifierNone
	for prefix, modifier := range map[string]chromedp.Modifier{
		"Shift+": chromedp.ModifierShift, "Ctrl+": chromedp.ModifierCtrl, "Alt+": chromedp.ModifierAlt,
	} {
		if strings.Contains(name, prefix) {
			name = strings.Replace(name, prefix, "", 1)
			modifiers |= modifier
		}
	}
	r, known := keyNamed(name)
	if !known {
		p.t.Fatalf("press %s: no such key", key)
	}
	ask(p, "press "+key, chromedp.KeyEvent(string(r), chromedp.KeyModifiers(modifiers)))
}

// Release presses Ctrl, Alt and Shift together and lets go of them: the keys
// that a desktop gives the keyboard back for.
func (p *Page) Release() {
	p.t.Helper()
	keys := []struct {
		name         string
		number, mask int64 // virtual key code, bit of Modifiers
	}{{"Control", 17, 2}, {"Alt", 18, 1}, {"Shift", 16, 8}}
	event := input.DispatchKeyEventParams{Location: 1}
	send := func(kind input.DispatchKeyEventType, name string, number int64) {
		event.Type, event.Key, event.Code, event.WindowsVirtualKeyCode = kind, name, name+"Left", number
		ask(p, string(kind)+" "+name, command(input.DispatchKeyEvent, event))
	}
	for _, key := range keys {
		event.Modifiers |= key.mask
		send(input.DispatchKeyEventTypeRawKeyDown, key.name, key.number)
	}
	for _, key := range slices.Backward(keys) {
		event.Modifiers &^= key.mask
		send(input.DispatchKeyEventTypeKeyUp, key.name, key.number)
	}
}

// keyNamed finds a key by the name that browsers give it (UI Events, key).
func keyNamed(name string) (rune, bool) {
	if runes := []rune(name); len(runes) == 1 {
		return runes[0], true
	}
	for r, key := range kb.Keys {
		if key.Key == name {
			return r, true
		}
	}
	return 0, false
}

// Eval evaluates JavaScript and returns its value, of a promise what it
// resolves to.
func Eval[T any](p *Page, expression string) T {
	p.t.Helper()
	return ask(p, "evaluate "+expression, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Text returns what the page shows, as text.
func (p *Page) Text() string {
	p.t.Helper()
	return Eval[string](p, "document.body ? document.body.innerText : ''")
}

// URL returns the page's address.
func (p *Page) URL() string {
	p.t.Helper()
	return Eval[string](p, "location.href")
}

// Cookies returns the cookies that the page's address gets, HttpOnly ones too.
func (p *Page) Cookies() []*network.Cookie {
	p.t.Helper()
	return ask(p, "read the cookies", func(ctx context.Context, t *chromedp.Target) ([]*network.Cookie, error) {
		result, err := cdp.Call(ctx, t, network.GetCookies, network.GetCookiesParams{})
		return result.Cookies, err
	})
}

// Size sets the window's inner size in CSS pixels: 1280, 800 is a desktop, 360,
// 740 a phone. Below 600 it is a touch screen.
func (p *Page) Size(width, height int) {
	p.t.Helper()
	var options []chromedp.EmulateViewportOption
	if width < 600 {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	ask(p, "set the size", chromedp.EmulateViewport(int64(width), int64(height), options...))
}

// Prefer sets what a style sheet's media queries find, such as
// prefers-color-scheme to dark; "" takes it back.
func (p *Page) Prefer(feature, value string) {
	p.t.Helper()
	ask(p, "prefer "+feature, command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: feature, Value: value}},
	}))
}

// Language sets Accept-Language, as "sv" or "en-GB,en", and navigator.language.
func (p *Page) Language(accept string) {
	p.t.Helper()
	agent := Eval[string](p, "navigator.userAgent")
	ask(p, "set the language", command(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent: agent, AcceptLanguage: accept,
	}))
}

// Scripts switches the page's own JavaScript off and on, from the next page on.
// The steps of this package work without it.
func (p *Page) Scripts(on bool) {
	p.t.Helper()
	ask(p, "switch scripts", command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}))
}

// command is an action that sends one command of the DevTools protocol.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// ask runs one step within its limit.
func ask[T any](p *Page, step string, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, p.Limit)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		p.fail(step, err)
	}
	return value
}

// until polls an expression: a predicate that lives in the page would die when
// the page goes elsewhere, which is what most waits are for.
func (p *Page) until(step, expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, p.Limit)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if err == nil && yes {
			return
		}
		select {
		case <-ctx.Done():
			p.fail(step, errors.Join(fmt.Errorf("not within %v", p.Limit), err))
			return
		case <-tick.C:
		}
	}
}

// fail ends the test with what the page looks like.
func (p *Page) fail(step string, err error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	// Whatever of this does not work either is left out.
	page, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + (document.body ? document.body.innerText : '')"))
	if len(page) > 1500 {
		page = page[:1500] + "..."
	}
	shot, _ := p.shoot(ctx, "failed")
	p.t.Fatalf("%s: %v\nproblems: %v\nscreenshot: %s\nthe page: %s", step, err, p.Problems(), shot, page)
}

// visible is an expression: is such an element there, and can it be seen?
func visible(selector string) string {
	return "[...document.querySelectorAll(" + quote(selector) + ")].some(e => e.checkVisibility({visibilityProperty: true}))"
}

// quote writes a string as JavaScript does.
func quote(s string) string {
	text, _ := json.Marshal(s) // a string always can
	return string(text)
}
