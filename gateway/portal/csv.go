package portal

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strings"
)

// SendCSV answers with a table as a file (RFC 4180), the first row being its
// head. It begins with the mark that tells Excel that it is UTF-8.
func (p *Portal) SendCSV(w http.ResponseWriter, name string, rows [][]string) error {
	body := bytes.NewBufferString("\ufeff")
	table := csv.NewWriter(body)
	table.UseCRLF = true
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = Inert(cell)
		}
		if err := table.Write(cells); err != nil {
			return err
		}
	}
	if table.Flush(); table.Error() != nil {
		return table.Error()
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Cache-Control", "no-store")
	_, err := w.Write(body.Bytes())
	return IgnoreGone(err)
}

// Inert is a cell that a spreadsheet takes for text: names come from the
// directory and from people, and one that begins as a formula would be run on the
// machine of whoever opens the file (CSV injection, CWE-1236). Signs that spread
// wide count too, and so do spaces before one.
func Inert(cell string) string {
	if start := strings.TrimLeft(cell, " \u00a0"); strings.IndexAny(start, "=+-@\t\r\n|%＝＋－＠") == 0 {
		return "'" + cell
	}
	return cell
}
