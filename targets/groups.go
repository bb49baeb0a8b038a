package targets

import (
	"fmt"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// visibility is the value of visible_to: the word everyone or a list of groups.
type visibility struct {
	everyone bool
	groups   []string
	lines    []int
}

func (v *visibility) readNode(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		if n.Value != "everyone" || n.ShortTag() != "!!str" {
			return "must be everyone or a list of groups, not " + describe(n)
		}
		v.everyone = true
		return ""
	}
	if n.Kind != yaml.SequenceNode {
		return "must be everyone or a list of groups, not " + describe(n)
	}
	if len(n.Content) == 0 {
		return "the list of groups is empty: name a group, or write everyone"
	}
	for _, item := range n.Content {
		if fault := hiddenMeaning(item); fault != "" {
			return fault
		}
		if item.Kind != yaml.ScalarNode || item.ShortTag() != "!!str" {
			return "a group must be text, not " + describe(item)
		}
		v.groups = append(v.groups, item.Value)
		v.lines = append(v.lines, item.Line)
	}
	return ""
}

// isRelativeName: attribute=value of RFC 4514, the attribute by name or OID.
func isRelativeName(part string) bool {
	attribute, value, _ := strings.Cut(part, "=")
	attribute = strings.TrimSpace(attribute)
	return attribute != "" && madeOf(strings.ToLower(attribute), lowerCase+"-.", 200) && strings.TrimSpace(value) != ""
}

// checkGroup finds what is wrong with the name of a group, in words.
func checkGroup(group string) string {
	const forms = `write its DN (CN=Backstage Stockholm,OU=Groups,DC=amido,DC=example) or DOMAIN\name ('AMIDO\Backstage Stockholm', in single quotes)`
	for _, r := range group {
		if unicode.IsControl(r) {
			return fmt.Sprintf("group %q has a control character; in double quotes a backslash starts an escape: %s", group, forms)
		}
	}
	if strings.Contains(group, "=") {
		for _, part := range splitDN(group) {
			if !isRelativeName(part) {
				return fmt.Sprintf("group %q is not a DN: %s", group, forms)
			}
		}
		return ""
	}
	domain, name, ok := strings.Cut(group, `\`)
	switch {
	case !ok:
		return fmt.Sprintf("group %q does not say which directory it is in: %s", group, forms)
	case strings.TrimSpace(domain) == "" || strings.TrimSpace(name) == "" || strings.Contains(name, `\`):
		return fmt.Sprintf("group %q is not DOMAIN\\name: %s", group, forms)
	}
	return ""
}

// splitDN cuts at the commas and plus signs that no backslash escapes.
func splitDN(dn string) []string {
	var parts []string
	start := 0
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',', '+':
			parts = append(parts, dn[start:i])
			start = i + 1
		}
	}
	return append(parts, dn[start:])
}
