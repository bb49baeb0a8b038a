//go:build !linux

package tunnel

import (
	"errors"
	"net"
	"syscall"
)

// Elsewhere than on Linux, where Stagedoor is for, pictures get older on a slow
// line, and a browser has to take each message within writeTimeout.

func limitReceive(_, _ string, _ syscall.RawConn) error { return nil }

func limitUnsent(net.Conn, int) error { return errors.ErrUnsupported }

func acknowledged(net.Conn) (uint64, error) { return 0, errors.ErrUnsupported }
