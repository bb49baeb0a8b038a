package webroot

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

const staticPrefix = "/static/"

// assetType knows the only kinds that are served: what is not here cannot leak.
func assetType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".webp":
		return "image/webp"
	}
	return ""
}

type asset struct {
	mediaType string
	hash      string
	plain     []byte
	gzipped   []byte
	brotli    []byte // nil where the build left none
	policy    string // Content-Security-Policy; "": the portal's
}

type assets struct {
	byName map[string]*asset
}

func loadAssets(files fs.FS) (*assets, error) {
	entries, err := fs.ReadDir(files, "dist")
	if err != nil {
		return nil, ErrNotBuilt
	}
	a := &assets{byName: map[string]*asset{}}
	for _, entry := range entries {
		mediaType := assetType(entry.Name())
		if mediaType == "" {
			continue
		}
		if a.byName[entry.Name()], err = loadAsset(files, entry.Name(), mediaType); err != nil {
			return nil, fmt.Errorf("webroot: %w", err)
		}
	}
	if err := a.addFlags(files); err != nil {
		return nil, err
	}
	for _, name := range []string{"app.css", "app.js", "check.js", "desktop.css", "desktop.js", "help.css", "icons.svg", "list.js", "mark.svg", "phone.css", "phone.js", "flags/SE.svg"} {
		if a.byName[name] == nil {
			return nil, fmt.Errorf("%w (dist/%s is missing)", ErrNotBuilt, name)
		}
	}
	return a, nil
}

// addFlags takes the countries' flags, flags/SE.svg: many and small, so that
// they are not packed.
func (a *assets) addFlags(files fs.FS) error {
	names, err := fs.Glob(files, "dist/flags/*.svg")
	if err != nil {
		return fmt.Errorf("webroot: %w", err)
	}
	for _, name := range names {
		plain, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("webroot: %w", err)
		}
		sum := sha256.Sum256(plain)
		a.byName[strings.TrimPrefix(name, "dist/")] = &asset{
			mediaType: assetType(name), hash: hex.EncodeToString(sum[:8]), plain: plain}
	}
	return nil
}

func loadAsset(files fs.FS, name, mediaType string) (*asset, error) {
	plain, err := fs.ReadFile(files, "dist/"+name)
	if err != nil {
		return nil, err
	}
	brotli, err := fs.ReadFile(files, "dist/"+name+".br")
	if err != nil {
		brotli = nil
	}
	return newAsset(plain, mediaType, brotli)
}

// newAsset packs a file. What gets no smaller (a PNG) is served as it is.
func newAsset(plain []byte, mediaType string, brotli []byte) (*asset, error) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(plain)
	made := &asset{mediaType: mediaType, hash: hex.EncodeToString(sum[:8]), plain: plain, brotli: brotli}
	if packed.Len() < len(plain) {
		made.gzipped = packed.Bytes()
	}
	return made, nil
}

func (a *assets) address(name string) string {
	found, ok := a.byName[name]
	if !ok {
		return ""
	}
	return staticPrefix + found.hash + "/" + name
}

func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	hash, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, staticPrefix), "/")
	found, ok := a.byName[name]
	if !ok || found.hash != hash {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	body, encoding := found.encoded(r.Header.Get("Accept-Encoding"))
	h := w.Header()
	if found.policy != "" {
		h.Set("Content-Security-Policy", found.policy)
	}
	h.Set("Content-Type", found.mediaType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the browser left: nobody to tell
	}
}

func (a *asset) encoded(accept string) (body []byte, encoding string) {
	switch {
	case a.brotli != nil && Accepts(accept, "br"):
		return a.brotli, "br"
	case a.gzipped != nil && Accepts(accept, "gzip"):
		return a.gzipped, "gzip"
	}
	return a.plain, ""
}

// Accepts reads an Accept-Encoding header (RFC 9110, 12.5.3) for one coding by
// its name; "*" is not taken for it.
func Accepts(header, coding string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, parameters, err := mime.ParseMediaType(strings.TrimSpace(item))
		if err != nil || name != coding {
			continue
		}
		quality, given := parameters["q"]
		if !given {
			return true
		}
		q, err := strconv.ParseFloat(quality, 64)
		return err == nil && q > 0
	}
	return false
}
