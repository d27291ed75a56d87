#!/bin/sh
# From nothing to an authenticated kubectl, on a kind cluster of one node. Run by `make kind` from the repository's root, after
# `make image`. Running it again mends and upgrades what is there; `kind delete cluster --name countersign` ends it.
#
# Needs docker (or podman, with KIND_EXPERIMENTAL_PROVIDER=podman), kind 0.33 or newer, helm, kubectl, openssl.
set -eu

name=countersign
namespace=countersign
dir=certs/kind
image=${IMAGE:-localhost/countersign:0.1.0}
countersign=${COUNTERSIGN:-target/release/countersign}
engine=${KIND_EXPERIMENTAL_PROVIDER:-docker}

for program in "$engine" kind helm kubectl openssl; do
  command -v "$program" >/dev/null || { echo "$0: $program is not installed" >&2; exit 1; }
done

# 1. Certificates and kubeconfig; the node gets the API server's four files and no CA's key.
mkdir -p certs
"$countersign" init --dir "$dir"
mkdir -p "$dir/apiserver"
for file in webhook.kubeconfig ca.crt kube-apiserver.crt kube-apiserver.key; do
  cp "$dir/$file" "$dir/apiserver/$file"
done

# 2. A token of our own. countersign is given its hash only.
[ -s "$dir/token" ] || (umask 077 && openssl rand -hex 32 | tr -d '\n' >"$dir/token")
hash=$(openssl dgst -sha256 -r "$dir/token" | cut -d' ' -f1)
(umask 077 && printf 'sha256:%s,demo,1,"demo:viewers"\n' "$hash" >"$dir/tokens.csv")

# 3. The cluster, whose API server has the flags from its first start: it needs the files, not yet the webhook.
kind get clusters | grep -qx "$name" || kind create cluster --config deploy/kind/cluster.yaml
# Nothing of ours depends on the caller's current context.
kind get kubeconfig --name "$name" >"$dir/admin.kubeconfig"
chmod 600 "$dir/admin.kubeconfig"
export KUBECONFIG="$dir/admin.kubeconfig"

# 4. The image.
archive=$(mktemp)
trap 'rm -f "$archive"' EXIT
"$engine" save --output "$archive" "$image"
kind load image-archive "$archive" --name "$name"

# 5. The Secrets, in a namespace that allows the host's network, and the chart.
apply() { kubectl apply --server-side --filename - >/dev/null; }
kubectl create namespace "$namespace" --dry-run=client --output yaml | apply
kubectl label namespace "$namespace" --overwrite pod-security.kubernetes.io/enforce=privileged >/dev/null
in_namespace="kubectl --namespace $namespace create --dry-run=client --output yaml"
$in_namespace secret generic countersign-tls --type kubernetes.io/tls \
  --from-file tls.crt="$dir/tls.crt" --from-file tls.key="$dir/tls.key" --from-file ca.crt="$dir/ca.crt" | apply
$in_namespace secret generic countersign-client-ca --from-file ca.crt="$dir/client-ca.crt" | apply
$in_namespace secret generic countersign-tokens --from-file tokens.csv="$dir/tokens.csv" | apply
helm upgrade --install "$name" deploy/chart --namespace "$namespace" --values deploy/kind/values.yaml \
  --set-string "image.repository=${image%:*}" --set-string "image.tag=${image##*:}" --wait --timeout 3m

# 6. Who is it? A kubeconfig without a client certificate, so that only the token speaks.
server=$(kubectl config view --minify --output 'jsonpath={.clusters[0].cluster.server}')
kubectl config view --raw --minify --output 'jsonpath={.clusters[0].cluster.certificate-authority-data}' |
  openssl base64 -d -A >"$dir/cluster-ca.crt"
user="$dir/user.kubeconfig"
rm -f "$user"
(
  umask 077
  export KUBECONFIG="$user"
  kubectl config set-cluster kind --server "$server" --certificate-authority "$dir/cluster-ca.crt" --embed-certs=true
  kubectl config set-credentials demo --token "$(cat "$dir/token")"
  kubectl config set-context demo --cluster kind --user demo
  kubectl config use-context demo
) >/dev/null
kubectl --kubeconfig "$user" auth whoami

cat <<DONE

That was countersign's answer, by way of the API server. Try more:
  kubectl --kubeconfig $user get pods                     # refused: nobody has given demo any right
  kubectl --kubeconfig $dir/admin.kubeconfig create clusterrolebinding demo --clusterrole view --group demo:viewers
  kubectl --kubeconfig $user get pods --all-namespaces    # allowed
DONE
