{{/* What the pods may do in Kubernetes: what the sinks, watches and the lease of `config` need. config/kubernetes of the project has the same by feature. */}}

{{/* Which features are on, as a YAML map of booleans; a feature that is off is not in it. */}}
{{- define "slipstream.features" -}}
{{- range .Values.config.sinks }}
{{- if eq .type "argo-rollouts" }}
argoSink: true
{{- if ne (default "undo" .onBadAfterPromotion) "nothing" }}
argoUndo: true
{{- end }}
{{- if eq (default "nothing" .onPromote) "step" }}
argoStep: true
{{- end }}
{{- else if eq .type "kubernetes" }}
deploymentSink: true
{{- end }}
{{- end }}
{{- range .Values.config.watches }}
{{- if eq .type "argo-rollouts" }}
argoWatch: true
{{- else if eq .type "deployments" }}
deploymentWatch: true
{{- end }}
{{- end }}
{{- if dig "kubernetes" "lease" nil .Values.config }}
lease: true
{{- end }}
{{- end -}}

{{/* Whether pods present the token of their account: not where `config` names another token, and then the account needs no rights either. */}}
{{- define "slipstream.mountsAccountToken" -}}
{{- $features := include "slipstream.features" . | trim -}}
{{- ternary "true" "false" (and (ne $features "") (not (dig "kubernetes" "tokenFile" nil .Values.config))) -}}
{{- end -}}

{{/* Rules where sinks act and watches look; empty when none does. */}}
{{- define "slipstream.rules" -}}
{{- $on := include "slipstream.featureSet" . | fromYaml -}}
{{- $anySink := or $on.argoSink $on.deploymentSink -}}
{{- $get := list "get" -}}
{{- $see := list "list" "watch" -}}
{{- if or $on.argoSink $on.argoWatch }}
# Seeing rollouts begin and end; looking before and after acting.
- apiGroups: [argoproj.io]
  resources: [rollouts]
  verbs: {{ concat (ternary $get list (hasKey $on "argoSink")) (ternary $see list (hasKey $on "argoWatch")) | toJson }}
{{- end }}
{{- if $on.argoSink }}
# Aborting, and promoting in full.
- apiGroups: [argoproj.io]
  resources: [rollouts/status]
  verbs: [patch]
{{- end }}
{{- if or $on.argoUndo $on.argoStep }}
# Putting the template of the release before back; writing down which step was promoted.
- apiGroups: [argoproj.io]
  resources: [rollouts]
  verbs: [patch]
{{- end }}
{{- if or $anySink $on.deploymentWatch }}
- apiGroups: [apps]
  resources: [replicasets]
  verbs: {{ concat (list "list") (ternary (list "watch") list (hasKey $on "deploymentWatch")) | toJson }}
{{- end }}
{{- $acts := or $on.deploymentSink $on.argoUndo }}
{{- if or $acts $on.deploymentWatch }}
- apiGroups: [apps]
  resources: [deployments]
  verbs: {{ concat (ternary (list "get" "patch") list (not (empty $acts))) (ternary $see list (hasKey $on "deploymentWatch")) | toJson }}
{{- end }}
{{- if $anySink }}
# Telling in the cluster what was done and why.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}
{{- end -}}

{{/* Each feature once. */}}
{{- define "slipstream.featureSet" -}}
{{- include "slipstream.features" . | trim | splitList "\n" | uniq | join "\n" -}}
{{- end -}}

{{/* Where these rules hold; an empty list: in the whole cluster. */}}
{{- define "slipstream.rightsNamespaces" -}}
{{- $all := list -}}
{{- $isEverywhere := empty .Values.config.watches -}}
{{- range .Values.config.watches }}
{{- if empty .namespaces }}{{ $isEverywhere = true }}{{ end }}
{{- $all = concat $all (default list .namespaces) }}
{{- end }}
{{- $named := .Values.rbac.namespaces -}}
{{- if $named }}{{ $named | uniq | toYaml }}{{ else if $isEverywhere }}[]{{ else }}{{ $all | uniq | toYaml }}{{ end }}
{{- end -}}
