package tunnel

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// guacdReceiveBuffer is what the kernel may keep of guacd's stream, in bytes
// (it takes twice that for its own bookkeeping). Left alone it grows to
// tcp_rmem's 32 MB, all of it old pictures when the browser is slow. Less than
// this costs CPU on fast lines.
const guacdReceiveBuffer = 192 << 10

// limitReceive is for net.Dialer.Control: a receive buffer has to be set before
// the connection is made, because the window scale is agreed on there.
func limitReceive(_, _ string, raw syscall.RawConn) error {
	return control(raw, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, guacdReceiveBuffer)
	})
}

// limitUnsent makes writers wait when so many bytes have not left for the
// browser yet; 0 means no limit but the send buffer, which may grow to
// tcp_wmem's 4 MB. Bytes on their way to the browser do not count, so that a
// long line is filled all the same.
func limitUnsent(conn net.Conn, bytes int) error {
	return control(socketOf(conn), func(fd int) error {
		return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, bytes)
	})
}

// acknowledged is how many bytes the other end has taken so far.
func acknowledged(conn net.Conn) (bytes uint64, err error) {
	err = control(socketOf(conn), func(fd int) error {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil {
			bytes = info.Bytes_acked
		}
		return err
	})
	return bytes, err
}

// socketOf is the socket under a connection, plain or TLS; nil if there is none.
func socketOf(conn net.Conn) syscall.RawConn {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn()
	}
	if socket, ok := conn.(syscall.Conn); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			return raw
		}
	}
	return nil
}

// control runs f on the socket.
func control(raw syscall.RawConn, f func(fd int) error) error {
	if raw == nil {
		return syscall.ENOTSOCK
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}
