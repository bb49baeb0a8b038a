package webroot

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// copied is the embedded tree, for tests that spoil one file of it.
func copied(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(embedded, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(embedded, name)
		files[name] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestOpenFaults(t *testing.T) {
	add := func(files fstest.MapFS, name, text string) {
		files[name] = &fstest.MapFile{Data: append(files[name].Data, text...)}
	}
	for name, test := range map[string]struct {
		spoil func(files fstest.MapFS)
		want  string
	}{
		"no bundle":                  {func(f fstest.MapFS) { delete(f, "dist/desktop.js") }, "run make build"},
		"no bundle at all":           {func(f fstest.MapFS) { deleteBelow(f, "dist/") }, "run make build"},
		"no Swedish":                 {func(f fstest.MapFS) { delete(f, "locales/sv.json") }, "locales/sv.json"},
		"locale is not JSON":         {func(f fstest.MapFS) { f["locales/en.json"].Data = []byte("{") }, "locales/en.json"},
		"locale is no language":      {func(f fstest.MapFS) { f["locales/not!.json"] = f["locales/en.json"] }, "locales/not!.json"},
		"key missing in a language":  {replace("locales/en.json", `"login.submit"`, `"login.submitt"`), `lacks "login.submit"`},
		"key too many in a language": {replace("locales/en.json", `"login.submit"`, `"login.submitt"`), `has "login.submitt"`},
		"placeholder missing":        {replace("locales/en.json", "{left}", "left"), `"code.left"`},
		"key in two files": {func(f fstest.MapFS) {
			f["locales/more/sv.json"] = &fstest.MapFile{Data: []byte(`{"login.submit": "Logga in"}`)}
		}, `"login.submit" stands in another file`},
		"part in one language only":    {func(f fstest.MapFS) { f["locales/more/sv.json"] = &fstest.MapFile{Data: []byte(`{"more.x": "Mer"}`)} }, `en lacks "more.x"`},
		"empty text":                   {replace("locales/en.json", `"login.submit": "Sign in"`, `"login.submit": " "`), `"login.submit" is empty`},
		"template names unknown key":   {func(f fstest.MapFS) { add(f, "templates/login.html", `{{define "x"}}{{t "no.such"}}{{end}}`) }, `"no.such"`},
		"template names unknown asset": {func(f fstest.MapFS) { add(f, "templates/login.html", `{{define "x"}}{{asset "no.js"}}{{end}}`) }, `"no.js"`},
		"key in an argument": {func(f fstest.MapFS) {
			add(f, "templates/login.html", `{{define "x"}}{{if 1}}{{print (t "no.such")}}{{end}}{{end}}`)
		}, `"no.such"`},
		"key in an else branch": {func(f fstest.MapFS) {
			add(f, "templates/login.html", `{{define "x"}}{{range .}}{{else}}{{with t "no.such"}}{{end}}{{end}}{{end}}`)
		}, `"no.such"`},
		"key that is no literal":  {func(f fstest.MapFS) { add(f, "templates/login.html", `{{define "x"}}{{t .Key}}{{end}}`) }, "wants a literal"},
		"key that is piped":       {func(f fstest.MapFS) { add(f, "templates/login.html", `{{define "x"}}{{"skip" | t}}{{end}}`) }, "wants a literal"},
		"text without its link":   {func(f fstest.MapFS) { add(f, "templates/login.html", `{{define "x"}}{{link "skip" "/"}}{{end}}`) }, "[link]"},
		"no text for a script":    {func(f fstest.MapFS) { add(f, "templates/login.html", `{{define "x"}}{{texts "no."}}{{end}}`) }, `"no."`},
		"template does not parse": {func(f fstest.MapFS) { add(f, "templates/login.html", `{{`) }, "login.html"},
	} {
		t.Run(name, func(t *testing.T) {
			files := copied(t)
			test.spoil(files)
			_, err := open(files, Brand{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v; want one with %q", err, test.want)
			}
		})
	}
}

func TestNotBuiltIsErrNotBuilt(t *testing.T) {
	files := copied(t)
	deleteBelow(files, "dist/")
	files["dist/.gitkeep"] = &fstest.MapFile{}
	if _, err := open(files, Brand{}); !errors.Is(err, ErrNotBuilt) {
		t.Fatal(err)
	}
}

func deleteBelow(files fstest.MapFS, prefix string) {
	for name := range files {
		if strings.HasPrefix(name, prefix) {
			delete(files, name)
		}
	}
}

func replace(name, old, new string) func(fstest.MapFS) {
	return func(files fstest.MapFS) {
		files[name].Data = []byte(strings.Replace(string(files[name].Data), old, new, 1))
	}
}

func TestLanguages(t *testing.T) {
	want := []Language{{"sv", "Svenska"}, {"en", "English"}, {"da", "Dansk"}, {"de", "Deutsch"}, {"fi", "Suomi"}, {"nb", "Norsk bokmål"}}
	if diff := cmp.Diff(want, opened(t).Languages()); diff != "" {
		t.Error(diff)
	}
}

func TestMatch(t *testing.T) {
	site := opened(t)
	for header, want := range map[string]string{
		"":                                   "sv",
		"sv-SE,sv;q=0.9,en;q=0.8":            "sv",
		"en-GB,en;q=0.9":                     "en",
		"en;q=0.1, sv;q=0.9":                 "sv",
		"no":                                 "nb",
		"nb-NO,nb;q=0.9,no;q=0.8,en;q=0.6":   "nb",
		"nn-NO,nn;q=0.9":                     "nb",
		"da-DK,da;q=0.9,en;q=0.8":            "da",
		"fi-FI,fi;q=0.9,sv;q=0.8":            "fi",
		"sv-FI,sv;q=0.9,fi;q=0.8":            "sv",
		"de-AT,de;q=0.9,en;q=0.8":            "de",
		"de-CH":                              "de",
		"nl-NL, de;q=0.5":                    "de",
		"zh-CN":                              "sv",
		"zh-CN, en;q=0.5":                    "en",
		"*":                                  "sv",
		"\x00\xff;;;,,,q=":                   "sv",
		"en" + strings.Repeat(",x", 100_000): "sv",
	} {
		t.Run(header[:min(len(header), 30)], func(t *testing.T) {
			if got := site.Match(header); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func FuzzMatch(f *testing.F) {
	site, err := Open()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("sv-SE,sv;q=0.9,en;q=0.8")
	f.Fuzz(func(t *testing.T, header string) {
		if got := site.Match(header); len(got) != 2 {
			t.Errorf("%q gives %q", header, got)
		}
	})
}

func TestT(t *testing.T) {
	site := opened(t)
	for name, test := range map[string]struct{ got, want string }{
		"plain":            {site.T("sv", "login.submit"), "Logga in"},
		"filled":           {site.T("en", "code.left", "left", 3), "Attempts left: 3."},
		"unknown language": {site.T("xx", "login.submit"), "Logga in"},
		"unknown key":      {site.T("sv", "no.such"), "no.such"},
		"value that looks like a placeholder": {
			site.T("sv", "desktop.js.of-size", "done", "{total}", "total", 7), "{total} av 7"},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %q, want %q", name, test.got, test.want)
		}
	}
}

func TestStatic(t *testing.T) {
	site := opened(t)
	css := site.Asset("app.css")
	for name, test := range map[string]struct {
		method, path, accept string
		status               int
		mediaType, encoding  string
	}{
		"style":           {"GET", css, "", 200, "text/css; charset=utf-8", ""},
		"style, gzip":     {"GET", css, "gzip, deflate", 200, "text/css; charset=utf-8", "gzip"},
		"style, brotli":   {"GET", css, "gzip, br;q=0.9", 200, "text/css; charset=utf-8", "br"},
		"gzip refused":    {"GET", css, "gzip;q=0, br; q=0.0", 200, "text/css; charset=utf-8", ""},
		"script":          {"GET", site.Asset("app.js"), "", 200, "text/javascript; charset=utf-8", ""},
		"a flag":          {"GET", site.Asset("flags/SE.svg"), "gzip, br", 200, "image/svg+xml", ""},
		"icons":           {"HEAD", site.Asset("icons.svg"), "", 200, "image/svg+xml", ""},
		"wrong hash":      {"GET", "/static/0000000000000000/app.css", "", 404, "text/plain; charset=utf-8", ""},
		"wrong name":      {"GET", strings.Replace(css, "app.css", "nope.css", 1), "", 404, "text/plain; charset=utf-8", ""},
		"packed name":     {"GET", css + ".br", "", 404, "text/plain; charset=utf-8", ""},
		"kept file":       {"GET", strings.Replace(css, "app.css", ".gitkeep", 1), "", 404, "text/plain; charset=utf-8", ""},
		"directory":       {"GET", "/static/", "", 404, "text/plain; charset=utf-8", ""},
		"directory above": {"GET", "/static/../webroot.go", "", 404, "text/plain; charset=utf-8", ""},
		"POST":            {"POST", css, "", 405, "text/plain; charset=utf-8", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "/", nil)
			r.URL.Path = test.path
			r.Header.Set("Accept-Encoding", test.accept)
			w := httptest.NewRecorder()
			site.Static().ServeHTTP(w, r)
			got := []any{w.Code, w.Header().Get("Content-Type"), w.Header().Get("Content-Encoding")}
			if diff := cmp.Diff([]any{test.status, test.mediaType, test.encoding}, got); diff != "" {
				t.Error(diff)
			}
			if kept := strings.Contains(w.Header().Get("Cache-Control"), "immutable"); kept != (test.status == http.StatusOK) {
				t.Errorf("Cache-Control %q with status %d", w.Header().Get("Cache-Control"), w.Code)
			}
			if body, _ := io.ReadAll(w.Body); test.method == "HEAD" && len(body) > 0 {
				t.Error("a HEAD has a body")
			}
		})
	}
}

// The sizes that people on slow lines pay: compressed, everything that a page loads.
func TestSizes(t *testing.T) {
	site := opened(t)
	sizes := map[string]int{}
	for name, asset := range site.assets.byName {
		sizes[name] = len(asset.gzipped)
		if asset.brotli == nil && !strings.HasPrefix(name, "flags/") {
			t.Errorf("%s has no brotli form", name)
		}
	}
	common := sizes["app.css"] + sizes["icons.svg"] + sizes["mark.svg"]
	if ordinary := common + sizes["app.js"]; ordinary > 14<<10 { // leaves 6 KB for the page itself
		t.Errorf("an ordinary page loads %d bytes", ordinary)
	}
	if phone := common + sizes["app.js"] + sizes["phone.css"] + sizes["phone.js"]; phone > 60<<10 {
		t.Errorf("the page of a number loads %d bytes", phone)
	}
	if desktop := common + sizes["desktop.css"] + sizes["desktop.js"]; desktop > 120<<10 {
		t.Errorf("the desktop page loads %d bytes", desktop)
	}
}

// Registry addresses are a matter of each machine's configuration.
func TestLockNamesNoRegistry(t *testing.T) {
	lock, err := os.ReadFile("../package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(lock), `"resolved"`) {
		t.Error("package-lock.json names a registry")
	}
}
