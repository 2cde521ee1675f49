#!/bin/sh
# Runs the COBOL example against the sandbox, and compares its output with example.txt. Omits the messages, which may
# change.
#
#     nexmo-sandbox --response message=rejected-1:status=420 --response message=rejected-2:status=420 -- example.sh PROGRAM
set -eu
here=$(dirname "$0")
export NEXMO_API_KEY=abcd1234 NEXMO_API_SECRET=s3cret NEXMO_BASE_URL="$NEXMO_SANDBOX_HTTP" NEXMO_OUTBOX="$1.outbox"

rm -f "$NEXMO_OUTBOX"*
"$1" | cut -d: -f1,2 > "$1.txt"
rm -f "$NEXMO_OUTBOX"*
diff "$here/example.txt" "$1.txt"
