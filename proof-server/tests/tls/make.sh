#!/usr/bin/env bash
# Makes the certificates that tests use: an authority, a server and a client that it certifies, and a stranger that it
# does not. They protect nothing: the keys lie beside them.
set -euo pipefail
cd "$(dirname "$0")"

key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1-key.pem"; }

key ca
openssl req -x509 -new -key ca-key.pem -days 36500 -subj "/CN=Sextant test authority" -out ca.pem
for name in server client; do
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
rm -f ca-key.pem ./*.srl
