#!/bin/sh
# Runs a command RUNS times (20 by default) in each of three situations: limited to one core, beside two busy loops, and
# without either. Prints the number of failures in each situation, and fails if there was any failure.
set -u

runs=${RUNS:-20}
output=$(mktemp)
busy=
trap 'kill $busy 2> /dev/null; rm -f "$output"' EXIT
trap 'exit 1' INT TERM

failures=0
repeat() {
    situation=$1
    shift
    failed=0
    run=0
    while [ "$run" -lt "$runs" ]; do
        run=$((run + 1))
        if ! "$@" > "$output" 2>&1; then
            failed=$((failed + 1))
            tail -40 "$output" >&2
        fi
    done
    echo "$situation: $failed of $runs failed"
    failures=$((failures + failed))
}

repeat "on one core" taskset -c 0 "$@"
for loop in 1 2; do
    (while :; do :; done) &
    busy="$busy $!"
done
repeat "beside two busy loops" "$@"
kill $busy
busy=
repeat "without either" "$@"
[ "$failures" -eq 0 ]
