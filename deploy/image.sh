#!/bin/sh
# Builds the image from the files that `make image` has put into TARGET/image, and saves it as TARGET/image.tar.
#
#   ENGINE=docker|podman|buildah deploy/image.sh NAME:TAG VERSION TARGET
set -eu

name=$1 version=$2 target=$3
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
set -- --file deploy/Dockerfile --tag "$name" --build-arg "VERSION=$version" --build-arg "REVISION=$revision" "$target/image"

case $ENGINE in
docker | podman)
  "$ENGINE" build "$@"
  "$ENGINE" save --output "$target/image.tar" "$name"
  ;;
*)
  # Without an engine, and so without its overlay and its namespaces.
  buildah --storage-driver vfs build --isolation chroot "$@"
  rm -f "$target/image.tar"
  buildah --storage-driver vfs push "$name" "docker-archive:$target/image.tar:$name"
  ;;
esac
echo "$name, and $target/image.tar"
