package targets

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"
)

// entry is a target as it stands in the file; targets.example.yaml says what
// each key means.
type entry struct {
	ID           string            `yaml:"id"`
	Name         string            `yaml:"name"`
	Group        string            `yaml:"group"`
	Description  string            `yaml:"description"`
	Icon         string            `yaml:"icon"`
	Kind         string            `yaml:"kind"`
	URL          string            `yaml:"url"`
	File         string            `yaml:"file"`
	VisibleTo    visibility        `yaml:"visible_to"`
	Protocol     string            `yaml:"protocol"`
	Host         string            `yaml:"host"`
	Port         int               `yaml:"port"`
	Credentials  string            `yaml:"credentials"`
	Username     string            `yaml:"username"`
	Domain       string            `yaml:"domain"`
	PasswordFile string            `yaml:"password_file"`
	Transfers    Transfers         `yaml:"transfers"`
	DriveFolder  string            `yaml:"drive_folder"`
	Keyboard     string            `yaml:"keyboard"`
	Timezone     string            `yaml:"timezone"`
	RemoteApp    remoteApp         `yaml:"remote_app"`
	Security     string            `yaml:"security"`
	Fingerprints []string          `yaml:"fingerprints"`
	HostKey      string            `yaml:"host_key"`
	IgnoreCert   bool              `yaml:"dangerously_ignore_certificate"`
	Resize       string            `yaml:"resize"`
	Parameters   map[string]string `yaml:"parameters"`
	SecretFiles  map[string]string `yaml:"parameter_files"`
}

type remoteApp struct {
	Program   string `yaml:"program"`
	Dir       string `yaml:"dir"`
	Arguments string `yaml:"args"`
}

// Load reads and checks a file. Its error is a *LoadError.
func Load(path string) (*List, error) {
	return load(path, newFiles())
}

func load(path string, files *files) (*List, error) {
	data, err := files.read(path, maxListBytes, notChangeable)
	if err != nil {
		return nil, &LoadError{[]Problem{{path, 0, err.Error()}}}
	}
	list, problems := parse(path, data, files)
	if len(problems) > 0 {
		return nil, &LoadError{sorted(problems)}
	}
	list.LoadedAt, list.Digest = time.Now(), fmt.Sprintf("%x", sha256.Sum256(data))
	return list, nil
}

// parse checks the text of a list; files reads what it refers to.
func parse(path string, data []byte, files *files) (*List, []Problem) {
	root, problems := parseDocument(path, data)
	if len(problems) > 0 {
		return nil, problems
	}
	var document struct {
		Targets []*yaml.Node `yaml:"targets"`
	}
	lines, problems := readStruct(path, root, &document)
	if !lines.Has("targets") && len(problems) == 0 {
		problems = append(problems, Problem{path, root.Line, "the key targets is missing: the file is targets: and a list"})
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		problems = append(problems, Problem{path, 0, err.Error()})
	}
	list := &List{Path: path, byID: make(map[string]int, len(document.Targets))}
	builder := &listBuilder{list: list, groups: map[string]int{}, lines: map[string]int{}}
	for _, node := range document.Targets {
		c := &checker{file: path, folder: folder, files: files}
		target := c.target(node)
		if line, twice := builder.lines[target.ID]; twice && target.ID != "" {
			c.fault("id", "id %q stands twice, first on line %d", target.ID, line)
		}
		builder.add(target, c.lines.Of("id"))
		problems = append(problems, c.problems...)
	}
	return list, problems
}

// listBuilder joins targets to a list and numbers their groups.
type listBuilder struct {
	list   *List
	groups map[string]int
	lines  map[string]int
}

func (b *listBuilder) add(t Target, line int) {
	for _, group := range t.Groups {
		number, known := b.groups[group]
		if !known {
			number = len(b.list.groups)
			b.groups[group] = number
			b.list.groups = append(b.list.groups, group)
		}
		t.groups = append(t.groups, number)
	}
	if _, twice := b.lines[t.ID]; !twice {
		b.lines[t.ID] = line
		b.list.byID[t.ID] = len(b.list.targets)
	}
	b.list.targets = append(b.list.targets, t)
}

// checker finds the faults of one entry.
type checker struct {
	file     string
	folder   string // that relative paths start from
	files    *files
	lines    Lines
	problems []Problem
}

// fault notes a problem at a key, or at the entry where the key is missing.
func (c *checker) fault(key, format string, arguments ...any) {
	c.problems = append(c.problems, Problem{c.file, c.lines.Of(key), fmt.Sprintf(format, arguments...)})
}

// path makes a relative path absolute.
func (c *checker) path(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(c.folder, path)
}
