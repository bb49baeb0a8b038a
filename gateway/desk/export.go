package desk

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"stagedoor/gateway/portal"
	"stagedoor/store"
)

const (
	exportMost  = 100_000 // events in one export
	exportAtOne = 1000    // read at once
	exportWrite = 30 * time.Second
)

// exportCSV and exportJSONL hand out what a search finds, whole.
func (p *Pages) exportCSV(w http.ResponseWriter, v *portal.Visit) error {
	return p.export(w, v, "csv", "text/csv; charset=utf-8", NewCSV)
}

func (p *Pages) exportJSONL(w http.ResponseWriter, v *portal.Visit) error {
	return p.export(w, v, "jsonl", "application/jsonl; charset=utf-8", NewJSONL)
}

// EventWriter writes audit events in a format that other programs read.
type EventWriter interface {
	Write(store.Event) error
	// Note is a last line that is no event, for whoever reads the file.
	Note(words string) error
	Flush() error
}

func (p *Pages) export(w http.ResponseWriter, v *portal.Visit, format, contentType string, open func(io.Writer) EventWriter) error {
	q := auditQueryOf(v.URL.Query())
	filter, wrong := p.filter(q)
	if wrong != "" {
		return &portal.Fault{Status: http.StatusUnprocessableEntity, Message: "bad-request", Err: fmt.Errorf("export: %s cannot be read", wrong)}
	}
	// Before the first byte: what cannot be recorded is not handed out.
	if err := p.Audit(v, store.Event{Kind: "audit-export", Result: "ok", Detail: map[string]string{"format": format, "filter": q.values().Encode()}}); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", `attachment; filename="stagedoor-audit-`+p.Now().UTC().Format("20060102T150405Z")+`.`+format+`"`)
	h.Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	out := open(w)
	find := func(ctx context.Context, f store.EventFilter) ([]store.Event, int64, error) {
		// A reader that takes nothing for so long gives up its place.
		if err := control.SetWriteDeadline(time.Now().Add(exportWrite)); err != nil {
			v.Log.Debug("no deadline for an export", "error", err)
		}
		return p.Store.FindEvents(ctx, f)
	}
	if err := Export(v.Context(), find, filter, exportMost, out); err != nil {
		// The status has gone out: the last line has to say it.
		v.Log.Error("export broken off", "error", err)
		_ = out.Note("broken off: the export is not whole")
	}
	return portal.IgnoreGone(out.Flush())
}

// Export writes what a filter finds, newest first, a thousand at a time and at
// most so many; a last line says when there are more.
func Export(ctx context.Context, find func(context.Context, store.EventFilter) ([]store.Event, int64, error), filter store.EventFilter, most int, out EventWriter) error {
	for written := 0; ; {
		filter.Limit = min(exportAtOne, most-written)
		events, older, err := find(ctx, filter)
		if err != nil {
			return err
		}
		for _, event := range events {
			if err := out.Write(event); err != nil {
				return err
			}
		}
		if written += len(events); older == 0 {
			return out.Flush()
		}
		if written >= most {
			return errors.Join(out.Note(fmt.Sprintf("only the newest %d events: there are more", most)), out.Flush())
		}
		filter.Before = older
	}
}

// csvColumns are what a line of CSV holds, in this order.
var csvColumns = []string{"time", "kind", "result", "reason", "person", "account", "about_person", "about_account",
	"target", "address", "support_id", "session", "detail", "id", "hash"}

type csvEvents struct{ out *csv.Writer }

// NewCSV writes RFC 4180 with a heading, in UTF-8 with the mark by which Excel
// knows it. What a spreadsheet would take for a formula starts with an
// apostrophe: names and reasons come from strangers.
func NewCSV(w io.Writer) EventWriter {
	_, _ = io.WriteString(w, "\ufeff") // csv.Writer keeps the error of what follows
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write(csvColumns)
	return &csvEvents{out}
}

func (c *csvEvents) Write(e store.Event) error {
	detail, err := json.Marshal(e.Detail)
	if err != nil {
		return err
	}
	row := []string{e.At.UTC().Format("2006-01-02T15:04:05.000Z"), e.Kind, e.Result, e.Reason, e.Name, e.AccountID,
		e.Detail[store.AboutPerson], e.Detail[store.AboutAccount], e.Target, e.Address, e.RequestID, e.SessionID, string(detail), e.ID, e.Hash}
	for i := range row {
		row[i] = portal.Inert(row[i])
	}
	return c.out.Write(row)
}

func (c *csvEvents) Note(words string) error {
	row := make([]string, len(csvColumns))
	row[0] = words
	return c.out.Write(row)
}

func (c *csvEvents) Flush() error {
	c.out.Flush()
	return c.out.Error()
}

type jsonEvents struct {
	buffer *bufio.Writer
	out    *json.Encoder
}

// NewJSONL writes an event a line, as `stagedoor audit` does.
func NewJSONL(w io.Writer) EventWriter {
	buffer := bufio.NewWriter(w)
	return &jsonEvents{buffer, json.NewEncoder(buffer)}
}

func (j *jsonEvents) Write(e store.Event) error { return j.out.Encode(e) }

func (j *jsonEvents) Note(words string) error {
	return j.out.Encode(struct{ Note string }{words})
}

func (j *jsonEvents) Flush() error { return j.buffer.Flush() }
