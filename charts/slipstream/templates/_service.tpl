{{/*
A Service. Takes { root, name, component, otlp, http, headless?, scraped?, unready?, spans? }: `service.type` is for the one that takes spans, others
stay within the cluster.
*/}}
{{- define "slipstream.service" -}}
{{- $service := .root.Values.service -}}
{{- $config := include "slipstream.config" .root | fromYaml -}}
{{- $labels := ternary dict (deepCopy $service.labels) (default false .headless) -}}
{{- if .scraped }}{{ $_ := set $labels "slipstream.dev/scraped" "true" }}{{ end -}}
apiVersion: v1
kind: Service
metadata:
  {{- $annotations := ternary dict $service.annotations (default false .headless) }}
  {{- include "slipstream.metadata" (dict "root" .root "name" .name "component" .component "labels" $labels "annotations" $annotations) | nindent 2 }}
spec:
  {{- if .headless }}
  type: ClusterIP
  clusterIP: None
  publishNotReadyAddresses: {{ default false .unready }}
  {{- else }}
  type: {{ ternary $service.type "ClusterIP" (default false .spans) }}
  internalTrafficPolicy: {{ $service.internalTrafficPolicy }}
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
