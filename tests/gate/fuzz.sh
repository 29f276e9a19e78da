#!/bin/sh
# The committed fuzz corpus, and a short search of every target. Ends "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
out=$(mktemp)
status=0
tools/fuzz replay >"$out" 2>&1 || status=1
tools/fuzz 20 >>"$out" 2>&1 || status=1
grep -E '^(FAIL|     )' "$out"
passed=$(grep -cE '^ok ' "$out")
failed=$(sed -nE 's/^[0-9]+ passed, ([0-9]+) failed$/\1/p' "$out" | awk '{s += $1} END {print s + 0}')
[ "$status" -ne 0 ] && [ "$failed" -eq 0 ] && { tail -5 "$out"; failed=1; }
rm -f "$out"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
