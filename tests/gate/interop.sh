#!/bin/sh
# The native binary against programs that none of us wrote: SIPp, baresip, @livekit/rtc-node, @livekit/agents, Chromium. Ends "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
log=$(mktemp)
(cd tests/interop/rooms && npm ci --silent --no-audit --no-fund) >"$log" 2>&1 || { tail -5 "$log"; echo "0 passed, 1 failed"; exit 1; }
# The worker's packages are many and big (290 MB): installed once. None of their install scripts is needed.
(cd tests/interop/agents && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --ignore-scripts --silent --no-audit --no-fund; }) >"$log" 2>&1 ||
    { tail -5 "$log"; echo "0 passed, 1 failed"; exit 1; }
dotnet build bench/Proxy.Load --nologo -v q >"$log" 2>&1 || { tail -5 "$log"; echo "0 passed, 1 failed"; exit 1; }
export SIPROOM_LOAD="$PWD/bench/Proxy.Load/bin/Debug/net9.0/siproom-load"
: >"$log"
for script in calls pin transfer page hundred rtc-node agents chromium operator tls attack; do
    [ -f "tests/interop/rooms/$script.mjs" ] || continue
    timeout 400 node "tests/interop/rooms/$script.mjs" >>"$log" 2>&1 || echo "FAIL $script ended with $?" >>"$log"
done
(cd tests/interop/api && npm ci --silent --no-audit --no-fund) >>"$log" 2>&1 || echo "FAIL npm ci in tests/interop/api" >>"$log"
for script in sdk twilio docs; do
    [ -f "tests/interop/api/$script.mjs" ] || continue
    timeout 200 node "tests/interop/api/$script.mjs" >>"$log" 2>&1 || echo "FAIL $script ended with $?" >>"$log"
done
timeout 200 node tests/interop/wire/replay.mjs >>"$log" 2>&1 || echo "FAIL wire/replay ended with $?" >>"$log"
grep -E '^(ok|FAIL) ' "$log"
grep -qE '^FAIL ' "$log" && tail -40 "$log"
passed=$(grep -cE '^ok ' "$log")
failed=$(grep -cE '^FAIL ' "$log")
rm -f "$log"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
