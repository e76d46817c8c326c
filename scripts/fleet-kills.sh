#!/usr/bin/env bash
# fleet-kills.sh: real proofs by a fleet whose members are killed; see fleet-kills.py, which this finds a broker for.
set -euo pipefail
cd "$(dirname "$0")/.."

NATS_SERVER=$(scripts/nats.sh)
export NATS_SERVER
[ -n "$NATS_SERVER" ] || { echo "fleet-kills: the broker takes Go to build" >&2; exit 1; }
exec python3 -B scripts/fleet-kills.py
