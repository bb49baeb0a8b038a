package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"

	"stagedoor/targets"
)

// maxConfigBytes bounds config.yaml.
const maxConfigBytes = 1 << 20

// loadConfig reads a configuration file and the variables STAGEDOOR_* of the
// environment (NAME=value), which win. Its error is a *targets.LoadError with
// every problem.
func loadConfig(path string, environ []string) (Config, error) {
	data, err := readConfigFile(path)
	if err != nil {
		return Config{}, &targets.LoadError{Problems: []targets.Problem{{File: path, Text: err.Error()}}}
	}
	var shape Config
	lines, form := targets.ReadYAML(path, data, &shape)
	form = withMovedKeys(form)
	overrides, environment := readEnvironment(environ)
	config, err := unmarshal(data, overrides.values, form)
	if err != nil {
		environment = append(environment, targets.Problem{File: path, Text: err.Error()})
	}
	config = config.withListDefaults()
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	for _, p := range config.paths() {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(folder, *p)
		}
	}
	v := &validation{file: path, lines: lines, overrides: overrides}
	if len(form) == 0 || len(lines) > 0 {
		read := v.readSecrets(config)
		config.secrets = func() secrets { return read }
		v.validate(config)
		v.sms(config)
		v.mail(config)
	}
	problems := slices.Concat(environment, form, withoutLinesOf(form, v.problems))
	if len(problems) == 0 {
		return config, nil
	}
	slices.SortStableFunc(problems, func(a, b targets.Problem) int { return a.Line - b.Line })
	return Config{}, &targets.LoadError{Problems: problems}
}

// withoutLinesOf drops problems of lines whose form is at fault already: the
// value there was not read.
func withoutLinesOf(form, problems []targets.Problem) []targets.Problem {
	return slices.DeleteFunc(problems, func(p targets.Problem) bool {
		return p.Line > 0 && slices.ContainsFunc(form, func(f targets.Problem) bool { return f.Line == p.Line })
	})
}

func readConfigFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("no such file")
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	case info.Mode().Perm()&0o002 != 0:
		return nil, fmt.Errorf("mode %04o lets every user of this machine change it: chmod 0644 or stricter", info.Mode().Perm())
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil, errors.New("this process may not read it")
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxConfigBytes+1))
	if err == nil && len(data) > maxConfigBytes {
		err = fmt.Errorf("larger than %d bytes", maxConfigBytes)
	}
	return data, err
}

// unmarshal lets viper join defaults, file and environment. What stands on a
// line whose form is at fault is left out, so that the file's other problems
// are found in the same run.
func unmarshal(data []byte, overrides map[string]any, form []targets.Problem) (Config, error) {
	config := defaultConfig()
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil || len(document.Content) == 0 {
		return config, nil // form says so already
	}
	faulty := map[int]bool{}
	for _, problem := range form {
		faulty[problem.Line] = true
	}
	raw, _ := plainValue(document.Content[0], faulty).(map[string]any)
	v := viper.NewWithOptions(viper.KeyDelimiter("::"))
	if err := v.MergeConfigMap(raw); err != nil {
		return config, err
	}
	for key, value := range overrides {
		v.Set(strings.ReplaceAll(key, ".", "::"), value)
	}
	return config, v.UnmarshalExact(&config, func(d *mapstructure.DecoderConfig) {
		d.TagName = "yaml"
		d.WeaklyTypedInput = false
	})
}

// plainValue is a node as maps, lists and scalars, without sections whose keys
// are all commented out.
func plainValue(n *yaml.Node, faulty map[int]bool) any {
	switch n.Kind {
	case yaml.MappingNode:
		section := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], plainValue(n.Content[i+1], faulty)
			if !faulty[key.Line] && value != nil {
				section[key.Value] = value
			}
		}
		return section
	case yaml.SequenceNode:
		items := []any{}
		for _, item := range n.Content {
			if value := plainValue(item, faulty); value != nil && !faulty[item.Line] {
				items = append(items, value)
			}
		}
		return items
	case yaml.ScalarNode:
		var value any
		if n.Decode(&value) == nil {
			return value
		}
	}
	return nil
}
