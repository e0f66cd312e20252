{{/*
A key with nothing but comments below it is null, by which Helm takes the default away. Where the default is empty anyway that changes nothing; anything
else is missed. Included before anything else is read.
*/}}
{{- define "slipstream.emptied" -}}
{{- range $key := list "config" "slos" "commonLabels" "commonAnnotations" "podAnnotations" "podLabels" "nodeSelector" "affinity" }}
{{- if kindIs "invalid" (index $.Values $key) }}{{ $_ := set $.Values $key dict }}{{ end }}
{{- end }}
{{- range $key := list "imagePullSecrets" "sloConfigMaps" "secrets" "tolerations" "topologySpreadConstraints" "extraArgs" "extraEnvs" "extraEnvsFrom" "extraVolumes" "extraVolumeMounts" "initContainers" "extraContainers" "extraManifests" }}
{{- if kindIs "invalid" (index $.Values $key) }}{{ $_ := set $.Values $key list }}{{ end }}
{{- end }}
{{- range $key := list "mode" "image" "global" "auth" "tls" "serviceAccount" "rbac" "service" "ingress" "persistence" "ingest" "evaluate" "podDisruptionBudget" "networkPolicy" "serviceMonitor" "prometheusRule" "dashboards" "argoRollouts" "flagger" "livenessProbe" "readinessProbe" "startupProbe" }}
{{- if kindIs "invalid" (index $.Values $key) }}
{{- fail (printf "%s is empty, which takes its defaults away: leave the key out, or give it a value" $key) }}
{{- end }}
{{- end }}
{{- end -}}
