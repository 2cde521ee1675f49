"""Helpers for tests that need a service: options for the sandbox, its log, and servers in the test process."""

import contextlib
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from socketserver import BaseServer
from typing import Any, Callable, Dict, Iterator, List, Optional

from nexmo_conversion import Credentials, Options, SignatureMethod

API_KEY = "abcd1234"
API_SECRET = "s3cret"
SIGNATURE_SECRET = "sign4ture"

REQUIRED = (
    "NEXMO_SANDBOX_HTTP",
    "NEXMO_SANDBOX_HTTPS",
    "NEXMO_SANDBOX_CA",
    "NEXMO_SANDBOX_LOG",
    "NEXMO_LIBRARY",
    "NEXMO_TESTING_LIBRARY",
)

BASIC = Credentials.basic(API_KEY, API_SECRET)
QUERY = Credentials.query(API_KEY, API_SECRET)
SIGNED = {method: Credentials.signature(API_KEY, SIGNATURE_SECRET, method) for method in SignatureMethod}
ALL_AUTH = [QUERY, BASIC, *SIGNED.values()]

Record = Dict[str, Any]


def auth_id(credentials: Credentials) -> str:
    """Returns the id of the variant of a parametrized test that uses these credentials."""
    return f"{credentials.auth.name}-{credentials.signature_method!s}".lower()  # type: ignore[attr-defined]


def http_options(**others: Any) -> Options:
    """Returns options for the sandbox over HTTP."""
    return Options(base_url=os.environ["NEXMO_SANDBOX_HTTP"], **others)


def https_options(**others: Any) -> Options:
    """Returns options for the sandbox over HTTPS."""
    return Options(base_url=os.environ["NEXMO_SANDBOX_HTTPS"], ca_file=os.environ["NEXMO_SANDBOX_CA"], **others)


class Log:
    """The requests that the sandbox has received since this object was created. Each is logged before its response."""

    def __init__(self) -> None:
        self._path = os.environ["NEXMO_SANDBOX_LOG"]
        self._start = os.path.getsize(self._path) if os.path.exists(self._path) else 0

    def records(self) -> List[Record]:
        """Returns all requests, in order of arrival."""
        if not os.path.exists(self._path):
            return []
        with open(self._path, encoding="utf-8") as file:
            file.seek(self._start)
            return [json.loads(line) for line in file]

    def only(self) -> Record:
        """Returns the only request. Raises unless there is exactly one."""
        (record,) = self.records()
        return record

    def statuses(self) -> List[int]:
        """Returns the status of each response, in order of arrival."""
        return [record["status"] for record in self.records()]


@contextlib.contextmanager
def responding(status: int, headers: Optional[Dict[str, str]] = None) -> Iterator[Options]:
    """Runs a server in this process that responds to every request with `status`. Yields options for it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            for name, value in {"content-length": "0", **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server, running(server):
        yield Options(base_url=f"http://127.0.0.1:{server.server_port}", timeout_ms=5000)


@contextlib.contextmanager
def running(server: BaseServer) -> Iterator[None]:
    """Runs a server in a separate thread."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


class Holding(ThreadingHTTPServer):
    """A server in this process that calls `hold` for each request before it responds."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, hold: Callable[[], object]) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                server.connections += 1

            def do_POST(self) -> None:
                hold()
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.connections = 0
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores errors of handlers, because a client may disconnect before the response."""

    def options(self, **others: Any) -> Options:
        """Returns options for this server."""
        return Options(base_url=f"http://127.0.0.1:{self.server_port}", **others)


@contextlib.contextmanager
def holding(hold: Callable[[], object]) -> Iterator[Holding]:
    """Runs a server that calls `hold` before each response."""
    with Holding(hold) as server, running(server):
        yield server
