package main

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"
)

// scanner reads a stream an instruction at a time.
type scanner struct {
	from    io.Reader
	arrived time.Time // when the last byte of the instruction came
	waiting []byte    // read, not yet returned
	buffer  []byte
}

func scan(from io.Reader) *scanner { return &scanner{from: from, buffer: make([]byte, 16<<10)} }

// next is valid until it is called again.
func (s *scanner) next() (opcode string, instruction []byte, err error) {
	for {
		length, opcode, err := instructionAt(s.waiting)
		if err == nil {
			instruction, s.waiting = s.waiting[:length], s.waiting[length:]
			return opcode, instruction, nil
		}
		if !errors.Is(err, errCut) {
			return "", nil, err
		}
		n, err := s.from.Read(s.buffer)
		s.arrived = time.Now()
		if err != nil {
			return "", nil, err
		}
		s.waiting = append(bytes.Clone(s.waiting), s.buffer[:n]...)
	}
}

// number is the first argument of an instruction.
func number(instruction []byte) (int64, error) {
	_, rest, _ := bytes.Cut(instruction, []byte{','})
	_, rest, _ = bytes.Cut(rest, []byte{'.'})
	end := bytes.IndexAny(rest, ",;")
	if end < 0 {
		return 0, errMalformed
	}
	return strconv.ParseInt(string(rest[:end]), 10, 64)
}
