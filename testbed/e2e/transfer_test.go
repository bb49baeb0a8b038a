package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stagedoor/testbed"
)

// withTransfers adds targets through which everything may cross, one of them to look at only.
func (r *rig) withTransfers() {
	r.t.Helper()
	r.withDesktops()
	host, port, _ := net.SplitHostPort(r.xrdp.Address)
	const all = "{copy: true, paste: true, upload: true, download: true, print: true, audio: true, microphone: true}"
	common := fmt.Sprintf("host: %s, port: %s, security: tls, dangerously_ignore_certificate: true, visible_to: everyone, credentials: stored, transfers: %s, drive_folder: %q", host, port, all, r.folder("drive"))
	r.targets += fmt.Sprintf(`  - {id: everything, name: Allt tillåtet, username: %s, password_file: desktop-password, %s}
  - {id: look, name: Bara titta, username: %s, password_file: second-password, parameters: {read-only: true}, %s}
`, r.user.Name, common, r.second.Name, common)
}

// desktop opens a target as a person who has logged in, and waits for its terminal.
func (r *rig) desktop(page *testbed.Page, id string) {
	r.t.Helper()
	page.Open(r.address + "/desktop/" + id)
	connected(r.t, page)
	page.WaitColour(800, 500, terminal)
}

// onDisk waits until the disk that the newest desktop shares with guacd holds
// a file with this content.
func (r *rig) onDisk(name string, want []byte) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	for {
		disks, err := filepath.Glob(filepath.Join(r.dir, "drive", "*"))
		ok(r.t, err)
		for _, disk := range disks {
			if got, err := os.ReadFile(filepath.Join(disk, name)); err == nil && bytes.Equal(got, want) {
				return
			}
		}
		if ctx.Err() != nil {
			r.t.Fatalf("%s is not on the disks %v with its %d bytes", name, disks, len(want))
		}
		waitABit(ctx)
	}
}

// saved waits until the browser has saved a file with this content.
func saved(t *testing.T, path string, want []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for {
		got, err := os.ReadFile(path)
		if err == nil && bytes.Equal(got, want) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s: %d bytes saved, want %d: %v", filepath.Base(path), len(got), len(want), err)
		}
		waitABit(ctx)
	}
}

