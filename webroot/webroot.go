// Package webroot is what the browser gets: page templates, the built scripts
// and styles, and the texts of each language. It is data and its loading; the
// gateway fills it in. Help texts are Markdown, ours in help/ or administrators' own.
//
//	site, err := webroot.OpenBranded(brand)           // every fault at once, at start
//	err = site.Render(w, "sv", "login", loginPage)    // templates/login.html
//	mux.Handle("GET /static/", site.Static())
//
// Scripts, styles and icons are made by `npm run build` into dist/.
package webroot

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
)

//go:embed templates locales help all:dist
var embedded embed.FS

// ErrNotBuilt says that dist/ lacks the bundles.
var ErrNotBuilt = errors.New("webroot is not built: run make build")

// Site is the parsed whole: safe for use by many goroutines.
type Site struct {
	locales *locales
	assets  *assets
	pages   map[string]map[string]*page // language, page
	help    fs.FS                       // our help texts and their pictures
}

// Open parses all templates in all languages. It fails on a missing bundle, a
// text key or asset that a template names and that does not exist, and on
// languages with different keys.
func Open() (*Site, error) { return open(embedded, Brand{}) }

// OpenBranded is Open in an organisation's look and words. It fails on
// everything that Brand.Faults tells too.
func OpenBranded(brand Brand) (*Site, error) { return open(embedded, brand) }

// OpenTexts is OpenBranded for programs that show no page: its Site has the texts
// (T, Keys, Languages), and renders nothing. It takes a thirtieth of the time.
func OpenTexts(brand Brand) (*Site, error) {
	if faults := brand.Faults(); len(faults) > 0 {
		return nil, fmt.Errorf("webroot: brand: %w", joined(faults))
	}
	locales, err := loadLocales(embedded)
	if err != nil {
		return nil, fmt.Errorf("webroot: locales: %w", err)
	}
	locales.replace(brand.Texts)
	return &Site{locales: locales}, nil
}

func open(files fs.FS, brand Brand) (*Site, error) {
	if faults := brand.Faults(); len(faults) > 0 {
		return nil, fmt.Errorf("webroot: brand: %w", joined(faults))
	}
	assets, err := loadAssets(files)
	if err != nil {
		return nil, err
	}
	look, err := assets.dress(brand)
	if err != nil {
		return nil, fmt.Errorf("webroot: brand: %w", err)
	}
	locales, err := loadLocales(files)
	if err != nil {
		return nil, fmt.Errorf("webroot: locales: %w", err)
	}
	locales.replace(brand.Texts)
	help, err := fs.Sub(files, "help")
	if err != nil {
		return nil, fmt.Errorf("webroot: help: %w", err)
	}
	s := &Site{locales: locales, assets: assets, help: help, pages: map[string]map[string]*page{}}
	var faults []error
	for _, language := range locales.languages {
		pages, err := parsePages(files, language.Code, locales.texts[language.Code], assets, look)
		s.pages[language.Code] = pages
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("webroot: templates: %w", err)
	}
	return s, nil
}

// Asset gives the address of a built file: "/static/<hash>/app.css". An
// unknown name gives "".
func (s *Site) Asset(name string) string { return s.assets.address(name) }

// Static serves /static/<hash>/<name>, to be kept by browsers for ever: a
// changed file has another hash. Anything else is 404.
func (s *Site) Static() http.Handler { return s.assets }
