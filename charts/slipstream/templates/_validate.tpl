{{/* What values.schema.json cannot tell: values that do not go together. Each line is a sentence that says what to set. */}}

{{- define "slipstream.problems" -}}
{{- $values := .Values -}}
{{- $config := include "slipstream.config" . | fromYaml -}}
{{- $isDistributed := eq $values.mode "distributed" -}}
{{- $brokers := dig "kafka" "brokers" list $config -}}
{{- $readsKafka := dig "receivers" "kafka" "enabled" false $config -}}

{{- if and $isDistributed (not $brokers) }}
- mode: distributed shares its work through Kafka: set config.kafka.brokers, or mode: single.
{{- else if and $readsKafka (not $brokers) }}
- config.receivers.kafka.enabled reads spans from Kafka: set config.kafka.brokers.
{{- end }}
{{- if and $brokers (not (hasKey $config.kafka "tls")) (not $config.kafka.insecureNonLoopback) }}
- config.kafka.brokers would be spoken to without TLS: set config.kafka.tls ({} is enough for a known authority), or config.kafka.insecureNonLoopback: true.
{{- end }}
{{- $grpc := dig "receivers" "otlpGrpc" "enabled" true $config }}
{{- $http := dig "receivers" "otlpHttp" "enabled" true $config }}
{{- if not (or $grpc $http $readsKafka) }}
- No span can come in: enable one of config.receivers.otlpGrpc, config.receivers.otlpHttp and config.receivers.kafka.
{{- end }}

{{- $listeners := list (dict "path" "config.api" "at" $config.api) }}
{{- if $grpc }}{{ $listeners = append $listeners (dict "path" "config.receivers.otlpGrpc" "at" $config.receivers.otlpGrpc) }}{{ end }}
{{- if $http }}{{ $listeners = append $listeners (dict "path" "config.receivers.otlpHttp" "at" $config.receivers.otlpHttp) }}{{ end }}
{{- $taken := list }}
{{- range $listeners }}
{{- if regexMatch "^(localhost|127\\..*|\\[?::1\\]?)$" .at.host }}
- {{ .path }}.host {{ .at.host }} is heard by the pod alone: leave it out, or set an address that others reach.
{{- end }}
{{- if not (int .at.port) }}
- {{ .path }}.port 0 is another one at each start, which no Service finds: set a port.
{{- else if has (int .at.port) $taken }}
- {{ .path }}.port {{ .at.port }} is taken by another listener: set another one.
{{- end }}
{{- $taken = append $taken (int .at.port) }}
{{- end }}

{{- $asked := or $config.receivers.token (dig "tls" "clientCaFile" "" $config.receivers) }}
{{- if and (or $grpc $http) (not $asked) (not $config.receivers.insecureNonLoopback) }}
- config.receivers.insecureNonLoopback: false refuses senders that nobody asks who they are: set auth.otlp.existingSecret or tls.otlp.clientCertificates, or leave it out.
{{- end }}
{{- if and $values.tls.otlp.clientCertificates (not $values.tls.otlp.secretName) }}
- tls.otlp.clientCertificates needs TLS: set tls.otlp.secretName to a Secret with tls.crt, tls.key and ca.crt.
{{- end }}
{{- if not $config.api.token }}
{{- if $isDistributed }}
- Members of mode: distributed trust each other by the token of the API: set auth.api.existingSecret, or auth.api.generate: true.
{{- else if not $config.api.insecureNonLoopback }}
- Anybody in the cluster could change rollouts by the API: set auth.api.existingSecret, auth.api.generate: true, or config.api.insecureNonLoopback: true.
{{- end }}
{{- end }}
{{- if and $isDistributed (dig "api" "advertisedUrl" "" $config) }}
- config.api.advertisedUrl would be the same for all members: leave it out, each pod has an address of its own.
{{- end }}

{{- if not (isAbs $config.state.directory) }}
- config.state.directory {{ $config.state.directory }} would lie in the image, which cannot be written: leave it out, or set an absolute path.
{{- end }}
{{- if and (not $isDistributed) $values.persistence.enabled (not (dig "state" "enabled" true $config)) }}
- config.state.enabled: false keeps nothing in the volume: set persistence.enabled: false as well.
{{- end }}
{{- if and (not $isDistributed) (not $values.persistence.enabled) (eq $values.persistence.whenDeleted "Delete") }}
- persistence.whenDeleted: Delete is about a volume that persistence.enabled: false does not make: leave one of them out.
{{- end }}
{{- include "slipstream.problemsOfMode" . }}
{{- include "slipstream.problemsOfVolume" . }}
{{- include "slipstream.problemsOfSinks" . }}
{{- include "slipstream.problemsOfFiles" . }}
{{- include "slipstream.problemsOfRights" . }}
{{- include "slipstream.problemsOfPods" . }}
{{- end -}}

