{{/* What objects are called and labelled. Names leave room for the longest suffix: a StatefulSet's name has at most 52 characters, a Service's 63. */}}

{{- define "slipstream.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 43 | trimSuffix "-" -}}
{{- end -}}

{{- define "slipstream.fullname" -}}
{{- include "slipstream.emptied" . -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := .Values.fullnameOverride -}}
{{- if not $full -}}
{{- $full = ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- end -}}
{{- if gt (len $full) 43 -}}
{{- /* Two long names that begin alike stay two. */ -}}
{{- $full = printf "%s-%s" ($full | trunc 34 | trimSuffix "-") ($full | sha256sum | trunc 8) -}}
{{- end -}}
{{- $full -}}
{{- end -}}

{{- define "slipstream.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{/* Of objects of the whole cluster. */}}
{{- define "slipstream.clusterName" -}}
{{- printf "%s-%s" (include "slipstream.namespace" .) (include "slipstream.fullname" .) -}}
{{- end -}}

{{- define "slipstream.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "slipstream.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* All pods of the release. */}}
{{- define "slipstream.releaseSelector" -}}
app.kubernetes.io/name: {{ include "slipstream.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* Never changes over upgrades: selectors cannot. Takes { root, component }. */}}
{{- define "slipstream.selector" -}}
{{ include "slipstream.releaseSelector" .root }}
app.kubernetes.io/component: {{ .component | quote }}
{{- end -}}

{{/* Takes { root, component? }. */}}
{{- define "slipstream.labels" -}}
{{- $labels := dict
  "app.kubernetes.io/name" (include "slipstream.name" .root)
  "app.kubernetes.io/instance" .root.Release.Name
  "app.kubernetes.io/version" (.root.Chart.AppVersion | toString)
  "app.kubernetes.io/part-of" "slipstream"
  "app.kubernetes.io/managed-by" .root.Release.Service
  "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- with .component }}{{ $_ := set $labels "app.kubernetes.io/component" . }}{{ end -}}
{{- merge $labels (default dict .root.Values.commonLabels) | include "slipstream.quoted" -}}
{{- end -}}

{{/* Metadata of an object. Takes { root, name, component?, labels?, annotations?, namespace? }; `namespace` "" is none. */}}
{{- define "slipstream.metadata" -}}
{{- $namespace := include "slipstream.namespace" .root -}}
{{- if hasKey . "namespace" }}{{ $namespace = .namespace }}{{ end -}}
name: {{ .name | quote }}
{{- with $namespace }}
namespace: {{ . | quote }}
{{- end }}
labels:
  {{- mergeOverwrite (include "slipstream.labels" . | fromYaml) (default dict .labels) | include "slipstream.quoted" | trim | nindent 2 }}
{{- with mergeOverwrite (deepCopy (default dict .root.Values.commonAnnotations)) (default dict .annotations) }}
annotations:
  {{- include "slipstream.quoted" . | trim | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Labels and annotations, so that every reader of YAML takes them for the text that they are: on, 1.10 and e1, too. */}}
{{- define "slipstream.quoted" -}}
{{- range $key, $value := . }}
{{ $key | quote }}: {{ $value | toString | quote }}
{{- end }}
{{- end -}}

{{- define "slipstream.image" -}}
{{- $image := .Values.image -}}
{{- $registry := coalesce $image.registry .Values.global.imageRegistry | default "" -}}
{{- $repository := ternary (printf "%s/%s" $registry $image.repository) $image.repository (ne $registry "") -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .Chart.AppVersion $image.tag | toString) -}}
{{- end -}}
{{- end -}}

{{/* Where the API is found inside the cluster. */}}
{{- define "slipstream.apiUrl" -}}
{{- printf "%s://%s.%s.svc:%d" (include "slipstream.apiScheme" .) (include "slipstream.fullname" .) (include "slipstream.namespace" .) (int .Values.service.ports.http) -}}
{{- end -}}

{{- define "slipstream.otlpHost" -}}
{{- printf "%s%s.%s.svc" (include "slipstream.fullname" .) (ternary "-ingest" "" (eq .Values.mode "distributed")) (include "slipstream.namespace" .) -}}
{{- end -}}
