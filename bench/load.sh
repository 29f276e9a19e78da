#!/bin/sh
# What a call costs, beside rtpengine: the measured process alone on core 0; room server, agents, SIPp and the senders and
# receivers of media on core 1. usage: bench/load.sh [--write] ["20 50 100"] [SECONDS]
# Prints a table and leaves it in artifacts/load.md; --write puts it between the markers of bench/README.md as well.
set -u
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
write=
[ "${1:-}" = --write ] && { write=yes; shift; }
points=${1:-20 50 100}
seconds=${2:-20}
rate=10
settle=3
address=127.0.25.1
work=artifacts/load
bin=$work/bin
result=artifacts/load.md
status=0

say() { echo "load: $*" >&2; }
fail() { say "$*"; exit 1; }

# --- what runs is remembered by id, and ended on every way out
running=
start() { # start LOG COMMAND...: in the background; its id is in $started
    log=$1
    shift
    "$@" >"$log" 2>"$log.err" &
    started=$!
    running="$running $started"
}
# A node that still has calls drains after the first signal and ends at the second; who ignores both is killed.
live() { for id in "$@"; do grep -qs '^State:.[^ZX]' "/proc/$id/status" && printf ' %s' "$id"; done; }
stop() { # stop ID...
    for signal in TERM TERM KILL; do
        # shellcheck disable=SC2046 # a list of ids
        [ -z "$(live "$@")" ] || kill -s $signal $(live "$@") 2>/dev/null
        tries=15
        while [ -n "$(live "$@")" ] && [ "$tries" -gt 0 ]; do
            tries=$((tries - 1))
            sleep 0.1
        done
    done
    wait "$@" 2>/dev/null
    forget "$@"
}
forget() { for id in "$@"; do running=$(echo " $running " | sed "s/ $id / /"); done; }
finish() { # finish ID: until it ends by itself; its status
    wait "$1"
    code=$?
    forget "$1"
    return $code
}
# shellcheck disable=SC2086 # a list of ids
stop_all() { [ -z "${running# }" ] || stop $running; }
trap stop_all EXIT
trap 'exit 1' INT TERM HUP
await() { # await TEXT FILE: until the text stands there, ten seconds at most
    tries=100
    while ! grep -q "$1" "$2" 2>/dev/null; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.1
    done
}

# --- reading reports: JSON on one line, every name once
number() { sed -n "s/.*\"$1\":\([-0-9.]*\).*/\1/p" "$2"; }
pair() { sed -n "s/.*\"$1\":{\"p50\":\([^,]*\),\"p95\":\([^,]*\),.*/\1 \/ \2/p" "$2" | awk '{printf "%.1f / %.1f", $1, $3}'; }
cost() { awk "BEGIN {printf \"%.2f\", ($(number userMs "$1") + $(number systemMs "$1")) / $2 / $(number seconds "$1")}"; }
threads() { # shard / signal / all others, CPU ms per call and second
    sed -n 's/.*"threadsMs":{\([^}]*\)}.*/\1/p' "$1" | tr ',' '\n' | awk -F: -v per="$(awk "BEGIN {print $2 * $(number seconds "$1")}")" \
        '/"shard-/ {s += $2; next} /"signal"/ {g += $2; next} {o += $2} END {printf "%.2f / %.2f / %.2f", s / per, g / per, o / per}'
}
busy() { # both cores, and what others took of the measured process's core, per cent
    sed -n 's/.*"coresBusy":\[\([0-9.]*\),\([0-9.]*\).*/\1 \2/p' "$1" | awk -v own="$(awk "BEGIN {print ($(number userMs "$1") + $(number systemMs "$1")) / 1000 / $(number seconds "$1")}")" \
        '{others = $1 - own; printf "%.0f / %.0f (%.0f)", $1 * 100, $2 * 100, (others > 0 ? others : 0) * 100}'
}
memory() { awk '/VmRSS/ {print $2}' "/proc/$1/status"; }
megabytes() { awk "BEGIN {printf \"%.0f + %.0f KB\", $2 / 1024, ($1 - $2) / $3}"; } # before the calls, and a call on top
percentiles() { # of the numbers on stdin
    sort -n | awk '{v[NR] = $1} END {if (NR) printf "%.1f / %.1f", v[int((NR - 1) * 0.5) + 1], v[int((NR - 1) * 0.95) + 1]; else printf "–"}'
}

