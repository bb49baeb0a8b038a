package e2e

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeGuacd is a guacd for what no xrdp does: it prints (xrdp refuses printers)
// and copies pictures (no guacd does yet). It shows a plain picture, does what a
// key asks for, and remembers what it was told.
type fakeGuacd struct {
	address string
	print   []byte // sent as a print-out on the key p
	picture []byte // put into the clipboard on the key c

	slow bool // takes no more of a file than its beginning

	mu    sync.Mutex
	heard []string // instructions, elements joined by spaces
}

func startFakeGuacd(t *testing.T, print, picture []byte) *fakeGuacd {
	t.Helper()
	listener := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { listener.Close() })
	g := &fakeGuacd{address: listener.Addr().String(), print: print, picture: picture}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go g.serve(conn)
		}
	}()
	return g
}

// said tells whether the browser's side has said something that starts so.
func (g *fakeGuacd) said(start string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.heard, func(heard string) bool { return strings.HasPrefix(heard, start) })
}

// order is what was said that starts so.
func (g *fakeGuacd) order(starts ...string) (heard []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, one := range g.heard {
		if slices.ContainsFunc(starts, func(start string) bool { return strings.HasPrefix(one, start) }) {
			heard = append(heard, one)
		}
	}
	return heard
}

// forget what was said so far.
func (g *fakeGuacd) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.heard = nil
}

const fakeArgs = "VERSION_1_3_0 hostname port security ignore-cert read-only disable-copy disable-paste disable-audio enable-drive " +
	"drive-path drive-name create-drive-path disable-upload disable-download enable-printing enable-audio-input"

func (g *fakeGuacd) serve(conn net.Conn) {
	defer conn.Close()
	var writing sync.Mutex
	say := func(elements ...string) {
		writing.Lock()
		defer writing.Unlock()
		for i, e := range elements {
			elements[i] = fmt.Sprintf("%d.%s", len([]rune(e)), e)
		}
		fmt.Fprint(conn, strings.Join(elements, ",")+";") // an error is one of reading too
	}
	in := bufio.NewReader(conn)
	for {
		elements, err := readInstruction(in)
		if err != nil {
			return
		}
		g.mu.Lock()
		g.heard = append(g.heard, strings.Join(elements, " "))
		g.mu.Unlock()
		switch strings.Join(elements, " ") {
		case "select rdp":
			say(append([]string{"args"}, strings.Fields(fakeArgs)...)...)
		case "key 112 1":
			say("file", "1", "application/pdf", "Månadsrapport.pdf")
		case "key 99 1":
			say("clipboard", "2", "image/png")
			say("blob", "2", base64.StdEncoding.EncodeToString(g.picture))
			say("end", "2")
		}
		switch elements[0] {
		case "connect":
			say("ready", "$260d01da-779b-4ee9-afc1-c16bae885cc7")
			say("size", "0", "1024", "768")
			say("rect", "0", "0", "0", "1024", "768")
			say("cfill", "14", "0", "32", "64", "128", "255")
			say("filesystem", "1", "Stagedoor")
			go g.beat(say, conn)
		case "ack":
			if body := map[string][]byte{"1": g.print, "3": []byte(listing)}[elements[1]]; body != nil && elements[2] == "OK" {
				say("blob", elements[1], base64.StdEncoding.EncodeToString(body))
				say("end", elements[1])
			}
		case "get":
			say("body", elements[1], "3", "application/vnd.glyptodon.guacamole.stream-index+json", elements[2])
		case "file":
			say("ack", elements[1], "OK", "0")
		case "blob":
			if !g.slow {
				say("ack", elements[1], "OK", "0")
			}
		case "disconnect":
			return
		}
	}
}

// beat says that frames come, four a second, as guacd 1.3 does.
func (g *fakeGuacd) beat(say func(...string), conn net.Conn) {
	for stamp := 1; ; stamp++ {
		say("sync", strconv.Itoa(stamp))
		time.Sleep(250 * time.Millisecond) // guacd's own beat
		if _, err := conn.Write(nil); err != nil {
			return
		}
	}
}

// listing is what lies in every folder.
const listing = `{"/Download":"application/vnd.glyptodon.guacamole.stream-index+json",` +
	`"/Rapporter 2026":"application/vnd.glyptodon.guacamole.stream-index+json",` +
	`"/Månadsrapport-för-passersystemet-i-Stockholm-kvartal-1-utkast-7.docx":"application/octet-stream","/läs mig 😀.txt":"application/octet-stream"}`

// readInstruction reads LENGTH.VALUE,LENGTH.VALUE; with lengths in code points.
func readInstruction(in *bufio.Reader) (elements []string, err error) {
	for {
		digits, err := in.ReadString('.')
		if err != nil {
			return nil, err
		}
		length, err := strconv.Atoi(strings.TrimSuffix(digits, "."))
		if err != nil {
			return nil, err
		}
		value := make([]rune, length)
		for i := range value {
			if value[i], _, err = in.ReadRune(); err != nil {
				return nil, err
			}
		}
		elements = append(elements, string(value))
		switch end, err := in.ReadByte(); {
		case err != nil:
			return nil, err
		case end == ';':
			return elements, nil
		case end != ',':
			return nil, io.ErrUnexpectedEOF
		}
	}
}
