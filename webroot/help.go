package webroot

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // for the size of pictures
	_ "image/png"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Help is "Instruktioner och felsökning" in every language: Markdown from the
// administrators' folder, which is seen when it changes, and ours (help/) where
// they have none.
type Help struct {
	folder string // "": ours alone
	words  map[string]string
	log    *slog.Logger
	now    func() time.Time

	speaks map[string]bool // the languages of the pages

	mu   sync.Mutex
	ours map[string]*helpText // by language
	own  map[string]*ownHelp
}

// HelpWords fill the {placeholders} of the texts.
type HelpWords struct {
	Portal  string // {portal}: the portal's name
	Address string // {address}: of the portal
	Domain  string // {domain}: what stands before the backslash
	// {helpdesk}, {phone}, {mail}: whom people call; {contact} is all of it.
	Helpdesk, Phone, Mail string
	// {idle}, {warning}: minutes until somebody is logged out, and before that.
	Idle, Warning int
}

const (
	maxHelpText     = 256 << 10
	maxHelpPicture  = 1 << 20
	maxHelpPictures = 64 // of one text
	maxPictureSide  = 8192
	helpLookEvery   = 2 * time.Second
	helpImages      = "/help/images/"

	fallbackLanguage = "en" // where we have no text in a language
)

// helpText is a text that was read, with the files that it was made from.
type helpText struct {
	page     HelpPage
	pictures map[string]*helpPicture // by name
	problems []string                // what was left out of it
	made     map[string]fileMark
}

type helpPicture struct {
	address, mediaType string
	width, height      int // 0: not known
	bytes              []byte
}

// ownHelp is the administrators' text in one language.
type ownHelp struct {
	text   *helpText // the last good one; nil: they have none
	looked time.Time
	fault  string // why the newest was not taken, or what was left out of it: logged once
}

// fileMark tells a changed file from the one before.
type fileMark struct {
	at   time.Time
	size int64
	mode fs.FileMode
}

// Help reads our texts, and looks into the administrators' folder from the first
// page on.
func (s *Site) Help(folder string, words HelpWords, log *slog.Logger) (*Help, error) {
	h := &Help{folder: folder, words: words.byName(), log: log, now: time.Now, speaks: map[string]bool{}, ours: map[string]*helpText{}, own: map[string]*ownHelp{}}
	for _, language := range s.locales.languages {
		h.speaks[language.Code] = true
		text, err := h.read(s.help, language.Code)
		if errors.Is(err, fs.ErrNotExist) && language.Code != fallbackLanguage {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("webroot: help/%s.md: %w", language.Code, err)
		}
		if err := text.fault(); err != nil { // a picture that has not been made yet
			log.Warn("our own help text is not whole", "language", language.Code, "error", err)
		}
		h.ours[language.Code] = text
	}
	return h, nil
}

// CheckHelp says everything that is wrong with an administrators' folder.
func (s *Site) CheckHelp(folder string) (faults []error) {
	h := &Help{words: HelpWords{}.byName()}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return []error{fmt.Errorf("help: %w", err)}
	}
	defer root.Close()
	names, err := fs.Glob(root.FS(), "*.md")
	if err != nil {
		return []error{fmt.Errorf("help: %s: %w", folder, err)}
	}
	for _, name := range names {
		file := path.Join(folder, name)
		code := strings.TrimSuffix(name, ".md")
		if s.locales.texts[code] == nil {
			faults = append(faults, fmt.Errorf("%s: the portal does not speak %q", file, code))
			continue
		}
		text, err := h.read(root.FS(), code)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", file, err))
			continue
		}
		for _, problem := range text.problems {
			faults = append(faults, fmt.Errorf("%s: %s", file, problem))
		}
	}
	return faults
}

func (w HelpWords) byName() map[string]string {
	return map[string]string{
		"portal": w.Portal, "address": w.Address, "domain": w.Domain,
		"helpdesk": cmp.Or(w.Helpdesk, "helpdesk"), "phone": w.Phone, "mail": w.Mail,
		"idle": strconv.Itoa(w.Idle), "warning": strconv.Itoa(w.Warning),
	}
}

// Page is the help in a language: the administrators' newest good text, else
// ours, else the same in English.
func (h *Help) Page(lang string) HelpPage {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, one := range []string{lang, fallbackLanguage} {
		if own := h.look(one); own != nil {
			return own.page
		}
		if ours := h.ours[one]; ours != nil {
			return ours.page
		}
	}
	return HelpPage{} // not reached: there is an English text
}

// look reads the administrators' text when it has changed; it asks the disk
// every two seconds at most.
func (h *Help) look(lang string) *helpText {
	if h.folder == "" || !h.speaks[lang] {
		return nil
	}
	own := h.own[lang]
	if own == nil {
		own = &ownHelp{}
		h.own[lang] = own
	}
	now := h.now()
	if !own.looked.IsZero() && now.Sub(own.looked) < helpLookEvery {
		return own.text
	}
	own.looked = now
	h.take(own, lang)
	return own.text
}