# --- one point each
relay() { # relay CALLS: rtpengine between plain RTP and DTLS-SRTP
    start $work/rtpengine.log taskset -c 0 rtpengine --foreground --config-file=none --log-stderr --log-level=4 --table=-1 \
        "--interface=$address" "--listen-ng=$address:18822" --port-min=40000 --port-max=44000 --num-threads=1
    engine=$started
    sleep 1
    [ -d "/proc/$engine" ] || fail "rtpengine did not start: $(tail -1 $work/rtpengine.log.err)"
    idle=$(memory "$engine")
    report=$work/relay-$1.json
    taskset -c 1 $bin/siproom-relay --engine "$address:18822" --local $address --calls "$1" --rate $rate --settle $settle --hold "$seconds" --watch "$engine" >"$report" 2>$work/relay.err ||
        { status=1; say "rtpengine, $1 calls: not every packet came through $(cat $work/relay.err)"; }
    stop "$engine"
    [ -s "$report" ] || return
    base=$(cost "$report" "$1")
    profile=$(sed -n 's/.*"srtp":"\([^"]*\)".*/\1/p' "$report")
    counted="$(number enginePackets "$report") packets counted by rtpengine, $(number engineErrors "$report") errors"
    echo "| rtpengine, DTLS-SRTP relay | $1 | $(number answered "$report") | **$base** | – | $(megabytes "$(number rssKb "$report")" "$idle" "$1") | – | $(pair toSecureMs "$report") | $(pair toPlainMs "$report") | $(number lost "$report") / – | – | $(busy "$report") | 1 |" >>$rows
    say "rtpengine, $1 calls: $base ms per call and second; $profile; $counted"
}

