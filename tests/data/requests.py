#!/usr/bin/env python3
"""Writes requests.txt: the request that the API documentation and the signing guide require for each channel and
authentication method, with and without a timestamp. This script shares no code with the library, because a bug in
shared code would remain undetected.

The time of sending is 2020-01-01 12:00:00 UTC. HOST and VERSION stand for values that are known only when a test runs.
"""
import base64
import hashlib
import hmac
import pathlib
from urllib.parse import quote

KEY, SECRET, SIGNATURE_SECRET = "abcd1234", "s3cret/&", "sign4ture"
MESSAGE_ID = "00A0 &=+é"
EVENT, SENDING = "2019-12-31 23:59:59", "2020-01-01 12:00:00"
METHODS = ("md5hash", "md5", "sha1", "sha256", "sha512")


def signature(method, parameters):
    safe = lambda value: value.replace("&", "_").replace("=", "_")
    base = "".join(f"&{name}={safe(value)}" for name, value in sorted(parameters.items())).encode()
    secret = SIGNATURE_SECRET.encode()
    return hashlib.md5(base + secret).hexdigest() if method == "md5hash" else hmac.new(secret, base, method).hexdigest()


def request(channel, way, timestamp):
    parameters = {"message-id": MESSAGE_ID, "delivered": "true" if channel == "sms" else "false"}
    if timestamp:
        parameters["timestamp"] = timestamp
    authorization = []
    if way == "query":
        parameters.update(api_key=KEY, api_secret=SECRET)
    elif way == "basic":
        authorization = ["authorization: Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()]
    else:
        parameters.setdefault("timestamp", SENDING)
        parameters["api_key"] = KEY
        parameters["sig"] = signature(way, parameters)
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(parameters.items()))
    return [
        f"POST /base/conversions/{channel}?{query} HTTP/1.1",
        "host: HOST",
        "user-agent: nexmo-conversion/VERSION caller-suffix/2",
        *authorization,
        "content-length: 0",
    ]


def main():
    blocks = [
        "\n".join([f"# {channel} {way} {'event' if timestamp else 'none'}", *request(channel, way, timestamp)])
        for channel in ("sms", "voice")
        for way in ("query", "basic", *METHODS)
        for timestamp in (EVENT, None)
    ]
    pathlib.Path(__file__).with_name("requests.txt").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


main()
