package e2e

import (
	"strings"
	"testing"

	"stagedoor/testbed"
)

// What finds nothing proves nothing: pages with one fault each, and the question
// that has to find it.
func TestAccessScript(t *testing.T) {
	testbed.Need(t, "chromium")
	p := testbed.StartBrowser(t, testbed.BrowserOptions{}).NewPage()
	p.Size(320, 256)
	cases := []struct{ name, question, body, says string }{
		{"a good page", "targets", `<button style="width:24px;height:24px">x</button>`, ""},
		{"a small button", "targets", `<button style="width:23px;height:40px;padding:0">x</button>`, "is 23.0 x 40.0 px"},
		{"a link in a sentence", "targets", `<p>Read <a href="#x">the help</a> first.</p>`, ""},
		{"a small link by itself", "targets", `<p><a href="#x">Help</a></p>`, "px"},
		{"a good page", "lost", `<p>Short</p><button>x</button>`, ""},
		{"a wide page", "lost", `<p style="width:400px">wide</p>`, "the page is"},
		{"cut text", "lost", `<p style="width:40px;overflow:hidden;white-space:nowrap">much too long</p>`, "cuts its text"},
		{"a spilling button", "lost", `<button style="width:40px;white-space:nowrap;padding:0">much too long</button>`, "is too narrow"},
		{"a covered button", "lost", `<button>x</button><div style="position:fixed;inset:0;background:#fff"></div>`, "lies under div"},
		{"out of reach", "lost", `<div style="position:fixed;top:250px"><p style="margin:9px">below</p></div>`, "of 256"},
		{"a low box, spaced out", "space", `<div style="height:24px;overflow:hidden;width:60px;line-height:1">some words</div>`, "is too low"},
		{"what moves", "moving", `<style>@keyframes a { to { opacity: 0 } }</style><p style="animation: a 1s infinite">x</p>`, "moves: a"},
		{"what would move", "moving", `<p style="transition: color 100ms">x</p>`, "would move"},
		{"what stands still", "moving", `<p>x</p>`, ""},
	}
	for _, c := range cases {
		p.Open("data:text/html,<!doctype html><meta name=viewport content='width=device-width'>" + strings.ReplaceAll(c.body, "#", "%23"))
		got := strings.Join(asked[[]string](p, c.question), "\n")
		if (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s, %s: %q, want %q", c.name, c.question, got, c.says)
		}
	}
	focus := []struct{ name, style, says string }{
		{"an outline", "outline: 3px solid #000", ""},
		{"no outline", "outline: none", "does not show that it has the focus"},
		{"a faint outline", "outline: 3px solid #ccc", "less than 3:1"},
		{"out of sight", "outline: 3px solid #000; position: fixed; top: -200px", "cannot be seen"},
	}
	for _, c := range focus {
		p.Open("data:text/html,<!doctype html><style>button:focus { " + strings.ReplaceAll(c.style, "#", "%23") + " }</style><button>x</button>")
		p.Press("Tab")
		got := strings.Join(testbed.Eval[[]string](p, accessScript+".focused().complaints"), "\n")
		if (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("focus, %s: %q, want %q", c.name, got, c.says)
		}
	}
	p.Open("data:text/html,<!doctype html><html lang=en><title>x</title><main><h1>x</h1><img src='x.png'></main>")
	if found := p.Axe(); len(found) != 1 || found[0].Rule != "image-alt" {
		t.Errorf("axe finds %v, want an image without a text", found)
	}
}
