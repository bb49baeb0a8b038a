package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"
)

// scene is what one desktop shows, from the handshake to its end.
type scene func(*desktop) error

// picture is a whole first frame, so that a relay's wait for one is over.
const picture = "4.size,1.0,4.1024,3.768;5.cfill,2.14,1.0,1.0,1.0,1.0,3.255;4.sync,13.1700000000000,1.0;"

// still is guacd 1.6 with a quiet screen: a nop now and then.
func still(d *desktop) error {
	err := d.write([]byte(picture))
	for err == nil {
		if err = d.pause(5 * time.Second); err == nil {
			err = d.write([]byte("3.nop;"))
		}
	}
	return err
}

// replay is the stream over and over, as fast as it is read, until total bytes
// are out, and then a disconnect.
func replay(stream []byte, total int64) scene {
	return func(d *desktop) error {
		for sent := int64(0); sent < total; sent += int64(len(stream)) {
			if err := d.write(stream); err != nil {
				return err
			}
		}
		if _, err := d.conn.Write([]byte("10.disconnect;")); err != nil {
			return err
		}
		if err := d.conn.CloseWrite(); err != nil {
			return err
		}
		<-d.over // closed with something unread, TCP would throw away what is on its way
		return nil
	}
}

// paced is a small instruction every so often, with the time at which it was
// sent, in nanoseconds since zero.
func paced(every time.Duration, zero time.Time) scene {
	return func(d *desktop) error {
		err := d.write([]byte(picture))
		for err == nil {
			if err = d.pause(every); err == nil {
				stamp := fmt.Sprint(int64(time.Since(zero)))
				err = d.write(fmt.Appendf(nil, "5.mouse,%d.%s,1.0;", len(stamp), stamp))
			}
		}
		return err
	}
}

// flood is a picture, and from begin on the stream as fast as it is taken,
// until most bytes are out or ctx is over, and then a quiet screen. A guacd
// whose relay takes no more waits, as guacd does.
func flood(ctx context.Context, begin <-chan struct{}, stream []byte, most int64) scene {
	return func(d *desktop) error {
		if err := d.write([]byte(picture)); err != nil {
			return err
		}
		select {
		case <-begin:
		case <-d.over:
			return errOver
		}
		for sent := int64(0); sent < most && ctx.Err() == nil; sent += int64(len(stream)) {
			if err := d.write(stream); err != nil {
				return err
			}
		}
		return still(d)
	}
}

const frameEvery = 40 * time.Millisecond

// frames is a video at 2.7 MB/s: 25 times a second a frame of 108 KB, each with the time, in ms, at which its picture was taken. A line that
// is full holds it up. With throttled it also waits, as guacd's RDP does
// (protocols/rdp/rdp.c, guac_rdp_handle_connection), as long as the viewer lags.
func frames(throttled bool) scene {
	var b bytes.Buffer
	b.WriteString("3.img,1.3,2.14,1.0,10.image/jpeg,1.0,1.0;")
	for range 13 {
		b.WriteString("4.blob,1.3,8192." + strings.Repeat("A", 8192) + ";")
	}
	b.WriteString("3.end,1.3;")
	content := b.Bytes()
	return func(d *desktop) error {
		err := d.write([]byte(picture))
		for err == nil {
			taken := time.Now()
			if err = d.write(content); err == nil {
				err = d.write(syncInstruction(taken.UnixMilli(), ",1.0"))
			}
			pace := frameEvery
			if throttled {
				pace = max(pace, time.Duration(d.lag.Load())*time.Millisecond)
			}
			if err == nil {
				err = d.pause(pace - time.Since(taken))
			}
		}
		return err
	}
}

// syncInstruction ends a frame, or answers to one.
func syncInstruction(stamp int64, more string) []byte {
	text := fmt.Sprint(stamp)
	return fmt.Appendf(nil, "4.sync,%d.%s%s;", len(text), text, more)
}
