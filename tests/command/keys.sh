#!/usr/bin/env bash
# popsgd keygen, enroll, rotate and doctor: what they leave, what they refuse, and that no key is in what they say of it.
. "$(dirname "$0")/expect.sh"
cd "$work" || exit 1
umask 022

# text FILE: its enrolment text; epoch FILE: as its comment says.
text() { grep -v '^#' "$1"; }
epoch() { sed -n 's/^# .*epoch \([0-9]*\)\..*/\1/p' "$1"; }
ok() {
  run "$@"
  [ "$status" = 0 ] || fail "'$*' exits with $status: $(cat err)"
}
says() { for words; do grep -qF -- "$words" out || fail "the output lacks '$words': $(cat out)"; done; }
# secret FILE: the last output has nothing of its key.
secret() { ! grep -qF "$(text "$1" | cut -c 20-38)" out err || fail "the key is in the output: $(cat out err)"; }

ok keygen one.key
secret one.key
[ "$(stat -c %a one.key)" = 600 ] || fail "one.key has mode $(stat -c %a one.key)"
[ "$(epoch one.key)" = 1 ] || fail "a new key is of epoch $(epoch one.key)"
cp -p one.key before
exits 2 "'one.key' exists, and is not overwritten" -- keygen one.key
cmp -s one.key before || fail "keygen has overwritten a key"
ok keygen two.key
[ "$(text one.key)" != "$(text two.key)" ] || fail "two keys are the same"
mkdir folder
exits 2 "folder" -- keygen folder
exits 2 "none/key" -- keygen none/key
exits 2 "FILE is required" -- keygen

# Enrolment: the text takes the key over, from standard input or as a word.
ok enroll --text --key one.key
[ "$(cat out)" = "$(text one.key)" ] || fail "enroll --text says $(cat out)"
cp out shown
"$popsgd" enroll - --key copy.key <shown >out || fail "enroll - fails"
secret one.key
cmp -s one.key copy.key || fail "what was enrolled is another key"
[ "$(stat -c %a copy.key)" = 600 ] || fail "copy.key has mode $(stat -c %a copy.key)"
ok enroll "$(tr 'A-Z0' 'a-zo' <shown)" --key word.key
cmp -s one.key word.key || fail "what was enrolled as a word is another key"
exits 2 "'copy.key' exists; --force overwrites it" -- enroll "$(text two.key)" --key copy.key
cmp -s one.key copy.key || fail "enroll has overwritten a key"
ok enroll "$(text two.key)" --key copy.key --force
cmp -s two.key copy.key || fail "enroll --force has not overwritten a key"
exits 2 "does not begin with POPSGD:1-" -- enroll nonsense --key new.key
exits 2 "there is no key in it" -- enroll - --key new.key
typo=$(text one.key | sed 's/0/2/2')
exits 2 "its checksum is wrong" -- enroll "$typo" --key new.key
! grep -qF "${typo:20:18}" err || fail "the error repeats the key: $(cat err)"
exits 2 "--key is required" -- enroll "$(text one.key)"
! grep -qF "$(text one.key | cut -c 20-38)" err || fail "the error repeats the key: $(cat err)"
[ ! -e new.key ] || fail "a text that is refused leaves a file"

