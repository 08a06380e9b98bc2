//go:build cgo

package main

import (
	_ "github.com/docker/docker/daemon/graphdriver/btrfs"
)
