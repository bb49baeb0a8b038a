package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stagedoor/testbed"
)

// pdf is a whole, empty page.
const pdf = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
	"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

// png is one red pixel.
const png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\b\x02\x00\x00\x00\x90wS\xde" +
	"\x00\x00\x00\fIDATx\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82"

// A print-out opens where the browser lets it and waits for the person where
// not; a picture that a guacd sends lies in this computer's clipboard. guacd is
// a fake here: xrdp refuses printers, and no guacd copies pictures.
func TestBrowserPrints(t *testing.T) {
	testbed.Need(t, "samba", "chromium")
	r := newRig(t)
	guacd := startFakeGuacd(t, []byte(pdf), []byte(png))
	r.withFake(guacd)
	page := r.atList(testbed.BrowserOptions{})
	page.AllowClipboard(true)
	page.Open(r.address + "/desktop/all")
	connected(t, page)
	testbed.Eval[bool](page, `{
		const make = URL.createObjectURL;
		URL.createObjectURL = (blob) => { window.lastBlob = blob; return make.call(URL, blob); };
		document.addEventListener("click", (event) => {
			if (event.target.matches?.('[data-part="link"]')) { window.followed = event.target.href; event.preventDefault(); }
		});
		true;
	}`)
	page.ClickAt(400, 400) // into the desktop
	page.Type("c")
	wait(t, func() bool {
		return testbed.Eval[string](page, `navigator.clipboard.read().then(([item]) => item.types.join(" "))`) == "image/png"
	})
	// Pasted by the keys alone: the text goes first, and the keys in their order.
	testbed.Eval[bool](page, `navigator.clipboard.writeText("Åäö").then(() => true)`)
	page.AllowClipboard(false)
	guacd.forget()
	page.Paste()
	page.Press("Enter")
	wait(t, func() bool { return guacd.said("key 65293 0") })
	want := []string{"key 65507 1", "clipboard 0 text/plain", "blob 0 w4XDpMO2", "end 0", "key 118 1", "key 118 0", "key 65507 0", "key 65293 1", "key 65293 0"}
	if got := guacd.order("key ", "clipboard ", "blob ", "end "); !slices.Equal(got, want) {
		t.Errorf("guacd heard %q, want %q", got, want)
	}
	page.Type("p")
	transferEnds(page, "Månadsrapport.pdf", "done", "Utskriften är klar.")
	if !strings.HasPrefix(testbed.Eval[string](page, `window.followed ?? ""`), "blob:") {
		t.Error("the print-out was not opened although the person had just pressed a key")
	}
	if got := testbed.Eval[string](page, `window.lastBlob.text().then((words) => window.lastBlob.type + " " + words)`); got != "application/pdf "+pdf {
		t.Errorf("the print-out is %q", got)
	}
	page.Shot("transfer-printed")
	noComplaints(t, page)
}

// The tools, the files on their way and the shared folder fit everywhere: light
// and dark, on a phone, and with a desktop beside.
func TestBrowserTransferLooks(t *testing.T) {
	testbed.Need(t, "samba", "chromium")
	r := newRig(t)
	guacd := startFakeGuacd(t, []byte(pdf), []byte(png))
	guacd.slow = true
	r.withFake(guacd)
	page := r.atList(testbed.BrowserOptions{Microphone: true})
	for width, height := range map[int]int{360: 740, 1280: 800} {
		page.Size(width, height)
		page.Open(r.address + "/desktop/all?with=copy")
		page.WaitUntil(`document.querySelectorAll('.pane[data-state="connected"]').length === 2`)
		page.Release()
		page.Click(`#tools [data-part="turn"]`)
		page.WaitFor(`[data-layout="side-by-side"]`)
		page.Release()
		page.Click(`#tools [data-part="microphone"]`)
		page.WaitText("Mikrofonen är på.")
		file := r.file("Månadsrapport för passersystemet i Stockholm, kvartal 1, utkast 7.docx", strings.Repeat("x", 300_000))
		page.Drop(width/4, height/4, file, r.folder("mapp"), r.file("tom.txt", ""))
		page.WaitText("Mappar kan inte skickas.")
		for _, scheme := range []string{"light", "dark"} {
			page.Prefer("prefers-color-scheme", scheme)
			fits := func(what string) {
				if testbed.Eval[bool](page, `[...document.querySelectorAll("html, dialog, .transfers, .choices")].some((box) => box.scrollWidth > box.clientWidth)`) {
					t.Errorf("%s is too wide for %d px", what, width)
				}
				page.Shot(fmt.Sprintf("%s-%s-%d", what, scheme, width))
			}
			fits("transfers")
			page.Release()
			page.WaitFor("#tools[open]")
			page.Click(`#tools summary`)
			page.WaitFor(`#tools [data-keys]`)
			fits("tools")
			page.Click(`#tools summary`)
			page.Click(`#tools [data-part="files"]`)
			page.WaitText("läs mig 😀.txt")
			fits("folder")
			page.Press("Escape")
			page.WaitGone("#folder[open]")
		}
	}
	noComplaints(t, page)
}

