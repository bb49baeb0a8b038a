package tunnel

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// streams are the two kinds of work that a relay sees: pictures, and drawing
// in small instructions.
func streams() map[string][]byte {
	var pictures, small []byte
	blob := strings.Repeat("iVBORw0K", 1000)
	for range 100 {
		pictures = appendInstruction(pictures, "img", "1", "14", "0", "image/png", "128", "256")
		pictures = appendInstruction(pictures, "blob", "1", blob)
		pictures = appendInstruction(pictures, "end", "1")
		pictures = appendInstruction(pictures, "sync", "1760000000")
	}
	for range 5000 {
		small = appendInstruction(small, "rect", "0", "128", "256", "64", "64")
		small = appendInstruction(small, "cfill", "14", "0", "255", "128", "0", "255")
		small = appendInstruction(small, "copy", "0", "0", "64", "1024", "704", "14", "0", "0", "0")
		small = appendInstruction(small, "mouse", "512", "384", "0", "1760000000000")
	}
	small = appendInstruction(small, "sync", "1760000000")
	return map[string][]byte{"pictures": pictures, "small": small}
}

func BenchmarkScan(b *testing.B) {
	for name, stream := range streams() {
		b.Run(name, func(b *testing.B) {
			f := newOutFilter(Policy{})
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				if _, used, err := f.filter(stream); err != nil || used != len(stream) {
					b.Fatal(used, err)
				}
			}
		})
	}
}

func BenchmarkInput(b *testing.B) {
	f := newFilter(Policy{})
	message := []byte("5.mouse,3.512,3.384,1.0;4.sync,3.999;")
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		if err := f.check(message); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRelay carries a stream over loopback to a browser that throws it
// away. CPU covers all three, guacd's and the browser's share included.
func BenchmarkRelay(b *testing.B) {
	for name, stream := range streams() {
		b.Run(name, func(b *testing.B) {
			count := make(chan int)
			p := newPortal(b, newFakeGuacd(b, func(g *guacdConn) {
				for range <-count {
					if _, err := g.Write(stream); err != nil {
						return
					}
				}
				g.until("disconnect")
			}), Options{Protocol: "rdp"})
			dialer := websocket.Dialer{Subprotocols: []string{"guacamole"}}
			ws, _, err := dialer.Dial("ws"+strings.TrimPrefix(p.URL, "http"), http.Header{"Origin": {p.URL}})
			if err != nil {
				b.Fatal(err)
			}
			defer ws.Close()
			if _, _, err := ws.NextReader(); err != nil { // the uuid
				b.Fatal(err)
			}
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			before := cpu(b)
			b.ResetTimer()
			count <- b.N
			for left := int64(b.N) * int64(len(stream)); left > 0; {
				_, message, err := ws.NextReader()
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.Copy(io.Discard, message)
				if err != nil {
					b.Fatal(err)
				}
				left -= n
			}
			b.StopTimer()
			gigabytes := float64(b.N) * float64(len(stream)) / 1e9
			b.ReportMetric((cpu(b)-before).Seconds()/gigabytes, "cpu-s/GB")
		})
	}
}

// cpu is what this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