# The QR code, as a reader of QR codes sees it: two modules a character, light where it is drawn.
ok enroll --key one.key
says "$(text one.key)" "Epoch 1."
if command -v zbarimg >/dev/null; then
  {
    rows=$(grep -c '[█▀▄]' out)
    echo "P1 $((8 * 41)) $((16 * rows))"
    grep '[█▀▄]' out | while IFS= read -r line; do
      line=${line//█/c} && line=${line//▀/u} && line=${line//▄/l}
      for half in 'y/cul /0011/' 'y/cul /0101/'; do
        row=$(sed "$half; s/./&&&&&&&&/g" <<<"$line")
        for _ in 1 2 3 4 5 6 7 8; do echo "$row"; done
      done
    done
  } >qr.pbm
  [ "$(zbarimg --quiet --raw qr.pbm)" = "$(text one.key)" ] || fail "the QR code says $(zbarimg --quiet --raw qr.pbm)"
else
  echo "no zbarimg: the QR code is not read"
fi

# Rotation.
ok rotate one.key
secret one.key
says "epoch 2" "epochs 1 and 2 meet"
[ "$(epoch one.key)" = 2 ] || fail "rotated to epoch $(epoch one.key)"
[ "$(text one.key | cut -c 21-75)" = "$(text before | cut -c 21-75)" ] || fail "rotate has changed the key"
[ "$(stat -c %a one.key)" = 600 ] || fail "rotated to mode $(stat -c %a one.key)"
ok rotate --new-key one.key
[ "$(text one.key | cut -c 21-75)" != "$(text before | cut -c 21-75)" ] || fail "rotate --new-key keeps the key"
[ "$(ls -A | grep -c tmp)" = 0 ] || fail "temporary files are left: $(ls -A)"
exits 2 "popsgd keygen makes one" -- rotate none.key

# Files that are not to be trusted.
agent="agent --data blobs --duration 1"
for mode in 640 604 644 666; do
  chmod $mode copy.key
  exits 2 "chmod 600 'copy.key'" -- rotate copy.key
  exits 2 "chmod 600 'copy.key'" -- $agent --key copy.key
  exits 2 "chmod 600 'copy.key'" -- enroll --key copy.key
done
chmod 600 copy.key
ln -s copy.key link.key
exits 2 "it is a symbolic link" -- $agent --key link.key
echo text >text.key && chmod 600 text.key
exits 2 "does not begin with POPSGD:1-" -- $agent --key text.key
exits 2 "none.key" -- $agent --key none.key

# Plain text where others could reach it is asked for, or refused.
exits 2 "popsgd keygen FILE" -- $agent
exits 2 "--insecure" -- $agent --listen 127.0.0.1:0
exits 2 "--peer 192.0.2.1:7 is not" -- $agent --listen 127.0.0.1:0 --no-discovery --peer 192.0.2.1:7
exits 2 "contradict" -- $agent --key copy.key --insecure
ok $agent --listen 127.0.0.1:0 --no-discovery
[ ! -s err ] || fail "plain text on this machine is warned of: $(cat err)"
ok $agent --listen 127.0.0.1:0 --no-discovery --insecure
grep -q "warning: --insecure" err || fail "--insecure is not warned of"
ok $agent --listen 127.0.0.1:0 --no-discovery --key copy.key
printf 'key = "copy.key"\nlisten = "127.0.0.1:0"\nno-discovery = true\n' >agent.toml
ok $agent --config agent.toml

# The doctor: what stops is said, by the exit status too, and nothing is made.
doctor="doctor --listen 127.0.0.1:0 --no-discovery"
ok $doctor --key copy.key
secret copy.key
says "'copy.key', epoch 1" "Nothing stops this device"
ok $doctor --state state
[ ! -e state ] || fail "the doctor has made a directory"
stops() { # WORDS -- ARGUMENTS
  run "${@:3}"
  [ "$status" = 1 ] || fail "'${*:3}' exits with $status: $(cat out err)"
  grep '^STOPS' out | grep -qF -- "$1" || fail "'${*:3}' does not say '$1': $(cat out err)"
}
stops "popsgd keygen FILE" -- doctor --listen :0 --no-discovery
stops "popsgd keygen makes one" -- $doctor --key none.key
chmod 644 copy.key
stops "chmod 600" -- $doctor --key copy.key
stops "no directory" -- $doctor --state text.key/below
stops "192.0.2.1" -- doctor --listen 192.0.2.1:0 --no-discovery --insecure
stops "nosuch0" -- doctor --listen 127.0.0.1:0 --interface nosuch0 --insecure
stops "--transport is tcp or udp" -- $doctor --transport sctp
run doctor --listen 127.0.0.1:0 --interface lo
says "interface    lo: " "multicast"
exits 2 "--frobnicate" -- doctor --frobnicate
finish