// What a person hears and says, with a real desktop: its sound is played and
// muted, the microphone is off until the button is pressed and shown while it is
// on, and its sound arrives in a program on the desktop.
func TestBrowserSoundAndMicrophone(t *testing.T) {
	testbed.Need(t, "samba", "guacd", "xrdp", "chromium")
	r := newRig(t)
	r.withTransfers()
	page := r.atList(testbed.BrowserOptions{Microphone: true})
	downloads := r.folder("downloads")
	page.SaveTo(downloads)
	r.plays(page)
	r.listens(page)
	page.Release()
	page.Click(`#tools [data-part="screenshot"]`)
	page.WaitText("Skärmbilden är sparad")
	wait(t, func() bool {
		shots, _ := filepath.Glob(filepath.Join(downloads, "Allt tillåtet 20??-??-?? ??.??.??.png"))
		return len(shots) == 1
	})
	noComplaints(t, page)
}

// chansrv speaks to xrdp's own daemon for sound, as its PulseAudio modules do
// (xrdp's sesman/chansrv/sound.c).
const chansrv = `use IO::Socket::UNIX; my ($n) = $ENV{DISPLAY} =~ /:(\d+)/;
sub chansrv { IO::Socket::UNIX->new("/run/xrdp/sockdir/xrdp_chansrv_audio_$_[0]_socket_$n") or die "no socket: $!" }
`

// tone plays a second of 440 Hz.
const tone = chansrv + `my $out = chansrv("out"); my $pcm = "";
for my $i (0 .. 44099) { my $v = int(20000 * sin(6.2832 * 440 * $i / 44100)); $pcm .= pack("s<s<", $v, $v) }
while (length $pcm) { my $piece = substr($pcm, 0, 16384, ""); $out->write(pack("VV", 0, 8 + length $piece) . $piece); $out->flush; select undef, undef, undef, 0.05 }
print "played\n";
`

// hear listens until something was not silent.
const hear = chansrv + `my $in = chansrv("in"); $in->syswrite(pack("VVCv", 0, 11, 1, 0)); my $loud = 0;
for (1 .. 400) {
  $in->syswrite(pack("VVCv", 0, 11, 3, 4096)); $in->sysread(my $size, 2) or last; my $want = unpack("v", $size); my $got = "";
  while (length $got < $want) { $in->sysread($got, $want - length $got, length $got) or last }
  $loud += grep { abs($_) > 500 } unpack("s<*", $got); last if $loud > 1000; select undef, undef, undef, 0.05;
}
$in->syswrite(pack("VVCv", 0, 11, 2, 0)); print $loud > 1000 ? "heard\n" : "silence\n";
`

func (r *rig) script(name, text string) string {
	r.t.Helper()
	path := filepath.Join(r.shared(), name)
	ok(r.t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// toHear opens the desktop, and counts in window.played what of its sound is not
// silence.
func (r *rig) toHear(page *testbed.Page) {
	r.t.Helper()
	r.desktop(page, "everything")
	testbed.Eval[bool](page, `{
		window.played = 0;
		const start = AudioBufferSourceNode.prototype.start;
		AudioBufferSourceNode.prototype.start = function (...when) {
			if (this.buffer.getChannelData(0).some((value) => Math.abs(value) > 0.1)) window.played++;
			return start.apply(this, when);
		};
		true;
	}`)
	page.ClickAt(600, 300)
}

func (r *rig) plays(page *testbed.Page) {
	r.t.Helper()
	done := filepath.Join(r.shared(), "played")
	play := "perl " + r.script("tone.pl", tone) + " > " + done + " 2>&1"
	for opened := 1; ; opened++ {
		r.toHear(page)
		for tries := 0; silence(page) < 5 && tries < 5; tries++ { // xrdp drops sound until guacd has told it which kind it takes
			command(page, play)
			r.contains(done, "played")
			ok(r.t, os.Remove(done))
		}
		if testbed.Eval[int](page, "window.played") >= 5 {
			break
		}
		// guacd looks for the owner to play for before it has noted one, as with the
		// shared folder (untilFolder): a person connects again.
		if opened == 3 {
			r.t.Fatalf("no sound, on any of %d desktops", opened)
		}
	}
	r.t.Logf("%d pieces of sound were played", testbed.Eval[int](page, "window.played"))

	page.Release()
	page.Click(`#tools [data-part="mute"]`)
	page.WaitGone("#tools[open]")
	before := silence(page)
	command(page, play)
	r.contains(done, "played")
	if after := silence(page); after != before {
		r.t.Errorf("%d pieces of sound were played although it was off", after-before)
	}
}

// silence waits until no sound has been played for half a second, and counts.
func silence(page *testbed.Page) int {
	return testbed.Eval[int](page, `new Promise((done) => {
		let last = -1;
		const look = () => {
			if (window.played === last) return done(last);
			last = window.played;
			setTimeout(look, 500);
		};
		look();
	})`)
}

func (r *rig) listens(page *testbed.Page) {
	r.t.Helper()
	page.WaitGone(`[data-part="microphone-sign"]`)
	page.Release()
	page.Click(`#tools [data-part="microphone"]`)
	page.WaitText("Mikrofonen är på. Ingen lyssnar.")
	heard := filepath.Join(r.shared(), "heard")
	command(page, "perl "+r.script("hear.pl", hear)+" > "+heard+" 2>&1")
	page.WaitText("Mikrofonen är på. Skrivbordet hör dig.")
	page.Shot("microphone")
	r.contains(heard, "heard")
	page.Release()
	page.WaitFor(`#tools [data-part="microphone"][aria-pressed="true"]`)
	page.Click(`#tools [data-part="microphone"]`)
	page.WaitGone(`[data-part="microphone-sign"]`)
}
