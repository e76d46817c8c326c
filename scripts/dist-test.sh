#!/usr/bin/env bash
# Installs the Debian packages of dist/ into a fresh Debian in a folder, uses them there as an operator would, upgrades them,
# removes them, and looks at what is left. Needs root, mmdebstrap and iproute2; what of them is missing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(id -u)" -eq 0 ] || { echo "dist-test: needs root, for a Debian in a folder" >&2; exit 1; }
if ! command -v mmdebstrap >/dev/null || ! command -v ip >/dev/null; then
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends mmdebstrap iproute2; } >/dev/null 2>&1
fi
root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root"' EXIT
say() { echo "dist-test: $*"; }
# Processes in there end with the command, and see only each other, on ports of their own.
inside() {
  # shellcheck disable=SC2016 # The inner shell's.
  unshare --mount --net --pid --fork --kill-child --mount-proc="$root/proc" \
    sh -c 'ip link set lo up && exec chroot "$0" /bin/bash -euc "$1"' "$root" "$1"
}

say "a fresh Debian"
# From where this machine has its own packages.
mapfile -t sources < <(find /etc/apt/sources.list /etc/apt/sources.list.d -name '*.list' -o -name '*.sources' -type f -size +0 2>/dev/null)
# shellcheck source=/dev/null # os-release
mmdebstrap --quiet --variant=apt --include=systemd,ca-certificates "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" "${sources[@]}" 2>/dev/null
mkdir "$root/packages"
cp dist/*.deb "$root/packages/"
cp tests/data/recorded-snarks/{one-handover.proof,groth16_vk.bin} "$root/packages/"

say "installed"
inside "DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends /packages/*.deb >/dev/null 2>&1
  dpkg -s sextant sextant-server | grep -c 'Status: install ok installed' | grep -qx 2
  # Neither starts by itself: both want settings first.
  ! ls /etc/systemd/system/multi-user.target.wants | grep -e sextant -e proof-server
  systemd-analyze verify /usr/lib/systemd/system/{proof-server,sextant-follow}.service
  test -s /usr/share/man/man1/sextant-prove-inclusion.1.gz
  source /usr/share/bash-completion/completions/sextant
  complete -p sextant >/dev/null"

say "used: settings as installed, a server, questions to it, a proof file"
inside "proof-server check-config --config /etc/sextant/proof-server.toml >/dev/null
  SEXTANT_CACHE_DIR=/tmp/cache proof-server serve --config /etc/sextant/proof-server.toml --warm false \\
    --http-listen 127.0.0.1:7102 --http-files /usr/share/sextant-server/web >/tmp/out 2>/tmp/log &
  for _ in \$(seq 300); do grep -q 'listening on' /tmp/out && break; sleep 0.1; done
  grep -q 'http on' /tmp/out || { cat /tmp/log; exit 1; }
  # The page, and the verifier beside it.
  page() { exec 3<>/dev/tcp/127.0.0.1/7102; printf 'GET %s HTTP/1.0\\r\\n\\r\\n' \$1 >&3; grep -qa \"\$2\" <&3; }
  page / '<title>'
  page /verifier/sextant_verifier.wasm asm
  sextant server info | grep -q committee-change
  sextant verify /packages/one-handover.proof --allow-dev-circuits /packages/groth16_vk.bin >/dev/null 2>&1
  ! sextant verify /packages/one-handover.proof >/dev/null 2>&1"

say "upgraded: the operator's settings stay"
inside "echo '# mine' >>/etc/sextant/proof-server.toml
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --reinstall /packages/*.deb >/dev/null 2>&1
  tail -1 /etc/sextant/proof-server.toml | grep -qx '# mine'
  # Removed and not purged, they stay too.
  apt-get -qq remove -y sextant sextant-server >/dev/null 2>&1
  test ! -e /usr/bin/proof-server
  test -e /etc/sextant/proof-server.toml"

say "purged: nothing is left"
inside "apt-get -qq purge -y sextant sextant-server >/dev/null 2>&1
  left=\$(find / -xdev \( -name '*sextant*' -o -name '*proof-server*' \) -not -path '/proc/*' -not -path '/packages/*' -not -path '/var/log/*' -not -path '/tmp/*')
  test -z \"\$left\" || { echo \"left: \$left\"; exit 1; }"
say "good"
