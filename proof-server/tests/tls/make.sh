#!/usr/bin/env bash
# Makes the certificates that tests use: an authority, a server and two clients that it certifies, one of which it has
# revoked, its revocation list and an empty one, and a stranger that it does not certify. They protect nothing: the keys
# lie beside them.
set -euo pipefail
cd "$(dirname "$0")"

key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1-key.pem"; }

key ca
openssl req -x509 -new -key ca-key.pem -days 36500 -subj "/CN=Sextant test authority" -out ca.pem
for name in server client revoked; do
  key "$name"
  openssl req -new -key "$name-key.pem" -subj "/CN=$name" |
    openssl x509 -req -CA ca.pem -CAkey ca-key.pem -days 36500 -out "$name.pem" -extfile <(
      echo "subjectAltName=DNS:localhost,IP:127.0.0.1"
      echo "basicConstraints=critical,CA:FALSE"
    )
done
key stranger
openssl req -x509 -new -key stranger-key.pem -days 36500 -subj "/CN=stranger" \
  -addext "basicConstraints=critical,CA:FALSE" -out stranger.pem
lists=$(mktemp -d)
trap 'rm -rf "$lists"' EXIT
touch "$lists/index"
echo 01 > "$lists/number"
cat > "$lists/ca.conf" <<EOF
[ca]
default_ca = authority
[authority]
database = $lists/index
crlnumber = $lists/number
default_md = sha256
default_crl_days = 36500
EOF
list() { openssl ca -config "$lists/ca.conf" -cert ca.pem -keyfile ca-key.pem "$@"; }
list -gencrl -out none-revoked.crl
list -revoke revoked.pem
list -gencrl -out revoked.crl
rm -f ca-key.pem ./*.srl
