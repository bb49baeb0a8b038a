package main

import (
	"encoding/json"
	"net"
	"net/http"

	"github.com/wwt/guac"
)

// playWWTGuac is the least that makes a server of wwt/guac: its own
// WebsocketServer, its own stream and handshake, as its example does.
func playWWTGuac(in *json.Decoder, out *json.Encoder) error {
	var work relayWork
	if err := in.Decode(&work); err != nil {
		return err
	}
	listener, err := listenAs(work.Identity, "http/1.1")
	if err != nil {
		return err
	}
	server := guac.NewWebsocketServer(func(*http.Request) (guac.Tunnel, error) {
		conn, err := net.Dial("tcp", work.Guacd)
		if err != nil {
			return nil, err
		}
		config := guac.NewGuacamoleConfiguration()
		config.Protocol = "rdp"
		config.Parameters = map[string]string{"hostname": "192.0.2.1", "port": "3389"}
		stream := guac.NewStream(conn, guac.SocketTimeout)
		if err := stream.Handshake(config); err != nil {
			return nil, err
		}
		return guac.NewSimpleTunnel(stream), nil
	})
	return serveUntilEnd(in, out, listener, server.ServeHTTP)
}
