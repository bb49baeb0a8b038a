//go:build pictures

package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stagedoor/testbed"
)

var gallery = flag.String("shots", "", "write a picture of every view into this `folder`")

type window struct {
	width, height int
	scale         float64 // of the file
	thumb         int     // px, in the gallery
}

var (
	shotLanguages = []string{"sv", "en"}
	shotThemes    = []string{"light", "dark"}
	shotWindows   = []window{
		{360, 800, 1, 110},
		{1280, 800, 0.75, 300},
		{2560, 1440, 0.375, 300},
	}
)

// fixed makes a page look the same tomorrow: clock times, numbers that are made
// anew each time, the caret, what turns and what counts.
const fixed = `(() => {
  for (let timer = setTimeout(() => 0); timer > 0; timer--) clearTimeout(timer);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("* { caret-color: transparent !important }");
  document.adoptedStyleSheets = [sheet];
  for (const a of document.getAnimations()) { a.pause(); a.currentTime = 300; }
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.data
      .replace(/\b\d\d:\d\d:\d\d\b/g, "14:02:11")
      .replace(/(?<![\d:])\d\d:\d\d(?![\d:])/g, "14:02")
      .replace(/(?<!\d)\d:\d\d\b/g, "1:35")
      .replace(/\b(?=[A-Z]*\d)[0-9A-HJKMNP-TV-Z]{8}\b/g, "7KQ2M4XH")
      .replace(/\d+([.,]\d+)? ms\b/g, "12 ms")
      .replace(/http:\/\/localhost:\d+/g, "https://portal.amido.example");
    if (text !== walk.currentNode.data) walk.currentNode.data = text;
  }
  for (const code of document.querySelectorAll(".codes li")) code.textContent = "7KQ2M-4XH9D";
  for (const code of document.querySelectorAll(".code-out strong")) code.textContent = "7KQ2M-4XH9D";
  for (const secret of document.querySelectorAll(".secret:not(section)")) secret.textContent = "ABCD EFGH IJKL MNOP QRST UVWX YZ23 4567";
  return true;
})()`

// TestShots makes the gallery, docs/shots: `make shots`.
func TestShots(t *testing.T) {
	if *gallery == "" {
		t.Fatal("-shots names no folder; make shots does")
	}
	testbed.Need(t, "pngquant")
	s := newStage(t)
	raw := t.TempDir()
	titles := map[string]string{}
	// Phones by themselves: a page that has been on one has no mouse any more.
	for _, windows := range [][]window{shotWindows[1:], shotWindows[:1]} {
		for _, language := range shotLanguages {
			for _, v := range s.views {
				p := s.show(v, language)
				titles[v.name] = testbed.Eval[string](p, "document.title")
				s.shoot(p, v, language, windows, raw)
			}
		}
	}
	kilobytes := s.pack(raw)
	if *only == "" {
		ok(t, os.WriteFile(filepath.Join(*gallery, "README.md"), s.galleryPage(titles), 0o644))
	}
	t.Logf("%d views in %s: %d KB", len(s.views), *gallery, kilobytes)
	if kilobytes > 12000 {
		t.Errorf("the pictures take %d KB: too much to fetch for everybody who clones", kilobytes)
	}
}

func (s *stage) shoot(p *testbed.Page, v view, language string, windows []window, folder string) {
	for _, window := range windows {
		size(p, window.width, window.height)
		s.fill(p, v, window)
		for _, theme := range shotThemes {
			p.Prefer("prefers-color-scheme", theme)
			file := filepath.Join(folder, shotName(v, theme, window.width, language))
			ok(s.t, os.WriteFile(file, s.still(p, v, window.scale), 0o644))
		}
	}
}

func size(p *testbed.Page, width, height int) {
	if width < 600 {
		p.Size(width, height)
	} else {
		p.Zoom(width, height, 1)
	}
}

