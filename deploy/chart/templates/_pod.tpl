{{/* The pod, the same in both modes but for what a host's network asks for. */}}

{{- define "countersign.podTemplate" -}}
{{- $isDaemonSet := include "countersign.isDaemonSet" . -}}
metadata:
  labels:
    {{- include "countersign.selectorLabels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- if .Values.rollOnConfigChange }}
    checksum/config: {{ printf "%s\n%s" (include "countersign.config" .) (toJson .Values.files) | sha256sum }}
    {{- else }}
    # What only a restart takes up must start new pods when it changes.
    {{- $config := include "countersign.config" . | fromYaml }}
    checksum/listeners: {{ list $config.listen.address $config.admin | toJson | sha256sum }}
    {{- end }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- if $isDaemonSet }}
  hostNetwork: true
  {{- end }}
  dnsPolicy: {{ .Values.dnsPolicy | default (ternary "Default" "ClusterFirst" (eq .Values.mode "daemonset")) }}
  priorityClassName: {{ .Values.priorityClassName | default (ternary "system-node-critical" "system-cluster-critical" (eq .Values.mode "daemonset")) }}
  serviceAccountName: {{ include "countersign.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  terminationGracePeriodSeconds: {{ include "countersign.terminationGracePeriodSeconds" . }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- if $isDaemonSet }}
  nodeSelector:
    {{- toYaml (.Values.nodeSelector | default (dict "node-role.kubernetes.io/control-plane" "")) | nindent 4 }}
  tolerations:
    {{- toYaml (.Values.tolerations | default (list (dict "operator" "Exists"))) | nindent 4 }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- else }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "countersign.affinity" . }}
  affinity:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- $own := dict "labelSelector" (dict "matchLabels" (include "countersign.selectorLabels" $ | fromYaml)) }}
    {{- range . }}
    {{- list (merge (deepCopy .) $own) | toYaml | nindent 4 }}
    {{- end }}
  {{- end }}
  {{- end }}
  {{- with .Values.hostAliases }}
  hostAliases:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
  - name: countersign
    image: {{ include "countersign.image" . | quote }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    args: [serve, --config, /etc/countersign/config.yaml]
    env:
    - name: COUNTERSIGN_LOG
      value: {{ .Values.logLevel }}
    {{- with .Values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- if $isDaemonSet }}
    # No ports: in the host's network each would be a host port, and keep the next pod from starting
    # beside this one. And two pods share the admin address, so each is asked at a socket of its own.
    readinessProbe:
      exec:
        command: [/countersign, probe, readyz, --socket, {{ include "countersign.adminSocket" . }}]
      periodSeconds: 5
      timeoutSeconds: 3
      failureThreshold: 3
    livenessProbe:
      exec:
        command: [/countersign, probe, livez, --socket, {{ include "countersign.adminSocket" . }}]
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    {{- else }}
    ports:
    - name: https
      containerPort: {{ .Values.listen.port }}
    - name: admin
      containerPort: {{ .Values.admin.port }}
    readinessProbe:
      httpGet: {path: /readyz, port: admin}
      periodSeconds: 5
      timeoutSeconds: 3
      failureThreshold: 3
    livenessProbe:
      httpGet: {path: /livez, port: admin}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    {{- if .Values.preStopSleepSeconds }}
    lifecycle:
      preStop:
        sleep:
          seconds: {{ .Values.preStopSleepSeconds }}
    {{- end }}
    {{- end }}
    resources:
      {{- toYaml .Values.resources | nindent 6 }}
    securityContext:
      {{- include "countersign.containerSecurityContext" . | nindent 6 }}
    volumeMounts:
    - name: files
      mountPath: /etc/countersign
      readOnly: true
    {{- if $isDaemonSet }}
    - name: run
      mountPath: {{ include "countersign.adminSocket" . | dir }}
    {{- end }}
    {{- with .Values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
  # One directory, as `countersign init` lays it out. What is later in the list wins.
  - name: files
    projected:
      defaultMode: 0440
      sources:
      {{- with .Values.fileSources }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      - {{ ternary "secret" "configMap" (eq .Values.configStorage "Secret") }}:
          name: {{ include "countersign.fullname" . }}
      - secret:
          name: {{ .Values.tls.secretName }}
          items:
          - {key: tls.crt, path: tls.crt}
          - {key: tls.key, path: tls.key}
      {{- with .Values.clientCA.secretName }}
      - secret:
          name: {{ . }}
          items:
          - {key: {{ $.Values.clientCA.key | quote }}, path: client-ca.crt}
      {{- end }}
      {{- with .Values.clientCA.configMapName }}
      - configMap:
          name: {{ . }}
          items:
          - {key: {{ $.Values.clientCA.key | quote }}, path: client-ca.crt}
      {{- end }}
  {{- if $isDaemonSet }}
  - name: run
    emptyDir:
      medium: Memory
      sizeLimit: 1Mi
  {{- end }}
  {{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* Not for choice: no value can take them away. */}}
{{- define "countersign.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "countersign.affinity" -}}
{{- $affinity := deepCopy .Values.affinity }}
{{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" (include "countersign.selectorLabels" . | fromYaml)) }}
{{- if not (hasKey $affinity "podAntiAffinity") }}
{{- if eq .Values.podAntiAffinity "required" }}
{{- $_ := set $affinity "podAntiAffinity" (dict "requiredDuringSchedulingIgnoredDuringExecution" (list $term)) }}
{{- else if eq .Values.podAntiAffinity "preferred" }}
{{- $weighted := dict "weight" 100 "podAffinityTerm" $term }}
{{- $_ := set $affinity "podAntiAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" (list $weighted)) }}
{{- end }}
{{- end }}
{{- if $affinity }}
{{- toYaml $affinity }}
{{- end }}
{{- end }}
