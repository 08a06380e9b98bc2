package main

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/docker/docker/daemon/graphdriver"
	"github.com/docker/docker/pkg/archive"
)

// asked holds the fields of every request.
type asked struct {
	Home, ID, Parent, MountLabel string
	StorageOpt                   map[string]string
}

// told holds the fields of every reply.
type told struct {
	Err          string                    `json:",omitempty"`
	Dir          string                    `json:",omitempty"`
	Exists       bool                      `json:",omitempty"`
	Status       [][2]string               `json:",omitempty"`
	Changes      []archive.Change          `json:",omitempty"`
	Size         int64                     `json:",omitempty"`
	Metadata     map[string]string         `json:",omitempty"`
	Capabilities *graphdriver.Capabilities `json:",omitempty"`
	Implements   []string                  `json:",omitempty"`
}

// serve offers a built-in driver as the thinnest plugin one can write in Go: what
// a user of dockerd's code behind a socket would have.
func serve(side side) error {
	socket := side.socket
	side.socket = ""
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	return http.Serve(listener, &plugin{side: side})
}

type plugin struct {
	side   side
	driver graphdriver.Driver
}

func (p *plugin) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	method := filepath.Base(request.URL.Path)
	if method == "GraphDriver.ApplyDiff" {
		query := request.URL.Query()
		size, err := p.driver.ApplyDiff(query.Get("id"), query.Get("parent"), request.Body)
		reply(response, told{Size: size}, err)
		return
	}
	call := asked{}
	if err := json.NewDecoder(request.Body).Decode(&call); err != nil && err != io.EOF {
		reply(response, told{}, err)
		return
	}
	if method == "GraphDriver.Diff" {
		tar, err := p.driver.Diff(call.ID, call.Parent)
		if err != nil {
			reply(response, told{}, err)
			return
		}
		defer tar.Close()
		io.Copy(response, tar)
		return
	}
	answer, err := p.answer(method, call)
	reply(response, answer, err)
}

func (p *plugin) answer(method string, call asked) (answer told, err error) {
	options := &graphdriver.CreateOpts{MountLabel: call.MountLabel, StorageOpt: call.StorageOpt}
	switch method {
	case "Plugin.Activate":
		answer.Implements = []string{"GraphDriver"}
	case "GraphDriver.Init":
		if err = os.MkdirAll(p.side.home, 0o711); err == nil {
			p.driver, err = p.side.open()
		}
	case "GraphDriver.Capabilities":
		answer.Capabilities = &graphdriver.Capabilities{}
	case "GraphDriver.Create":
		err = p.driver.Create(call.ID, call.Parent, options)
	case "GraphDriver.CreateReadWrite":
		err = p.driver.CreateReadWrite(call.ID, call.Parent, options)
	case "GraphDriver.Get":
		mount, failure := p.driver.Get(call.ID, call.MountLabel)
		if failure != nil {
			return answer, failure
		}
		answer.Dir = mount.Path()
	case "GraphDriver.Put":
		err = p.driver.Put(call.ID)
	case "GraphDriver.Remove":
		err = p.driver.Remove(call.ID)
	case "GraphDriver.Exists":
		answer.Exists = p.driver.Exists(call.ID)
	case "GraphDriver.Status":
		answer.Status = p.driver.Status()
	case "GraphDriver.GetMetadata":
		answer.Metadata, err = p.driver.GetMetadata(call.ID)
	case "GraphDriver.Changes":
		answer.Changes, err = p.driver.Changes(call.ID, call.Parent)
	case "GraphDriver.DiffSize":
		answer.Size, err = p.driver.DiffSize(call.ID, call.Parent)
	case "GraphDriver.Cleanup":
		err = p.driver.Cleanup()
	default:
		err = errors.New(method + " is not a method")
	}
	return answer, err
}

func reply(response http.ResponseWriter, answer told, err error) {
	if err != nil {
		response.WriteHeader(http.StatusInternalServerError)
		answer.Err = err.Error()
	}
	json.NewEncoder(response).Encode(answer)
}
