package webroot

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var helpWords = HelpWords{Portal: "Amido <Alliera> & *Backstage*", Address: "https://portal.amido.example", Domain: "AMIDO",
	Helpdesk: "Amido Support", Phone: "08-465 004 99", Mail: "support@amido.example", Idle: 15, Warning: 2}

// pngOf is a picture of that size.
func pngOf(t *testing.T, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// folder is an administrators' folder with these files.
type folder struct {
	t    *testing.T
	path string
}

func newFolder(t *testing.T) folder { t.Helper(); return folder{t, t.TempDir()} }

func (f folder) write(name string, content []byte) folder {
	f.t.Helper()
	path := filepath.Join(f.path, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		f.t.Fatal(err)
	}
	return f
}

func (f folder) help(log *bytes.Buffer) *Help {
	f.t.Helper()
	h, err := opened(f.t).Help(f.path, helpWords, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		f.t.Fatal(err)
	}
	return h
}

// whole is all of a page's text.
func whole(p HelpPage) string { return string(p.Lead + p.Body) }

// What a text may be made of, and what is left of one that tries to be more.
func TestHelpMarkdown(t *testing.T) {
	for _, test := range []struct {
		name, source, want string
		problem            string // a part of what is said of it; "" nothing
	}{
		{"paragraph", "Hej **du** & `Ctrl`.", "<p>Hej <strong>du</strong> &amp; <code>Ctrl</code>.</p>", ""},
		{"heading with an id", "## Inget sms? {#sms}", `<h2 id="sms">Inget sms?</h2>`, ""},
		{"heading without", "## Får du inget sms?", `<h2 id="far-du-inget-sms">Får du inget sms?</h2>`, ""},
		{"heading twice", "## A\n\n## A", "<h2 id=\"a\">A</h2>\n<h2 id=\"a-2\">A</h2>", ""},
		{"heading of the frame's id", "## Main {#main}", `<h2 id="h-main">Main</h2>`, ""},
		{"heading with an event", `## A {#a onclick="alert(1)" style="x"}`, `<h2 id="a">A</h2>`, ""},
		{"heading in a quotation", "> # A {onclick=x}", "<blockquote>\n<h2 id=\"a\">A</h2>\n</blockquote>", ""},
		{"lead and heading", "Hej\n\n- du\n\n## A\n\nDu", "<p>Hej</p>\n<ul>\n<li>du</li>\n</ul>\n<h2 id=\"a\">A</h2>\n<p>Du</p>", ""},
		{"second title", "Hej\n\n# A", "<p>Hej</p>\n<h2 id=\"a\">A</h2>", ""},
		{"table", "|a|b|\n|-|-:|\n|1|2|", "<table>\n<thead>\n<tr>\n<th>a</th>\n<th align=\"right\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td align=\"right\">2</td>\n</tr>\n</tbody>\n</table>", ""},
		{"script", "<script>alert(1)</script>\n\nHej", "<p>Hej</p>", "raw HTML"},
		{"script in a line", "Hej <script>alert(1)</script> du", "<p>Hej alert(1) du</p>", "raw HTML"},
		{"image with an event", "<img src=x onerror=alert(1)>", "", "raw HTML"},
		{"style", "<style>body{display:none}</style>", "", "raw HTML"},
		{"comment", "a <!-- b --> c", "<p>a  c</p>", "raw HTML"},
		{"javascript link", "[a](javascript:alert%281%29)", "<p>a</p>", "javascript:"},
		{"javascript link in disguise", "[a](JaVaScRiPt:alert%281%29)", "<p>a</p>", "JaVaScRiPt"},
		{"javascript link of entities", "[a](java&#115;cript&colon;x)", "<p>a</p>", "left out"},
		{"javascript link by reference", "[a][b]\n\n[b]: javascript:x", "<p>a</p>", "javascript:"},
		{"javascript autolink", "<javascript:alert(1)>", "<p>javascript:alert(1)</p>", "javascript:"},
		{"data link", "[a](data:text/html,x)", "<p>a</p>", "data:"},
		{"file link", "[a](file:///etc/passwd)", "<p>a</p>", "file:"},
		{"other site without scheme", "[a](//evil.example/x)", "<p>a</p>", "evil"},
		{"other site by backslash", `[a](/\evil.example)`, "<p>a</p>", "evil"},
		{"relative link", "[a](sv.md)", "<p>a</p>", "sv.md"},
		{"link with a quote", `[a](/x"onclick="y)`, `<p><a href="/x%22onclick=%22y">a</a></p>`, ""},
		{"own page", "[a](/check) [b](/) [c](#sms)", `<p><a href="/check">a</a> <a href="/">b</a> <a href="#sms">c</a></p>`, ""},
		{"other site", "[a](https://amido.example/x?a=1&b=2)", `<p><a href="https://amido.example/x?a=1&amp;b=2" rel="noreferrer">a</a></p>`, ""},
		{"bare address", "Se https://amido.example/x.", `<p>Se <a href="https://amido.example/x" rel="noreferrer">https://amido.example/x</a>.</p>`, ""},
		{"mail and telephone", "[a](mailto:a@b.example) [b](tel:+468)", `<p><a href="mailto:a@b.example">a</a> <a href="tel:+468">b</a></p>`, ""},
		{"placeholder", "Till {portal}!", "<p>Till Amido &lt;Alliera&gt; &amp; *Backstage*!</p>", ""},
		{"placeholder before a backslash", `**{domain}\\anna**`, `<p><strong>AMIDO\anna</strong></p>`, ""},
		{"placeholder in a heading", "## Till {portal}", `<h2 id="till-amido-alliera-backstage">Till Amido &lt;Alliera&gt; &amp; *Backstage*</h2>`, ""},
		{"placeholder in code", "`{portal}`", "<p><code>{portal}</code></p>", ""},
		{"telephone", "{phone}", `<p><a href="tel:0846500499">08-465 004 99</a></p>`, ""},
		{"telephone as an address", "[Ring {phone}](tel:{phone})", `<p><a href="tel:0846500499">Ring 08-465 004 99</a></p>`, ""},
		{"contact", "{contact}.", `<p>Amido Support, <a href="tel:0846500499">08-465 004 99</a>, <a href="mailto:support@amido.example">support@amido.example</a>.</p>`, ""},
		{"minutes", "{idle} och {warning}", "<p>15 och 2</p>", ""},
		{"unknown placeholder", "{portl}", "<p>{portl}</p>", "{portl}"},
		{"braces", "`@ { [ ] }` { } {1}", "<p><code>@ { [ ] }</code> { } {1}</p>", ""},
		{"picture", "![En bild av {portal}](bild.png)", `<p><img src="/help/images/HASH/bild.png" alt="En bild av Amido &lt;Alliera&gt; &amp; *Backstage*" loading="lazy" width="3" height="2"></p>`, ""},
		{"picture with a quote", `![a" onerror="b](bild.png)`, `<p><img src="/help/images/HASH/bild.png" alt="a&#34; onerror=&#34;b" loading="lazy" width="3" height="2"></p>`, ""},
		{"picture in a folder", "![a](bilder/liten.png)", `<p><img src="/help/images/HASH/bilder/liten.png" alt="a" loading="lazy" width="1" height="1"></p>`, ""},
		{"data picture", "![a](data:image/png;base64,iVBORw0KGgo=)", "<p>a</p>", "data:"},
		{"picture of another site", "![a](https://evil.example/pixel.png)", "<p>a</p>", "evil"},
		{"picture above the folder", "![a](../hemlig.png)", "<p>a</p>", "hemlig"},
		{"picture above, escaped", "![a](%2e%2e/hemlig.png)", "<p>a</p>", "hemlig"},
		{"picture above, deep", "![a](bilder/../../hemlig.png)", "<p>a</p>", "hemlig"},
		{"picture from the root", "![a](/etc/passwd.png)", "<p>a</p>", "passwd"},
		{"picture by a link that leads out", "![a](utgang.png)", "<p>a</p>", "utgang"},
		{"picture that is none", "![a](falsk.png)", "<p>a</p>", "text/html"},
		{"drawing", "![a](bild.svg)", "<p>a</p>", "only .png"},
		{"picture that is missing", "![a](finns-inte.png)", "<p>a</p>", "finns-inte"},
	} {
		t.Run(test.name, func(t *testing.T) {
			above := newFolder(t).write("hemlig.png", pngOf(t, 9, 9))
			f := folder{t, filepath.Join(above.path, "help")}
			f.write("sv.md", []byte("# Titel\n\n"+test.source)).write("bild.png", pngOf(t, 3, 2)).write("bilder/liten.png", pngOf(t, 1, 1)).
				write("bild.svg", []byte("<svg/>")).write("falsk.png", []byte("<!doctype html><script>alert(1)</script>"))
			if err := os.Symlink("../hemlig.png", filepath.Join(f.path, "utgang.png")); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			page := f.help(&log).Page("sv")
			got := regexp.MustCompile(`[0-9a-f]{16}/`).ReplaceAllString(strings.TrimSpace(string(page.Lead+page.Body)), "HASH/")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if page.Title != "Titel" {
				t.Errorf("title %q", page.Title)
			}
			said := fmt.Sprint(opened(t).CheckHelp(f.path))
			if (test.problem == "") != (said == "[]") || !strings.Contains(said, test.problem) {
				t.Errorf("check says %s, want a word of %q", said, test.problem)
			}
			if strings.Contains(log.String(), "at fault") != (test.problem != "") {
				t.Errorf("the log says %s", log.String())
			}
		})
	}
}

// A changed file is seen, a faulty one is told once and does not take the good
// text away, a removed one brings ours back.
func TestHelpChanges(t *testing.T) {
	ours := (whole(newFolder(t).help(&bytes.Buffer{}).Page("sv")))
	synctest.Test(t, func(t *testing.T) {
		f := newFolder(t)
		var log bytes.Buffer
		h := f.help(&log)
		stamp := time.Now()
		for _, step := range []struct {
			name string
			do   func()
			want string // the page; "": ours
			log  string // what is logged, once
		}{
			{"nothing there", func() {}, "", ""},
			{"written", func() { f.write("sv.md", []byte("ett")) }, "<p>ett</p>", "taken"},
			{"nothing new", func() {}, "<p>ett</p>", ""},
			{"changed, same length", func() { f.write("sv.md", []byte("två"[:1]+"va")) }, "<p>tva</p>", "taken"},
			{"another language", func() { f.write("en.md", []byte("one")) }, "<p>tva</p>", ""},
			{"not UTF-8", func() { f.write("sv.md", []byte("\xE5\xE4\xF6")) }, "<p>tva</p>", "not UTF-8"},
			{"still not", func() {}, "<p>tva</p>", ""},
			{"too large", func() { f.write("sv.md", make([]byte, maxHelpText+1)) }, "<p>tva</p>", "too large"},
			{"a folder", func() { _ = os.Remove(filepath.Join(f.path, "sv.md")); f.write("sv.md/x", nil) }, "<p>tva</p>", "not a file"},
			{"removed", func() { _ = os.RemoveAll(filepath.Join(f.path, "sv.md")) }, "", ""},
			{"written by an editor on Windows", func() { f.write("sv.md", []byte("\uFEFF# T\r\n\r\nfyra\r\n")) }, "<p>fyra</p>", "taken"},
			{"with a picture that is missing", func() { f.write("sv.md", []byte("![a](a.png)")) }, "<p>a</p>", "a.png"},
			{"with its picture", func() { f.write("a.png", pngOf(t, 1, 1)) }, "<p><img", "taken"},
			{"the folder is gone", func() { _ = os.RemoveAll(f.path) }, "<p><img", f.path},
		} {
			log.Reset()
			step.do()
			if step.log != "" { // a file system may not tell two writes of a moment apart
				stamp = stamp.Add(time.Hour)
				_ = os.Chtimes(filepath.Join(f.path, "sv.md"), stamp, stamp)
			}
			time.Sleep(helpLookEvery) // of the test's own clock
			got := strings.TrimSpace((whole(h.Page("sv"))))
			h.Page("sv")
			want := step.want
			if want == "" {
				want = strings.TrimSpace(ours)
			}
			if !strings.HasPrefix(got, want) {
				t.Fatalf("%s: the page is %.80s, want %.80s", step.name, got, want)
			}
			if lines := strings.Count(log.String(), "\n"); step.log == "" && lines > 0 || step.log != "" && (lines != 1 || !strings.Contains(log.String(), step.log)) {
				t.Errorf("%s: the log says %q, want one line with %q", step.name, log.String(), step.log)
			}
		}
		if got := whole(h.Page("en")); strings.TrimSpace(got) == "<p>one</p>" {
			t.Error("a text that was never asked for is there after its folder has gone")
		}
	})
}

// A language without a text of its own shows the English one, ours or theirs,
// and says so.
func TestHelpOfAnotherLanguage(t *testing.T) {
	f := newFolder(t)
	if page := f.help(&bytes.Buffer{}).Page("xx"); page.Lang != "en" || !strings.Contains(whole(page), "No text message?") {
		t.Errorf("%s: %.80s", page.Lang, whole(page))
	}
	f.write("en.md", []byte("Their own"))
	if page := f.help(&bytes.Buffer{}).Page("xx"); page.Lang != "en" || !strings.Contains(whole(page), "Their own") {
		t.Errorf("%s: %.80s", page.Lang, whole(page))
	}
	f.write("nb.md", []byte("Norsk"))
	if page := f.help(&bytes.Buffer{}).Page("nb"); page.Lang != "nb" || !strings.Contains(whole(page), "Norsk") {
		t.Errorf("%s: %.80s", page.Lang, whole(page))
	}
}

// The disk is asked every two seconds at most, however many read the page.
func TestHelpLooksSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFolder(t).write("sv.md", []byte("ett"))
		h := f.help(&bytes.Buffer{})
		h.Page("sv")
		f.write("sv.md", []byte("andra"))
		time.Sleep(helpLookEvery - 1)
		if got := whole(h.Page("sv")); !strings.Contains(got, "ett") {
			t.Errorf("looked too early: %s", got)
		}
		time.Sleep(time.Nanosecond)
		if got := whole(h.Page("sv")); !strings.Contains(got, "andra") {
			t.Errorf("not looked in time: %s", got)
		}
	})
}

