package e2e

import (
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"

	"stagedoor/testbed"
)

// everyTool are the tools that a target's policy decides on.
var everyTool = []string{"upload", "files", "screenshot", "mute", "microphone", "clipboard-box", "clipboard-send", "clipboard-copy"}

// withFake has a stand-in for guacd, and targets where everything, nothing and
// looking is allowed.
func (r *rig) withFake(g *fakeGuacd) {
	r.t.Helper()
	r.blocks["guacd"] = "guacd:\n  - address: " + g.address + "\n"
	host, port, _ := net.SplitHostPort(g.address)
	const all = "transfers: {copy: true, paste: true, upload: true, download: true, print: true, audio: true, microphone: true}, drive_folder: /var/empty"
	r.targets = "targets:\n"
	for id, more := range map[string]string{"all": all, "none": "transfers: {}", "look": all + ", parameters: {read-only: true}",
		"print": "transfers: {print: true}", "copy": "transfers: {copy: true}"} {
		r.targets += fmt.Sprintf("  - {id: %s, name: Allt om %s, host: %s, port: %s, dangerously_ignore_certificate: true, visible_to: everyone, %s}\n", id, id, host, port, more)
	}
}

// offered are the tools that can be seen.
func offered(page *testbed.Page) (tools []string) {
	page.Release()
	page.WaitFor("#tools[open]")
	for _, tool := range everyTool {
		if testbed.Eval[bool](page, fmt.Sprintf(`document.querySelector('#tools [data-part="%s"]').checkVisibility()`, tool)) {
			tools = append(tools, tool)
		}
	}
	return tools
}

// What a target's policy forbids is not shown, and what is to be looked at only
// takes nothing from the person.
func TestBrowserPolicyShown(t *testing.T) {
	testbed.Need(t, "samba", "chromium")
	r := newRig(t)
	guacd := startFakeGuacd(t, []byte(pdf), []byte(png))
	r.withFake(guacd)
	page := r.atList(testbed.BrowserOptions{})
	for _, c := range []struct{ target, want string }{
		{"all", strings.Join(everyTool, " ")},
		{"none", ""},
		{"print", ""},
		{"copy", "screenshot clipboard-box clipboard-copy"},
		{"look", "files screenshot mute clipboard-box clipboard-copy"},
	} {
		page.Open(r.address + "/desktop/" + c.target)
		connected(t, page)
		if got := strings.Join(offered(page), " "); got != c.want {
			t.Errorf("%s: offered %q, want %q", c.target, got, c.want)
		}
		page.Shot("tools-" + c.target)
		page.Press("Escape")
		page.WaitGone("#tools[open]")
	}
	page.WaitText("Bara titta")
	testbed.Eval[bool](page, `{
		window.sent = "";
		const send = WebSocket.prototype.send;
		WebSocket.prototype.send = function (message) { window.sent += message; window.socket = this; return send.call(this, message); };
		true;
	}`)
	page.Type("hemligt")
	page.ClickAt(500, 300)
	page.Drop(600, 400, r.file("nej.txt", "nej"))
	page.Size(1000, 700)
	page.WaitUntil(`window.sent.split("4.ping,").length > 3`) // two a second: what had to be sent is sent
	if sent := testbed.Eval[string](page, `window.sent`); regexp.MustCompile(`\d\.(key|mouse|file|size),`).MatchString(sent) {
		t.Errorf("the page sent to a desktop that is to be looked at only: %s", sent)
	}
	guacd.forget() // of the desktops before
	testbed.Eval[bool](page, `(window.socket.send("3.key,2.65,1.1;5.mouse,2.10,2.10,1.1;4.size,3.800,3.600;3.ack,1.5,4.mark,1.0;"), true)`)
	wait(t, func() bool { return guacd.said("ack 5 mark") })
	for _, word := range []string{"key", "mouse", "size"} {
		if guacd.said(word + " ") {
			t.Errorf("the gateway let a %s through", word)
		}
	}
	noComplaints(t, page)
}
