package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"stagedoor/testbed"
)

// hands is a person at a keyboard: no step of it touches a mouse or a field that
// has not got the focus.
type hands struct {
	*testbed.Page
	t *testing.T
}

// at waits until the page has a title and the element that matches has the focus.
func (h hands) at(title, focus string) {
	h.t.Helper()
	h.WaitUntil(fmt.Sprintf("document.title.startsWith(%q)", title))
	h.WaitUntil(fmt.Sprintf("document.activeElement?.matches(%q)", focus))
}

// to presses a key until an element has the focus: Tab, as people who do not see
// the page do. None is farther than once around.
func (h hands) to(element string) { h.t.Helper(); h.by("Tab", element) }

func (h hands) by(key, element string) {
	h.t.Helper()
	for range 60 {
		h.Press(key)
		if testbed.Eval[bool](h.Page, fmt.Sprintf("document.activeElement?.matches(%q) ?? false", element)) {
			return
		}
	}
	h.t.Fatalf("%s does not lead to %s; the focus is at %s", key, element,
		testbed.Eval[string](h.Page, "document.activeElement?.outerHTML.slice(0, 200) ?? 'nothing'"))
}

// write types into fields one after the other and sends the form.
func (h hands) write(texts ...string) {
	h.t.Helper()
	for i, text := range texts {
		if i > 0 {
			h.to("input")
		}
		h.Type(text)
	}
	h.Press("Enter")
}

// Every flow by the keyboard alone. After each step the title says where one is,
// and the focus is where one goes on.
func TestBrowserKeyboard(t *testing.T) {
	s := newStage(t)
	h := hands{s.browser.NewPerson(), t}
	h.Limit = 45 * time.Second // a code is sent again after 30
	h.Language("sv")
	h.Open(s.address + "/")
	s.keyboardLogin(h)
	s.keyboardDesktop(h)
	h.to(`form[action="/logout"] button`)
	h.Press("Enter")
	h.at("Logga in –", "#username")
	h.WaitText("Du är utloggad.")
	s.keyboardPassword(h)
	noComplaints(t, h.Page)
}

// keyboardLogin is anna's: another language and back, a wrong password, an
// expired one, a wrong code, another message.
func (s *stage) keyboardLogin(h hands) {
	h.at("Logga in –", "#username")
	h.to("a[lang=en]")
	h.Press("Enter")
	h.at("Sign in –", "#username")
	h.by("Shift+Tab", "a[lang=sv]") // backwards, over the top
	h.Press("Enter")
	h.at("Logga in –", "#username")

	h.write(`AMIDO\anna`, "helt fel")
	h.at("Fel: Logga in –", "#password")
	h.write("Gammalt-2025")
	h.at("Logga in –", "#fault")
	h.to("#fault a")
	h.Press("Enter")
	h.at("Ändra lösenord –", "#current")
	h.Type("Gammalt-2025")
	h.to("#new")
	h.write("Höstlöv-2026!", "Höstlov-2026!")
	h.at("Fel: Ändra lösenord –", "#fault")
	h.to("#current")
	h.Type("Gammalt-2025")
	h.to("#new")
	h.Type("Höstlöv-2026!")
	h.to("#confirm")
	h.write("Höstlöv-2026!")
	h.at("Lösenordet är ändrat –", "body")
	h.to("main a")
	h.Press("Enter")

	h.at("Logga in –", "#username")
	h.write(`AMIDO\anna`, "Höstlöv-2026!")
	h.at("Ange engångskod –", "#code")
	h.write("000000")
	h.at("Fel: Ange engångskod –", "#code")
	h.WaitUntil(`!document.querySelector(".resend button").disabled`)
	h.at("Fel: Ange engångskod –", "#code") // it was not taken away by the countdown
	h.to(".resend button")
	h.Press("Enter")
	h.at("Ange engångskod –", "#code")
	h.WaitText("en gång till")
	s.code(annasNumber)
	h.write(s.code(annasNumber))
	h.at("Välj system –", "#find")
}

const annasNumber = "+46701740605"

