#!/bin/sh
# What can be checked of the chart, the rules and the dashboard without a cluster. Run by `make lint`, from anywhere.
#
# HELM, KUBECONFORM, PROMTOOL and COUNTERSIGN say where these programs are, SCHEMAS where kubeconform's schemas are
# (tests/cluster/schemas makes them). What has no schema there is skipped. Without COUNTERSIGN the configurations are not checked.
set -eu

cd "$(dirname "$0")/.."
helm=${HELM:-helm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "chart: $*" >&2; exit 1; }

# The configuration as a pod would see it, from the rendered ConfigMap or Secret on standard input.
configuration() {
  awk '
    /^  config.yaml: [^|]/ { print $2 | "base64 -d"; exit }
    /^  config.yaml: [|]/ { inside = 1; next }
    inside && !/^    / { exit }
    inside { print substr($0, 5) }
  '
}

[ -z "${COUNTERSIGN:-}" ] || {
  "$COUNTERSIGN" init --dir "$work" --service-account-key >/dev/null
  cp -r ../dev/objects "$work/objects"
  cp "$work/ca.crt" "$work/idp-ca.crt"
  echo 'secret,somebody,1' >"$work/tokens.csv"
  printf 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt: []\n' >"$work/authentication.yaml"
}

for values in ci/*-values.yaml; do
  "$helm" lint --strict --quiet . --kube-version 1.30 --values "$values" || fail "helm lint, with $values"
  "$helm" template countersign . --kube-version 1.30 --namespace countersign --values "$values" >"$work/objects.yaml" || fail "helm template, with $values"
  [ -z "${KUBECONFORM:-}" ] ||
    "$KUBECONFORM" -strict -summary -schema-location "$SCHEMAS/{{.ResourceKind}}{{.KindSuffix}}.json" \
      -skip ServiceMonitor,PodMonitor,PrometheusRule,Certificate "$work/objects.yaml" || fail "kubeconform, with $values"
  [ -z "${COUNTERSIGN:-}" ] || {
    "$helm" template countersign . --kube-version 1.30 --values "$values" --show-only templates/config.yaml | configuration >"$work/config.yaml"
    "$COUNTERSIGN" check "$work/config.yaml" || fail "countersign check, with $values"
  }
done

# Each of these must be refused, and for the reason that is given.
refused() {
  reason=$1 values=$2
  shift 2
  if said=$("$helm" template countersign . --kube-version 1.30 --values "ci/$values-values.yaml" "$@" 2>&1 >/dev/null); then
    fail "$* is not refused"
  fi
  case $said in *"$reason"*) ;; *) fail "$* is refused, but not for '$reason': $said" ;; esac
}
refused "'replica' not allowed" deployment --set replica=3
refused "'jwtt' not allowed" daemonset --set config.jwtt=1
refused "'signingKey' not allowed" daemonset --set config.serviceAccountIssuer.signingKey=sa.key
refused "'signingKeyFiles', 'objectsDir'" daemonset --set config.serviceAccountIssuer.url=https://countersign.example.com
refused "/config/callers/0/allow/0" daemonset --set 'config.callers[0].allow={pods}'
refused "'maxExpiration'" daemonset --set-json 'config.callers=[{"users":["a"],"allow":["serviceaccounts/token"],"serviceAccounts":["*/*"],"audiences":["a"]}]'
refused "'maxConnectons' not allowed" daemonset --set config.limits.maxConnectons=1
refused "/config/limits/shutdownTimeout" daemonset --set config.limits.shutdownTimeout=25
refused "/mode" daemonset --set mode=statefulset
refused "/config/apiAudiences" daemonset --set-json config.apiAudiences=[]
refused "/service/clusterIP" deployment --set service.clusterIP=
refused "/service/clusterIP" deployment --set service.clusterIP=countersign.example.com
refused "/tls/secretName" daemonset --set tls.secretName=
refused "/tls/certManager/issuerRef/name" daemonset --set tls.certManager.enabled=true
refused "/podSecurityContext/runAsUser" daemonset --set podSecurityContext.runAsUser=0
refused "clientCA.secretName or clientCA.configMapName is required" daemonset --set clientCA.secretName=
refused "choose one" daemonset --set clientCA.configMapName=x
refused "choose one" daemonset --set listen.allowUnauthenticatedWebhook=true
refused "must differ" daemonset --set admin.port=8443
refused "set admin.host=0.0.0.0" daemonset --set metrics.serviceMonitor.enabled=true
refused "which nobody outside the pod can reach" deployment --set listen.host=127.0.0.1
refused "less than the 25 seconds" daemonset --set terminationGracePeriodSeconds=20
refused "less than the 30 seconds" deployment --set terminationGracePeriodSeconds=29
refused "test.clientSecretName is required" daemonset --set test.tokenSecretName=x
refused "the chart's own" daemonset --set-string 'files.tls\.key=x'

# What only a restart takes up starts new pods, and so does all of the configuration if that is asked for; nothing else does.
checksum() { "$helm" template countersign . --kube-version 1.30 --values ci/daemonset-values.yaml "$@" | sed -n 's/.*checksum\/[a-z]*: //p'; }
[ -n "$(checksum)" ] && [ "$(checksum)" = "$(checksum)" ] || fail "the configuration's checksum is not stable"
[ "$(checksum)" != "$(checksum --set listen.port=10444)" ] || fail "a listener that moves starts no new pods"
[ "$(checksum)" = "$(checksum --set config.cache.rejectedTTL=1m)" ] || fail "a changed configuration starts new pods"
[ "$(checksum --set rollOnConfigChange=true)" != "$(checksum --set rollOnConfigChange=true --set config.cache.rejectedTTL=1m)" ] ||
  fail "a changed configuration starts no new pods where it should"
[ "$(checksum --set rollOnConfigChange=true)" = "$(checksum --set rollOnConfigChange=true --set commonLabels.a=b)" ] || fail "a changed label starts new pods"

promtool=${PROMTOOL:-promtool}
if command -v "$promtool" >/dev/null; then
  (cd ../monitoring && "$promtool" check rules alerts.yaml && "$promtool" test rules alerts_test.yaml) >"$work/promtool" 2>&1 ||
    { cat "$work/promtool" >&2; fail "promtool"; }
else
  echo "chart: no promtool, so the alert rules are not tested" >&2
fi
