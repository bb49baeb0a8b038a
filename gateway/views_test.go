package gateway_test

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// picture is a JPEG of a size; noise makes it large.
func picture(t *testing.T, width, height int, noise bool) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = 0x2e
		if noise {
			img.Pix[i] = byte(rand.IntN(256))
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sendView posts a picture as the desktop's page does.
func (b *browser) sendView(target, mediaType string, body []byte) int {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.server.URL+"/desktop/"+target+"/view", bytes.NewReader(body))
	b.must(err)
	r.Header.Set("Origin", b.server.URL)
	r.Header.Set("Content-Type", mediaType)
	response, err := b.client.Do(r)
	b.must(err)
	response.Body.Close()
	return response.StatusCode
}

// sight is what the browser gets of a picture.
func (b *browser) sight(target string) (status int, header http.Header, body []byte) {
	b.t.Helper()
	response, err := b.client.Get(b.server.URL + "/desktop/" + target + "/view")
	b.must(err)
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	b.must(err)
	return response.StatusCode, response.Header, body
}

func TestView(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia := b.ready()
	good := picture(t, 320, 200, false)
	if status := cecilia.sendView("sso", "image/jpeg", good); status != http.StatusNotFound {
		t.Errorf("a view without a desktop: %d", status)
	}
	ws := cecilia.opens("/desktop/sso")
	if status, _, _ := cecilia.sight("sso"); status != http.StatusNotFound {
		t.Errorf("before there is one: %d", status)
	}
	if status := cecilia.sendView("sso", "image/jpeg", good); status != http.StatusNoContent {
		t.Fatalf("refused: %d", status)
	}
	status, header, body := cecilia.sight("sso")
	if status != 200 || !bytes.Equal(body, good) || header.Get("Content-Type") != "image/jpeg" ||
		header.Get("Cache-Control") != "no-store" || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("got %d, %d bytes, %v", status, len(body), header)
	}
	if inside := section(cecilia.get("/").body, "running"); !strings.Contains(inside, `src="/desktop/sso/view?at=`) {
		t.Errorf("the list shows no picture: %s", inside)
	}
	if status := cecilia.sendView("sso", "image/jpeg", good); status != http.StatusTooManyRequests {
		t.Errorf("one more in the same second: %d", status)
	}
	leave(t, ws)
	b.clock.advance(2 * time.Second)
	if status := cecilia.sendView("sso", "image/jpeg", picture(t, 10, 10, false)); status != http.StatusNoContent {
		t.Errorf("the last one, sent as the page goes: %d", status)
	}
	b.clock.advance(2 * time.Minute)
	other := b.ready() // of the same person
	if status, _, _ := other.sight("sso"); status != http.StatusNotFound {
		t.Errorf("another session got it: %d", status)
	}
	if status, _, _ := b.browser().sight("sso"); status != http.StatusUnauthorized {
		t.Errorf("nobody in particular got it: %d", status)
	}
	back := cecilia.runs("sso held")
	_, name, _ := strings.Cut(back[0], "desktop=")
	cecilia.post("/desktop/sso/end", "desktop", name)
	if status, _, _ := cecilia.sight("sso"); status != http.StatusNotFound {
		t.Errorf("after its person ended the desktop: %d", status)
	}
}