// transferOf is an expression: the row of a file in the list of transfers.
func transferOf(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(".transfer")].find(row => row.querySelector('[data-part="name"]').textContent === %q)`, name)
}

// transferEnds waits until a file's row says how it went.
func transferEnds(page *testbed.Page, name, state, words string) {
	page.WaitUntil(transferOf(name) + `?.dataset.state === "` + state + `"`)
	page.WaitUntil(transferOf(name) + `.innerText.includes(` + fmt.Sprintf("%q", words) + `)`)
}

// Files both ways, as people move them: dropped on the desktop and chosen from
// its folder, saved by a program on it and fetched; large, empty, oddly named,
// given up half-way, and what is not taken.
func TestBrowserFiles(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "xrdp", "chromium")
	r := newRig(t)
	r.withTransfers()
	page := r.atList(testbed.BrowserOptions{})
	downloads := r.folder("downloads")
	page.SaveTo(downloads)
	r.desktop(page, "everything")
	untilFolder(page, func() { r.desktop(page, "everything") })
	r.upload(page)
	r.cancel(page)
	r.download(page, downloads)
	r.browse(page, downloads)
	noComplaints(t, page)
}

// untilFolder opens a desktop again until its tools offer the shared folder.
// guacd tells of it before it has noted whose desktop it is, and then to nobody,
// when another thread is quicker (libguac/client.c): a person connects again.
func untilFolder(page *testbed.Page, open func()) {
	for range 5 {
		if testbed.Eval[bool](page, `!document.querySelector('#tools [data-part="files"]').hidden`) {
			return
		}
		open()
	}
}

func (r *rig) upload(page *testbed.Page) {
	r.t.Helper()
	big := make([]byte, 3_000_001)
	_, _ = rand.Read(big)
	odd := "Räksmörgås [1].txt"
	paths := []string{r.file(odd, "smörgås\n"), r.file("😀.txt", "glad"), r.file("tom.txt", ""), r.file("stor.bin", string(big)), r.folder("mapp")}
	page.Drop(600, 400, paths...)
	transferEnds(page, odd, "done", "Skickad.")
	transferEnds(page, "tom.txt", "done", "Skickad.")
	transferEnds(page, "mapp", "failed", "Mappar kan inte skickas")
	transferEnds(page, "stor.bin", "done", "Skickad.")
	page.Shot("transfer-sent")
	r.onDisk(odd, []byte("smörgås\n"))
	r.onDisk("😀.txt", []byte("glad")) // xrdp's side of the disk cannot open such a name
	r.onDisk("tom.txt", nil)
	r.onDisk("stor.bin", big)
	seen := filepath.Join(r.shared(), "seen")
	command(page, "cat ~/thinclient_drives/*/R*.txt > "+seen)
	r.contains(seen, "smörgås")
	page.Click(`.pane.active [data-part="transfers-close"]`) // a failure stays until then
	page.WaitGone(".transfers")
}

// cancel gives up two files, one on its way and one that waits.
func (r *rig) cancel(page *testbed.Page) {
	r.t.Helper()
	var paths []string
	for _, name := range []string{"ett.bin", "två.bin", "tre.bin"} {
		path := r.file(name, "början")
		ok(r.t, os.Truncate(path, 600<<20)) // none arrives before it is given up
		paths = append(paths, path)
	}
	page.Drop(600, 400, paths...)
	page.WaitUntil(transferOf("ett.bin") + `?.querySelector("progress").value > 500000`)
	page.WaitUntil(transferOf("tre.bin") + `?.innerText.includes("Väntar på sin tur")`)
	ok(r.t, r.guacd.Pause()) // the machine is not to be busy with the rest of them
	page.Shot("transfer-running")
	for _, name := range []string{"tre.bin", "ett.bin", "två.bin"} {
		page.Click(`.transfer [aria-label="Avbryt ` + name + `"]`)
	}
	ok(r.t, r.guacd.Resume())
	transferEnds(page, "tre.bin", "failed", "Avbruten.")
	transferEnds(page, "ett.bin", "failed", "En tom fil med namnet kan ligga kvar")
	r.onDisk("ett.bin", nil)
	r.onDisk("två.bin", nil)
	page.Click(`.pane.active [data-part="transfers-close"]`)
}

func (r *rig) download(page *testbed.Page, downloads string) {
	r.t.Helper()
	big := make([]byte, 50_000_000)
	_, _ = rand.Read(big)
	source := filepath.Join(r.shared(), "hämtas.bin")
	ok(r.t, os.WriteFile(source, big, 0o644))
	limit := page.Limit
	page.Limit = 2 * time.Minute
	command(page, "cp "+r.shared()+"/*.bin ~/thinclient_drives/*/Download/") // which guacd sends as soon as it is closed
	page.WaitUntil(`!!` + transferOf("hämtas.bin"))
	begun := time.Now()
	page.WaitUntil(transferOf("hämtas.bin") + `.innerText.includes("MB")`)
	page.Shot("transfer-fetching")
	echo := filepath.Join(r.shared(), "echo")
	command(page, "echo levande > "+echo) // the page is not frozen meanwhile
	r.contains(echo, "levande")
	if testbed.Eval[string](page, transferOf("hämtas.bin")+`.dataset.state ?? ""`) != "" {
		r.t.Log("the download was over before the keys were")
	}
	transferEnds(page, "hämtas.bin", "done", "Hämtad.")
	r.t.Logf("50 MB came in %v", time.Since(begun).Round(100*time.Millisecond))
	page.Limit = limit
	saved(r.t, filepath.Join(downloads, "hämtas.bin"), big)
}

// browse looks into the shared folder, sends a file to a folder in it and fetches it.
func (r *rig) browse(page *testbed.Page, downloads string) {
	r.t.Helper()
	command(page, "mkdir \"$(echo ~/thinclient_drives/*)/Rapporter 2026\" && echo klart > "+filepath.Join(r.shared(), "made"))
	r.contains(filepath.Join(r.shared(), "made"), "klart")
	page.Release()
	page.Click(`#tools [data-part="files"]`)
	page.WaitFor(`#folder [data-part="list"] li:nth-child(2)`)
	page.WaitText("Räksmörgås [1].txt")
	page.WaitText("😀.txt")
	page.Shot("transfer-folder")
	testbed.Eval[bool](page, `([...document.querySelectorAll("#folder li button")].find((row) => row.innerText.includes("😀")).click(), true)`)
	saved(r.t, filepath.Join(downloads, "😀.txt"), []byte("glad"))
	page.Release()
	page.Click(`#tools [data-part="files"]`)
	page.WaitFor(`#folder [data-part="list"] li:nth-child(2)`)
	page.Click(`#folder [data-part="list"] li:nth-child(2) button`) // after Download
	page.WaitText("Mappen är tom.")
	page.WaitText(`\Rapporter 2026\`)
	r.choose(page, "#folder [data-part=send-files]", "rapport.txt", "mars")
	transferEnds(page, "rapport.txt", "done", "Skickad.")
	r.onDisk("Rapporter 2026/rapport.txt", []byte("mars"))
	page.Release()
	page.Click(`#tools [data-part="files"]`)
	page.WaitFor(`#folder [data-part="list"] li:nth-child(2)`)
	page.Click(`#folder [data-part="list"] li:nth-child(2) button`)
	page.WaitFor(`#folder [data-part="list"] li:nth-child(1)`)
	page.Click(`#folder [data-part="list"] li:nth-child(1) button`)
	saved(r.t, filepath.Join(downloads, "rapport.txt"), []byte("mars"))
}