// keyboardDesktop works in a desktop, with its tools, and comes back to the list.
func (s *stage) keyboardDesktop(h hands) {
	h.by("Shift+Tab", ".skip")
	h.Press("Enter")
	h.at("Välj system –", "#main")
	h.to(`a[data-target="multiaccess02"]`)
	h.Press("Enter")
	h.at("XXX.Stockholm.MultiAccess02", again)
	h.Press("Enter")
	h.WaitUntil(desktopState + ` !== "error"`)
	h.at("XXX.Stockholm.MultiAccess02", again+`, [data-part="cancel"]`)
	h.at("XXX.Stockholm.MultiAccess02", again)
	h.to(`.status a[href="/"]`)
	h.Press("Enter")
	h.at("Välj system –", "#find")
	h.to(`a[data-target="multiaccess01"]`)
	h.Press("Enter")
	connected(s.t, h.Page)
	s.wholeDesktop(h.Page)
	h.at("XXX.MultiAccess01", inDesktop)
	typed := filepath.Join(s.shared(), "typed")
	h.Type("echo 'Räksmörgås @{}[]\\' > " + typed[:len(typed)-2])
	h.Press("Tab") // the desktop's own: its shell completes nothing, and the focus stays
	h.at("XXX.MultiAccess01", inDesktop)
	h.Type("ed")
	h.Press("Enter")
	s.contains(typed, `Räksmörgås @{}[]\`)

	s.keyboardTools(h)
	h.Release()
	h.at("XXX.MultiAccess01", `.tool[href="/"]`)
	h.Press("Enter")
	h.at("Välj system –", "#find")
}

// inDesktop is where the focus is when keys go to the desktop.
const inDesktop = `.display [data-part="sink"]`

const again = `.pane.active [data-part="again"]`

func part(name string) string { return fmt.Sprintf("#tools [data-part=%q]", name) }

func (s *stage) keyboardTools(h hands) {
	for _, leave := range []func(){h.Release, func() { h.Press("Escape") }} {
		h.Release()
		h.at("XXX.MultiAccess01", `.tool[href="/"]`)
		leave()
		h.at("XXX.MultiAccess01", inDesktop)
	}
	for _, tool := range []string{"full-screen", "full-screen", "ctrl-alt-del", "close"} { // full screen and back
		h.Release()
		h.at("XXX.MultiAccess01", `.tool[href="/"]`)
		h.to(part(tool))
		h.Press("Enter")
		h.at("XXX.MultiAccess01", inDesktop)
	}
	h.Release()
	h.to(part("upload-files"))
	h.to(`.tool[href="/help"]`)
	h.to("#clipboard")
	h.Type("till skrivbordet")
	h.to(part("clipboard-send"))
	h.Press(" ")
	h.WaitText("Texten ligger nu i skrivbordets urklipp.")
	h.to(part("clipboard-copy"))
	h.Press("Enter")
	h.WaitText("urklipp")
	h.Press("Escape")
	h.at("XXX.MultiAccess01", inDesktop)
	h.Press("Enter") // Ctrl+Alt+Del has left something on the shell's line
	pasted := filepath.Join(s.shared(), "pasted")
	command(h.Page, "until xclip -o -selection clipboard | tee "+pasted+" | grep skrivbordet; do sleep 0.2; done")
	s.contains(pasted, "till skrivbordet")

	runOutOfTime(h.Page) // over the desktop: the keyboard is the dialog's
	h.WaitUntil(`document.activeElement?.matches("#idle-keep")`)
	h.WaitUntil(`document.title.startsWith("Loggas ut om")`)
	h.Press("Tab")
	h.WaitUntil(`document.activeElement?.matches("#idle .second")`)
	h.by("Tab", "#idle-keep")
	hearTheServer(h.Page)
	h.Press("Enter")
	h.at("XXX.MultiAccess01", inDesktop)
}

// keyboardPassword is cecilia's, who changes hers by choice.
func (s *stage) keyboardPassword(h hands) {
	h.write(people["cecilia"].name, people["cecilia"].password)
	h.at("Ange engångskod –", "#code")
	h.write(s.code(people["cecilia"].number))
	h.at("Välj system –", "#find")
	h.to(`nav a[href="/help"]`)
	h.Press("Enter")
	h.at("Instruktioner och felsökning –", "body")
	h.to(`nav a[href="/"]`)
	h.Press("Enter")
	h.at("Välj system –", "#find")
	h.to(`nav a[href="/account"]`)
	runOutOfTime(h.Page)
	h.WaitUntil(`document.activeElement?.matches("#idle-keep")`)
	hearTheServer(h.Page)
	h.Press("Escape")
	h.at("Välj system –", `nav a[href="/account"]`) // where one was
	h.Press("Enter")
	h.at("Mitt konto –", "body")
	h.to(`main a[href="/password"]`)
	h.Press("Enter")
	h.at("Ändra lösenord –", "#current")
	h.Type(people["cecilia"].password)
	h.to("#new")
	h.Type("Vinter-2027!åäö")
	h.to("#confirm")
	h.write("Vinter-2027!åäö")
	h.at("Lösenordet är ändrat –", "body")
	h.to("main a")
	h.Press("Enter")
	h.at("Logga in –", "#username")
}
