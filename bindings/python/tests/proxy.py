"""A proxy that supports CONNECT and records its requests."""

import contextlib
import os
import socket
import threading
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple
from urllib.parse import urlsplit

from sandbox import running

NAME = "conversion.test"
"""A host name of the sandbox that only the proxy can resolve."""


class Asked(NamedTuple):
    """The target and the credentials of a CONNECT request."""

    target: str
    authorization: Optional[str]


class Proxy(ThreadingTCPServer):
    """A proxy that responds to each CONNECT with `status`, and forwards data in both directions after a 200."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, status: str) -> None:
        self.status = status
        self.asked: List[Asked] = []
        self.open: List[socket.socket] = []
        super().__init__(("127.0.0.1", 0), Tunnel)

    @property
    def address(self) -> str:
        """The address of the proxy as host:port."""
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        """The value for the option `proxy`."""
        return f"http://{self.address}"

    @property
    def targets(self) -> List[str]:
        """The targets of the requests to the proxy, in order."""
        return [asked.target for asked in self.asked]

    def hang_up(self) -> None:
        """Closes all tunnels."""
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Tunnel(StreamRequestHandler):
    """A client's connection to the proxy."""

    server: Proxy
    # Disables buffering, so that the proxy does not read past the head of the request. The data after the head belongs
    # to the tunnel.
    rbufsize = 0

    def handle(self) -> None:
        target, headers = self.head()
        self.server.asked.append(Asked(target, headers.get("proxy-authorization")))
        self.wfile.write(f"HTTP/1.1 {self.server.status}\r\n\r\n".encode())
        if self.server.status.startswith("200"):
            with socket.create_connection(address_of(target)) as service:
                self.server.open += [self.connection, service]
                back = threading.Thread(target=pass_on, args=(service, self.connection))
                back.start()
                pass_on(self.connection, service)
                back.join()

    def head(self) -> Tuple[str, Dict[str, str]]:
        method, target, _ = self.rfile.readline().decode().split(" ")
        assert method == "CONNECT"
        lines = iter(lambda: self.rfile.readline().decode().strip(), "")
        headers = (line.split(": ", 1) for line in lines)
        return target, {name.lower(): value for name, value in headers}


def address_of(target: str) -> Tuple[str, int]:
    """Returns the address to which the proxy resolves `target`."""
    host, port = target.rsplit(":", 1)
    sandbox = urlsplit(os.environ["NEXMO_SANDBOX_HTTP"])
    return (str(sandbox.hostname), int(sandbox.port or 80)) if host == NAME else (host, int(port))


def pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Forwards data until one side closes, and then closes the other side."""
    with contextlib.suppress(OSError):
        while some := source.recv(65536):
            sink.sendall(some)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def proxy(status: str = "200 Connection established") -> Iterator[Proxy]:
    """Runs a proxy in this process."""
    with Proxy(status) as server, running(server):
        try:
            yield server
        finally:
            server.hang_up()
