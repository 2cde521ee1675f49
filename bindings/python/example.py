"""Reports one conversion and prints the outcome. Copy this program and remove the parts that you do not need.

    python example.py sms|voice MESSAGE_ID true|false [TIMESTAMP]

Reads the credentials from the environment: NEXMO_API_KEY, NEXMO_API_SECRET, and NEXMO_AUTH, which is basic (the
default), query or signature. The method signature requires NEXMO_SIGNATURE_SECRET and uses HMAC-SHA-256. To try the
program with the sandbox, set NEXMO_BASE_URL and NEXMO_CA_FILE.

Exits with 0 if the service accepted the report, with 75 if a retry may succeed, and with 1 if something must be
corrected first.
"""

import sys
from datetime import datetime, timezone
from os import environ

import nexmo_conversion
from nexmo_conversion import Credentials, Options, SignatureMethod


def credentials() -> Credentials:
    key, auth = environ["NEXMO_API_KEY"], environ.get("NEXMO_AUTH", "basic")
    if auth == "signature":
        return Credentials.signature(key, environ["NEXMO_SIGNATURE_SECRET"], SignatureMethod.HMAC_SHA256)
    return {"basic": Credentials.basic, "query": Credentials.query}[auth](key, environ["NEXMO_API_SECRET"])


def main() -> int:
    if len(sys.argv) not in (4, 5) or sys.argv[1] not in ("sms", "voice") or sys.argv[3] not in ("true", "false"):
        print(f"usage: {sys.argv[0]} sms|voice MESSAGE_ID true|false [TIMESTAMP]", file=sys.stderr)
        return 2
    channel, message_id, delivered = sys.argv[1:4]
    timestamp = sys.argv[4] if len(sys.argv) == 5 else datetime.now(timezone.utc)
    options = Options(environ.get("NEXMO_BASE_URL"), ca_file=environ.get("NEXMO_CA_FILE"), user_agent="example/1")
    report = nexmo_conversion.sms if channel == "sms" else nexmo_conversion.voice
    try:
        result = report(credentials(), message_id, delivered == "true", timestamp, options=options)
    except nexmo_conversion.Error as error:
        print(f"{error.name}: {error}\n{error.description}")
        return 75 if error.retryable else 1
    print(f"{nexmo_conversion.status_name(result.status)}: {result.message}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
