package testbed

import (
	"strings"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Problem is something that the browser complains of.
type Problem struct {
	// Kind is "console" (console.error), "exception" (not caught), "csp"
	// (forbidden by Content-Security-Policy), "network" (a request that failed
	// or was answered with 400 or more), or another source that Chromium names.
	Kind string
	Text string
}

// Problems returns what the page's console has shown since the tab was opened,
// or since ForgetProblems. A page that is answered with 403 is a "network"
// problem too.
func (p *Page) Problems() []Problem {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Problem(nil), p.problems...)
}

// ForgetProblems empties the list, after a problem that was meant.
func (p *Page) ForgetProblems() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = nil
}

// hear gets the tab's events in their order, before the answer to the command
// that caused them. A dialog is accepted at once: until then no step works.
func (p *Page) hear(event any) {
	var problem Problem
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type != runtime.ConsoleAPICalledTypeError && e.Type != runtime.ConsoleAPICalledTypeAssert {
			return
		}
		problem = Problem{Kind: "console", Text: consoleText(e.Args)}
	case *runtime.EventExceptionThrown:
		problem = Problem{Kind: "exception", Text: (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error()}
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError {
			return
		}
		problem = Problem{Kind: string(e.Entry.Source), Text: strings.TrimSpace(e.Entry.Text + " " + e.Entry.URL)}
		if strings.Contains(problem.Text, "Content Security Policy") {
			problem.Kind = "csp"
		}
	case *network.EventRequestWillBeSent:
		p.note(e.Request.URL)
		return
	case *network.EventWebSocketCreated:
		p.note(e.URL)
		return
	case *page.EventJavascriptDialogOpening:
		go func() {
			_, _ = chromedp.Call(p.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		}()
		return
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, problem)
}

func consoleText(args []*runtime.RemoteObject) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = strings.Trim(string(arg.Value), `"`)
		if words[i] == "" {
			words[i] = arg.Description
		}
	}
	return strings.Join(words, " ")
}
