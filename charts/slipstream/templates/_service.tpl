{{/*
A Service. Takes { root, name, component, otlp, http, headless?, scraped?, unready?, spans?, only? }: what `service` says of types, annotations and the
way of traffic is for the one that takes spans; others stay within the cluster, and are reached from all of its nodes.
*/}}
{{- define "slipstream.service" -}}
{{- $service := .root.Values.service -}}
{{- $config := include "slipstream.config" .root | fromYaml -}}
{{- $labels := ternary dict (deepCopy $service.labels) (default false .headless) -}}
{{- if .scraped }}{{ $_ := set $labels "slipstream.dev/scraped" "true" }}{{ end -}}
apiVersion: v1
kind: Service
metadata:
  {{- $annotations := ternary $service.annotations dict (default false .spans) }}
  {{- include "slipstream.metadata" (dict "root" .root "name" .name "component" .component "labels" $labels "annotations" $annotations) | nindent 2 }}
spec:
  {{- if .headless }}
  type: ClusterIP
  clusterIP: None
  publishNotReadyAddresses: {{ default false .unready }}
  {{- else }}
  type: {{ ternary $service.type "ClusterIP" (default false .spans) }}
  {{- if .only }}
  # There is no other pod: one whose state cannot be written still counts, answers, and says what is wrong.
  publishNotReadyAddresses: true
  {{- end }}
  internalTrafficPolicy: {{ ternary $service.internalTrafficPolicy "Cluster" (default false .spans) }}
  {{- if and .spans (eq $service.type "LoadBalancer") }}
  {{- with $service.loadBalancerClass }}
  loadBalancerClass: {{ . | quote }}
  {{- end }}
  {{- with $service.loadBalancerSourceRanges }}
  loadBalancerSourceRanges:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- end }}
  selector:
    {{- include "slipstream.selector" . | nindent 4 }}
  ports:
    {{- $tls := not (empty $config.receivers.tls) }}
    {{- if and .otlp (dig "otlpGrpc" "enabled" true $config.receivers) }}
    - { name: otlp-grpc, port: {{ $service.ports.otlpGrpc }}, targetPort: otlp-grpc, protocol: TCP, appProtocol: {{ ternary "tls" "grpc" $tls }} }
    {{- end }}
    {{- if and .otlp (dig "otlpHttp" "enabled" true $config.receivers) }}
    - { name: otlp-http, port: {{ $service.ports.otlpHttp }}, targetPort: otlp-http, protocol: TCP, appProtocol: {{ ternary "https" "http" $tls }} }
    {{- end }}
    {{- if .http }}
    - { name: http, port: {{ $service.ports.http }}, targetPort: http, protocol: TCP, appProtocol: {{ include "slipstream.apiScheme" .root }} }
    {{- end }}
{{- end -}}
