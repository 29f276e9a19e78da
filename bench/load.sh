#!/bin/sh
# What a call costs: the proxy alone on core 0; the room server with its agents and the caller on core 1. Two-way G.711 in
# the room (passthrough), and Opus in the room. Prints one row a point: calls, answered, CPU ms per call and second, memory,
# INVITE→200, tone gaps. usage: bench/load.sh ["20 50 100"] [SECONDS]
set -u
cd "$(dirname "$0")/.." || exit 1
points=${1:-20 50 100}
seconds=${2:-20}
tools/build || exit 1
mkdir -p artifacts/load/policy/trunks artifacts/load/policy/rules
dotnet publish bench/Proxy.Load -c Release --nologo -v q -o artifacts/load/bin >artifacts/load/build.log 2>&1 || { tail -5 artifacts/load/build.log; exit 1; }
cat >artifacts/load/policy/trunks/load.json <<'T'
{"sip_trunk_id": "ST_load", "name": "load", "allowed_addresses": ["127.0.0.0/8"]}
T
cat >artifacts/load/siproom.yaml <<'T'
api_key: devkey
api_secret: secret
ws_url: ws://127.0.0.1:18880
listen_ip: 127.0.0.1
sip_port: 18060
rtp_port: 30000-34000
max_cpu_utilization: 1
policy: { folder: artifacts/load/policy }
T
ticks=$(getconf CLK_TCK)
cpu() { awk '{print $14 + $15}' "/proc/$1/stat"; }

echo "| room codec | calls | answered | CPU ms per call and second | RSS MB | to 200 p50/p95 ms | longest gap without the tone ms | lost |"
echo "|---|---|---|---|---|---|---|---|"
for codec in pcmu opus; do
    mode=$([ "$codec" = pcmu ] && echo g711 || echo opus)
    cat >artifacts/load/policy/rules/load.json <<T
{"sip_dispatch_rule_id": "SDR_load", "name": "load", "trunk_ids": ["ST_load"], "rule": {"dispatchRuleCallee": {"roomPrefix": "load"}},
 "roomConfig": {"agents": [{"agentName": "demo", "metadata": "tone $codec"}]}, "x": {"passthrough": "$mode"}}
T
    for n in $points; do
        taskset -c 1 artifacts/siproom rooms --http 127.0.0.1:18880 --dev-ice-port 18882 >artifacts/load/rooms.log 2>&1 &
        rooms=$!
        sleep 1
        taskset -c 0 artifacts/siproom serve --config artifacts/load/siproom.yaml >artifacts/load/serve.log 2>&1 &
        node=$!
        sleep 1.5
        taskset -c 1 artifacts/load/bin/siproom-load --target 127.0.0.1:18060 --calls "$n" --rate 10 --hold "$seconds" >artifacts/load/report.json &
        caller=$!
        sleep "$(awk "BEGIN {print $n / 10 + 4}")"
        c0=$(cpu "$node")
        sleep "$(awk "BEGIN {print $seconds - 6}")"
        c1=$(cpu "$node")
        rss=$(awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$node/status")
        wait "$caller"
        kill "$node" "$rooms"
        wait "$node" "$rooms" 2>/dev/null
        cost=$(awk "BEGIN {printf \"%.2f\", ($c1 - $c0) * 1000 / $ticks / $n / ($seconds - 6)}")
        field() { sed -n "s/.*\"$1\":\([^,}]*\).*/\1/p" artifacts/load/report.json | head -1; }
        to200=$(sed -n 's/.*"to200Ms":{"p50":\([^,]*\),"p95":\([^,]*\),.*/\1 \/ \2/p' artifacts/load/report.json)
        echo "| $codec | $n | $(field answered) | $cost | $rss | $to200 | $(field longestToneGapMs) | $(field lost) |"
    done
done
