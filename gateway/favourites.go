package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"stagedoor/gateway/portal"
	"stagedoor/store"
)

// favourite marks a target, or takes the mark away. A button of the one form
// that all rows share says which: add=ID or remove=ID.
func (p *Gateway) favourite(w http.ResponseWriter, v *portal.Visit) error {
	id, change := v.PostFormValue("add"), p.Store.AddFavourite
	if id == "" {
		id, change = v.PostFormValue("remove"), p.Store.RemoveFavourite
	}
	if _, ok := p.targetOf(v.Session, id); !ok {
		return &portal.Fault{Status: http.StatusNotFound, Message: "no-target"}
	}
	err := change(v.Context(), v.Session.AccountID, id)
	if errors.Is(err, store.ErrNotFound) {
		return &portal.Fault{Status: http.StatusConflict, Message: "favourites-full", Err: err}
	}
	if err != nil {
		return fmt.Errorf("favourite: %w", err)
	}
	if v.Header.Get("Accept") == "application/json" { // the page's script, which has shown it already
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return p.Redirect(w, v, "/#t-"+url.PathEscape(id)) // back to the row
}
