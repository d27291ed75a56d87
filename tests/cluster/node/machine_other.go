//go:build !linux

// There are no nodes without Linux.

package node

import "errors"

func unavailable() string { return "a node needs Linux" }

func runInMachine(func(dir string) int) int { return 1 }

func bindMount(string, string) error { return errors.ErrUnsupported }

func unmount(string) error { return errors.ErrUnsupported }