func TestViewIsRefused(t *testing.T) {
	b, _ := withDesktops(t)
	cecilia := b.ready()
	cecilia.opens("/desktop/sso")
	var moving bytes.Buffer
	b.must(gif.Encode(&moving, image.NewPaletted(image.Rect(0, 0, 9, 9), color.Palette{color.Black}), nil))
	for name, test := range map[string]struct {
		target, mediaType string
		body              []byte
		want              int
	}{
		"too many bytes":       {"sso", "image/jpeg", picture(t, 320, 200, true), http.StatusRequestEntityTooLarge},
		"too wide":             {"sso", "image/jpeg", picture(t, 321, 10, false), http.StatusBadRequest},
		"too high":             {"sso", "image/jpeg", picture(t, 10, 201, false), http.StatusBadRequest},
		"a page":               {"sso", "text/html", []byte("<script>"), http.StatusUnsupportedMediaType},
		"a page as a picture":  {"sso", "image/jpeg", []byte("<script>alert(1)</script>"), http.StatusBadRequest},
		"a drawing":            {"sso", "image/svg+xml", []byte("<svg/>"), http.StatusUnsupportedMediaType},
		"another kind":         {"sso", "image/jpeg", moving.Bytes(), http.StatusBadRequest},
		"half a header":        {"sso", "image/jpeg", picture(t, 10, 10, false)[:20], http.StatusBadRequest},
		"nothing":              {"sso", "image/jpeg", nil, http.StatusBadRequest},
		"another target":       {"multiaccess01", "image/jpeg", picture(t, 10, 10, false), http.StatusNotFound},
		"a link":               {"handbook", "image/jpeg", picture(t, 10, 10, false), http.StatusNotFound},
		"no target that there": {"no-such", "image/jpeg", picture(t, 10, 10, false), http.StatusNotFound},
	} {
		if status := cecilia.sendView(test.target, test.mediaType, test.body); status != test.want {
			t.Errorf("%s: %d, want %d", name, status, test.want)
		}
	}
	if status, _, _ := cecilia.sight("sso"); status != http.StatusNotFound {
		t.Errorf("something of it was kept: %d", status)
	}
	b.clock.advance(14 * time.Minute)
	cecilia.sendView("sso", "image/jpeg", picture(t, 10, 10, false))
	b.clock.advance(time.Minute)
	if a := cecilia.get("/session"); a.status != http.StatusUnauthorized {
		t.Errorf("a view counted as human input: %s", a.body)
	}
}

// The picture goes with the session however that ends, also when no desktop is
// open any more, and never touches the disk.
func TestViewGoesWithSession(t *testing.T) {
	for name, end := range map[string]func(b *bench, who *browser){
		"logout": func(b *bench, who *browser) { who.post("/logout") },
		"idle":   func(b *bench, _ *browser) { b.clock.advance(15 * time.Minute) },
		"ended by another node": func(b *bench, _ *browser) {
			events, err := b.store.Events(b.t.Context(), eventsOf("desktop-open"))
			b.must(err)
			_, err = b.store.EndSession(b.t.Context(), events[0].SessionID, "revoked")
			b.must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := withDesktops(t)
			cecilia := b.ready()
			ws := cecilia.opens("/desktop/sso")
			small := picture(t, 64, 40, true)
			if status := cecilia.sendView("sso", "image/jpeg", small); status != http.StatusNoContent {
				t.Fatalf("refused: %d", status)
			}
			b.must(ws.WriteMessage(1, []byte("10.disconnect;")))
			closeReason(t, ws)
			cecilia.runs()
			if inside := section(cecilia.get("/").body, "recent"); !strings.Contains(inside, "/desktop/sso/view?at=") || !strings.Contains(inside, "kan fortfarande vara öppna") {
				t.Errorf("the list does not show what was open: %s", inside)
			}
			if got := b.portal.ViewBytes(); got != len(small) {
				t.Errorf("%d bytes are held, want %d", got, len(small))
			}
			end(b, cecilia)
			for deadline := time.Now().Add(10 * time.Second); b.portal.ViewBytes() != 0; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the picture is still held")
				}
			}
			files, err := filepath.Glob(filepath.Join(filepath.Dir(b.targets), "*"))
			b.must(err)
			for _, file := range files {
				data, err := os.ReadFile(file)
				b.must(err)
				if bytes.Contains(data, small[len(small)/2:len(small)/2+64]) {
					t.Errorf("%s holds the picture", filepath.Base(file))
				}
			}
		})
	}
}
