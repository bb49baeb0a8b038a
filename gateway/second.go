package gateway

import (
	"net/http"

	"stagedoor/targets"
)

// secondWindow is the page of a desktop's second window. It has no script of its
// own: the first window draws into it, and takes its keys and pointer.
func (p *Portal) secondWindow(w http.ResponseWriter, v *visit) error {
	target, ok := p.targetOf(v.session, v.PathValue("target"))
	if !ok || target.Kind != targets.Desktop {
		return p.noSuchTarget(v)
	}
	data := p.page(v, "title.targets")
	data.Title = target.Name
	return p.render(w, v, http.StatusOK, "second", data)
}
