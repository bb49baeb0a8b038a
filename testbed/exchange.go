package testbed

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// Drop drags files and folders of this machine over a point of the window, in
// CSS pixels, and lets them go.
func (p *Page) Drop(x, y int, paths ...string) {
	p.t.Helper()
	event := input.DispatchDragEventParams{X: float64(x), Y: float64(y),
		Data: &input.DragData{Items: []*input.DragDataItem{}, Files: paths, DragOperationsMask: 1}}
	for _, kind := range []input.DispatchDragEventType{"dragEnter", "dragOver", "drop"} {
		event.Type = kind
		ask(p, fmt.Sprintf("%s at %d,%d", kind, x, y), command(input.DispatchDragEvent, event))
	}
}

// Paste presses Ctrl+V, which the browser takes for its own where the page lets
// it: a key event of the DevTools protocol alone pastes nothing.
func (p *Page) Paste() {
	p.t.Helper()
	const ctrl = 2
	for _, event := range []input.DispatchKeyEventParams{
		{Type: input.DispatchKeyEventTypeRawKeyDown, Key: "Control", Code: "ControlLeft", WindowsVirtualKeyCode: 17, Location: 1, Modifiers: ctrl},
		{Type: input.DispatchKeyEventTypeRawKeyDown, Key: "v", Code: "KeyV", WindowsVirtualKeyCode: 86, Modifiers: ctrl, Commands: []string{"paste"}},
		{Type: input.DispatchKeyEventTypeKeyUp, Key: "v", Code: "KeyV", WindowsVirtualKeyCode: 86, Modifiers: ctrl},
		{Type: input.DispatchKeyEventTypeKeyUp, Key: "Control", Code: "ControlLeft", WindowsVirtualKeyCode: 17, Location: 1},
	} {
		ask(p, "paste", command(input.DispatchKeyEvent, event))
	}
}

// SaveTo has the browser save what it downloads to a folder, without asking.
func (p *Page) SaveTo(folder string) {
	p.t.Helper()
	ask(p, "save to "+folder, browserCommand(browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder}))
}

// AllowClipboard answers the browser's question whether a page may read this
// machine's clipboard.
func (p *Page) AllowClipboard(allowed bool) {
	p.t.Helper()
	setting := browser.PermissionSettingDenied
	if allowed {
		setting = browser.PermissionSettingGranted
	}
	ask(p, "allow the clipboard", browserCommand(browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "clipboard-read"}, Setting: setting}))
}

// browserCommand is command for what the whole browser is told.
func browserCommand[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.CallBrowser(ctx, c, params)
		return err
	})
}
