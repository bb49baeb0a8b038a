package targets

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"
)

const (
	maxListBytes   = 8 << 20
	maxSecretBytes = 64 << 10
)

// A secret is held in a closure: fmt prints the contents of any struct that it
// gets at, unexported fields and pointers included, but not those of a function.
type secret func() string

func sealed(text string) secret { return func() string { return text } }

func (secret) String() string               { return "[secret]" }
func (secret) GoString() string             { return "[secret]" }
func (secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

func (s secret) reveal() string {
	if s == nil {
		return ""
	}
	return s()
}

// files reads files and remembers what it saw, so that a change of any of them
// can be told.
type files struct {
	seen map[string]fileState
}

type fileState struct {
	info   fs.FileInfo // nil where there was none
	digest [sha256.Size]byte
	fault  string
}

// same tells whether two states mean the same list.
func (s fileState) same(other fileState) bool {
	return s.digest == other.digest && s.fault == other.fault
}

// untouched tells, by stat alone, whether a file is still as it was seen.
func (s fileState) untouched(path string) bool {
	info, err := os.Stat(path)
	if err != nil || s.info == nil {
		return err != nil && s.info == nil
	}
	return os.SameFile(info, s.info) && info.ModTime().Equal(s.info.ModTime()) &&
		info.Size() == s.info.Size() && info.Mode() == s.info.Mode()
}

func newFiles() *files { return &files{seen: map[string]fileState{}} }

// read returns a whole file; check may refuse it by its mode.
func (f *files) read(path string, limit int64, check func(fs.FileInfo) error) ([]byte, error) {
	var state fileState
	data, err := func() ([]byte, error) {
		info, err := regularFile(path)
		if err != nil {
			return nil, err
		}
		state.info = info
		if err := check(info); err != nil {
			return nil, err
		}
		return readAtMost(path, limit)
	}()
	if err != nil {
		state.fault = err.Error()
	}
	state.digest = sha256.Sum256(data)
	f.seen[path] = state
	return data, err
}

// exists looks without reading.
func (f *files) exists(path string) error {
	var state fileState
	info, err := regularFile(path)
	if err != nil {
		state.fault = err.Error()
	}
	state.info = info
	f.seen[path] = state
	return err
}

// regularFile is asked before a file is opened: opening a pipe would hang.
func regularFile(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, plain(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	return info, nil
}

func readAtMost(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, plain(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, plain(err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("larger than %d bytes", limit)
	}
	return data, nil
}

// plain says a file error without the path, which the problem already names.
func plain(err error) error {
	var pathError *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("no such file")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("this process may not read it")
	case errors.As(err, &pathError):
		return pathError.Err
	}
	return err
}

// ReadSecret reads a file that holds a secret, at most 64 KiB. A file that
// every user of the machine can read or write is refused, and so are an empty
// one and a placeholder such as "changeme".
func ReadSecret(path string) ([]byte, error) { return newFiles().secret(path) }

func (f *files) secret(path string) ([]byte, error) {
	data, err := f.read(path, maxSecretBytes, notForEverybody)
	if err != nil {
		return nil, err
	}
	switch trimmed := strings.TrimSpace(string(data)); {
	case trimmed == "":
		return nil, errors.New("the file is empty")
	case Placeholder(trimmed):
		return nil, errors.New("the file holds a placeholder, not a secret")
	}
	return data, nil
}

func notForEverybody(info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o006 != 0 {
		return fmt.Errorf("mode %04o lets every user of this machine read or change it: chmod 0640 or stricter", mode)
	}
	return nil
}

// notChangeable refuses a list that every user could widen.
func notChangeable(info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o002 != 0 {
		return fmt.Errorf("mode %04o lets every user of this machine change it: chmod 0644 or stricter", mode)
	}
	return nil
}

// PasswordLine is the one line of a password file, without the newline that
// editors leave at its end.
func PasswordLine(data []byte) (string, error) {
	data = bytes.TrimSuffix(data, []byte("\n"))
	data = bytes.TrimSuffix(data, []byte("\r"))
	switch {
	case !utf8.Valid(data):
		return "", errors.New("the file is not UTF-8")
	case bytes.ContainsAny(data, "\r\n"):
		return "", errors.New("the file has more than one line")
	case bytes.IndexByte(data, 0) >= 0:
		return "", errors.New("the file has a NUL byte")
	}
	return string(data), nil
}

// Placeholder tells whether a text is what examples and templates hold where a
// secret belongs.
func Placeholder(text string) bool {
	letters := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -_.!", r) {
			return -1
		}
		return r
	}, strings.ToLower(strings.TrimSpace(text)))
	for _, word := range []string{"changeme", "changethis", "replaceme", "replacethis", "placeholder", "todo", "yourpassword", "yourpasswordhere", "insertpasswordhere"} {
		if letters != "" && strings.Trim(strings.ReplaceAll(letters, word, ""), "") == "" {
			return true
		}
	}
	return strings.Trim(letters, "x") == "" || strings.HasPrefix(text, "<") && strings.HasSuffix(text, ">")
}
