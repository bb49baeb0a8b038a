package store

import (
	"context"
	"database/sql"
	"errors"
)

// Trace is what a change of somebody's factors leaves behind, in the change's own
// transaction: an event in the audit's chain, and notices to the person. Where
// either cannot be written nothing is changed.
type Trace struct {
	Event   Event // Kind "": none
	Notices []Notice
	Limits  NoticeLimits
	// EvenUntold lets the change go on where the person has been told of too much
	// already; else it is refused with ErrTooManyNotices.
	EvenUntold bool
	// Done hears what was written, after the commit; nil: nobody does.
	Done func(event Event, untold bool)
}

// traced makes a change and leaves its trace, or neither.
func (s *Store) traced(ctx context.Context, operation string, trace Trace, change func(*sql.Tx) error) error {
	event, err := newLink(trace.Event)
	if err != nil {
		return fault(operation, err)
	}
	untold := false
	err = s.write.transact(ctx, func(tx *sql.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		var err error
		if untold, err = trace.tell(ctx, tx); err != nil {
			return err
		}
		if event.event.Kind == "" {
			return nil
		}
		return event.append(ctx, tx, s.now())
	})
	if err != nil {
		return numberFault(operation, err)
	}
	if trace.Done != nil {
		trace.Done(event.event, untold)
	}
	return nil
}

// tell queues the notices: all of them, or, where the change goes on untold, as
// many as the limits let through.
func (t Trace) tell(ctx context.Context, tx *sql.Tx) (untold bool, err error) {
	if !t.EvenUntold {
		return false, queueNotices(ctx, tx, t.Notices, t.Limits)
	}
	for _, n := range t.Notices {
		switch err := queueNotices(ctx, tx, []Notice{n}, t.Limits); {
		case errors.Is(err, ErrTooManyNotices):
			untold = true
		case err != nil:
			return untold, err
		}
	}
	return untold, nil
}
