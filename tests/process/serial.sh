#!/usr/bin/env bash
# Two agents of one key at the ends of a serial cable: while it is open they take over what popsgd rotate makes of their key files, as
# agents over sockets do, and the cable in plain text asks for no key: serial.sh POPSGD
. "$(dirname "$0")/agents.sh"
command -v socat >/dev/null || skip "a cable needs socat"
keys+=("$work/one.key" "$work/two.key")
run keygen "${keys[0]}"
[ "$status" = 0 ] || die "popsgd keygen exits with $status: $(cat "$work/err")"
cp -p "${keys[0]}" "${keys[1]}"

socat "PTY,link=$work/one.tty,raw,echo=0" "PTY,link=$work/two.tty,raw,echo=0" &
started+=($!)
await 10 test -e "$work/two.tty" || die "no cable"

wired() { start "$1" --listen 127.0.0.1:0 --no-discovery --every 50 --serial "$work/$1.tty" "${@:2}"; }
rotate() {
  run rotate "$work/$1.key" "${@:2}"
  [ "$status" = 0 ] || die "popsgd rotate exits with $status: $(cat "$work/err")"
}
says() { await 10 grep -q "\"event\":\"key\".*$2" "$work/$1.out" || die "$1 does not say '$2': $(tail -n 3 "$work/$1.out")"; }

for name in one two; do wired $name --key "$work/$name.key"; done
goes_on 20 one || die "members do not exchange: $(tail -n 3 "$work/one.out")"

# Epoch by epoch, further than two apart from where they began.
for epoch in 2 3 4; do
  for name in one two; do
    rotate $name
    says $name "the same key, epoch $epoch"
    goes_on 20 one || fail "no exchanges while $name is in epoch $epoch"
  done
done

# Another key: its agent is alone, whatever the other sends along the cable, until it has the old one again.
rotate one --new-key
says one "another key, all links end, epoch 1"
await 20 is one links "==" 0 || fail "one still has a link: $(last one links)"
before=$(last one completed)
sleep 3 # five beginnings of a link that was closed
is one completed "==" "$before" || fail "one exchanges by a key that it has given up"
"$popsgd" enroll --text --key "$work/two.key" | "$popsgd" enroll - --force --key "$work/one.key" >/dev/null || die "popsgd enroll fails"
says one "another key, all links end, epoch 4"
goes_on 30 one || fail "one does not come back: $(tail -n 3 "$work/one.out")"

# Who sends plain text is not met by who has a key, until both leave the cable in plain text.
for name in one two; do stop $name; done
wired one --key "$work/one.key"
wired two --insecure
await 20 is two bytes_sent ">" 0 || die "two does not speak along the cable: $(tail -n 3 "$work/two.out")"
sleep 3
is two completed "==" 0 || fail "who has no key is met"
stop one
wired one --key "$work/one.key" --plain-serial
goes_on 30 two || fail "a cable in plain text, and no exchanges: $(tail -n 3 "$work/one.out")"
echo "members along a cable: three epochs and another key without a restart, $(last one completed) exchanges in plain text"
finish
