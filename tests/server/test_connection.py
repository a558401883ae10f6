"""Reaching a server: which one, with which token, and what is said when it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer

import pytest

from gainsift.annotation.connection import TOKEN_VARIABLE, Connection, checked_url, connect, missing_accounts
from gainsift.annotation.server import token_of
from gainsift.schemas.errors import UserError, WorkError


class Stranger(ThreadingHTTPServer):
    """A web server that is no Label Studio, or pretends to be another version; keeps what it was sent."""

    version: str | None = None
    moved: str | None = None

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None]] = []
        super().__init__(("127.0.0.1", 0), StrangerHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class StrangerHandler(BaseHTTPRequestHandler):
    server: Stranger

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers.get("Authorization")))
        page = b"<html>a web shop</html>"
        if self.server.version and self.path == "/api/version":
            page = json.dumps({"release": self.server.version}).encode()
        elif self.server.version:
            page = json.dumps({"id": 1, "email": "x@example.org"}).encode()
        self.send_response(302 if self.server.moved else 200)
        if self.server.moved:
            self.send_header("Location", self.server.moved + self.path)
        self.send_header("Content-Type", "application/json" if self.server.version else "text/html")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def stranger(answering: Callable[[BaseServer], None]) -> Stranger:
    server = Stranger()
    answering(server)
    return server


def test_the_running_server_of_the_study_is_found_and_its_token_read(new_label_studio, empty_study) -> None:
    study = empty_study()
    with pytest.raises(UserError, match="no server of this study is running; start it with `gainsift annotate serve"):
        connect(study)
    server = new_label_studio(folder=study.server_folder)
    found = connect(study)
    assert (found.url, found.token, found.notes) == (server.url, server.token, ())
    assert found.token == token_of(study)
    assert missing_accounts(study, found) == []
    server.stop()
    with pytest.raises(UserError, match="no server of this study is running"):
        token_of(study)


def test_another_server_by_its_address_and_a_token_from_the_environment(label_studio, empty_study, monkeypatch) -> None:
    study = empty_study("ann", "dora", "emil")
    study.private_folder.mkdir()
    (study.private_folder / "annotators.yaml").write_text("emil: {name: E, email: emil@uni.example}\n")
    monkeypatch.setenv(TOKEN_VARIABLE, f" {label_studio.token}\n")
    found = connect(study, label_studio.url + "/")
    assert (found.url, found.token, found.version[:5]) == (label_studio.url, label_studio.token, "1.23.")
    assert label_studio.token not in repr(found)
    assert missing_accounts(study, found) == ["dora (dora@annotators.example)", "emil (address in annotators.yaml)"]


def test_a_personal_access_token_does_as_well(label_studio, personal_token, empty_study, monkeypatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, personal_token)
    study = empty_study("ann", "emil")
    assert missing_accounts(study, connect(study, label_studio.url)) == ["emil (emil@annotators.example)"]


@pytest.mark.parametrize("token", ["0123456789abcdef0123456789abcdef01234567", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.e30.x"])
def test_a_wrong_token_is_not_repeated(label_studio, empty_study, monkeypatch, token) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, token)
    with pytest.raises(UserError, match="the server does not take the access token") as caught:
        connect(empty_study(), label_studio.url)
    assert token not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_token_is_asked_for_only_on_a_terminal(label_studio, empty_study, monkeypatch, capsys) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    with pytest.raises(UserError, match=f"no access token; put it into {TOKEN_VARIABLE}"):
        connect(empty_study(), label_studio.url)
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda text: asked.append(text) or label_studio.token)
    assert connect(empty_study(name="again"), label_studio.url).token == label_studio.token
    assert asked == [f"Access token for {label_studio.url} (not shown): "]
    assert label_studio.token not in "".join(capsys.readouterr())


@pytest.mark.parametrize("token", ["zwei Wörter", "with space", "tab\tin", "schlüssel"])
def test_what_can_be_no_token_is_refused_unsent(stranger, empty_study, monkeypatch, token) -> None:
    stranger.version = "1.23.2"
    monkeypatch.setenv(TOKEN_VARIABLE, token)
    with pytest.raises(UserError, match="is no access token") as caught:
        connect(empty_study(), stranger.url)
    assert token not in str(caught.value)
    assert stranger.seen == [("/api/version", None)]


def test_a_stranger_is_not_shown_the_token(stranger, empty_study, monkeypatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "0" * 40)
    with pytest.raises(UserError, match=r"something answers at .* \(status 200\), but no Label Studio"):
        connect(empty_study(), stranger.url)
    stranger.moved = "http://localhost:9"
    with pytest.raises(WorkError, match="no answer"):
        connect(empty_study(name="again"), stranger.url)
    assert {token for _, token in stranger.seen} == {None}


def test_an_address_that_leads_elsewhere_is_named(stranger, label_studio, empty_study, monkeypatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, label_studio.token)
    stranger.moved = label_studio.url
    with pytest.raises(UserError, match=f"leads to {label_studio.url}; name that address"):
        connect(empty_study(), stranger.url)


def test_an_untested_version_is_said(stranger, empty_study, monkeypatch) -> None:
    stranger.version = "1.99.0"
    monkeypatch.setenv(TOKEN_VARIABLE, "0" * 40)
    found = connect(empty_study(), stranger.url)
    assert found.notes == (f"Label Studio 1.99.0 at {stranger.url}: gainsift is tested with 1.23",)


def test_no_answer_is_one_line(empty_study, stranger, monkeypatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "0" * 40)
    with pytest.raises(WorkError, match=r"no answer \(ConnectError\); is the server running") as caught:
        connect(empty_study(), "http://127.0.0.1:1")
    assert "\n" not in str(caught.value)
    with pytest.raises(WorkError, match="no answer"):
        connect(empty_study(name="again"), "http://no-such-host.invalid")


@pytest.mark.parametrize(
    "url",
    ["http://lead:geheim@127.0.0.1:8080", "https://geheim@host", "ftp://host", "host:8080", "http://host:geheim",
     "http://", "http://host?token=geheim", "http://[host"],
)  # fmt: skip
def test_an_address_with_more_or_less_than_an_address_is_refused_unrepeated(url) -> None:
    with pytest.raises(UserError, match=r"^--url: ") as caught:
        checked_url(url)
    assert "geheim" not in str(caught.value)


def test_addresses_are_put_in_one_form() -> None:
    assert checked_url(" http://127.0.0.1:8080/ ") == "http://127.0.0.1:8080"
    assert checked_url("https://labels.example.org/study/") == "https://labels.example.org/study"


def test_a_connection_hides_its_token() -> None:
    assert "geheim" not in repr(Connection("http://h", "geheim", "1.23.2"))
