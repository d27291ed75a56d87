// Images, which come from files: there is no registry here to pull from.

package node

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// PauseImage is a program that waits, and with an address for an argument answers there with the
// name of its host (see ../pause).
const PauseImage = "countersign.test/pause:1"

// ImageUser is the user as whom the programs of images run.
const ImageUser = 65532

func (n *Node) importPause() error {
	program, err := os.ReadFile(n.tool("pause"))
	if err != nil {
		return err
	}
	archive, err := imageOf(program, PauseImage)
	if err != nil {
		return err
	}
	file := n.path("pause.tar")
	if err := os.WriteFile(file, archive, 0o600); err != nil {
		return err
	}
	return n.ImportImage(file, PauseImage)
}

// ImportImage makes the one image of an archive known to kubelet, by these names. The archive is one
// of `docker save`, or an OCI layout: what buildah and podman write too.
func (n *Node) ImportImage(archive string, names ...string) error {
	before, err := n.images()
	if err != nil {
		return err
	}
	if slices.Contains(before, names[0]) {
		return nil
	}
	if _, err := n.ctr("images", "import", archive); err != nil {
		return err
	}
	after, err := n.images()
	if err != nil {
		return err
	}
	for _, imported := range after {
		if slices.Contains(before, imported) {
			continue
		}
		for _, name := range names {
			if name == imported {
				continue
			}
			if _, err := n.ctr("images", "tag", "--force", imported, name); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("there is no new image in %s; there were %v", archive, before)
}

func (n *Node) images() ([]string, error) {
	output, err := n.ctr("images", "list", "--quiet")
	return strings.Fields(output), err
}

// ctr works in the namespace of containerd that kubelet uses.
func (n *Node) ctr(arguments ...string) (string, error) {
	arguments = append([]string{"--address=" + containerdSocket, "--namespace=k8s.io"}, arguments...)
	return n.run(n.tool("ctr"), arguments...)
}

// imageOf is an archive as `docker save` writes it: an image with one file, which is its program.
func imageOf(program []byte, name string) ([]byte, error) {
	layer, err := archiveOf(file{"program", 0o755, program})
	if err != nil {
		return nil, err
	}
	type object map[string]any
	configuration, err := json.Marshal(object{
		"os":           "linux",
		"architecture": runtime.GOARCH,
		"config":       object{"Entrypoint": []string{"/program"}, "User": fmt.Sprintf("%d:%d", ImageUser, ImageUser)},
		"rootfs":       object{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}},
	})
	if err != nil {
		return nil, err
	}
	manifest, err := json.Marshal([]object{{
		"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		return nil, err
	}
	return archiveOf(
		file{"manifest.json", 0o644, manifest},
		file{"config.json", 0o644, configuration},
		file{"layer.tar", 0o644, layer},
	)
}

type file struct {
	name    string
	mode    int64
	content []byte
}

func archiveOf(files ...file) ([]byte, error) {
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	for _, file := range files {
		header := tar.Header{Name: filepath.ToSlash(file.name), Mode: file.mode, Size: int64(len(file.content))}
		if err := writer.WriteHeader(&header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(file.content); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}
