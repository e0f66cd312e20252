{{/* The process file: what follows from other values, with `config` over it. As YAML; callers read it back by `fromYaml`. */}}
{{- define "slipstream.config" -}}
{{- include "slipstream.emptied" . -}}
{{- $receivers := dict
  "otlpGrpc" (dict "host" "0.0.0.0" "port" 4317)
  "otlpHttp" (dict "host" "0.0.0.0" "port" 4318) -}}
{{- if eq .Values.mode "distributed" }}
{{- /* New members get their part of long connections within minutes. */}}
{{- $_ := set $receivers.otlpGrpc "maxConnectionAge" "5m" }}
{{- end }}
{{- if .Values.auth.otlp.existingSecret }}
{{- $_ := set $receivers "token" (dict "file" "/etc/slipstream/auth/otlp/token") }}
{{- end }}
{{- if .Values.tls.otlp.secretName }}
{{- $tls := dict "certFile" "/etc/slipstream/tls/otlp/tls.crt" "keyFile" "/etc/slipstream/tls/otlp/tls.key" }}
{{- if .Values.tls.otlp.clientCertificates }}{{ $_ := set $tls "clientCaFile" "/etc/slipstream/tls/otlp/ca.crt" }}{{ end }}
{{- $_ := set $receivers "tls" $tls }}
{{- end }}
{{- $api := dict "host" "0.0.0.0" "port" 8080 -}}
{{- if include "slipstream.tokenSecret" . }}
{{- $_ := set $api "token" (dict "file" "/etc/slipstream/auth/api/token") }}
{{- end }}
{{- if .Values.tls.api.secretName }}
{{- $tls := dict "certFile" "/etc/slipstream/tls/api/tls.crt" "keyFile" "/etc/slipstream/tls/api/tls.key" }}
{{- if eq .Values.mode "distributed" }}{{ $_ := set $tls "caFile" "/etc/slipstream/tls/api/ca.crt" }}{{ end }}
{{- $_ := set $api "tls" $tls }}
{{- end }}
{{- with include "slipstream.ingressUrl" . }}{{ $_ := set $api "publicUrl" . }}{{ end -}}
{{- $base := dict "receivers" $receivers "api" $api "state" (dict "directory" "/var/lib/slipstream") -}}
{{- /* Two releases on one Kafka would share the work, each with objectives of its own. */}}
{{- if and (eq .Values.mode "distributed") .Values.config.kafka }}
{{- $name := include "slipstream.fullname" . }}
{{- $topics := dict }}
{{- range list "deltas" "state" "control" "quarantine" }}{{ $_ := set $topics . (printf "%s.%s" $name .) }}{{ end }}
{{- $_ := set $base "kafka" (dict "topics" $topics "groups" (dict "ingest" (printf "%s-ingest" $name) "evaluate" (printf "%s-evaluate" $name))) }}
{{- end }}
{{- $config := mergeOverwrite $base (deepCopy .Values.config) -}}
{{- with concat (include "slipstream.sloFolders" . | fromYamlArray) (default list .Values.config.slos) }}{{ $_ := set $config "slos" . }}{{ end -}}
{{- /* Nobody is asked who they are only while nothing is there to ask for. */ -}}
{{- $asked := or $config.receivers.token (dig "tls" "clientCaFile" "" $config.receivers) -}}
{{- if not (or $asked (hasKey $config.receivers "insecureNonLoopback")) }}
{{- $_ := set $config.receivers "insecureNonLoopback" true }}
{{- end }}
{{- with dig "kubernetes" "lease" nil $config }}
{{- if not .namespace }}{{ $_ := set . "namespace" (include "slipstream.namespace" $) }}{{ end }}
{{- if not .name }}{{ $_ := set . "name" (include "slipstream.fullname" $) }}{{ end }}
{{- end }}
{{- toYaml $config -}}
{{- end -}}

{{/* Secret with the API's token, and its key; nothing where there is none, or where `config` brings one of its own. */}}
{{- define "slipstream.tokenSecret" -}}
{{- if not (dig "api" "token" nil .Values.config) -}}
{{- if .Values.auth.api.existingSecret -}}
{{- .Values.auth.api.existingSecret -}}
{{- else if .Values.auth.api.generate -}}
{{- include "slipstream.fullname" . }}-api-token
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "slipstream.tokenKey" -}}
{{- ternary .Values.auth.api.key "token" (ne .Values.auth.api.existingSecret "") -}}
{{- end -}}

{{/* One folder a ConfigMap. */}}
{{- define "slipstream.sloConfigMaps" -}}
{{- $names := list -}}
{{- if .Values.slos }}{{ $names = append $names (printf "%s-slos" (include "slipstream.fullname" .)) }}{{ end -}}
{{- concat $names .Values.sloConfigMaps | toYaml -}}
{{- end -}}

{{- define "slipstream.sloFolders" -}}
{{- $folders := list -}}
{{- range include "slipstream.sloConfigMaps" . | fromYamlArray }}{{ $folders = append $folders (printf "/etc/slipstream/slos/%s" .) }}{{ end -}}
{{- toYaml $folders -}}
{{- end -}}

{{/* By which people reach the API, where the Ingress says so. */}}
{{- define "slipstream.ingressUrl" -}}
{{- if and .Values.ingress.enabled .Values.ingress.hosts -}}
{{- $first := first .Values.ingress.hosts -}}
{{- if and $first.host (eq "/" (dig "path" "/" (first (default (list dict) $first.paths)))) -}}
{{- printf "%s://%s" (ternary "https" "http" (not (empty .Values.ingress.tls))) $first.host -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "slipstream.apiScheme" -}}
{{- ternary "https" "http" (not (empty (dig "api" "tls" nil (include "slipstream.config" . | fromYaml)))) -}}
{{- end -}}

{{/* The folder of state, and whether anything is kept there. */}}
{{- define "slipstream.isPersistent" -}}
{{- if and (eq .Values.mode "single") .Values.persistence.enabled (dig "state" "enabled" true .Values.config) }}true{{ end -}}
{{- end -}}
