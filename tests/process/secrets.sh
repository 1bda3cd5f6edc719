#!/usr/bin/env bash
# Members of a swarm with a key find each other and learn; nothing that they say, serve or save has the key in it, as bytes, as
# hexadecimal, in base 64 or as enrolment text, and nothing that they say has the model's values: secrets.sh POPSGD
. "$(dirname "$0")/agents.sh"
cd "$work" || exit 1
mkdir key
"$popsgd" keygen key/swarm.key >out.keygen 2>err.keygen || die "no key: $(cat err.keygen)"
"$popsgd" keygen key/other.key >>out.keygen || die "no other key"
"$popsgd" doctor --key key/swarm.key --listen 127.0.0.1:0 --interface lo >out.doctor 2>&1

for k in 1 2 3; do
  local_agent "$k" --key key/swarm.key --shard "$k/3" --rate 100 --every 50 --state "state-$k" --save-every 0.5 --metrics 127.0.0.1:0
done
local_agent stranger --key key/other.key --rate 100 --every 50
local_agent plain --rate 100 --every 50
for k in 1 2 3; do await 20 is "$k" completed ">=" 5 || die "agent $k does not exchange: $(cat "$k.err" "$k.out")"; done
for name in stranger plain; do is "$name" peers "==" 0 || fail "the agent without the key knows $(last "$name" peers)"; done
for k in 1 2 3; do is "$k" peers "==" 2 || fail "agent $k knows $(last "$k" peers) of 2"; done

for k in 1 2 3; do
  page=$(sed -n 's/.*pages at http:\/\/[^:]*:\([0-9]*\)\/.*/\1/p' "$k.out")
  for path in / /status /history /metrics /health; do
    exec 3<>"/dev/tcp/127.0.0.1/$page"
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n' "$path" >&3
    cat <&3 >>"pages.$k"
    exec 3>&-
  done
  grep -q completed "pages.$k" || fail "agent $k serves no pages: $(head -c 300 "pages.$k")"
done
# Also in the memory map of arguments and environment, which other users may read.
for k in 1 2 3; do cat "/proc/${pids[$k]}/cmdline" "/proc/${pids[$k]}/environ" >>"process.$k"; done
# What goes wrong is said, too.
chmod 644 key/swarm.key
"$popsgd" agent --key key/swarm.key >out.refused 2>&1
chmod 600 key/swarm.key
sed '$ s/.$/?/' key/swarm.key >key/typo.key
chmod 600 key/typo.key
"$popsgd" agent --key key/typo.key >out.typo 2>&1
for k in 1 2 3; do
  stop "$k"
  [ "$status" = 0 ] || fail "agent $k exits with $status"
done

# The key, as it may be written. The text is epoch, key and checksum in base 32: its 32 bytes begin behind 4.
text=$(grep -v '^#' key/swarm.key)
hex=$(sed 's/^POPSGD:1-//; s/-//g' <<<"$text" | tr 0123456789ABCDEFGHJKMNPQRSTVWXYZ ABCDEFGHIJKLMNOPQRSTUVWXYZ234567 |
  base32 -d | od -An -v -tx1 | tr -d ' \n')
hex=${hex:8:64}
[ ${#hex} = 64 ] || die "the key has ${#hex} digits"
bytes=$(sed 's/../\\x&/g' <<<"$hex")
printf '%b' "$bytes" >key/raw
base64=$(base64 -w 0 key/raw)
outputs=$(find . -path ./key -prune -o -type f -print)
# has WHAT PATTERN: of all that was said, served and saved.
has() { grep "-laF${3-}" -e "$2" $outputs && fail "the key is there, as $1"; }
has "hexadecimal" "${hex:0:24}" i
has "hexadecimal" "${hex:40:24}" i
has "base 64" "${base64:0:20}"
has "enrolment text" "${text:19:19}" i
has "enrolment text" "$(tr -d - <<<"${text:19:40}")" i
LC_ALL=C grep -laP "$(sed 's/../\\x&/g' <<<"${hex:0:24}")" $outputs && fail "the key is there, as bytes"
# That it would be found where it is.
LC_ALL=C grep -qaP "$(sed 's/../\\x&/g' <<<"${hex:0:24}")" key/raw || fail "the search finds nothing"
grep -qaF "${text:19:19}" key/swarm.key || fail "the search finds no text"

# The model: none of its values to 6 digits, among those that differ from 0 and from what numbers are often.
"$popsgd" inspect state-1 --export key/model.npy >/dev/null || fail "no model"
tail -c +129 key/model.npy | od -An -v -tf4 -w4 | awk '{ v = sprintf("%.6g", $1 < 0 ? -$1 : $1); if (length(v) >= 8) print v }' \
  >key/values
[ -s key/values ] || die "no values of the model"
said=$(find . \( -path ./key -o -path './state-*' \) -prune -o -type f -print)
grep -laFf key/values $said && fail "values of the model are there"
echo "$(wc -l <key/values) values and the key, in $(cat $said | wc -c) bytes of output: none"
finish
