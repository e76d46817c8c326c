{{/* What every pod has; called with the component's values besides. */}}
{{- define "sextant.pod" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
automountServiceAccountToken: false
# Services would come as variables with this chart's own prefix, which the server would take for settings.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ add .root.Values.drainTimeout .root.Values.drainDelay 30 }}
{{- with .component.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .component.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .component.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "sextant.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
ports:
  - { name: clients, containerPort: 7100 }
  - { name: operations, containerPort: 7101 }
# A restart costs the proofs that run: only for what has been dead for a minute.
livenessProbe:
  httpGet: { path: /healthz, port: operations }
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: operations }
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 1
{{- end }}

{{- define "sextant.settings" -}}
- { name: SEXTANT_DRAIN_TIMEOUT, value: {{ .root.Values.drainTimeout | quote }} }
- { name: SEXTANT_DRAIN_DELAY, value: {{ .root.Values.drainDelay | quote }} }
{{- range $name, $value := merge (deepCopy (.component.settings | default dict)) .root.Values.settings }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}

{{/* Where every pod sends traces. */}}
{{- define "sextant.traces" -}}
{{- with .Values.traces.endpoint }}
- { name: SEXTANT_OTLP_ENDPOINT, value: {{ . | quote }} }
{{- end }}
{{- if .Values.traces.headers }}
- { name: SEXTANT_OTLP_HEADERS_FILE, value: /etc/sextant/collector/headers }
{{- end }}
{{- end }}

{{/* The secret that entrypoint and provers share. */}}
{{- define "sextant.fleet" -}}
{{ .Values.fleetSecret | default (printf "%s-fleet" .Release.Name) }}
{{- end }}

{{- define "sextant.disruption" -}}
{{- with .component.disruptionBudget }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $.root.Release.Name }}-{{ $.name }}
spec:
  {{- toYaml . | nindent 2 }}
  selector:
    matchLabels:
      app.kubernetes.io/instance: {{ $.root.Release.Name }}
      app.kubernetes.io/component: {{ $.name }}
{{- end }}
{{- end }}

{{/* How the members of a fleet reach its broker. */}}
{{- define "sextant.broker" -}}
- { name: SEXTANT_FLEET, value: {{ .Values.fleet.broker | default (printf "nats://%s-broker:4222" .Release.Name) | quote }} }
{{- if ne (int .Values.fleet.replicas) 1 }}
- { name: SEXTANT_FLEET_REPLICAS, value: {{ .Values.fleet.replicas | quote }} }
{{- end }}
{{- if .Values.fleet.credentials }}
- { name: SEXTANT_FLEET_CREDENTIALS, value: /etc/sextant/broker/credentials }
{{- end }}
{{- end }}
