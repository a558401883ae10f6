"""A door on loopback in front of a server, through which requests go well, late, half, or not at all."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OTHER_JSON = (b"[]", b"{}", b"null", b"7", b"[null]", b'{"results": 7, "tasks": 7}', b'{"total": "many"}')
PAGE = b"<html><body>Please log in to the network of this hotel.</body></html>"
Trouble = Callable[[int], str]
"""By the number of a request, from 0: what happens to it, one of the words in Handler.answer; "" is nothing."""


@dataclass
class Door:
    """`count`: requests so far. `heard`: told of each as it comes, and again, with True, when its answer is there."""

    port: int
    url: str = ""
    count: int = 0
    trouble: Trouble = lambda number: ""
    heard: Callable[[int, bool], None] = lambda number, answered: None
    rng: random.Random = field(default_factory=random.Random)


class Handler(BaseHTTPRequestHandler):
    door: Door
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""

    def do_GET(self) -> None:
        with self.lock:
            number, self.door.count = self.door.count, self.door.count + 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.door.heard(number, False)
        try:
            self.answer(self.door.trouble(number), body)
        except (ConnectionError, http.client.HTTPException, TimeoutError):  # either side is gone
            self.close_connection = True
        self.door.heard(number, True)

    do_POST = do_PATCH = do_DELETE = do_HEAD = do_GET

    def answer(self, what: str, body: bytes) -> None:
        if what == "cut before it arrives":
            self.close_connection = True
        elif what == "page of HTML":
            self._send(200, "text/html", PAGE)
        elif what == "other JSON":
            self._send(200, "application/json", self.door.rng.choice(OTHER_JSON))
        elif what.startswith("status "):
            self._send(int(what.split()[1]), "application/json", b'{"detail": "out of order"}')
        else:
            if what == "late":
                time.sleep(self.door.rng.uniform(1.0, 3.0))
            status, kind, answer = self._forwarded(body)
            if what == "cut before the answer":
                self.close_connection = True
            else:
                self._send(status, kind, answer, len(answer) // 2 if what == "half an answer" else None)

    def _forwarded(self, body: bytes) -> tuple[int, str, bytes]:
        given = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        server = http.client.HTTPConnection("127.0.0.1", self.door.port, timeout=300)
        try:
            server.request(self.command, self.path, body or None, given)
            told = server.getresponse()
            return told.status, told.getheader("Content-Type") or "", told.read()
        finally:
            server.close()

    def _send(self, status: int, kind: str, body: bytes, most: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:most])
        if most is not None:
            self.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no news."""


@contextmanager
def door_to(port: int, rng: random.Random) -> Iterator[Door]:
    """A door for the time of the block."""
    door = Door(port, rng=rng)
    server = _Server(("127.0.0.1", 0), type("Bound", (Handler,), {"door": door}))
    door.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
