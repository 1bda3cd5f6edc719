#!/usr/bin/env bash
# The secure links against OpenSSL: keys and certificates, TLS and DTLS, both directions; and what OpenSSL offers that is not spoken
# here: interop.sh POPSGD ENDPOINT
. "$(dirname "$0")/agents.sh"
endpoint=$2
command -v openssl >/dev/null || skip "no openssl"
read -r identity key < <("$endpoint" keys)
cases=0

# --- certificates

certify() { # NAME AUTHORITY DAYS USAGES NAME_OF_SWARM
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$1.key" -out "$work/$1.csr" -subj "/CN=$5" &&
    printf 'extendedKeyUsage=%s\nsubjectAltName=DNS:%s\n' "$4" "$5" >"$work/$1.ext" &&
    openssl x509 -req -in "$work/$1.csr" -CA "$work/$2.pem" -CAkey "$work/$2.key" -CAcreateserial -sha256 -days "$3" \
      -extfile "$work/$1.ext" -out "$work/$1.pem"
}
{
  for name in authority impostor; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 30 -subj "/CN=$name" \
      -keyout "$work/$name.key" -out "$work/$name.pem" || die "no authority"
  done
  certify member authority 14 serverAuth,clientAuth plants
  certify peer authority 14 serverAuth,clientAuth plants
  certify stranger impostor 14 serverAuth,clientAuth plants
  certify servers authority 14 serverAuth plants
  certify animals authority 14 serverAuth,clientAuth animals
  certify lasting authority 60 serverAuth,clientAuth plants
} >"$work/certify" 2>&1 || die "no certificates: $(cat "$work/certify")"
ours=("$work/authority.pem" "$work/member.pem" "$work/member.key")
# Words for openssl: of a holder, whose peer must be of the same authority and swarm.
of() { echo -cert "$work/$1.pem" -key "$work/$1.key" -CAfile "$work/${2:-authority}.pem"; }

by_key="-psk_identity $identity -psk $key -cipher ECDHE-PSK-CHACHA20-POLY1305"
suite="-cipher ECDHE-ECDSA-CHACHA20-POLY1305"

# --- one of ours listens

# listen NAME PROTOCOL WORDS...: the endpoint in the background; its port.
listen() {
  local name=$1 protocol=$2
  shift 2
  timeout 20 "$endpoint" listen "$protocol" 0 "$@" >"$work/$name.ours" 2>&1 &
  ours_pid=$!
  started+=($!)
  await 10 grep -qs listening "$work/$name.ours" || die "$name: the endpoint does not listen: $(cat "$work/$name.ours")"
  at=$(sed -n 's/listening at //p' "$work/$name.ours")
}

# calls NAME WORDS...: openssl calls it, says a word and waits for it to come back.
calls() {
  local name=$1
  shift
  : >"$work/$name.openssl"
  { echo "ping of $name" && await 5 grep -qs "^ping of" "$work/$name.openssl"; } 2>/dev/null |
    timeout 15 openssl s_client -connect "127.0.0.1:$at" -quiet -no_ign_eof -groups X25519:P-256 "$@" \
      >"$work/$name.openssl" 2>"$work/$name.error"
  wait "$ours_pid"
  status=$?
  cases=$((cases + 1))
}

lets_in() { # NAME PROTOCOL OURS... -- OPENSSL...
  local name=$1 protocol=$2 mine=()
  shift 2
  while [ "$1" != -- ]; do mine+=("$1") && shift; done
  shift
  listen "$name" "$protocol" "${mine[@]}"
  calls "$name" "$@"
  [ "$status" = 0 ] || fail "$name: the endpoint exits with $status: $(cat "$work/$name.ours" "$work/$name.error")"
  grep -q "received: ping of $name" "$work/$name.ours" || fail "$name: nothing is received: $(cat "$work/$name.ours")"
  grep -q "^ping of $name" "$work/$name.openssl" || fail "$name: nothing comes back: $(cat "$work/$name.error")"
}

turns_away() { # NAME REASON PROTOCOL OURS... -- OPENSSL...
  local name=$1 reason=$2 protocol=$3 mine=()
  shift 3
  while [ "$1" != -- ]; do mine+=("$1") && shift; done
  shift
  listen "$name" "$protocol" "${mine[@]}"
  calls "$name" "$@"
  [ "$status" = 1 ] || fail "$name: the endpoint exits with $status: $(cat "$work/$name.ours")"
  grep -q "refused: .*$reason" "$work/$name.ours" || fail "$name: not refused as '$reason': $(cat "$work/$name.ours" "$work/$name.error")"
  ! grep -q opened "$work/$name.ours" || fail "$name: it was let in"
}

