package gateway

import (
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path/filepath"

	"stagedoor/gateway/portal"
	"stagedoor/store"
	"stagedoor/targets"
)

// document hands out a file of the target list.
func (p *Gateway) document(w http.ResponseWriter, v *portal.Visit) error {
	target, ok := p.targetOf(v.Session, v.PathValue("target"))
	if !ok || target.Kind != targets.Document {
		return portal.ErrNotFound
	}
	file, err := os.Open(target.File)
	if errors.Is(err, fs.ErrNotExist) {
		return &portal.Fault{Status: http.StatusNotFound, Message: "not-found", Err: err}
	}
	if err != nil {
		return fmt.Errorf("document: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("document: %w", err)
	}
	if !info.Mode().IsRegular() {
		return &portal.Fault{Status: http.StatusNotFound, Message: "not-found", Err: errors.New("not a regular file: " + target.File)}
	}
	if err := p.Audit(v, store.Event{Kind: "document", Result: "ok", Target: target.ID}); err != nil {
		return err
	}
	// PDF is shown, all else saved: a document must never run as a page of ours.
	name, disposition := filepath.Base(target.File), "attachment"
	if filepath.Ext(name) == ".pdf" {
		disposition = "inline"
	}
	h := w.Header()
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": name}))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	http.ServeContent(w, v.Request, name, info.ModTime(), file)
	return nil
}
