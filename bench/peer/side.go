package main

import (
	"fmt"
	"os"

	"github.com/docker/docker/daemon/graphdriver"
	_ "github.com/docker/docker/daemon/graphdriver/overlay2"
	_ "github.com/docker/docker/daemon/graphdriver/vfs"
	"github.com/docker/docker/pkg/plugingetter"
	"github.com/docker/docker/pkg/plugins"
)

// side is one of the two that a bench compares.
type side struct {
	driver, home, socket string
	// pid is the plugin's, whose processor time counts.
	pid int
}

func (s side) open() (graphdriver.Driver, error) {
	if err := os.MkdirAll(s.home, 0o711); err != nil {
		return nil, err
	}
	return graphdriver.GetDriver(s.driver, onePlugin{s}, graphdriver.Options{
		Root:                s.home,
		ExperimentalEnabled: s.socket != "",
	})
}

// onePlugin finds the plugin by its socket, where dockerd would look in
// /run/docker/plugins.
type onePlugin struct{ side side }

func (p onePlugin) Get(name, capability string, mode int) (plugingetter.CompatPlugin, error) {
	client, err := plugins.NewClient("unix://"+p.side.socket, nil)
	if err != nil {
		return nil, err
	}
	manifest := plugins.Manifest{}
	if err := client.Call("Plugin.Activate", nil, &manifest); err != nil {
		return nil, err
	}
	for _, implemented := range manifest.Implements {
		if implemented == capability {
			return activePlugin{name, client}, nil
		}
	}
	return nil, fmt.Errorf("%s does not implement %s", name, capability)
}

func (onePlugin) GetAllByCap(string) ([]plugingetter.CompatPlugin, error)      { return nil, nil }
func (onePlugin) GetAllManagedPluginsByCap(string) []plugingetter.CompatPlugin { return nil }
func (onePlugin) Handle(string, func(name string, client *plugins.Client))     {}

type activePlugin struct {
	name   string
	client *plugins.Client
}

func (p activePlugin) Name() string                  { return p.name }
func (p activePlugin) ScopedPath(path string) string { return path }
func (p activePlugin) IsV1() bool                    { return true }
func (p activePlugin) Client() *plugins.Client       { return p.client }