// choose puts a file into a file field, as the browser's own dialog would.
func (r *rig) choose(page *testbed.Page, field, name, text string) {
	r.t.Helper()
	testbed.Eval[bool](page, fmt.Sprintf(`{
		const field = document.querySelector(%q), chosen = new DataTransfer();
		chosen.items.add(new File([%q], %q));
		field.files = chosen.files;
		field.dispatchEvent(new Event("change"));
	}`, field, text, name))
}

// The clipboard both ways: what is copied on the desktop lies in this computer's
// clipboard, what is copied here is pasted there by Ctrl+V although the browser
// does not let the page read the clipboard, and by the text box.
func TestBrowserClipboard(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "xrdp", "chromium")
	r := newRig(t)
	r.withTransfers()
	page := r.atList(testbed.BrowserOptions{})
	page.AllowClipboard(true)
	r.desktop(page, "everything")
	command(page, "xclip -selection clipboard -i "+r.script("kopia", "från skrivbordet: Åäö\n€ [2]")) // no emoji: xrdp 0.9 knows 16 bits of each letter
	var here string
	wait(t, func() bool {
		here = testbed.Eval[string](page, `navigator.clipboard.readText()`)
		return strings.HasPrefix(here, "från skrivbordet")
	})
	if here != "från skrivbordet: Åäö\n€ [2]" {
		t.Errorf("this computer's clipboard holds %q", here)
	}

	testbed.Eval[bool](page, `navigator.clipboard.writeText('härifrån: "@£$"').then(() => true)`)
	page.AllowClipboard(false)
	got := filepath.Join(r.shared(), "pasted")
	command(page, `xterm -geometry 60x10+60+400 -xrm '*VT100.translations: #override Ctrl<Key>v: insert-selection(CLIPBOARD)' -e sh -c 'cat > `+got+`' &`)
	page.WaitColour(100, 500, "#ffffff") // the other terminal has come, and the keyboard
	page.Paste()
	wait(t, func() bool { // the terminal asks for the text, and goes on reading keys until it comes
		page.Press("Enter")
		text, _ := os.ReadFile(got)
		return strings.Contains(string(text), `härifrån: "@£$"`)
	})
	page.Press("Ctrl+d")

	page.Release()
	page.Fill("#clipboard", "genom rutan")
	page.Click(`#tools [data-part="clipboard-send"]`)
	page.WaitText("Texten ligger nu i skrivbordets urklipp.")
	page.Shot("transfer-clipboard")
	page.Press("Escape")
	page.WaitGone("#tools[open]")
	box := filepath.Join(r.shared(), "box")
	command(page, "xclip -selection clipboard -o > "+box)
	r.contains(box, "genom rutan")
	noComplaints(t, page)
}

// wait polls what no event tells.
func wait(t *testing.T, met func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !met() {
		if ctx.Err() != nil {
			t.Fatal("it did not come about in 20 s")
		}
		waitABit(ctx)
	}
}
