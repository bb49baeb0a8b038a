package testbed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
)

// nodePeer is a peer written in JavaScript over a package of npm, told over
// HTTP what to do.
type nodePeer struct {
	process *Process
	port    int    // of the peer
	control string // URL
}

// startNode runs testbed/<script>, which reads its options from standard input
// and prints {"port": 1, "control": 2} when it is ready.
func startNode(ctx context.Context, script string, options any) (*nodePeer, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	in, err := json.Marshal(options)
	if err != nil {
		return nil, err
	}
	p := &nodePeer{}
	if p.process, err = Start(Command{Path: "node", Args: []string{filepath.Join(root, "testbed", script)}, In: bytes.NewReader(in)}); err != nil {
		return nil, err
	}
	if err := p.process.WaitReady(ctx, p.process.Printing("}\n")); err != nil {
		return nil, errors.Join(err, p.process.Stop())
	}
	var ready struct{ Port, Control int }
	line, _, _ := strings.Cut(p.process.Output(), "\n")
	if err := json.Unmarshal([]byte(line), &ready); err != nil {
		return nil, errors.Join(fmt.Errorf("%s said %q: %w", script, line, err), p.process.Stop())
	}
	p.port = ready.Port
	p.control = "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(ready.Control))
	return p, nil
}

// address is host:port of the peer.
func (p *nodePeer) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

// tell posts to the control port.
func (p *nodePeer) tell(ctx context.Context, act string, what any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return p.exchange(ctx, http.MethodPost, "/"+act, bytes.NewReader(body), nil)
}

// ask gets from the control port, which may wait with its answer.
func (p *nodePeer) ask(ctx context.Context, query string, answer any) error {
	return p.exchange(ctx, http.MethodGet, "/state?"+query, nil, answer)
}

func (p *nodePeer) exchange(ctx context.Context, method, path string, body io.Reader, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, p.control+path, body)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%w; it said:\n%s", err, p.process.Output())
	}
	defer response.Body.Close()
	if answer == nil {
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
