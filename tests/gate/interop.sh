#!/bin/sh
# The native binary against programs that none of us wrote: SIPp, SIPVicious, baresip, linphonec, @livekit/rtc-node, @livekit/agents, Chromium, dnsmasq, Twilio's and
# LiveKit's SDKs. Ends "N passed, N failed". What carries no audio runs beside the calls, on addresses of its own.
set -u
cd "$(dirname "$0")/../.." || exit 1
log=$(mktemp)
beside=$(mktemp)
long=$(mktemp)
(cd tests/interop/rooms && npm ci --silent --no-audit --no-fund) >"$log" 2>&1 || { tail -5 "$log"; echo "0 passed, 1 failed"; exit 1; }
# The worker's packages are many and big (290 MB): installed once. None of their install scripts is needed.
(cd tests/interop/agents && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --ignore-scripts --silent --no-audit --no-fund; }) >"$log" 2>&1 ||
    { tail -5 "$log"; echo "0 passed, 1 failed"; exit 1; }
dotnet build bench/Proxy.Load --nologo -v q >"$log" 2>&1 || { tail -5 "$log"; echo "0 passed, 1 failed"; exit 1; }
export SIPROOM_LOAD="$PWD/bench/Proxy.Load/bin/Debug/net9.0/siproom-load"
: >"$log"

# script SECONDS FILE [WORD]: at most so long; how long it took stands in the log.
script() {
    began=$(date +%s)
    timeout "$1" node "$2" ${3:+"$3"} 2>&1 || echo "FAIL $2 ended with $?"
    echo "# $2${3:+ $3}: $(($(date +%s) - began)) s"
}

without_audio() {
    export SIPROOM_HOST=127.0.0.3
    (cd tests/interop/api && npm ci --silent --no-audit --no-fund) 2>&1 || echo "FAIL npm ci in tests/interop/api"
    for name in sdk twilio docs hook; do script 300 tests/interop/api/$name.mjs; done
    script 300 tests/interop/wire/replay.mjs
    script 100 tests/interop/rooms/flows.mjs
    script 60 tests/interop/rooms/two-nodes.mjs
}

# Sessions of 90 s that are refreshed, callers and networks that are left alone, an operator's verbs: they wait, and take nothing from the others. What their nodes hear from 127.0.0.1 is a stranger's.
waits() {
    export SIPROOM_HOST=127.0.0.4
    script 200 tests/interop/rooms/flows.mjs refresh
    for name in scanners comfort room-weather redis-weather operator; do script 60 tests/interop/rooms/$name.mjs; done
}

without_audio >"$beside" 2>&1 &
waits >"$long" 2>&1 &
for name in calls pin transfer targets page hundred rtc-node agents chromium tls linphone attack; do
    script 400 tests/interop/rooms/$name.mjs >>"$log" 2>&1
done
wait
cat "$beside" "$long" >>"$log"
grep -E '^(ok|FAIL) ' "$log"
grep -E '^# ' "$log"
grep -qE '^FAIL ' "$log" && tail -40 "$log"
passed=$(grep -cE '^ok ' "$log")
failed=$(grep -cE '^FAIL ' "$log")
rm -f "$log" "$beside" "$long"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
