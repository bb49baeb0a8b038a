package gateway_test

import (
	"bytes"
	"encoding/base64"
	"html"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/pquerna/otp/totp"
)

var shownPicture = regexp.MustCompile(`<img[^>]* src="data:image/png;base64,([^"]+)"`)

// picture is the QR code of a page, as its file has it.
func (b *bench) picture(page answer) image.Image {
	b.t.Helper()
	found := shownPicture.FindStringSubmatch(page.body)
	if found == nil {
		b.t.Fatalf("no picture at %s: %s", page.path, excerpt(page.body))
	}
	file, err := base64.StdEncoding.DecodeString(html.UnescapeString(found[1]))
	b.must(err)
	picture, err := png.Decode(bytes.NewReader(file))
	b.must(err)
	return picture
}

// read is what a phone's camera makes of a picture on a screen: the text of the
// QR code somewhere in it.
func (b *bench) read(picture image.Image) string {
	b.t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	b.must(err)
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		b.t.Fatalf("no QR code is in the picture: %v", err)
	}
	return result.GetText()
}

// onPage is a picture on a page of a colour, with so much white around it as the
// style sheet gives it.
func onPage(picture image.Image, page color.Color, padding int) image.Image {
	size := picture.Bounds().Dx()
	screen := image.NewRGBA(image.Rect(0, 0, 3*size, 2*size))
	draw.Draw(screen, screen.Bounds(), image.NewUniform(page), image.Point{}, draw.Src)
	at := image.Rect(size, size/2, 2*size, size/2+size)
	draw.Draw(screen, at.Inset(-padding), image.White, image.Point{}, draw.Src)
	draw.Draw(screen, at, picture, picture.Bounds().Min, draw.Src)
	return screen
}

// The picture of a new app holds what a phone needs, and no more: whoever only
// photographs it, and types nothing, logs in with its codes.
func TestPhotographedApp(t *testing.T) {
	b := open(t, nil)
	cecilia := b.ready()
	page := cecilia.get("/account/app")
	text := b.read(b.picture(page))
	for name, colour := range map[string]color.Color{"light": color.White, "dark": color.RGBA{0x12, 0x16, 0x1c, 0xff}} {
		if got := b.read(onPage(b.picture(page), colour, 8)); got != text {
			t.Errorf("on a %s page it reads %q", name, got)
		}
	}
	address, err := url.Parse(text)
	b.must(err)
	fields := address.Query()
	if address.Scheme != "otpauth" || address.Host != "totp" || address.Path != `/Amido Alliera Backstage:AMIDO\cecilia` || fields.Get("issuer") != "Amido Alliera Backstage" {
		t.Errorf("the picture says %s", text)
	}
	if typed := b.scan(page).secret; fields.Get("secret") != typed {
		t.Error("the picture has another secret than the page")
	}
	for field, want := range map[string]string{"algorithm": "SHA1", "digits": "6", "period": "30"} {
		if got := fields.Get(field); got != want && got != "" { // empty: the same, by the format's defaults
			t.Errorf("%s is %s: apps that ignore it show wrong codes", field, got)
		}
	}
	code := func() string {
		code, err := totp.GenerateCode(fields.Get("secret"), b.clock.Now())
		b.must(err)
		return code
	}
	cecilia.post("/account/app", "code", code(), "name", "Telefon").shows(t, 200, "/account?saved", "Telefon")
	cecilia.post("/logout")
	b.clock.advance(2 * time.Minute)
	cecilia.login(`AMIDO\cecilia`, goodPassword).shows(t, 200, "/code/app")
	cecilia.post("/code/app", "code", code()).shows(t, 200, "/")
}
