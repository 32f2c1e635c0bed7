// An echo that says so, on gorilla/websocket, which knows nothing of wirebeat. Its keepalive is that of the
// library's examples: Pings by a ticker, and a read deadline that each Pong moves on.
//
// Arguments: the time between two Pings and the time that a Pong may take, as Go has durations. Prints a
// JSON line of each thing that happens.
package main

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/gorilla/websocket"
)

type fact struct {
	Name string  `json:"name"`
	At   float64 `json:"at"`
	Port int     `json:"port,omitempty"`
}

var facts = make(chan fact, 1000)

func tell(name string, port int) {
	facts <- fact{name, float64(time.Now().UnixMicro()) / 1000, port}
}

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

func echo(w http.ResponseWriter, r *http.Request, interval, timeout time.Duration) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	tell("open", 0)
	defer tell("close", 0)
	defer conn.Close()
	extend := func() { conn.SetReadDeadline(time.Now().Add(interval + timeout)) }
	extend()
	conn.SetPongHandler(func(string) error {
		tell("pong", 0)
		extend()
		return nil
	})
	done := make(chan struct{})
	defer close(done)
	go keepAlive(conn, interval, done)
	for {
		kind, message, err := conn.ReadMessage()
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			tell("timeout", 0)
		}
		if err != nil || conn.WriteMessage(kind, append([]byte("echo "), message...)) != nil {
			return
		}
	}
}

func keepAlive(conn *websocket.Conn, interval time.Duration, done chan struct{}) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(interval))
		case <-done:
			return
		}
	}
}

func main() {
	interval, _ := time.ParseDuration(os.Args[1])
	timeout, _ := time.ParseDuration(os.Args[2])
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	tell("listening", listener.Addr().(*net.TCPAddr).Port)
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		echo(w, r, interval, timeout)
	}))
	out := json.NewEncoder(os.Stdout)
	for said := range facts {
		out.Encode(said)
	}
}
