// Package v2 stands in for dockerd's managed plugins, which Debian's package of
// its sources leaves out: the client of graph plugins asks whether it has one.
package v2

import "github.com/docker/docker/pkg/plugingetter"

// Plugin would be a managed plugin; nobody makes one here.
type Plugin struct {
	plugingetter.CompatPlugin
	PluginObj struct {
		Config struct{ PropagatedMount string }
	}
}
