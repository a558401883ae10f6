"""A small hub on loopback: repositories with revisions, files with ranges, and the faults that a real one has."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

LFS = ".safetensors"


def sha(*parts: bytes | str) -> str:
    return hashlib.sha1(b"\0".join(part.encode() if isinstance(part, str) else part for part in parts)).hexdigest()


@dataclass
class Repository:
    """`commits`: files by commit; `branches` and `tags`: commits by name."""

    name: str
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    gated: bool = False

    def push(self, revision: str, files: dict[str, bytes], tag: bool = False) -> str:
        """A new commit under a branch (or a tag); returns it."""
        commit = sha(self.name, revision, *(part for name in sorted(files) for part in (name, files[name])))
        self.commits[commit] = files
        (self.tags if tag else self.branches)[revision] = commit
        return commit

    def push_folder(self, revision: str, folder: Path, tag: bool = False) -> str:
        return self.push(revision, {path.name: path.read_bytes() for path in folder.iterdir()}, tag)

    def commit(self, revision: str) -> str | None:
        named = self.branches.get(revision) or self.tags.get(revision)
        return named or (revision if revision in self.commits else None)

    def drop(self, revision: str) -> None:
        """The revision and its commit disappear."""
        self.commits.pop(self.branches.pop(revision))


@dataclass
class FakeHub:
    """What is served, what was asked for, and what goes wrong.

    `cuts`: for a file name, after how many bytes each of its next downloads breaks off. `failing`: paths (patterns)
    that answer with a status. `slow`: seconds before each piece of a weight file.
    """

    repositories: dict[str, Repository] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    failing: dict[str, int] = field(default_factory=dict)
    slow: float = 0.0
    url: str = ""

    def repository(self, name: str) -> Repository:
        return self.repositories.setdefault(name, Repository(name))

    def downloads(self, ending: str = LFS) -> list[str]:
        """Revisions of which a file was asked for, in order, each once."""
        found = [re.fullmatch(rf"GET /.*/resolve/([^/]+)/[^/]*{re.escape(ending)}", line) for line in self.log]
        return list(dict.fromkeys(match[1] for match in found if match))


class Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """The hub's own log is enough."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.log.append(f"{self.command} {path}")
        for pattern, status in self.hub.failing.items():
            if re.search(pattern, path):
                return self._refuse(status, "", "server trouble")
        api = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(refs|revision|tree)(?:/(.+))?)?", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        match = api or file
        if match is None:
            return self._refuse(404, "EntryNotFound", "nothing here")
        repository = self.hub.repositories.get(match[1])
        if repository is None:
            return self._refuse(401, "RepoNotFound", "Invalid username or password.")
        if repository.gated:  # an unkind hub: it repeats the token
            return self._refuse(403, "GatedRepo", f"no access with {self.headers.get('Authorization')}")
        if file:
            return self._file(repository, file[2], file[3])
        return self._describe(repository, match[2], match[3])

    def _describe(self, repository: Repository, what: str | None, revision: str | None) -> None:
        if what == "refs":
            lists = {"branches": ("heads", repository.branches), "tags": ("tags", repository.tags)}
            return self._json(
                {"converts": []}
                | {
                    key: [{"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": c} for n, c in names.items()]
                    for key, (kind, names) in lists.items()
                }
            )
        commit = repository.commit((revision or "main").split("/")[0])
        if commit is None:
            return self._refuse(404, "RevisionNotFound", "Invalid rev id")
        files = repository.commits[commit]
        if what == "tree":
            return self._json([self._entry(name, content) for name, content in files.items()])
        return self._json({"id": repository.name, "modelId": repository.name, "sha": commit, "siblings": [
            {"rfilename": name} for name in files]})  # fmt: skip

    @staticmethod
    def _entry(name: str, content: bytes) -> dict[str, Any]:
        entry: dict[str, Any] = {"type": "file", "path": name, "size": len(content), "oid": sha(content)}
        if name.endswith(LFS):
            digest = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 134}
        return entry

    def _file(self, repository: Repository, revision: str, name: str) -> None:
        commit = repository.commit(revision)
        if commit is None:
            return self._refuse(404, "RevisionNotFound", "Invalid rev id")
        content = repository.commits[commit].get(name)
        if content is None:
            return self._refuse(404, "EntryNotFound", "Entry not found")
        start = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if asked:
            start = int(asked[1])
            self.hub.ranges.append(f"{name} from {start}")
        self.send_response(206 if asked else 200)
        digest = hashlib.sha256(content).hexdigest() if name.endswith(LFS) else sha(content)
        self.send_header("ETag", f'"{digest}"')
        self.send_header("X-Repo-Commit", commit)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content) - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "GET":
            self._send(name, content[start:])

    def _send(self, name: str, content: bytes) -> None:
        cuts = self.hub.cuts.get(name, [])
        whole = len(content)
        if cuts:
            content = content[: cuts.pop(0)]
        pieces = 8 if name.endswith(LFS) and self.hub.slow else 1
        size = max(1, -(-len(content) // pieces))
        for at in range(0, len(content), size):
            time.sleep(self.hub.slow if pieces > 1 else 0)
            self.wfile.write(content[at : at + size])
        if len(content) < whole:
            self.close_connection = True

    def _json(self, data: Any) -> None:
        body = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, code: str, message: str) -> None:
        body = json.dumps({"error": message}).encode()
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", message)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no news."""


@contextmanager
def serving(handler: type[Handler] = Handler) -> Iterator[FakeHub]:
    """A hub on a free port of loopback, for the time of the block; `handler` answers."""
    hub = FakeHub()
    server = Server(("127.0.0.1", 0), type("Bound", (handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
