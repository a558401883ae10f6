"""A server that answers JSON, but none of Label Studio's: push and pull say so in one line, and write nothing."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from types import SimpleNamespace
from typing import Any

import pytest

from gainsift.annotation.patience import Patience
from gainsift.annotation.pull import pull
from gainsift.annotation.push import push
from gainsift.schemas.errors import WorkError

ANSWERS = [b"[null]", b"7", b"null", b'{"results": 7, "tasks": 7}', b'{"results": [null], "total": "many"}']


@pytest.fixture(params=ANSWERS, ids=lambda answer: answer.decode())
def strange(request: pytest.FixtureRequest, answering: Callable[[BaseServer], None]) -> SimpleNamespace:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Length", str(len(request.param)))
            self.end_headers()
            self.wfile.write(request.param)

        do_POST = do_PATCH = do_DELETE = do_GET

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    answering(server)
    return SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}", token="0" * 40)


@pytest.mark.parametrize("work", [push, pull])
def test_it_is_said_and_nothing_is_written(work: Callable[..., Any], strange: Any, planned: Any, row: Any) -> None:
    study = planned([row("Hund")])
    before = {file.name: file.read_bytes() for file in study.folder.glob("*") if file.is_file()}
    with pytest.raises(WorkError, match="none of Label Studio's") as caught:
        work(study, strange, patience=Patience(total=0))
    assert "\n" not in str(caught.value)
    assert {file.name: file.read_bytes() for file in study.folder.glob("*") if file.is_file()} == before
