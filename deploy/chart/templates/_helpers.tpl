{{/* Names and defaults that several templates share. */}}

{{- define "countersign.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Shorter than a label may be by the longest suffix that is put behind it. */}}
{{- define "countersign.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "countersign.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "countersign.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "countersign.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "countersign.nameLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "countersign.nameLabels" -}}
app.kubernetes.io/name: {{ include "countersign.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The serving pods, and no others: the test's pod has another component. */}}
{{- define "countersign.selectorLabels" -}}
{{ include "countersign.nameLabels" . }}
app.kubernetes.io/component: webhook
{{- end }}

{{- define "countersign.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "countersign.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "countersign.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{/* Whether one pod is on each control-plane node. "true" or nothing. */}}
{{- define "countersign.isDaemonSet" -}}
{{- if eq .Values.mode "daemonset" }}true{{ end }}
{{- end }}

{{- define "countersign.listenHost" -}}
{{- .Values.listen.host | default (ternary "127.0.0.1" "0.0.0.0" (eq .Values.mode "daemonset")) }}
{{- end }}

{{- define "countersign.adminHost" -}}
{{- .Values.admin.host | default (ternary "127.0.0.1" "0.0.0.0" (eq .Values.mode "daemonset")) }}
{{- end }}

{{/* "true" if only the node itself can reach the host that is given. */}}
{{- define "countersign.isLoopback" -}}
{{- if or (hasPrefix "127." .) (eq . "::1") }}true{{ end }}
{{- end }}

{{/* host and port as one address. */}}
{{- define "countersign.address" -}}
{{- if contains ":" .host }}[{{ .host }}]:{{ .port }}{{ else }}{{ .host }}:{{ .port }}{{ end }}
{{- end }}

{{/* The name that the serving certificate is for. */}}
{{- define "countersign.serverName" -}}
{{- if include "countersign.isDaemonSet" . }}localhost{{ else }}{{ include "countersign.fullname" . }}.{{ .Release.Namespace }}.svc{{ end }}
{{- end }}

{{/* Where API servers find the webhook. */}}
{{- define "countersign.serverURL" -}}
{{- $host := include "countersign.listenHost" . }}
{{- $port := .Values.listen.port }}
{{- if not (include "countersign.isDaemonSet" .) }}
{{- $host = .Values.service.clusterIP }}
{{- $port = .Values.service.port }}
{{- else if eq $host "0.0.0.0" }}
{{- $host = "127.0.0.1" }}
{{- else if eq $host "::" }}
{{- $host = "::1" }}
{{- end }}
{{- printf "https://%s/authenticate" (include "countersign.address" (dict "host" $host "port" $port)) }}
{{- end }}

{{- define "countersign.hasClientCA" -}}
{{- if or .Values.clientCA.secretName .Values.clientCA.configMapName }}true{{ end }}
{{- end }}

{{- define "countersign.adminSocket" -}}
/run/countersign/admin.sock
{{- end }}

{{/* The configuration, without what was left at its default. */}}
{{- define "countersign.config" -}}
{{- $listen := dict
  "address" (include "countersign.address" (dict "host" (include "countersign.listenHost" .) "port" .Values.listen.port))
  "certificateFile" "tls.crt"
  "privateKeyFile" "tls.key"
}}
{{- if include "countersign.hasClientCA" . }}
{{- $_ := set $listen "clientCAFile" "client-ca.crt" }}
{{- $_ := set $listen "clientNames" .Values.listen.clientNames }}
{{- else }}
{{- $_ := set $listen "allowUnauthenticatedWebhook" true }}
{{- end }}
{{- $admin := dict "address" (include "countersign.address" (dict "host" (include "countersign.adminHost" .) "port" .Values.admin.port)) }}
{{- if include "countersign.isDaemonSet" . }}
{{- $_ := set $admin "socket" (include "countersign.adminSocket" .) }}
{{- end }}
{{- $config := dict
  "apiVersion" "countersign.dev/v1alpha1"
  "kind" "Configuration"
  "listen" $listen
  "admin" $admin
}}
{{- range $key, $value := .Values.config }}
{{- if $value }}
{{- $_ := set $config $key $value }}
{{- end }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{/* config.limits.shutdownTimeout in seconds, rounded up. */}}
{{- define "countersign.shutdownSeconds" -}}
{{- $seconds := 0.0 }}
{{- range regexFindAll "[0-9.]+(ms|h|m|s)" (.Values.config.limits.shutdownTimeout | default "25s" | toString) -1 }}
{{- $number := regexFind "[0-9.]+" . | float64 }}
{{- $unit := regexFind "[a-z]+" . }}
{{- $seconds = addf $seconds (mulf $number (get (dict "h" 3600.0 "m" 60.0 "s" 1.0 "ms" 0.001) $unit)) }}
{{- end }}
{{- ceil $seconds | int }}
{{- end }}

{{- define "countersign.terminationGracePeriodSeconds" -}}
{{- $needed := include "countersign.shutdownSeconds" . | int }}
{{- if not (include "countersign.isDaemonSet" .) }}
{{- $needed = add $needed .Values.preStopSleepSeconds | int }}
{{- end }}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds }}
{{- add $needed 5 }}
{{- else if lt (int .Values.terminationGracePeriodSeconds) $needed }}
{{- fail (printf "terminationGracePeriodSeconds: %d is less than the %d seconds that an orderly end may take (preStopSleepSeconds, config.limits.shutdownTimeout)" (int .Values.terminationGracePeriodSeconds) $needed) }}
{{- else }}
{{- .Values.terminationGracePeriodSeconds | int }}
{{- end }}
{{- end }}

{{/* What the schema cannot say. Every release is stopped here rather than in a pod. */}}
{{- define "countersign.validate" -}}
{{- $v := .Values }}
{{- if not (or (include "countersign.hasClientCA" .) $v.listen.allowUnauthenticatedWebhook) }}
{{- fail "clientCA.secretName or clientCA.configMapName is required: without a client certificate whoever reaches the webhook could try tokens. (listen.allowUnauthenticatedWebhook=true if something else guards it.)" }}
{{- end }}
{{- if and (include "countersign.hasClientCA" .) $v.listen.allowUnauthenticatedWebhook }}
{{- fail "listen.allowUnauthenticatedWebhook has no effect beside clientCA: choose one" }}
{{- end }}
{{- if and $v.clientCA.secretName $v.clientCA.configMapName }}
{{- fail "clientCA.secretName and clientCA.configMapName: choose one" }}
{{- end }}
{{- if eq (int $v.listen.port) (int $v.admin.port) }}
{{- fail "listen.port and admin.port must differ" }}
{{- end }}
{{- if and $v.metrics.serviceMonitor.enabled $v.metrics.podMonitor.enabled }}
{{- fail "metrics.serviceMonitor and metrics.podMonitor would scrape everything twice: choose one" }}
{{- end }}
{{- if and (include "countersign.isLoopback" (include "countersign.adminHost" .)) (or $v.metrics.service $v.metrics.serviceMonitor.enabled $v.metrics.podMonitor.enabled) }}
{{- fail (printf "admin.host is %s, where Prometheus cannot reach the metrics: set admin.host=0.0.0.0 (they are then served on the node's addresses)" (include "countersign.adminHost" .)) }}
{{- end }}
{{- if not (include "countersign.isDaemonSet" .) }}
{{- range $name, $host := dict "listen.host" (include "countersign.listenHost" .) "admin.host" (include "countersign.adminHost" .) }}
{{- if include "countersign.isLoopback" $host }}
{{- fail (printf "%s is %s, which nobody outside the pod can reach" $name $host) }}
{{- end }}
{{- end }}
{{- if and $v.autoscaling.enabled (gt (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas)) }}
{{- fail "autoscaling.minReplicas is more than autoscaling.maxReplicas" }}
{{- end }}
{{- end }}
{{- if and $v.test.tokenSecretName (include "countersign.hasClientCA" .) (not $v.test.clientSecretName) }}
{{- fail "test.clientSecretName is required: the webhook answers only those who show a client certificate" }}
{{- end }}
{{- range $name, $_ := $v.files }}
{{- if has $name (list "config.yaml" "tls.crt" "tls.key" "client-ca.crt") }}
{{- fail (printf "files: %s is the chart's own" $name) }}
{{- end }}
{{- end }}
{{- end }}
