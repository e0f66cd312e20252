{{/* The template of a pod. Takes { root, component, role, values (resources, extraEnvs, nodeSelector …), state (the volume `state`, or nothing) }. */}}
{{- define "slipstream.pod" -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
{{- $own := .values -}}
{{- $config := include "slipstream.config" $root | fromYaml -}}
{{- $fullname := include "slipstream.fullname" $root -}}
{{- $isEvaluate := eq .role "evaluate" -}}
{{- $tokenSecret := include "slipstream.tokenSecret" $root -}}
metadata:
  labels:
    {{- /* Nothing that changes with each version of the chart: that would restart pods for nothing. */}}
    {{- $labels := omit (include "slipstream.labels" (dict "root" $root "component" .component) | fromYaml) "helm.sh/chart" "app.kubernetes.io/managed-by" }}
    {{- mergeOverwrite (deepCopy $values.podLabels) $labels | include "slipstream.quoted" | trim | nindent 4 }}
  annotations:
    {{- $annotations := dict "checksum/config" (include "slipstream.config" $root | sha256sum) "kubectl.kubernetes.io/default-container" "slipstream" }}
    {{- mergeOverwrite (deepCopy (default dict $values.commonAnnotations)) $values.podAnnotations $annotations | include "slipstream.quoted" | trim | nindent 4 }}
spec:
  serviceAccountName: {{ include "slipstream.serviceAccountName" $root | quote }}
  automountServiceAccountToken: {{ ternary "false" (include "slipstream.mountsAccountToken" $root) (eq .role "ingest") }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
  {{- with include "slipstream.pullSecrets" $root | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- with $values.podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with default $values.nodeSelector $own.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with default $values.tolerations $own.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with default $values.affinity $own.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with default $values.topologySpreadConstraints $own.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- else }}
  {{- if ne .role "all" }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "slipstream.selector" . | nindent 10 }}
  {{- end }}
  {{- end }}
  {{- with $values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: slipstream
      image: {{ include "slipstream.image" $root | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args:
        - serve
        - --config
        - /etc/slipstream/slipstream.yaml
        {{- if ne .role "all" }}
        - --role
        - {{ .role }}
        {{- end }}
        {{- if $isEvaluate }}
        - --advertised-url
        - {{ printf "%s://$(POD_NAME).%s-evaluate-headless.%s.svc:%d" (include "slipstream.apiScheme" $root) $fullname (include "slipstream.namespace" $root) (int $config.api.port) | quote }}
        {{- end }}
        {{- with $values.extraArgs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      env:
        - name: POD_NAME
          valueFrom: { fieldRef: { fieldPath: metadata.name } }
        - name: POD_NAMESPACE
          valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
        {{- if $values.tls.api.secretName }}
        # For commands that people run in the pod: certificates are of names.
        - { name: SLIPSTREAM_URL, value: {{ include "slipstream.apiUrl" $root | quote }} }
        - { name: SLIPSTREAM_CA_FILE, value: /etc/slipstream/tls/api/ca.crt }
        {{- else if $config.api.tls }}
        - { name: SLIPSTREAM_URL, value: {{ include "slipstream.apiUrl" $root | quote }} }
        {{- with $config.api.tls.caFile }}
        - { name: SLIPSTREAM_CA_FILE, value: {{ . | quote }} }
        {{- end }}
        {{- else if ne (int $config.api.port) 8080 }}
        - { name: SLIPSTREAM_URL, value: {{ printf "http://127.0.0.1:%d" (int $config.api.port) | quote }} }
        {{- end }}
        {{- with concat $values.extraEnvs (default list $own.extraEnvs) }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $values.extraEnvsFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        {{- if not $isEvaluate }}
        {{- include "slipstream.otlpContainerPorts" $config | trim | nindent 8 }}
        {{- end }}
        - { name: http, containerPort: {{ $config.api.port }}, protocol: TCP }
      {{- $scheme := include "slipstream.apiScheme" $root | upper }}
      startupProbe:
        httpGet: { path: /healthz, port: http, scheme: {{ $scheme }} }
        {{- toYaml $values.startupProbe | nindent 8 }}
      livenessProbe:
        httpGet: { path: /healthz, port: http, scheme: {{ $scheme }} }
        {{- toYaml $values.livenessProbe | nindent 8 }}
      readinessProbe:
        httpGet: { path: /readyz, port: http, scheme: {{ $scheme }} }
        {{- toYaml $values.readinessProbe | nindent 8 }}
      {{- if gt (int $values.preStopSeconds) 0 }}
      lifecycle:
        preStop:
          exec:
            command: [node, -e, "setTimeout(() => {}, {{ mul $values.preStopSeconds 1000 }})"]
      {{- end }}
      {{- with default $values.resources $own.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.securityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        # The others lie below it: a kubelet makes their folders in the volume (MakeNestedMountpoints in Kubernetes' pkg/volume/util).
        - { name: config, mountPath: /etc/slipstream, readOnly: true }
        {{- range $index, $name := include "slipstream.sloConfigMaps" $root | fromYamlArray }}
        - { name: slos-{{ $index }}, mountPath: {{ printf "/etc/slipstream/slos/%s" $name | quote }}, readOnly: true }
        {{- end }}
        {{- range $index, $secret := $values.secrets }}
        - { name: secret-{{ $index }}, mountPath: {{ printf "/etc/slipstream/secrets/%s" $secret.name | quote }}, readOnly: true }
        {{- end }}
        {{- if $tokenSecret }}
        - { name: auth-api, mountPath: /etc/slipstream/auth/api, readOnly: true }
        {{- end }}
        {{- if $values.auth.otlp.existingSecret }}
        - { name: auth-otlp, mountPath: /etc/slipstream/auth/otlp, readOnly: true }
        {{- end }}
        {{- if $values.tls.otlp.secretName }}
        - { name: tls-otlp, mountPath: /etc/slipstream/tls/otlp, readOnly: true }
        {{- end }}
        {{- if $values.tls.api.secretName }}
        - { name: tls-api, mountPath: /etc/slipstream/tls/api, readOnly: true }
        {{- end }}
        {{- if ne .role "ingest" }}
        - { name: state, mountPath: {{ $config.state.directory | quote }} }
        {{- end }}
        - { name: tmp, mountPath: /tmp }
        {{- with $values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with $values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: config
      configMap: { name: {{ $fullname | quote }} }
    {{- range $index, $name := include "slipstream.sloConfigMaps" $root | fromYamlArray }}
    - name: slos-{{ $index }}
      configMap: { name: {{ $name | quote }} }
    {{- end }}
    {{- range $index, $secret := $values.secrets }}
    - name: secret-{{ $index }}
      secret: { secretName: {{ $secret.secretName | quote }} }
    {{- end }}
    {{- with $tokenSecret }}
    - name: auth-api
      secret: { secretName: {{ . | quote }}, items: [{ key: {{ include "slipstream.tokenKey" $root | quote }}, path: token }] }
    {{- end }}
    {{- with $values.auth.otlp.existingSecret }}
    - name: auth-otlp
      secret: { secretName: {{ . | quote }}, items: [{ key: {{ $values.auth.otlp.key | quote }}, path: token }] }
    {{- end }}
    {{- with $values.tls.otlp.secretName }}
    - name: tls-otlp
      secret: { secretName: {{ . | quote }} }
    {{- end }}
    {{- with $values.tls.api.secretName }}
    - name: tls-api
      secret: { secretName: {{ . | quote }} }
    {{- end }}
    {{- with .state }}
    - name: state
      {{- toYaml . | nindent 6 }}
    {{- end }}
    - name: tmp
      emptyDir: {}
    {{- with $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* Of the receivers that are on. Takes the process file. */}}
{{- define "slipstream.otlpContainerPorts" -}}
{{- if dig "otlpGrpc" "enabled" true .receivers }}
- { name: otlp-grpc, containerPort: {{ .receivers.otlpGrpc.port }}, protocol: TCP }
{{- end }}
{{- if dig "otlpHttp" "enabled" true .receivers }}
- { name: otlp-http, containerPort: {{ .receivers.otlpHttp.port }}, protocol: TCP }
{{- end }}
{{- end -}}

{{- define "slipstream.pullSecrets" -}}
{{- $secrets := list -}}
{{- range concat (default list .Values.global.imagePullSecrets) .Values.imagePullSecrets }}
{{- /* Many parent charts give names alone. */}}
{{- $secrets = append $secrets (ternary (dict "name" .) . (kindIs "string" .)) }}
{{- end }}
{{- with $secrets }}
imagePullSecrets:
  {{- uniq . | toYaml | nindent 2 }}
{{- end }}
{{- end -}}
