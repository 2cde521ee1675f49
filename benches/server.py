"""The server for the measurements: nginx on loopback, with HTTP and HTTPS, and over HTTPS with delays and with 401."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from paths import BUILD

ECHO_MODULE = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
DELAY_S = 0.05

# nginx runs one worker for each core, as in Debian's configuration. Clients decide how long connections stay open. The
# response is short and has a Content-Length, like the service's. Clients that support TLS 1.3 use it, with nginx's
# default session tickets.
CONFIGURATION = """
load_module {module};
daemon off;
user root;
worker_processes auto;
worker_rlimit_nofile 16384;
pid nginx.pid;
error_log error.log warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    default_type text/plain;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    keepalive_time 24h;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    server {{
        listen 127.0.0.1:{http} backlog=4096;
        listen 127.0.0.1:{https} ssl backlog=4096;
        location / {{ return 200 "OK"; }}
    }}
    server {{
        listen 127.0.0.1:{denied} ssl;
        location / {{ return 401; }}
    }}
    server {{
        listen 127.0.0.1:{delayed} ssl backlog=4096;
        location / {{ echo_sleep {delay}; echo_exec @response; }}
        location @response {{ return 200 "OK"; }}
    }}
}}
"""


class Server:
    """A context manager that runs nginx with new certificates on free ports."""

    def __init__(self) -> None:
        self.folder = BUILD / "nginx"
        self.ca = self.folder / "ca.pem"

    def __enter__(self) -> "Server":
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        _make_certificates(self.folder)
        http, https, delayed, denied = _free_ports(4)
        self.urls = {
            "http": f"http://127.0.0.1:{http}",
            "https": f"https://127.0.0.1:{https}",
            "delayed": f"https://127.0.0.1:{delayed}",
            "denied": f"https://127.0.0.1:{denied}",
        }
        text = CONFIGURATION.format(module=ECHO_MODULE, http=http, https=https, delayed=delayed, denied=denied, delay=DELAY_S)
        (self.folder / "nginx.conf").write_text(text)
        command = ["nginx", "-p", str(self.folder), "-e", "error.log", "-c", "nginx.conf"]
        self.process = subprocess.Popen(command, cwd=self.folder)
        _wait_for(delayed, self.process)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def pin_to(self, cores: "set[int]") -> None:
        """Restricts nginx to these cores."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for worker in children:
            os.sched_setaffinity(int(worker), cores)


def _free_ports(count: int) -> "list[int]":
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(100):
        if process.poll() is not None:
            raise SystemExit("nginx did not start; see build/bench/nginx/error.log")
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise SystemExit("nginx does not accept connections")


def _make_certificates(folder: Path) -> None:
    """Generates a CA and the server's certificate, both with P-256 keys."""
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    _openssl(folder, "req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
             "-subj", "/CN=Benchmark CA", "-addext", "keyUsage=critical,keyCertSign")
    _openssl(folder, "req", *new_key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    (folder / "server.ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n")
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
             "-out", "server.pem", "-days", "30", "-extfile", "server.ext")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
