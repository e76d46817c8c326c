{{/* What every container has. */}}
{{- define "sextant.pod" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
automountServiceAccountToken: false
{{- end }}

{{- define "sextant.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
ports:
  - { name: clients, containerPort: 7100 }
  - { name: operations, containerPort: 7101 }
livenessProbe:
  httpGet: { path: /healthz, port: operations }
  periodSeconds: 10
readinessProbe:
  httpGet: { path: /readyz, port: operations }
  periodSeconds: 2
  failureThreshold: 1
{{- end }}

{{- define "sextant.settings" -}}
- { name: SEXTANT_DRAIN_TIMEOUT, value: {{ .Values.drainTimeout | quote }} }
{{- range $name, $value := .Values.settings }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}
