package gateway

import (
	"net/http"

	"stagedoor/gateway/portal"
	"stagedoor/targets"
)

// secondWindow is the page of a desktop's second window. It has no script of its
// own: the first window draws into it, and takes its keys and pointer.
func (p *Gateway) secondWindow(w http.ResponseWriter, v *portal.Visit) error {
	target, ok := p.targetOf(v.Session, v.PathValue("target"))
	if !ok || target.Kind != targets.Desktop {
		return p.noSuchTarget(v)
	}
	data := p.Page(v, "title.targets")
	data.Title = target.Name
	return p.Render(w, v, http.StatusOK, "second", data)
}
