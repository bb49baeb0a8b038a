package targets

import (
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	settle   = 100 * time.Millisecond // an editor's save is several events
	fallback = 30 * time.Second       // network file systems send no events
	alone    = 2 * time.Second        // where the system gives no events at all
)

// Watcher keeps the last good list and reads the file again when it changes,
// or when a password file or document that it names does.
type Watcher struct {
	path  string
	log   *slog.Logger
	stop  chan struct{}
	once  sync.Once
	ended sync.WaitGroup

	mu     sync.Mutex
	list   *List
	err    error
	readAt time.Time // when the file was last read, taken or not
	change chan struct{}

	// of the watching goroutine alone
	seen    map[string]fileState
	events  *fsnotify.Watcher // nil: polling only
	folders map[string]bool   // watched
	names   map[string]bool   // absolute paths of our files and of where links to them end
}

// Open loads the file, which must be good, and watches it until Close. A later
// fault is logged once, with file and line, and kept for Err.
func Open(path string, log *slog.Logger) (*Watcher, error) {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("target list: the system sends no file events; looking every 2 s", "error", err)
		events = nil
	}
	poll := fallback
	if events == nil {
		poll = alone
	}
	return open(path, log, events, poll)
}

func open(path string, log *slog.Logger, events *fsnotify.Watcher, poll time.Duration) (*Watcher, error) {
	w := &Watcher{
		path: path, log: log, events: events, folders: map[string]bool{},
		stop: make(chan struct{}), change: make(chan struct{}),
	}
	// Watching begins before reading, so that no change falls in between.
	w.watchFolder(path)
	files := newFiles()
	list, err := load(path, files)
	if err != nil {
		w.closeEvents()
		return nil, err
	}
	w.list, w.seen, w.readAt = list, files.seen, list.LoadedAt
	w.watchFolders()
	w.ended.Add(1)
	go w.run(poll)
	return w, nil
}

// List is the list in force.
func (w *Watcher) List() *List {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.list
}

// Err is why the newest file was not taken, nil when it was.
func (w *Watcher) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Refused are the faults of the newest file, and when it was read; none when it
// is the one in force.
func (w *Watcher) Refused() (faults []Problem, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var load *LoadError
	if errors.As(w.err, &load) {
		return load.Problems, w.readAt
	}
	return nil, time.Time{}
}

// Changed is closed when a changed file has been read the next time, whether
// it was taken (List) or not (Err).
func (w *Watcher) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.change
}

// Close stops watching.
func (w *Watcher) Close() {
	w.once.Do(func() { close(w.stop) })
	w.ended.Wait()
}

func (w *Watcher) run(poll time.Duration) {
	defer w.ended.Done()
	defer w.closeEvents()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	var events chan fsnotify.Event
	var faults chan error
	if w.events != nil {
		events, faults = w.events.Events, w.events.Errors
	}
	var settled <-chan time.Time
	for {
		select {
		case <-w.stop:
			return
		case event := <-events:
			if settled == nil && w.concerns(event.Name) {
				settled = time.After(settle)
			}
		case <-faults:
			// Events were lost: look at everything.
			settled = time.After(settle)
		case <-settled:
			settled = nil
			w.read()
		case <-ticker.C:
			if w.touched() {
				w.read()
			}
		}
	}
}

// concerns tells whether an event is about one of our files; the folder may
// hold busy ones. Kubernetes swaps a link named ..data beside them.
func (w *Watcher) concerns(name string) bool {
	absolute, err := filepath.Abs(name)
	return err != nil || w.names[absolute] || filepath.Base(name) == "..data"
}

// touched looks at all files by stat alone.
func (w *Watcher) touched() bool {
	for path, state := range w.seen {
		if !state.untouched(path) {
			return true
		}
	}
	return false
}

// read takes the file as it is now, or keeps the last good list. A file that
// says the same as before is no news, and so its fault is logged once.
func (w *Watcher) read() {
	files := newFiles()
	list, err := load(w.path, files)
	news := !sameFiles(w.seen, files.seen)
	w.seen = files.seen
	w.watchFolders()
	if !news {
		return
	}
	var faults *LoadError
	if errors.As(err, &faults) {
		w.log.Error("target list refused; the last good one stays in force",
			"problems", len(faults.Problems), "error", faults.Error())
	} else {
		w.log.Info("target list taken", "file", w.path, "targets", len(list.targets))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.readAt = time.Now()
	if w.err = err; err == nil {
		w.list = list
	}
	close(w.change)
	w.change = make(chan struct{})
}

func sameFiles(a, b map[string]fileState) bool {
	if len(a) != len(b) {
		return false
	}
	for path, state := range a {
		if other, ok := b[path]; !ok || !state.same(other) {
			return false
		}
	}
	return true
}

// watchFolders watches where the files lie, and where links to them end.
// Folders rather than files, since editors save by renaming.
func (w *Watcher) watchFolders() {
	w.names = map[string]bool{}
	for path := range w.seen {
		places := []string{path}
		if end, err := filepath.EvalSymlinks(path); err == nil && end != path {
			places = append(places, end)
		}
		for _, place := range places {
			w.watchFolder(place)
			if absolute, err := filepath.Abs(place); err == nil {
				w.names[absolute] = true
			}
		}
	}
}

func (w *Watcher) watchFolder(path string) {
	folder := filepath.Dir(path)
	if w.events == nil || w.folders[folder] {
		return
	}
	if err := w.events.Add(folder); err != nil {
		w.log.Warn("target list: no file events from a folder; looking every 30 s", "folder", folder, "error", err)
	}
	w.folders[folder] = true
}

func (w *Watcher) closeEvents() {
	if w.events != nil {
		_ = w.events.Close()
	}
}
