package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"stagedoor/webroot"
)

// brand is what webroot makes of portal, with the logos read, and everything
// that is wrong with it; fields of the faults are keys below portal.
func (c Config) brand() (webroot.Brand, []*webroot.BrandFault) {
	var faults []*webroot.BrandFault
	read := func(field, path string) []byte {
		if path == "" {
			return nil
		}
		data, err := readLogo(path)
		if err != nil {
			faults = append(faults, &webroot.BrandFault{Field: field, Text: err.Error()})
			return nil
		}
		return data
	}
	b := webroot.Brand{
		Logo: read("logo", c.Portal.Logo), LogoDark: read("logo_dark", c.Portal.LogoDark), LogoHasName: c.Portal.LogoHasName,
		AccentLight: c.Portal.Accent.Light, AccentDark: c.Portal.Accent.Dark,
	}
	for _, text := range c.Portal.Texts {
		b.Texts = append(b.Texts, webroot.BrandText{Key: text.Key, Language: text.Language, Text: text.Text})
	}
	if len(faults) > 0 { // without its logo a brand has faults that are none
		unread := b
		unread.LogoDark, unread.LogoHasName = nil, false
		return b, append(faults, unread.Faults()...)
	}
	return b, b.Faults()
}

// readLogo reads at most one byte more than a logo may have; webroot says what
// is wrong with the contents.
func readLogo(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: no such file", path)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, webroot.MaxLogoBytes+1))
}
