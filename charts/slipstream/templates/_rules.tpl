{{/* Groups of the alert rules, without those that are disabled, and with the labels of every alert. As a YAML list. */}}
{{- define "slipstream.ruleGroups" -}}
{{- $values := .Values.prometheusRule -}}
{{- $groups := list -}}
{{- range $path, $_ := .Files.Glob "rules/*.yaml" }}
{{- range $group := ($.Files.Get $path | fromYaml).groups }}
{{- $rules := list }}
{{- range $rule := $group.rules }}
{{- if not (has (default "" $rule.alert) $values.disabled) }}
{{- if $rule.alert }}{{ $_ := set $rule "labels" (mergeOverwrite (default dict $rule.labels) $values.alertLabels) }}{{ end }}
{{- $runbook := dig "annotations" "runbook_url" "" $rule }}
{{- if and $runbook $values.runbookUrl }}{{ $_ := set $rule.annotations "runbook_url" ($runbook | replace "docs/alerts.md" $values.runbookUrl) }}{{ end }}
{{- $rules = append $rules $rule }}
{{- end }}
{{- end }}
{{- if $rules }}{{ $groups = append $groups (set $group "rules" $rules) }}{{ end }}
{{- end }}
{{- end }}
{{- toYaml $groups -}}
{{- end -}}

{{/* Names of all alerts, as a YAML list. */}}
{{- define "slipstream.alertNames" -}}
{{- $names := list -}}
{{- range $path, $_ := .Files.Glob "rules/*.yaml" }}
{{- range ($.Files.Get $path | fromYaml).groups }}{{ range .rules }}{{ with .alert }}{{ $names = append $names . }}{{ end }}{{ end }}{{ end }}
{{- end }}
{{- toYaml $names -}}
{{- end -}}