{{/* What the other mode has counted is not read by this one: nobody should find that out from empty budgets. Only seen with a cluster at hand. */}}
{{- define "slipstream.problemsOfMode" -}}
{{- $fullname := include "slipstream.fullname" . }}
{{- $namespace := include "slipstream.namespace" . }}
{{- $isDistributed := eq .Values.mode "distributed" }}
{{- $other := ternary $fullname (printf "%s-evaluate" $fullname) $isDistributed }}
{{- $existing := lookup "apps/v1" "StatefulSet" $namespace $other }}
{{- $labels := dig "metadata" "labels" dict (default dict $existing) }}
{{- if and (eq (get $labels "app.kubernetes.io/instance") .Release.Name) (eq (get $labels "app.kubernetes.io/name") (include "slipstream.name" .)) }}
{{- $where := ternary "on the volume" "in the topics" $isDistributed }}
{{- $deleted := eq "Delete" (dig "spec" "persistentVolumeClaimRetentionPolicy" "whenDeleted" "" $existing) }}
- mode: {{ .Values.mode }} begins with empty error budgets and without the runs that go on: they lie {{ $where }} of the StatefulSet {{ $other }}. To go on without them take it away: `kubectl -n {{ $namespace }} delete statefulset {{ $other }}`{{ if $deleted }}, which deletes its volume as well{{ end }}; upgrade then.
{{- end }}
{{- end -}}

{{/* Kubernetes refuses to change the volumes of a StatefulSet, and does not say what to do. Only seen with a cluster at hand. */}}
{{- define "slipstream.problemsOfVolume" -}}
{{- $name := include "slipstream.fullname" . }}
{{- $namespace := include "slipstream.namespace" . }}
{{- $existing := lookup "apps/v1" "StatefulSet" $namespace $name }}
{{- if and $existing (eq .Values.mode "single") }}
{{- $claims := dig "spec" "volumeClaimTemplates" list $existing }}
{{- $isPersistent := ne (include "slipstream.isPersistent" .) "" }}
{{- $change := "" }}
{{- if ne $isPersistent (not (empty $claims)) }}
{{- $change = printf "persistence.enabled: %t" .Values.persistence.enabled }}
{{- else if $isPersistent }}
{{- $size := dig "spec" "resources" "requests" "storage" "" (first $claims) }}
{{- /* Other units are written in another way by the API server. */}}
{{- $areGi := and (regexMatch "^[0-9]{1,3}Gi$" $size) (regexMatch "^[0-9]{1,3}Gi$" .Values.persistence.size) }}
{{- if and $areGi (ne $size .Values.persistence.size) }}{{ $change = printf "persistence.size: %s" .Values.persistence.size }}{{ end }}
{{- $claim := first $claims }}
{{- if ne (dig "spec" "storageClassName" "" $claim) .Values.persistence.storageClassName }}
{{- $change = printf "persistence.storageClassName: %q" .Values.persistence.storageClassName }}
{{- else if ne (toJson $claim.spec.accessModes) (toJson .Values.persistence.accessModes) }}
{{- $change = printf "persistence.accessModes: %s" (toJson .Values.persistence.accessModes) }}
{{- else if ne (toJson (dig "metadata" "annotations" dict $claim)) (toJson (default dict .Values.persistence.annotations)) }}
{{- $change = "persistence.annotations" }}
{{- end }}
{{- end }}
{{- with $change }}
- {{ . }} changes the volume of a StatefulSet that is there, which Kubernetes refuses. Take it away, its pod and volume stay: `kubectl -n {{ $namespace }} delete statefulset {{ $name }} --cascade=orphan`; upgrade then. A volume that is there gets larger by a change of the claim state-{{ $name }}-0.
{{- end }}
{{- end }}
{{- end -}}

{{- define "slipstream.problemsOfSinks" -}}
{{- $names := list }}
{{- $people := list }}
{{- range .Values.config.sinks }}
{{- if has .name $names }}
- config.sinks has two of the name {{ .name }}: policies could not tell them apart.
{{- end }}
{{- $names = append $names .name }}
{{- if has .type (list "alertmanager" "slack" "pagerduty") }}{{ $people = append $people .name }}{{ end }}
{{- end }}
{{- range dig "escalation" "to" list .Values.config }}
{{- if not (has . $people) }}
- config.escalation.to names {{ . }}, which is no sink that tells people: add one of type alertmanager, slack or pagerduty to config.sinks.
{{- end }}
{{- end }}
{{- end -}}