lets_in key-tls tcp psk -- -tls1_2 $by_key
lets_in key-dtls udp psk -- -dtls1_2 $by_key
lets_in certificate-tls tcp "${ours[@]}" -- -tls1_2 $suite $(of peer) -verify_return_error -verify_hostname plants
lets_in certificate-dtls udp "${ours[@]}" -- -dtls1_2 $suite $(of peer) -verify_return_error -verify_hostname plants

# --- OpenSSL listens

# dials NAME PROTOCOL WANT OURS... -- OPENSSL...: what the endpoint exits with.
dials() {
  local name=$1 protocol=$2 want=$3 mine=() theirs
  shift 3
  while [ "$1" != -- ]; do mine+=("$1") && shift; done
  shift
  : >"$work/$name.openssl"
  { await 10 grep -qs hello "$work/$name.openssl" && echo "answer to $name" && sleep 1; } 2>/dev/null |
    timeout 15 openssl s_server -accept 127.0.0.1:0 -naccept 1 -groups X25519:P-256 "$@" >"$work/$name.openssl" 2>"$work/$name.error" &
  started+=($!)
  await 10 grep -qs "^ACCEPT 127" "$work/$name.openssl" || die "$name: openssl does not listen: $(cat "$work/$name.error")"
  theirs=$(sed -n 's/^ACCEPT 127.0.0.1:\([0-9]*\)$/\1/p' "$work/$name.openssl")
  timeout 15 "$endpoint" dial "$protocol" "$theirs" "${mine[@]}" >"$work/$name.ours" 2>&1
  status=$?
  cases=$((cases + 1))
  [ "$status" = "$want" ] || fail "$name: the endpoint exits with $status: $(cat "$work/$name.ours" "$work/$name.error")"
  [ "$want" != 0 ] || grep -q "received: answer to $name" "$work/$name.ours" || fail "$name: no answer: $(cat "$work/$name.ours")"
  [ "$want" != 1 ] || ! grep -q opened "$work/$name.ours" || fail "$name: it was believed"
}

dials calls-key-tls tcp 0 psk -- -tls1_2 $by_key -nocert
dials calls-key-dtls udp 0 psk -- -dtls1_2 $by_key -nocert
dials calls-certificate-tls tcp 0 "${ours[@]}" -- -tls1_2 $suite $(of peer) -Verify 2 -verify_return_error
dials calls-certificate-dtls udp 0 "${ours[@]}" -- -dtls1_2 $suite $(of peer) -Verify 2 -verify_return_error

# --- attacks by OpenSSL: what it sends is not ours to choose

no="no version, cipher suite or group"
weak="@SECLEVEL=0"
turns_away tls-1.0 "$no" tcp psk -- -tls1 -psk_identity "$identity" -psk "$key" -cipher "PSK:$weak"
turns_away tls-1.1 "$no" tcp psk -- -tls1_1 -psk_identity "$identity" -psk "$key" -cipher "PSK:$weak"
turns_away tls-1.3 "$no" tcp psk -- -tls1_3
turns_away cbc "$no" tcp psk -- -tls1_2 -psk_identity "$identity" -psk "$key" -cipher "ECDHE-PSK-AES128-CBC-SHA256:PSK-AES128-CBC-SHA256:$weak"
turns_away null "$no" tcp psk -- -tls1_2 -psk_identity "$identity" -psk "$key" -cipher "ECDHE-PSK-NULL-SHA256:PSK-NULL-SHA256:$weak"
turns_away rsa "$no" tcp psk -- -tls1_2 -cipher "kRSA:$weak"
turns_away other-group "$no" tcp psk -- -tls1_2 $by_key -groups P-256
turns_away wrong-key "does not have the key" tcp psk -- -tls1_2 -psk_identity "$identity" -psk "${key//[0-7]/8}" -cipher ECDHE-PSK-CHACHA20-POLY1305
turns_away wrong-identity "another swarm or epoch" tcp psk -- -tls1_2 -psk_identity 0123456789abcdef -psk "$key" -cipher ECDHE-PSK-CHACHA20-POLY1305
for holder in stranger servers animals lasting; do
  turns_away "certificate-of-$holder" "certificate" tcp "${ours[@]}" -- -tls1_2 $suite $(of $holder)
  dials "calls-certificate-of-$holder" tcp 1 "${ours[@]}" -- -tls1_2 $suite $(of $holder)
done
turns_away no-certificate "certificate\|no version" tcp "${ours[@]}" -- -tls1_2 $suite
dials calls-wrong-key tcp 1 psk -- -tls1_2 -nocert -psk_identity "$identity" -psk "${key//[0-7]/8}" -cipher ECDHE-PSK-CHACHA20-POLY1305
dials calls-cbc tcp 1 psk -- -tls1_2 -nocert -psk_identity "$identity" -psk "$key" -cipher ECDHE-PSK-AES128-CBC-SHA256
echo "$cases cases with $(openssl version)"
finish
