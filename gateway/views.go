package gateway

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/targets"
)

// views are the last pictures of the desktops that people have had in their
// session, small ones, for their list. They are in this node's memory only and
// go with the session: what stands on somebody's screen is never on a disk.
type views struct {
	mu    sync.Mutex
	of    map[viewKey]view
	bytes int
}

type viewKey struct{ sessionID, target string }

// view is a picture; nil where none has come yet.
type view struct {
	picture []byte // JPEG
	at      time.Time
}

const (
	viewBytes      = 24 << 10 // of one picture
	viewWidth      = 320
	viewHeight     = 200
	viewEvery      = time.Second // of one desktop; pages send every 30 s, and once more when they are left
	viewsInSession = 16
	viewsInAll     = 32 << 20 // bytes
)

var (
	errNoView   = &portal.Fault{Status: http.StatusNotFound, Message: "not-found"}
	errViewSoon = &portal.Fault{Status: http.StatusTooManyRequests, Message: "bad-request", Err: errors.New("a view of this desktop came just now")}
)

func newViews() *views { return &views{of: map[viewKey]view{}} }

// expect lets a session send views of a target from now on: it has a desktop
// there. The target that it has looked at least lately gives way.
func (s *views) expect(sessionID, target string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := viewKey{sessionID, target}
	if _, there := s.of[key]; there {
		return
	}
	var own []viewKey
	for other := range s.of {
		if other.sessionID == sessionID {
			own = append(own, other)
		}
	}
	if len(own) >= viewsInSession {
		s.drop(s.oldest(own))
	}
	s.of[key] = view{at: now.Add(-viewEvery)}
}

// put keeps a picture, if the session has had that desktop.
func (s *views) put(key viewKey, picture []byte, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, there := s.of[key]
	switch {
	case !there:
		return errNoView
	case now.Sub(before.at) < viewEvery && before.picture != nil:
		return errViewSoon
	}
	s.bytes += len(picture) - len(before.picture)
	s.of[key] = view{picture, now}
	if s.bytes <= viewsInAll {
		return nil
	}
	var pictures []viewKey
	for other, v := range s.of {
		if v.picture != nil && other != key {
			pictures = append(pictures, other)
		}
	}
	slices.SortFunc(pictures, func(a, b viewKey) int { return s.of[a].at.Compare(s.of[b].at) })
	for _, other := range pictures[:(len(pictures)+9)/10] { // a tenth, so that the search for them is rare
		s.bytes -= len(s.of[other].picture)
		s.of[other] = view{at: s.of[other].at}
	}
	return nil
}

// get is the picture of a session's desktop, nil where there is none.
func (s *views) get(sessionID, target string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[viewKey{sessionID, target}].picture
}

// stamp tells when the picture was taken, 0 where there is none: a new one has
// a new address.
func (s *views) stamp(sessionID, target string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.of[viewKey{sessionID, target}]; v.picture != nil {
		return v.at.UnixMilli()
	}
	return 0
}

// forget drops a session's picture of one target; the session may send another.
func (s *views) forget(sessionID, target string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := viewKey{sessionID, target}
	if v, there := s.of[key]; there {
		s.bytes -= len(v.picture)
		s.of[key] = view{at: v.at}
	}
}

// end drops all of a session.
func (s *views) end(sessionID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.of {
		if key.sessionID == sessionID {
			s.drop(key)
		}
	}
}

// sessions are those that have a view, or may send one.
func (s *views) sessions() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.of {
		ids = append(ids, key.sessionID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (s *views) drop(key viewKey) {
	s.bytes -= len(s.of[key].picture)
	delete(s.of, key)
}

func (s *views) oldest(keys []viewKey) viewKey {
	return slices.MinFunc(keys, func(a, b viewKey) int {
		return cmp.Or(s.of[a].at.Compare(s.of[b].at), cmp.Compare(a.target, b.target))
	})
}

// takeView keeps what the desktop page sends: the desktop as it looks now.
func (p *Gateway) takeView(w http.ResponseWriter, v *portal.Visit) error {
	target, ok := p.targetOf(v.Session, v.PathValue("target"))
	if !ok || target.Kind != targets.Desktop {
		return errNoView
	}
	if v.Header.Get("Content-Type") != "image/jpeg" {
		return &portal.Fault{Status: http.StatusUnsupportedMediaType, Message: "bad-request"}
	}
	picture, err := io.ReadAll(v.Body) // at most viewBytes, see step
	if err != nil {
		return fmt.Errorf("take view: %w", err)
	}
	if err := checkView(picture); err != nil {
		return &portal.Fault{Status: http.StatusBadRequest, Message: "bad-request", Err: err}
	}
	if err := p.desktops.views.put(viewKey{v.Session.ID, target.ID}, picture, p.Now()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// checkView reads a picture's header; the picture itself is only ever decoded
// by the browser that sent it.
func checkView(picture []byte) error {
	config, err := jpeg.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		return fmt.Errorf("view: %w", err)
	}
	if config.Width > viewWidth || config.Height > viewHeight || config.Width < 1 || config.Height < 1 {
		return fmt.Errorf("view: %d x %d pixels", config.Width, config.Height)
	}
	return nil
}

// view hands a session its own last picture of a desktop.
func (p *Gateway) view(w http.ResponseWriter, v *portal.Visit) error {
	target, ok := p.targetOf(v.Session, v.PathValue("target"))
	if !ok {
		return errNoView
	}
	picture := p.desktops.views.get(v.Session.ID, target.ID)
	if picture == nil {
		return errNoView
	}
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(picture)))
	_, err := w.Write(picture)
	return portal.IgnoreGone(err)
}
