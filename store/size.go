package store

import (
	"context"
	"errors"
	"os"
	"time"
)

// Size is how much the database holds.
type Size struct {
	Bytes  int64     // of the file and its write-ahead log
	Events int       // of the audit
	Oldest time.Time // event; zero: there is none
}

// Size looks how much the database holds.
func (s *Store) Size(ctx context.Context) (Size, error) {
	var size Size
	for _, name := range []string{s.path, s.path + "-wal"} {
		switch info, err := os.Stat(name); {
		case err == nil:
			size.Bytes += info.Size()
		case !errors.Is(err, os.ErrNotExist):
			return Size{}, errors.Join(ErrUnavailable, err)
		}
	}
	// The chain's head knows its length: counting would read every row.
	var oldest int64
	err := s.read.one(ctx, `
		SELECT h.seq, COALESCE((SELECT at FROM audit_events ORDER BY seq LIMIT 1), 0) FROM audit_head h WHERE h.one = 1`,
		nil, &size.Events, &oldest)
	size.Oldest = fromMillis(oldest)
	return size, fault("size", err)
}