// take reads the administrators' text if it is not the one that it was.
func (h *Help) take(own *ownHelp, lang string) {
	root, err := os.OpenRoot(h.folder)
	if err == nil {
		defer root.Close()
		if own.text != nil && own.fault == "" && own.text.untouched(root.FS()) {
			return
		}
		var text *helpText
		if text, err = h.read(root.FS(), lang); err == nil {
			own.text, err = text, text.fault()
		} else if errors.Is(err, fs.ErrNotExist) { // they want ours
			own.text, err = nil, nil
		}
	}
	fault := ""
	if err != nil {
		fault = err.Error()
	}
	file := path.Join(h.folder, lang+".md")
	switch {
	case fault != "" && fault != own.fault:
		h.log.Error("help text at fault; what cannot be shown is left out, and where nothing can the last good text stays", "file", file, "error", fault)
	case fault == "" && own.text != nil:
		h.log.Info("help text taken", "file", file)
	}
	own.fault = fault
}

// fault is everything that was left out of the text.
func (t *helpText) fault() error {
	if len(t.problems) == 0 {
		return nil
	}
	return errors.New(strings.Join(t.problems, "; "))
}

// read makes a text from a language's file.
func (h *Help) read(files fs.FS, lang string) (*helpText, error) {
	t := &helpText{pictures: map[string]*helpPicture{}, made: map[string]fileMark{}}
	source, err := t.open(files, lang+".md", maxHelpText)
	if err != nil {
		return nil, err
	}
	source = bytes.TrimPrefix(source, []byte("\uFEFF")) // of editors on Windows
	if !utf8.Valid(source) {
		return nil, errors.New("not UTF-8: save it as UTF-8 and try again")
	}
	m := &markdown{words: h.words, policy: helpPolicy(), picture: func(name string) (*helpPicture, error) { return t.picture(files, name) }}
	t.page, err = m.read(source)
	t.page.Lang = lang
	t.problems = m.problems
	return t, err
}

// open reads a file of limited size and notes what it was.
func (t *helpText) open(files fs.FS, name string, limit int64) ([]byte, error) {
	// Asked before it is opened: opening a pipe would wait for its writer.
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	t.made[name] = fileMark{info.ModTime(), info.Size(), info.Mode()}
	switch {
	case !info.Mode().IsRegular():
		return nil, errors.New("not a file")
	case info.Size() > limit:
		return nil, fmt.Errorf("too large: %d bytes; %d are allowed", info.Size(), limit)
	}
	file, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("too large: more than %d bytes", limit)
	}
	return content, err
}

func (t *helpText) untouched(files fs.FS) bool {
	for name, was := range t.made {
		info, err := fs.Stat(files, name)
		if err != nil || !info.ModTime().Equal(was.at) || info.Size() != was.size || info.Mode() != was.mode {
			return false
		}
	}
	return true
}

var (
	pictureForm  = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,3}$`)
	pictureTypes = map[string]string{".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
)

// picture reads a picture that a text shows. Its content has to be what its
// name says; nothing else is ever served.
func (t *helpText) picture(files fs.FS, name string) (*helpPicture, error) {
	if found := t.pictures[name]; found != nil {
		return found, nil
	}
	mediaType := pictureTypes[strings.ToLower(path.Ext(name))]
	switch {
	case !pictureForm.MatchString(name) || !fs.ValidPath(name):
		return nil, errors.New("only pictures of the help's own folder, such as images/login.png, with a-z, 0-9, - and _ in their names")
	case mediaType == "":
		return nil, errors.New("only .png, .jpg and .webp")
	case len(t.pictures) == maxHelpPictures:
		return nil, fmt.Errorf("more than %d pictures", maxHelpPictures)
	}
	content, err := t.open(files, name, maxHelpPicture)
	if err != nil {
		return nil, err
	}
	if is := http.DetectContentType(content); is != mediaType {
		return nil, fmt.Errorf("it is %s, not %s", is, mediaType)
	}
	sum := sha256.Sum256(content)
	p := &helpPicture{mediaType: mediaType, bytes: content, address: helpImages + hex.EncodeToString(sum[:8]) + "/" + name}
	if mediaType != "image/webp" { // whose size the standard library cannot read
		config, _, err := image.DecodeConfig(bytes.NewReader(content))
		if err != nil || max(config.Width, config.Height) > maxPictureSide {
			return nil, fmt.Errorf("unreadable, or larger than %d pixels", maxPictureSide)
		}
		p.width, p.height = config.Width, config.Height
	}
	t.pictures[name] = p
	return p, nil
}

// Images serves /help/images/<hash>/<name>, to be kept by browsers for ever:
// the pictures of the texts that are shown and nothing else.
func (h *Help) Images() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found := h.at(r.URL.Path)
		if found == nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", found.mediaType)
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		w.Header().Set("Content-Length", strconv.Itoa(len(found.bytes)))
		if r.Method != http.MethodHead {
			_, _ = w.Write(found.bytes) // the browser left: nobody to tell
		}
	})
}

// at finds a picture by its address, and never opens a file for it.
func (h *Help) at(address string) *helpPicture {
	h.mu.Lock()
	defer h.mu.Unlock()
	var texts []*helpText
	for _, ours := range h.ours {
		texts = append(texts, ours)
	}
	for _, own := range h.own {
		if own.text != nil {
			texts = append(texts, own.text)
		}
	}
	for _, text := range texts {
		for _, picture := range text.pictures {
			if picture.address == address {
				return picture
			}
		}
	}
	return nil
}
