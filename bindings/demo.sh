#!/bin/sh
# Reports conversions from C and Python with each authentication method, and prints the requests and results.
# `make demo` runs this script inside the sandbox:   nexmo-sandbox --quiet -- demo.sh C_EXAMPLE PYTHON
c_example=$1
python=$2
here=$(dirname "$0")

export NEXMO_API_KEY=abcd1234 NEXMO_API_SECRET=s3cret NEXMO_SIGNATURE_SECRET=sign4ture
export NEXMO_BASE_URL="$NEXMO_SANDBOX_HTTPS" NEXMO_CA_FILE="$NEXMO_SANDBOX_CA"
export PYTHONDONTWRITEBYTECODE=1

failures=0

# Runs a program, prints the request that the sandbox received, and counts an unexpected exit status.
show() {
    expected=$1 title=$2
    shift 2
    requests=$(wc -l < "$NEXMO_SANDBOX_LOG")
    printf '\n%s\n' "$title"
    "$@" > "$NEXMO_SANDBOX_LOG.out" 2>&1
    status=$?
    tail -n "+$((requests + 1))" "$NEXMO_SANDBOX_LOG" | sed 's/.*"target":"\([^"]*\)".*/    sent      POST \1/'
    [ "$(wc -l < "$NEXMO_SANDBOX_LOG")" -gt "$requests" ] || echo "    sent      nothing"
    sed 's/^/    result    /' "$NEXMO_SANDBOX_LOG.out"
    rm -f "$NEXMO_SANDBOX_LOG.out"
    [ "$status" -eq "$expected" ] || failures=$((failures + 1))
}

echo "The sandbox at $NEXMO_SANDBOX_HTTPS replaces the service; secrets are printed as ***."

for NEXMO_AUTH in query basic signature; do
    export NEXMO_AUTH
    show 0 "C, sms, $NEXMO_AUTH" "$c_example" sms 00A0B0C0 1
    show 0 "C, voice, $NEXMO_AUTH" "$c_example" voice call-1 0 "2020-01-01 12:00:00"
    show 0 "Python, sms, $NEXMO_AUTH" "$python" "$here/python/example.py" sms 00A0B0C0 true
    show 0 "Python, voice, $NEXMO_AUTH" "$python" "$here/python/example.py" voice call-1 false "2020-01-01 12:00:00"
done

show 1 "C, an invalid call" "$c_example" sms 00A0B0C0 1 "2020-02-30 12:00:00"
NEXMO_AUTH=query NEXMO_API_SECRET=wrong
show 1 "Python, a report that the service rejects" "$python" "$here/python/example.py" sms 00A0B0C0 true

echo
if [ "$failures" -gt 0 ]; then
    echo "$failures programs had unexpected results." >&2
    exit 1
fi
echo "All programs had the expected results."
