#!/bin/sh
# Every [NoAlloc] member runs in a native program and must allocate nothing. Ends "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
mkdir -p artifacts
log=artifacts/alloc.log
if ! dotnet publish tests/Proxy.Alloc/Proxy.Alloc.csproj -c Release --nologo -v q -o artifacts/alloc >"$log" 2>&1; then
    grep -E 'error|undefined reference' "$log" | sort -u | head -20
    echo "0 passed, 1 failed"
    exit 1
fi
timeout 300 artifacts/alloc/Proxy.Alloc >"$log" 2>&1
status=$?
grep -E '^FAIL' "$log"
if tail -1 "$log" | grep -qE '^[0-9]+ passed, [0-9]+ failed$'; then tail -1 "$log"; else
    tail -5 "$log"
    echo "0 passed, 1 failed"
    status=1
fi
exit "$status"
