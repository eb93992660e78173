package main

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
)

// echoArg starts this program as the bare server.
const echoArg = "-echo-server"

// runEcho serves, for each operation, the bytes that standard input says, over net/http and nothing else. It prints its
// address and ends with its standard input.
func runEcho() error {
	var replies map[string][]byte
	if err := gob.NewDecoder(os.Stdin).Decode(&replies); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // its client is this program
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		b := replies[r.Header.Get("X-Amz-Target")]
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		_, _ = w.Write(b) // a client that went away is its own affair
	}))
}

// startEcho starts a bare server that answers replies, by X-Amz-Target.
func startEcho(replies map[string][]byte) (*process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	var in bytes.Buffer
	if err := gob.NewEncoder(&in).Encode(replies); err != nil {
		return nil, "", err
	}
	cmd := exec.Command(self, echoArg) //nolint:gosec // ourselves
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	p := &process{cmd: cmd}
	var addr string
	if _, err := fmt.Fscanln(out, &addr); err != nil {
		return nil, "", fmt.Errorf("the bare server does not start: %w", err)
	}
	return p, "http://" + addr, nil
}
