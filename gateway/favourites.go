package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"stagedoor/store"
)

// favourite marks a target, or takes the mark away. A button of the one form
// that all rows share says which: add=ID or remove=ID.
func (p *Portal) favourite(w http.ResponseWriter, v *visit) error {
	id, change := v.PostFormValue("add"), p.Store.AddFavourite
	if id == "" {
		id, change = v.PostFormValue("remove"), p.Store.RemoveFavourite
	}
	if _, ok := p.targetOf(v.session, id); !ok {
		return &fault{status: http.StatusNotFound, message: "no-target"}
	}
	err := change(v.Context(), v.session.AccountID, id)
	if errors.Is(err, store.ErrNotFound) {
		return &fault{status: http.StatusConflict, message: "favourites-full", err: err}
	}
	if err != nil {
		return fmt.Errorf("favourite: %w", err)
	}
	if v.Header.Get("Accept") == "application/json" { // the page's script, which has shown it already
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return p.redirect(w, v, "/#t-"+url.PathEscape(id)) // back to the row
}
