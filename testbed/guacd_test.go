package testbed

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"image"
	_ "image/jpeg" // guacd sends either
	_ "image/png"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// guacConn speaks just enough of the Guacamole protocol to see a desktop.
type guacConn struct {
	net.Conn
	in *bufio.Reader
}

func dialGuacd(t *testing.T, address string, config *tls.Config) *guacConn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		conn = tls.Client(conn, config)
	}
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &guacConn{Conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}
}

func (c *guacConn) send(t *testing.T, elements ...string) {
	t.Helper()
	parts := make([]string, len(elements))
	for i, e := range elements {
		parts[i] = strconv.Itoa(utf8.RuneCountInString(e)) + "." + e
	}
	if _, err := io.WriteString(c, strings.Join(parts, ",")+";"); err != nil {
		t.Fatal(err)
	}
}

// read returns one instruction. What guacd sends here is ASCII but for window
// titles, so that elements are read rune by rune.
func (c *guacConn) read() ([]string, error) {
	var elements []string
	for {
		length, err := c.in.ReadString('.')
		if err != nil {
			return nil, err
		}
		n, err := strconv.Atoi(strings.TrimSuffix(length, "."))
		if err != nil {
			return nil, fmt.Errorf("element length: %w", err)
		}
		var element strings.Builder
		for range n {
			r, _, err := c.in.ReadRune()
			if err != nil {
				return nil, err
			}
			element.WriteRune(r)
		}
		elements = append(elements, element.String())
		end, err := c.in.ReadByte()
		if err != nil {
			return nil, err
		}
		if end == ';' {
			return elements, nil
		}
	}
}

// connect shakes hands for an RDP session, the values by the names that guacd
// asks for.
func (c *guacConn) connect(t *testing.T, values map[string]string) {
	t.Helper()
	c.send(t, "select", "rdp")
	args, err := c.read()
	if err != nil || args[0] != "args" {
		t.Fatalf("answer to select = %.80q, %v", args, err)
	}
	c.send(t, "size", "1024", "768", "96")
	c.send(t, "audio")
	c.send(t, "video")
	c.send(t, "image", "image/png", "image/jpeg")
	c.send(t, "timezone", "Europe/Stockholm")
	reply := []string{"connect"}
	for _, name := range args[1:] {
		if strings.HasPrefix(name, "VERSION_") {
			reply = append(reply, name)
			continue
		}
		reply = append(reply, values[name])
	}
	c.send(t, reply...)
}

// next is read for a session: it answers sync and stops at an error.
func (c *guacConn) next(t *testing.T) []string {
	t.Helper()
	instruction, err := c.read()
	if err != nil {
		t.Fatalf("the desktop's stream ended: %v", err)
	}
	switch instruction[0] {
	case "sync":
		c.send(t, "sync", instruction[1])
	case "error", "disconnect":
		t.Fatalf("the desktop ended: %q", instruction)
	}
	return instruction
}

// waitForColour reads until guacd draws at least 100 x 100 pixels of a colour,
// written #rrggbb, give or take what a session of 16 bits a pixel rounds away.
func (c *guacConn) waitForColour(t *testing.T, want string) {
	t.Helper()
	var r, g, b int
	if _, err := fmt.Sscanf(want, "#%02x%02x%02x", &r, &g, &b); err != nil {
		t.Fatal(err)
	}
	near := func(x, y, z int) bool {
		return max(x-r, r-x, y-g, g-y, z-b, b-z) <= 8
	}
	pictures := map[string]*bytes.Buffer{} // by stream
	for seen := 0; seen < 100*100; {
		instruction := c.next(t)
		switch instruction[0] {
		case "img":
			pictures[instruction[1]] = new(bytes.Buffer)
		case "blob":
			data, err := base64.StdEncoding.DecodeString(instruction[2])
			if err != nil {
				t.Fatal(err)
			}
			if picture := pictures[instruction[1]]; picture != nil {
				picture.Write(data)
			}
		case "end":
			picture := pictures[instruction[1]]
			if picture == nil {
				continue
			}
			delete(pictures, instruction[1])
			img, _, err := image.Decode(picture)
			if err != nil {
				t.Fatal(err)
			}
			for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
				for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
					if r, g, b, _ := img.At(x, y).RGBA(); near(int(r>>8), int(g>>8), int(b>>8)) {
						seen++
					}
				}
			}
		}
	}
}

func startGuacd(t *testing.T, o GuacdOptions) *Guacd {
	t.Helper()
	Need(t, "guacd")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	g, err := StartGuacd(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Stop(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func TestGuacd(t *testing.T) {
	t.Parallel()
	ca, err := NewCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue("guacd", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		o      GuacdOptions
		config *tls.Config
	}{
		"plain": {},
		"TLS":   {o: GuacdOptions{TLS: cert}, config: &tls.Config{RootCAs: ca.Pool(), ServerName: "127.0.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := startGuacd(t, c.o)
			conn := dialGuacd(t, g.Address, c.config)
			conn.send(t, "select", "rdp")
			args, err := conn.read()
			if err != nil {
				t.Fatal(err)
			}
			if args[0] != "args" || !strings.HasPrefix(args[1], "VERSION_") || len(args) < 50 {
				t.Errorf("answer to select = %.200q, want args with a version", args)
			}
			if len(g.Children()) != 1 {
				t.Errorf("children = %v, want one for the open connection", g.Children())
			}
			if err := g.Stop(); err != nil {
				t.Fatal(err)
			}
			if left := marked(g.mark); len(left) > 0 {
				t.Errorf("alive after Stop: %v", left)
			}
			if conn, err := net.Dial("tcp", g.Address); err == nil {
				_ = conn.Close()
				t.Error("still listens after Stop")
			}
		})
	}
}

func TestGuacdOnTakenPort(t *testing.T) {
	t.Parallel()
	g := startGuacd(t, GuacdOptions{})
	_, text, _ := net.SplitHostPort(g.Address)
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	second, err := StartGuacd(ctx, GuacdOptions{Port: port})
	if err == nil {
		_ = second.Stop()
		t.Fatal("a second guacd started on the same port")
	}
	if !strings.Contains(err.Error(), "Unable to bind socket") {
		t.Errorf("error = %v, want guacd's own words", err)
	}
}

func TestGuacdKill(t *testing.T) {
	t.Parallel()
	g := startGuacd(t, GuacdOptions{})
	conn := dialGuacd(t, g.Address, nil)
	conn.send(t, "select", "rdp")
	if _, err := conn.read(); err != nil {
		t.Fatal(err)
	}
	if err := g.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := g.Stop(); err != nil {
		t.Fatal(err)
	}
	if left := marked(g.mark); len(left) > 0 {
		t.Errorf("alive after Stop: %v", left)
	}
}