// fill waits until the remote desktops have got the size of their frames. xrdp
// drops a size that comes while it is at another: the window is moved again, as
// a person would.
func (s *stage) fill(p *testbed.Page, v view, window window) {
	fits := `new Promise((tell) => {
  const end = Date.now() + 5000;
  const look = () => (` + accessScript + `.fits() ? tell(true) : Date.now() > end ? tell(false) : setTimeout(look, 100));
  look();
})`
	for range 4 {
		if !v.desktop || testbed.Eval[bool](p, fits) {
			return
		}
		size(p, window.width-16, window.height-16)
		testbed.Eval[bool](p, fits)
		size(p, window.width, window.height)
	}
	s.t.Fatalf("%s at %d px: the desktop does not fill its frame", v.name, window.width)
}

func shotName(v view, theme string, width int, language string) string {
	return fmt.Sprintf("%s-%s-%d-%s.png", v.name, theme, width, language)
}

// still takes a picture once nothing moves any more: a remote desktop paints its
// new size piece by piece.
func (s *stage) still(p *testbed.Page, v view, scale float64) []byte {
	p.Settle()
	testbed.Eval[bool](p, fixed)
	picture := p.Window(scale)
	for v.desktop && s.t.Context().Err() == nil {
		again := p.Window(scale)
		if bytes.Equal(again, picture) {
			break
		}
		picture = again
	}
	return picture
}

// pack makes the pictures small and puts them into the gallery, in place of what
// is there of the same views; it returns the size of all in KB.
func (s *stage) pack(raw string) (kilobytes int64) {
	s.t.Helper()
	fresh := must[[]string](s.t)(filepath.Glob(filepath.Join(raw, "*.png")))
	_, err := testbed.Run(s.t.Context(), testbed.Command{Path: "pngquant",
		Args: append([]string{"--nofs", "--strip", "--speed", "1", "--force", "--ext", ".png", "16", "--"}, fresh...)})
	ok(s.t, err)
	if *only == "" { // a view that is gone takes its pictures along
		for _, old := range must[[]string](s.t)(filepath.Glob(filepath.Join(*gallery, "*.png"))) {
			ok(s.t, os.Remove(old))
		}
	}
	ok(s.t, os.MkdirAll(*gallery, 0o755))
	for _, file := range fresh {
		data := must[[]byte](s.t)(os.ReadFile(file))
		ok(s.t, os.WriteFile(filepath.Join(*gallery, filepath.Base(file)), data, 0o644))
	}
	var bytes int64
	for _, file := range must[[]string](s.t)(filepath.Glob(filepath.Join(*gallery, "*.png"))) {
		bytes += must[os.FileInfo](s.t)(os.Stat(file)).Size()
	}
	return bytes / 1000
}

// galleryPage is docs/shots/README.md.
func (s *stage) galleryPage(titles map[string]string) []byte {
	var b bytes.Buffer
	b.WriteString("# Every page\n\nIn both themes, three widths and two languages; the wide ones at 960 px. Made by `make shots` " +
		"from a real portal: do not edit.\n")
	for _, v := range s.views {
		title := html.EscapeString(strings.TrimSuffix(titles[v.name], " – Amido Alliera Backstage"))
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n<table>\n<tr><th></th>", v.name, title)
		for _, window := range shotWindows {
			fmt.Fprintf(&b, "<th>%d px</th>", window.width)
		}
		b.WriteString("</tr>\n")
		for _, language := range shotLanguages {
			for _, theme := range shotThemes {
				fmt.Fprintf(&b, "<tr><th>%s, %s</th>", language, theme)
				for _, window := range shotWindows {
					name := shotName(v, theme, window.width, language)
					fmt.Fprintf(&b, `<td><a href="%s"><img src="%[1]s" width="%d" alt="%s, %s theme, %d px wide, %s"></a></td>`,
						name, window.thumb, v.name, theme, window.width, language)
				}
				b.WriteString("</tr>\n")
			}
		}
		b.WriteString("</table>\n")
	}
	return b.Bytes()
}
