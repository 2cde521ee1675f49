"""The parts that the Python programs share, as in common.h: arguments, message ids, clocks and the line of output."""

import json
import sys
import time

API_KEY = "abcd1234"
API_SECRET = "s3cret"
TIMESTAMP = "2026-01-01 12:00:00"

URL, CA_FILE = sys.argv[1], sys.argv[2]
COUNT, WARM_UP = int(sys.argv[3]), int(sys.argv[5])


def message_id(number):
    """Returns the same ids as message_id in common.c."""
    return format((number + 1) * 0x9E3779B97F4A7C15 % 2**64, "016X")


def peak_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def measure(report):
    """Calls `report` for the warm-up, then for the measured reports, and prints the figures. Ends at an exception."""
    for number in range(WARM_UP):
        report(message_id(number))
    wall, cpu = time.monotonic(), time.process_time()
    for number in range(WARM_UP, WARM_UP + COUNT):
        report(message_id(number))
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    print(json.dumps({"done": COUNT, "failures": 0, "wall_s": wall, "cpu_s": cpu, "peak_kib": peak_kib()}))