{{- define "slipstream.problemsOfFiles" -}}
{{- if and .Values.auth.otlp.existingSecret (dig "receivers" "token" nil .Values.config) }}
- auth.otlp.existingSecret and config.receivers.token both say where the token of senders is: leave one of them out.
{{- end }}
{{- range $name, $_ := .Values.slos }}
{{- if or (hasPrefix "." $name) (not (regexMatch "\\.[yY][aA]?[mM][lL]$" $name)) }}
- slos.{{ $name }} would not be read: call it something that ends in .yaml and does not begin with a dot.
{{- end }}
{{- end }}
{{- $folders := include "slipstream.sloConfigMaps" . | fromYamlArray }}
{{- if ne (len $folders) (len (uniq $folders)) }}
- sloConfigMaps names a ConfigMap twice, or the one that is made of slos ({{ include "slipstream.fullname" . }}-slos): name each once.
{{- end }}
{{- $names := list }}
{{- range .Values.secrets }}
{{- if has .name $names }}
- secrets has two of the name {{ .name }}: each needs a folder of its own.
{{- end }}
{{- $names = append $names .name }}
{{- end }}
{{- range regexFindAll "/etc/slipstream/secrets/[^/\\s\"']+" (toYaml .Values.config) -1 | uniq }}
{{- if not (has (base .) $names) }}
- config names a file below {{ . }}, which no Secret is mounted at: add { name: {{ base . }}, secretName: … } to secrets.
{{- end }}
{{- end }}
{{- $alerts := include "slipstream.alertNames" . | fromYamlArray }}
{{- range .Values.prometheusRule.disabled }}
{{- if not (has . $alerts) }}
- prometheusRule.disabled names {{ . }}, which is no alert of this chart; they are in its folder rules.
{{- end }}
{{- end }}
{{- end -}}

{{- define "slipstream.problemsOfRights" -}}
{{- $named := .Values.rbac.namespaces }}
{{- if and .Values.rbac.create $named }}
{{- range $index, $watch := .Values.config.watches }}
{{- if not $watch.namespaces }}
- config.watches[{{ $index }}] looks in all namespaces, and rbac.namespaces gives rights in some: set its namespaces.
{{- end }}
{{- range $watch.namespaces }}
{{- if not (has . $named) }}
- config.watches[{{ $index }}] looks in the namespace {{ . }}, in which it has no rights: add it to rbac.namespaces.
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- $needsAccount := and .Values.rbac.create (eq (include "slipstream.mountsAccountToken" .) "true") }}
{{- if and $needsAccount (eq (include "slipstream.serviceAccountName" .) "default") }}
- The rights would be those of the account `default`, which other pods of the namespace have as well: set serviceAccount.create: true, or serviceAccount.name.
{{- end }}
{{- end -}}

{{- define "slipstream.problemsOfPods" -}}
{{- $values := .Values }}
{{- if regexMatch "^[0-9]" (include "slipstream.fullname" .) }}
- Services would be called {{ include "slipstream.fullname" . }}, and the name of a Service begins with a letter: set fullnameOverride.
{{- end }}
{{- if lt (int $values.terminationGracePeriodSeconds) (add $values.preStopSeconds 10 | int) }}
- terminationGracePeriodSeconds {{ $values.terminationGracePeriodSeconds }} ends the process before it has drained: set at least {{ add $values.preStopSeconds 10 }} (preStopSeconds and 10).
{{- end }}
{{- if and $values.ingress.enabled (not $values.ingress.hosts) }}
- ingress.enabled needs a host: set ingress.hosts to [{ host: slipstream.example.com }].
{{- end }}
{{- $scaling := $values.ingest.autoscaling }}
{{- if and (eq $values.mode "distributed") $scaling.enabled }}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) }}
- ingest.autoscaling.minReplicas {{ $scaling.minReplicas }} is more than maxReplicas {{ $scaling.maxReplicas }}.
{{- end }}
{{- if not (or $scaling.targetCPUUtilizationPercentage $scaling.targetMemoryUtilizationPercentage) }}
- ingest.autoscaling has nothing to follow: set targetCPUUtilizationPercentage, or enabled: false and ingest.replicas.
{{- end }}
{{- $requests := dig "requests" dict (default $values.resources $values.ingest.resources) }}
{{- if and $scaling.targetCPUUtilizationPercentage (not $requests.cpu) }}
- ingest.autoscaling.targetCPUUtilizationPercentage is of what is requested: set resources.requests.cpu.
{{- end }}
{{- if and $scaling.targetMemoryUtilizationPercentage (not $requests.memory) }}
- ingest.autoscaling.targetMemoryUtilizationPercentage is of what is requested: set resources.requests.memory.
{{- end }}
{{- end }}
{{- end -}}