func TestHelpImages(t *testing.T) {
	f := newFolder(t).write("sv.md", []byte("![a](a.png)")).write("a.png", pngOf(t, 2, 2)).write("hemlig.png", pngOf(t, 3, 3))
	h := f.help(&bytes.Buffer{})
	address := regexp.MustCompile(`/help/images/[^"]+`).FindString((whole(h.Page("sv"))))
	for name, test := range map[string]struct {
		path   string
		status int
	}{
		"shown":             {address, 200},
		"another hash":      {"/help/images/0000000000000000/a.png", 404},
		"not in the text":   {strings.Replace(address, "a.png", "hemlig.png", 1), 404},
		"the text":          {strings.Replace(address, "a.png", "sv.md", 1), 404},
		"above":             {strings.Replace(address, "a.png", "../../../etc/passwd", 1), 404},
		"nothing":           {"/help/images/", 404},
		"a picture of ours": {regexp.MustCompile(`/help/images/[^"]+`).FindString((whole(h.Page("en")))), 200},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.URL.Path = test.path
			w := httptest.NewRecorder()
			h.Images().ServeHTTP(w, r)
			if w.Code != test.status || w.Code == 200 && w.Header().Get("Content-Type") != "image/png" {
				t.Errorf("%d %s", w.Code, w.Header())
			}
		})
	}
}

func TestCheckHelp(t *testing.T) {
	f := newFolder(t).write("sv.md", []byte("{portl}")).write("en.md", []byte("\xff")).write("xx.md", []byte("x")).write("LÄSMIG.txt", nil)
	said := fmt.Sprint(opened(t).CheckHelp(f.path))
	for _, want := range []string{filepath.Join(f.path, "sv.md") + ": {portl}", filepath.Join(f.path, "en.md") + ": not UTF-8", `xx.md: the portal does not speak "xx"`} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in %s", want, said)
		}
	}
	if faults := opened(t).CheckHelp(filepath.Join(f.path, "nowhere")); len(faults) != 1 {
		t.Errorf("a folder that is not there: %v", faults)
	}
}
