package webroot

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"strings"
	"testing"
)

const plainSVG = `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 8 8">
<style>.a{fill:url(#g)}@media (prefers-color-scheme:dark){.a{fill:#fff}}</style>
<defs><linearGradient id="g"/></defs><path class="a" d="M0 0h8v8z"/><use xlink:href="#g"/></svg>`

// A WebP of one pixel.
const plainWebP = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="

func picture(t *testing.T, width int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLogoType(t *testing.T) {
	webp, err := base64.StdEncoding.DecodeString(plainWebP)
	if err != nil {
		t.Fatal(err)
	}
	svg := func(inside string) string {
		return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">` + inside + `</svg>`
	}
	for name, test := range map[string]struct {
		data, ending, fault string
	}{
		"SVG":                 {plainSVG, ".svg", ""},
		"SVG with a doctype":  {`<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd">` + svg(""), ".svg", ""},
		"SVG with a picture":  {svg(`<image href="data:image/png;base64,iVBORw0KGgo="/>`), ".svg", ""},
		"SVG of Inkscape":     {`<svg xmlns="http://www.w3.org/2000/svg" xmlns:i="http://www.inkscape.org/namespaces/inkscape" i:export-filename="C:\logo.png"><metadata><i:x i:resource="http://purl.org/dc"/></metadata></svg>`, ".svg", ""},
		"PNG":                 {string(picture(t, 8)), ".png", ""},
		"WebP":                {string(webp), ".webp", ""},
		"nothing":             {"", "", "is empty"},
		"too large":           {"<svg" + strings.Repeat(" ", MaxLogoBytes), "", "larger than 64 KiB"},
		"a JPEG":              {"\xff\xd8\xff\xe0", "", "none of SVG, PNG and WebP"},
		"a page":              {`<html><body/></html>`, "", "outermost element is <html>"},
		"SVG without xmlns":   {`<svg/>`, "", "not an <svg> of"},
		"SVG cut short":       {`<svg xmlns="http://www.w3.org/2000/svg"><g>`, "", "cannot be read"},
		"PNG cut short":       {string(picture(t, 8)[:50]), "", "PNG cannot be read"},
		"PNG too wide":        {string(picture(t, 5000)), "", "5000 by 8 pixels"},
		"WebP cut short":      {string(webp[:20]), "", "WebP cannot be read"},
		"script":              {svg(`<script>alert(1)</script>`), "", "<script>"},
		"script in capitals":  {svg(`<SCRIPT/>`), "", "<SCRIPT>"},
		"foreignObject":       {svg(`<foreignObject/>`), "", "<foreignObject>"},
		"HTML":                {svg(`<b xmlns="http://www.w3.org/1999/xhtml"/>`), "", "<b>"},
		"link":                {svg(`<a href="https://evil.example/"/>`), "", "<a>"},
		"event handler":       {svg(`<g onload="x()"/>`), "", "event handler, onload"},
		"handler on the root": {`<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>`, "", "event handler"},
		"outside picture":     {svg(`<image href="https://evil.example/x.png"/>`), "", `refers to "https://evil.example/x.png"`},
		"outside use":         {svg(`<use xlink:href="other.svg#a"/>`), "", `refers to "other.svg#a"`},
		"SVG as data":         {svg(`<image href="data:image/svg+xml;base64,PHN2Zy8+"/>`), "", "refers to"},
		"javascript:":         {svg(`<use href="javascript:x()"/>`), "", "refers to"},
		"outside fill":        {svg(`<g fill="url('//evil.example/a')"/>`), "", "refers to"},
		"outside style":       {svg(`<g style="fill:url(http://evil.example/)"/>`), "", "refers to"},
		"import":              {svg(`<style>@import "a.css";</style>`), "", "@import"},
		"hidden in CSS":       {svg(`<style>g{fill:u\72l(//evil.example/)}</style>`), "", `\`},
		"animated link":       {svg(`<set attributeName="xlink:href" to="x"/>`), "", "animates xlink:href"},
		"entities":            {`<!DOCTYPE svg [<!ENTITY a "b">]>` + svg(""), "", "entities"},
		"style sheet":         {`<?xml-stylesheet href="a.css"?>` + svg(""), "", "<?xml-stylesheet?>"},
		"base":                {svg(`<g xml:base="https://evil.example/"/>`), "", "refers to"},
	} {
		t.Run(name, func(t *testing.T) {
			ending, err := logoType([]byte(test.data))
			switch {
			case test.fault == "" && (err != nil || ending != test.ending):
				t.Errorf("%q, %v; want %s", ending, err, test.ending)
			case test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)):
				t.Errorf("error %v; want one with %q", err, test.fault)
			}
		})
	}
}

func FuzzLogo(f *testing.F) {
	f.Add([]byte(plainSVG))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Add([]byte("RIFF\x08\x00\x00\x00WEBPVP8 "))
	f.Fuzz(func(t *testing.T, data []byte) {
		if ending, err := logoType(data); err == nil && assetType("x"+ending) == "" {
			t.Errorf("taken, but not served: %q", ending)
		}
	})
}
