"""Label Studio over HTTP: JSON there and back, errors in one line, patience where a repeat can do no harm.

Label Studio's own client sends a request again by itself when the server fails, which doubles tasks, and reads
every answer into typed objects, which takes longer than the server's work. So requests are plain ones.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from gainsift.annotation.patience import Away, Patience
from gainsift.schemas.errors import UserError, WorkError
from gainsift.schemas.files import json_bytes

TIMEOUT = httpx.Timeout(60.0, read=900.0)
"""Seconds. The server answers an import or export request when its work is done, however large."""
PAGE = 1000
"""Tasks on a page of a list: small pages are slow, very large ones too."""


class Address(Protocol):
    """Where a server is, and the token that it takes."""

    @property
    def url(self) -> str: ...

    @property
    def token(self) -> str: ...


class _Token(httpx.Auth):
    """The token of an account: a plain one, or a personal one, for which the server gives short-lived ones."""

    requires_response_body = True

    def __init__(self, url: str, token: str) -> None:
        self.refresh, self.token = f"{url}/api/token/refresh/", token
        self.personal = token.count(".") == 2
        self.access = "" if self.personal else token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        scheme = "Bearer" if self.personal else "Token"
        if self.access:
            request.headers["Authorization"] = f"{scheme} {self.access}"
            response = yield request
            if response.status_code != 401 or not self.personal:
                return
        answer = yield httpx.Request("POST", self.refresh, json={"refresh": self.token})
        if answer.status_code == 200:
            self.access = str(answer.json().get("access", ""))
            request.headers["Authorization"] = f"{scheme} {self.access}"
            yield request


class Api:
    """Requests to one server. Raises Away (no answer, a fault of the server), UserError (token refused), WorkError."""

    def __init__(self, server: Address, patience: Patience | None = None) -> None:
        self.url = server.url
        self.patience = patience or Patience()
        local = urlsplit(server.url).hostname in ("127.0.0.1", "localhost", "::1")
        self._http = httpx.Client(
            base_url=server.url, auth=_Token(server.url, server.token), timeout=TIMEOUT, trust_env=not local
        )

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def once(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """One request; its answer as plain data, None if it is empty."""
        try:
            answer = self._http.request(
                method,
                path,
                params=params,
                content=None if body is None else json_bytes(body),
                headers={"Content-Type": "application/json"} if body is not None else {},
            )
        except httpx.TransportError as error:
            raise Away(self.url, f"no answer ({type(error).__name__})") from None
        if answer.status_code >= 500:
            raise Away(self.url, f"the server failed (status {answer.status_code})", answer.status_code)
        if answer.status_code in (401, 403):
            raise UserError(self.url, "the server does not take the access token", "give it the one of its lead")
        if answer.status_code >= 300:
            raise WorkError(self.url, f"{method} {path}: status {answer.status_code}{_detail(answer)}")
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            raise WorkError(self.url, f"{path}: the answer is no JSON", "is that a Label Studio?") from None

    def repeatedly(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """A request that may reach the server twice without harm, sent again while the server is away."""
        return self.patience.keep_trying(lambda: self.once(method, path, body, **params))

    def get(self, path: str, **params: Any) -> Any:
        return self.repeatedly("GET", path, **params)


@contextmanager
def as_label_studio_answers(url: str, what: str) -> Iterator[None]:
    """While `what` is read from an answer: JSON of another kind is a WorkError in one line."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        problem = f"{what}: the answer is JSON, but none of Label Studio's ({type(error).__name__})"
        raise WorkError(
            url, problem, "is something else in between? run this again: what was done stays done"
        ) from None


def _detail(answer: httpx.Response) -> str:
    """What the server says is wrong: its `detail` and `validation_errors`, cut short."""
    try:
        said = answer.json()
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    texts = [str(said[key]) for key in ("detail", "validation_errors") if said.get(key)]
    return ": " + " ".join(" ".join(texts).split())[:300] if texts else ""
