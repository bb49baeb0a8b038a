package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"stagedoor/gateway/portal"
	"stagedoor/targets"
)

// deskChoices is what the desktop page knows of choices (webroot's
// src/desktop/choices.ts): the layouts that there are, and what the person has
// chosen by name.
type deskChoices struct {
	Keyboards []string          `json:"keyboards"`
	Chosen    map[string]string `json:"chosen"`
}

func (p *Gateway) choices(v *portal.Visit) (string, error) {
	chosen, err := p.Store.Preferences(v.Context(), v.Session.AccountID)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(deskChoices{targets.Keyboards(), chosen})
	return string(text), err
}

// setPreference remembers one choice for the person, on all their computers.
// Without a value it is forgotten.
func (p *Gateway) setPreference(w http.ResponseWriter, v *portal.Visit) error {
	if err := v.ParseForm(); err != nil {
		return &portal.Fault{Status: http.StatusBadRequest, Message: "bad-request", Err: err}
	}
	name, value := v.PostForm.Get("name"), v.PostForm.Get("value")
	if !p.mayChoose(v.Session, name, value) {
		return &portal.Fault{Status: http.StatusBadRequest, Message: "bad-request", Err: errors.New("no such choice")}
	}
	if err := p.Store.SetPreference(v.Context(), v.Session.AccountID, name, value); err != nil {
		return fmt.Errorf("preference: %w", err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// zoomForm is a size of the picture in percent.
var zoomForm = regexp.MustCompile(`^(2[5-9]|[3-9][0-9]|[1-3][0-9][0-9]|400)$`)

// mayChoose knows every choice that there is:
//
//	keyboard             a layout that guacd knows, on all targets
//	touch                what a finger is: "screen" (it points) or "pad" (it moves the pointer)
//	view/SCREEN/TARGET   how large a target is shown on a "large" or "small" screen:
//	                     "fit", "pixels" or percent
func (p *Gateway) mayChoose(s *portal.Session, name, value string) bool {
	switch kind, rest, _ := strings.Cut(name, "/"); {
	case name == "keyboard":
		return value == "" || slices.Contains(targets.Keyboards(), value)
	case name == "touch":
		return value == "" || value == "screen" || value == "pad"
	case kind == "view":
		screen, target, _ := strings.Cut(rest, "/")
		_, there := p.targetOf(s, target)
		return there && (screen == "large" || screen == "small") &&
			(value == "" || value == "fit" || value == "pixels" || zoomForm.MatchString(value))
	}
	return false
}
