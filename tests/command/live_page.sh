#!/usr/bin/env bash
# The live page of an agent in a real browser: its numbers and charts are there, nothing is amiss in the browser's
# console, it fits a phone, answers to keys, says so when the agent is gone, and recovers when it is back.
#   live_page.sh SERVER           a program that serves imagined telemetry: SERVER [PORT]
#   live_page.sh URL [COMMAND]    an agent that runs; COMMAND, if given, stops it
# SHOTS=DIRECTORY: leaves pictures of the page there.
set -u
url=$1 stop=${2-} server=
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
  echo "skipped: no chromium here"
  exit 77
}
work=$(mktemp -d)
browser_pid='' server_pid='' failures=0
trap 'kill $browser_pid $server_pid 2>/dev/null; wait; rm -rf "$work"' EXIT

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# serve [PORT]: starts the server, sets url and port.
serve() {
  "$server" "$@" >"$work/url" &
  server_pid=$!
  for _ in $(seq 100); do [ -s "$work/url" ] || sleep 0.1; done
  url=$(cat "$work/url")
  port=${url##*:} port=${port%/}
}

# --- the browser, by its debugging protocol: JSON over a pair of pipes, each message ended by a zero byte

start_browser() {
  mkfifo "$work/to" "$work/from"
  "$browser" --headless=new --no-sandbox --disable-gpu --no-first-run --hide-scrollbars --user-data-dir="$work/profile" \
    --remote-debugging-pipe 3<"$work/to" 4>"$work/from" >"$work/browser.log" 2>&1 &
  browser_pid=$!
  exec 5>"$work/to" 6<"$work/from"
}

# call METHOD PARAMETERS: leaves the answer in $answer; every event before it goes to $work/events.
number=0 session=
call() {
  number=$((number + 1))
  printf '{"id":%d,%s"method":"%s","params":%s}\0' $number "${session:+\"sessionId\":\"$session\",}" "$1" "$2" >&5
  while IFS= read -r -t 30 -d '' answer <&6; do
    [[ $answer == "{\"id\":$number,"* ]] && return
    printf '%s\n' "$answer" >>"$work/events"
  done
  fail "the browser does not answer $1"
  tail -n 5 "$work/browser.log"
  exit 1
}

# field NAME: a string of the answer.
field() { sed -nE "s/.*\"$1\":\"([^\"]*)\".*/\1/p" <<<"$answer"; }

open_page() {
  call Target.createTarget '{"url":"about:blank"}'
  call Target.attachToTarget "{\"targetId\":\"$(field targetId)\",\"flatten\":true}"
  session=$(field sessionId)
  call Runtime.enable '{}'
  call Log.enable '{}'
  call Page.enable '{}'
  call Page.navigate "{\"url\":\"$url\"}"
}

# holds WORDS EXPRESSION: that the expression, without double quotes, becomes true within 15 s.
holds() {
  for _ in $(seq 60); do
    call Runtime.evaluate "{\"expression\":\"!!($2)\",\"returnByValue\":true}"
    [[ $answer == *'"value":true'* ]] && return
    sleep 0.25
  done
  fail "$1: $2"
}

# screen WIDTH light|dark: and a picture of it, if they are asked for.
screen() {
  call Emulation.setDeviceMetricsOverride "{\"width\":$1,\"height\":800,\"deviceScaleFactor\":1,\"mobile\":false}"
  call Emulation.setEmulatedMedia "{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"$2\"}]}"
  holds "the page fits $1 pixels" 'document.documentElement.scrollWidth <= innerWidth'
  picture "$1-$2"
}

picture() {
  [ -n "${SHOTS-}" ] || return 0
  sleep 1.5
  call Page.captureScreenshot '{"captureBeyondViewport":true}'
  field data | base64 -d >"$SHOTS/$1.png"
}

# --- what is promised

check_numbers() {
  holds "the page says that the agent lives" "document.querySelector('.state').textContent.startsWith('live')"
  holds "no notice" "document.querySelector('.notice').hidden"
  holds "the headline has numbers" \
    "document.querySelectorAll('.figures dd.value').length === 6 && /^[\\\\d,]+$/.test(document.querySelector('.figures .value').textContent)"
  holds "the steps are those of /status" \
    "Number(document.querySelector('.figures .value').textContent.replaceAll(',', '')) >= agent.kept.steps[0]"
  holds "there are six charts with their summaries" \
    "document.querySelectorAll('svg.chart[role=img][aria-label]').length === 6"
  holds "there are lines in the charts" "document.querySelectorAll('svg.chart path.line').length >= 3"
  holds "no line has a hole for a coordinate" \
    "[...document.querySelectorAll('svg.chart *')].every(n => [...n.attributes].every(a => !/NaN|undefined|Infinity/.test(a.value)))"
  holds "nothing reads NaN or undefined" "!/NaN|undefined|Infinity|\\\\[object/.test(document.body.innerText)"
  holds "all numbers are in a table" "document.querySelectorAll('.tables tr').length > 20"
  call Runtime.evaluate '{"expression":"before = agent.last.seconds"}'
  holds "the numbers go on" "agent.last.seconds > before"
}

check_keys() {
  call Runtime.evaluate "{\"expression\":\"document.querySelector('svg.chart').focus()\"}"
  for key in ArrowLeft ArrowLeft; do
    call Input.dispatchKeyEvent "{\"type\":\"keyDown\",\"key\":\"$key\"}"
  done
  holds "arrow keys move the cursor of every chart" "document.querySelectorAll('.cross').length === 6"
  holds "what it points at is said" "document.querySelector('[aria-live]').textContent.includes(':')"
  picture cursor
  call Input.dispatchKeyEvent '{"type":"keyDown","key":"Escape"}'
  holds "Escape takes the cursor away" "document.querySelectorAll('.cross').length === 0"
  call Runtime.evaluate \
    "{\"expression\":\"document.querySelectorAll('.choice button').forEach(b => b.click()); document.querySelector('details').open = true\"}"
  screen 1280 light-all
}

check_console() {
  grep -E '"(Runtime.exceptionThrown|Log.entryAdded)"|"Runtime.consoleAPICalled".*"type":"error"' "$work/events" >"$work/amiss" &&
    fail "in the browser's console: $(head -c 1000 "$work/amiss")"
}

check_gone() {
  if [ -n "$server" ]; then kill "$server_pid" && wait "$server_pid"; else bash -c "$stop"; fi
  holds "the page says since when the agent is gone" \
    "/No answer since \\\\d\\\\d:\\\\d\\\\d:\\\\d\\\\d; it may have been stopped/.test(document.querySelector('.notice:not([hidden])')?.textContent)"
  holds "and in its title" "document.title.startsWith('no answer')"
  picture gone
}

if [ -x "$url" ]; then
  server=$url
  serve
fi
touch "$work/events"
start_browser
open_page
check_numbers
for width in 390 1280; do
  for scheme in light dark; do screen $width $scheme; done
done
check_keys
check_console
if [ -n "$server$stop" ]; then check_gone; fi
if [ -n "$server" ]; then
  serve "$port"
  check_numbers
fi
[ "$failures" = 0 ]