policy() { # policy g711|opus: number 1000 reaches an agent that sends a tone, 2000 one that echoes
    mkdir -p $work/policy/trunks $work/policy/rules
    codec=$([ "$1" = g711 ] && echo pcmu || echo opus)
    for way in 1000:tone 2000:echo; do
        to=${way%:*}
        agent=${way#*:}
        echo "{\"sip_trunk_id\": \"ST_$agent\", \"name\": \"$agent\", \"numbers\": [\"$to\"], \"allowed_addresses\": [\"127.0.0.0/8\"]}" >"$work/policy/trunks/$agent.json"
        echo "{\"sip_dispatch_rule_id\": \"SDR_$agent\", \"name\": \"$agent\", \"trunk_ids\": [\"ST_$agent\"], \"rule\": {\"dispatchRuleIndividual\": {\"roomPrefix\": \"$agent-\"}},
 \"roomConfig\": {\"agents\": [{\"agentName\": \"demo\", \"metadata\": \"$agent $codec\"}]}, \"x\": {\"passthrough\": \"$1\"}}" >"$work/policy/rules/$agent.json"
    done
    cat >$work/siproom.yaml <<T
api_key: devkey
api_secret: secret
ws_url: ws://$address:18880
listen_ip: $address
sip_port: 18060
rtp_port: 30000-34000
http: $address:18888
max_cpu_utilization: 1
policy: { folder: $work/policy }
T
}

calls() { # calls g711|opus CALLS
    policy "$1"
    tones=$(($2 - 1))
    start $work/rooms.log taskset -c 1 artifacts/siproom rooms --http $address:18880 --dev-ice-port 18882
    rooms=$started
    await ready $work/rooms.log || fail "the room server did not start: $(tail -1 $work/rooms.log.err)"
    start $work/serve.log taskset -c 0 artifacts/siproom serve --config $work/siproom.yaml
    node=$started
    await ready $work/serve.log || fail "siproom serve did not start: $(tail -1 $work/serve.log.err)"
    sleep 1
    idle=$(memory "$node")
    ramp=$(awk "BEGIN {print $2 / $rate}")
    report=$work/calls-$1-$2.json
    echoed=$work/echo-$1-$2.json
    start "$report" taskset -c 1 $bin/siproom-load --local $address --media-port 18200 --calls $tones --rate $rate --speech --settle $settle --hold "$seconds" --watch "$node"
    media=$started
    start "$echoed" taskset -c 1 $bin/siproom-load --local $address --media-port 18300 --calls 1 --rate $rate --burst-ms 400 --hear-hz 0 \
        --metrics "http://$address:18880/metrics" --settle 1 --hold "$(awk "BEGIN {print int($ramp + $settle + $seconds - 1)}")"
    echoing=$started
    { echo SEQUENTIAL; echo '2000;18300'; for _ in $(seq $tones); do echo '1000;18200'; done; } >$work/calls.csv
    cp bench/load/caller.xml $work/caller.xml
    rm -f $work/caller_*.csv $work/caller_*.log
    hold=$(awk "BEGIN {print int(($ramp + $settle + $seconds + 3) * 1000)}")
    start $work/sipp.log sh -c "cd $work && exec timeout 300 taskset -c 1 sipp $address:18060 -sf caller.xml -inf calls.csv -i $address -p 18070 -m $2 -l $2 -r $rate -d $hold -trace_rtt -rtt_freq 1 -trace_err -nostdin"
    sipp=$started
    finish "$media" || { status=1; say "$1, $2 calls: not every call heard its agent"; }
    curl -s --max-time 5 "http://$address:18888/metrics" >$work/metrics
    finish "$echoing" || status=1
    finish "$sipp" || { status=1; say "$1, $2 calls: SIPp ended with an error: $(tail -2 $work/caller_*errors.log 2>/dev/null)"; }
    stop "$node"
    stop "$rooms"
    [ -s "$report" ] || return
    cpu=$(cost "$report" "$2")
    answered=$(awk -F';' '$3 == 1' $work/caller_*_rtt.csv 2>/dev/null | wc -l)
    [ "$answered" -eq "$2" ] || status=1
    set_up=$(awk -F';' '$3 == 1 {print $2}' $work/caller_*_rtt.csv 2>/dev/null | percentiles)
    inside=$(sed -n 's/.*call answered.* afterMs=\([0-9.]*\).*/\1/p' $work/serve.log.err | percentiles)
    stall=$(awk '/^siproom_loop_longest_stall_seconds\{world="shard"/ {if ($2 > m) m = $2} END {printf "%.1f", m * 1000}' $work/metrics)
    late=$(awk '/^siproom_loop_stall_seconds_bucket\{world="shard".*le="0.005"/ {a += $2} /^siproom_loop_stall_seconds_count\{world="shard"/ {n += $2} END {print n - a}' $work/metrics)
    name=$([ "$1" = g711 ] && echo "siproom, passthrough" || echo "siproom, Opus in the room")
    ratio=$(awk "BEGIN {if (${base:-0} > 0) printf \"%.2f\", $cpu / $base; else printf \"–\"}")
    echo "| $name | $2 | $answered | **$cpu** | $(threads "$report" "$2") | $(megabytes "$(number rssKb "$report")" "$idle" "$2") | $inside ($set_up) | $(pair toRoomMs "$echoed") | $(pair toCallerMs "$echoed") | $(number lost "$report") / $(number longestToneGapMs "$report") | $stall ($late) | $(busy "$report") | **$ratio** |" >>$rows
    say "$name, $2 calls: $cpu ms per call and second, $ratio × rtpengine"
}

# --- the run
[ "$(getconf _NPROCESSORS_ONLN)" -ge 2 ] || fail "two cores are needed"
tools/prepare load || exit 1
tools/build || exit 1
mkdir -p $bin
for project in Load Relay; do
    dotnet publish bench/Proxy.$project -c Release --nologo -v q -o $bin >$work/build.log 2>&1 || { tail -5 $work/build.log >&2; fail "bench/Proxy.$project does not build"; }
done
rows=$work/rows
: >$rows
load_before=$(cut -d' ' -f1-3 /proc/loadavg)
for n in $points; do
    base=
    relay "$n"
    calls g711 "$n"
    calls opus "$n"
done

{
    echo "Measured $(date -u '+%Y-%m-%d %H:%M UTC') by \`tools/bench load\`: $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $(getconf _NPROCESSORS_ONLN) cores, $(uname -sr); load average before: $load_before."
    echo "$(rtpengine --version 2>&1 | head -1 | sed 's/Version: /rtpengine /'), userspace, one worker thread, ${profile:-no SRTP}; $(sipp -v 2>&1 | sed -n 's/.*\(SIPp v[0-9.]*\).*/\1/p' | head -1); windows of $seconds s, $rate new calls a second before them."
    echo
    echo "| what | calls | answered | CPU ms per call and second | of it shard / signal / others | memory: idle + a call | INVITE→200 p50 / p95 ms (by SIPp, 4 ms steps) | caller→room p50 / p95 ms | room→caller p50 / p95 ms | lost / longest gap ms | longest shard stall ms (over 5 ms) | cores busy %: 0 / 1 (others on 0) | × rtpengine |"
    echo "|---|--:|--:|--:|---|---|---|---|---|---|---|---|--:|"
    sort -s -t'|' -k2,2r $rows
    echo
    echo "\`siproom bench stall\`: $(timeout 60 artifacts/siproom bench stall 2>&1 | tail -1)"
} >$result
cat $result
if [ -n "$write" ]; then
    awk -v file=$result '
        /<!-- load:begin -->/ {print; while ((getline line < file) > 0) print line; inside = 1; next}
        /<!-- load:end -->/ {inside = 0}
        !inside' bench/README.md >$work/README.md && cp $work/README.md bench/README.md
fi
exit $status
