package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
)

// table writes rows under one another, without colours or any other escapes: it
// looks the same on a terminal, in a pipe and in a file.
type table struct{ *tabwriter.Writer }

// newTable begins with a heading, where one is given.
func newTable(out io.Writer, heading ...string) table {
	t := table{tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	if len(heading) > 0 {
		fmt.Fprintln(t.Writer, strings.Join(heading, "\t"))
	}
	return t
}

// row is a line; what is empty is a hyphen, unless nothing follows it.
func (t table) row(cells ...string) {
	for len(cells) > 0 && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	words := make([]string, len(cells))
	for i, cell := range cells {
		if words[i] = onTerminal(cell); cell == "" {
			words[i] = "-"
		}
	}
	fmt.Fprintln(t.Writer, strings.Join(words, "\t"))
}

// onTerminal is a text as a terminal may show it: what comes from strangers is
// quoted where it could move the cursor. Letters of any language are as they are.
func onTerminal(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == '\ufffd' }) {
		return strconv.Quote(text)
	}
	return text
}
