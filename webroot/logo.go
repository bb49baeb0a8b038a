package webroot

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"regexp"
	"strings"
)

// MaxLogoBytes bounds a logo: it is loaded with every first visit.
const MaxLogoBytes = 64 << 10

const maxLogoSide = 4096 // pixels of a PNG

// logoPolicy is a logo's own: opened by itself, an SVG is a document, which
// then may draw and nothing else.
const logoPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

// logoType checks a logo and tells its kind as the ending of its name: .svg,
// .png or .webp. The contents decide, not the file's name.
func logoType(data []byte) (ending string, err error) {
	switch {
	case len(data) == 0:
		return "", errors.New("the file is empty")
	case len(data) > MaxLogoBytes:
		return "", fmt.Errorf("the file is larger than %d KiB", MaxLogoBytes>>10)
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return ".png", checkPNG(data)
	case bytes.HasPrefix(data, []byte("RIFF")) && len(data) >= 16 && string(data[8:12]) == "WEBP":
		return ".webp", checkWebP(data)
	case bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n"), []byte("<")):
		return ".svg", checkSVG(data)
	}
	return "", errors.New("it is none of SVG, PNG and WebP")
}

func checkPNG(data []byte) error {
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("the PNG cannot be read: %w", err)
	}
	if config.Width > maxLogoSide || config.Height > maxLogoSide {
		return fmt.Errorf("the PNG is %d by %d pixels; %d a side are the most", config.Width, config.Height, maxLogoSide)
	}
	if _, err := png.Decode(bytes.NewReader(data)); err != nil {
		return fmt.Errorf("the PNG cannot be read: %w", err)
	}
	return nil
}

// checkWebP looks at the container (RFC 9649): its length and its first chunk.
func checkWebP(data []byte) error {
	length := int64(binary.LittleEndian.Uint32(data[4:8])) + 8
	kind := string(data[12:16])
	if length != int64(len(data)) || kind != "VP8 " && kind != "VP8L" && kind != "VP8X" {
		return errors.New("the WebP cannot be read: it is cut short or damaged")
	}
	return nil
}

// acts tells elements that run, embed or lead elsewhere.
func acts(element string) bool {
	switch strings.ToLower(element) {
	case "script", "foreignobject", "iframe", "object", "embed", "audio", "video", "canvas", "a", "link", "handler", "listener":
		return true
	}
	return false
}

const svgNamespace = "http://www.w3.org/2000/svg"

// checkSVG lets drawings through and refuses, in words, what runs scripts or
// loads anything. Browsers do neither in a picture, and logoPolicy forbids it in
// a document: this is so that a logo which relies on it is noticed at start.
func checkSVG(data []byte) error {
	decoder := xml.NewDecoder(bytes.NewReader(data))
	inStyle, seenRoot := false, false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			if !seenRoot {
				return errors.New("the SVG is empty")
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("the SVG cannot be read: %w", err)
		}
		switch t := token.(type) {
		case xml.Directive:
			if !plainDoctype.Match(t) {
				return errors.New("the SVG declares entities (<!DOCTYPE ... [), which a logo may not")
			}
		case xml.ProcInst:
			if t.Target != "xml" {
				return fmt.Errorf("the SVG has an instruction <?%s?>, which a logo may not", t.Target)
			}
		case xml.StartElement:
			if !seenRoot && (t.Name.Local != "svg" || t.Name.Space != svgNamespace) {
				return fmt.Errorf("its outermost element is <%s>, not an <svg> of %s", t.Name.Local, svgNamespace)
			}
			seenRoot = true
			if err := checkElement(t); err != nil {
				return err
			}
			inStyle = t.Name.Local == "style"
		case xml.EndElement:
			inStyle = false
		case xml.CharData:
			if inStyle {
				if err := checkStyle(string(t)); err != nil {
					return err
				}
			}
		}
	}
}

func checkElement(t xml.StartElement) error {
	if acts(t.Name.Local) || t.Name.Space == "http://www.w3.org/1999/xhtml" {
		return fmt.Errorf("the SVG has an element <%s>, which a logo may not", t.Name.Local)
	}
	for _, attribute := range t.Attr {
		key, value := strings.ToLower(attribute.Name.Local), strings.TrimSpace(attribute.Value)
		switch {
		case strings.HasPrefix(key, "on"):
			return fmt.Errorf("the SVG has an event handler, %s, which a logo may not", attribute.Name.Local)
		case key == "href" || key == "src" || key == "base" && attribute.Name.Space != "":
			if !ownPart.MatchString(value) {
				return fmt.Errorf("the SVG refers to %q: a logo may refer to its own parts (#name) only", clipped(value))
			}
		case key == "attributename" && (strings.Contains(strings.ToLower(value), "href") || strings.HasPrefix(strings.ToLower(value), "on")):
			return fmt.Errorf("the SVG animates %s, which a logo may not", value)
		case attribute.Name.Space == "" && key != "xmlns": // a drawing program's own say nothing to a browser
			if err := checkStyle(value); err != nil {
				return err
			}
		}
	}
	return nil
}

var (
	plainDoctype = regexp.MustCompile(`(?i)^DOCTYPE[^\[]*$`)
	// ownPart is a part of the same file, or a picture that stands in it.
	ownPart  = regexp.MustCompile(`^(?:#.*|data:image/(?:png|jpeg|webp);base64,[A-Za-z0-9+/=\s]*)?$`)
	styleURL = regexp.MustCompile(`(?i)url\(\s*["']?\s*([^)]*)`)
	fetching = regexp.MustCompile(`(?i)@import|image-set|javascript:|\\`) // a backslash could hide any of these
)

// checkStyle looks for what CSS or an attribute such as fill would load.
func checkStyle(text string) error {
	if found := fetching.FindString(text); found != "" {
		return fmt.Errorf("the SVG has %q in a style, which a logo may not", found)
	}
	for _, m := range styleURL.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[1], "#") {
			return fmt.Errorf("the SVG refers to %q: a logo may refer to its own parts (#name) only", clipped(m[1]))
		}
	}
	return nil
}

func clipped(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:60]) + "..."
	}
	return text
}
