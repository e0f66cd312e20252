{{/* What NOTES.txt says of what is open, forgotten, or to be done next. */}}

{{- define "slipstream.warnings" -}}
{{- $config := include "slipstream.config" . | fromYaml -}}
{{- $receivers := $config.receivers -}}
{{- $isDistributed := eq .Values.mode "distributed" -}}
{{- $listens := or (dig "otlpGrpc" "enabled" true $receivers) (dig "otlpHttp" "enabled" true $receivers) -}}
{{- $warnings := list -}}
{{- if and $listens $receivers.insecureNonLoopback (not $receivers.token) (not (dig "tls" "clientCaFile" "" $receivers)) }}
{{- $who := ternary "The pods that networkPolicy.otlpFrom lets in" "Every pod that reaches the Service" .Values.networkPolicy.enabled }}
{{- $warnings = append $warnings (printf "%s may send spans, and so make a release look worse or better than it is: set auth.otlp.existingSecret%s." $who (ternary "" ", tls.otlp.clientCertificates or networkPolicy.enabled" .Values.networkPolicy.enabled)) }}
{{- end }}
{{- if and $receivers.token $listens (not $receivers.tls) }}
{{- $warnings = append $warnings "The token of senders travels in the clear: set tls.otlp.secretName." }}
{{- end }}
{{- if not $config.api.token }}
{{- $warnings = append $warnings "Anybody who reaches the API may begin and end rollouts and change overrides: set auth.api." }}
{{- else if and (not $config.api.tls) (or .Values.ingress.enabled (and (not $isDistributed) (ne .Values.service.type "ClusterIP"))) }}
{{- $warnings = append $warnings "The token of the API travels in the clear up to the pod: set tls.api.secretName." }}
{{- end }}
{{- if and (hasSuffix "-api-token" (include "slipstream.tokenSecret" .)) (not .Values.auth.api.existingSecret) }}
{{- $warnings = append $warnings "The token of the API was made by Helm. GitOps tools that render without the cluster make a new one each time: name a Secret in auth.api.existingSecret there." }}
{{- end }}
{{- if not (or $isDistributed (include "slipstream.isPersistent" .)) }}
{{- $warnings = append $warnings "Nothing is kept: a restart forgets error budgets and runs. Set persistence.enabled: true." }}
{{- end }}
{{- if and .Values.networkPolicy.enabled .Values.serviceMonitor.enabled (not .Values.networkPolicy.apiFrom) }}
{{- $warnings = append $warnings "Prometheus is let in only from this namespace: set networkPolicy.apiFrom where it runs in another." }}
{{- end }}
{{- if and .Values.networkPolicy.enabled .Values.ingress.enabled (not .Values.networkPolicy.apiFrom) }}
{{- $warnings = append $warnings "The controller of the Ingress is let in only from this namespace: set networkPolicy.apiFrom." }}
{{- end }}
{{- if and (not $isDistributed) (ne .Values.service.type "ClusterIP") }}
{{- $warnings = append $warnings (printf "service.type: %s opens the API as well, and whoever reaches it may read everything: let in whom it is for, by service.loadBalancerSourceRanges or networkPolicy.apiFrom." .Values.service.type) }}
{{- end }}
{{- if and .Values.networkPolicy.enabled .Values.networkPolicy.egress (eq (include "slipstream.mountsAccountToken" .) "true") }}
{{- $reachesServer := false }}
{{- range .Values.networkPolicy.egress }}
{{- if not .ports }}{{ $reachesServer = true }}{{ end }}
{{- range .ports }}
{{- if or (not .port) .endPort (has (toString .port) (list "443" "6443")) }}{{ $reachesServer = true }}{{ end }}
{{- end }}
{{- end }}
{{- if not $reachesServer }}
{{- $warnings = append $warnings "networkPolicy.egress lets nobody out to the API server, so that watches see and sinks do nothing: add a rule for its addresses and port, 443 or 6443." }}
{{- end }}
{{- end }}
{{- if and $isDistributed (gt (int .Values.evaluate.replicas) (int (dig "kafka" "partitions" 32 $config))) }}
{{- $warnings = append $warnings "evaluate.replicas is more than config.kafka.partitions: the rest has nothing to do." }}
{{- end }}
{{- if and $isDistributed (lt (int .Values.evaluate.replicas) 2) }}
{{- $warnings = append $warnings "One member of role evaluate: while it restarts nothing is judged. Set evaluate.replicas: 2." }}
{{- end }}
{{- if and .Values.tls.api.secretName (or .Values.argoRollouts.clusterAnalysisTemplates.enabled .Values.flagger.metricTemplates.enabled) }}
{{- $warnings = append $warnings "Argo Rollouts and Flagger ask an https address: their controllers must trust the authority of tls.api.secretName." }}
{{- end }}
{{- if and .Values.rbac.create (eq (include "slipstream.mountsAccountToken" .) "true") (not (include "slipstream.rightsNamespaces" . | fromYamlArray)) (include "slipstream.rules" . | trim) }}
{{- $warnings = append $warnings "Its rights hold in the whole cluster: set rbac.namespaces to those it is for." }}
{{- end }}
{{- $resources := ternary .Values.resources (default .Values.resources .Values.ingest.resources) (eq .Values.mode "single") }}
{{- $limit := dig "limits" "memory" "" (default dict $resources) | toString }}
{{- $inFlight := dig "maxInFlight" "256MiB" $receivers }}
{{- $limitMiB := include "slipstream.mebibytes" $limit }}
{{- $inFlightMiB := include "slipstream.mebibytes" $inFlight }}
{{- if and $listens $limitMiB $inFlightMiB (gt (mul 2 (int $inFlightMiB)) (int $limitMiB)) }}
{{- $warnings = append $warnings (printf "Requests in flight may take %s, more than half of the memory limit of %s: set config.receivers.maxInFlight to about a quarter of it, or raise resources." $inFlight $limit) }}
{{- end }}
{{- with $warnings }}

LOOK AT
{{- range . }}
  - {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Of 512Mi, 256MiB or 1G, about; nothing where it is written otherwise. */}}
{{- define "slipstream.mebibytes" -}}
{{- $number := regexFind "^[0-9]+" . | int -}}
{{- if regexMatch "^[0-9]+Mi?B?$" . }}{{ $number }}{{ else if regexMatch "^[0-9]+Gi?B?$" . }}{{ mul $number 1024 }}{{ end -}}
{{- end -}}

{{- define "slipstream.nextSteps" -}}
{{- $steps := list -}}
{{- if not (include "slipstream.sloConfigMaps" . | fromYamlArray) }}
{{- $steps = append $steps "No objectives yet; releases are compared all the same. Write them in slos, or name ConfigMaps in sloConfigMaps." }}
{{- end }}
{{- if not .Values.config.sinks }}
{{- $steps = append $steps "Signals go nowhere yet: verdicts show in status and metrics. Name who rolls back in config.sinks, and set canary.mode: rollback in the objectives." }}
{{- end }}
{{- if not (or .Values.config.watches .Values.argoRollouts.clusterAnalysisTemplates.enabled) }}
{{- $steps = append $steps "Runs begin by the API or by what the traffic shows (canary.track): config.watches begins them with Rollouts or Deployments." }}
{{- end }}
{{- if not .Values.serviceMonitor.enabled }}
{{- $steps = append $steps "With the Prometheus operator: serviceMonitor, prometheusRule and dashboards." }}
{{- end }}
{{- with $steps }}

NEXT
{{- range . }}
  - {{ . }}
{{- end }}
{{- end }}
{{- end -}}
