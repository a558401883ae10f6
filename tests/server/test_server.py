"""The study's own Label Studio, as `gainsift annotate serve` runs it: real processes, real log-ins."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from gainsift.annotation import server_state
from gainsift.annotation.connection import connect
from gainsift.annotation.server import start
from gainsift.annotation.tasks import task_uid
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import write_jsonl, write_parquet
from gainsift.schemas.rows import Assignment, Item
from gainsift.schemas.study import ASSIGNMENT_FORMAT, CONCEPTS_FORMAT, ITEMS_FORMAT, Study

SQLITE = "label_studio.sqlite3"


def is_free(url: str) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", httpx.URL(url).port))
        except OSError:
            return False
    return True


def files_of(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_the_signal_and_leaves_nothing_behind(serve, prepared_study, passwords, log_in, number) -> None:
    served = serve(prepared_study)
    state = json.loads((prepared_study.server_folder / "server.json").read_text())
    assert (state["url"], state["database"]["kind"]) == (served.url, "sqlite")
    assert served.passwords() == {}
    assert "Passwords are as before" in served.output
    for name in ("lead", "ann", "ben", "cat"):
        client = log_in(served.url, f"{name}@annotators.example", passwords[name])
        who = client.get("/api/current-user/whoami").json()
        assert (who["email"], who["username"], who["first_name"]) == (f"{name}@annotators.example", name, name)
        assert client.get("/api/projects").status_code == 200

    assert served.end(number) == 0
    assert served.output.splitlines()[-1] == f"stopped; everything is kept in {prepared_study.server_folder}"
    assert is_free(served.url)
    assert not (prepared_study.server_folder / "server.json").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(state["pid"], 0)


def test_annotators_are_ordinary_members_and_the_folder_is_the_leads_alone(label_studio) -> None:
    database = sqlite3.connect(f"{(label_studio.folder / SQLITE).as_uri()}?mode=ro", uri=True)
    users = database.execute("select username, is_superuser, is_staff, is_active from htx_user order by id").fetchall()
    assert users == [("lead", 1, 1, 1), ("ann", 0, 0, 1), ("ben", 0, 0, 1), ("cat", 0, 0, 1)]
    members = database.execute(
        "select u.username, m.organization_id, u.active_organization_id from htx_user u "
        "join organizations_organizationmember m on m.user_id = u.id order by u.id"
    ).fetchall()
    assert members == [(name, 1, 1) for name in ("lead", "ann", "ben", "cat")]
    assert label_studio.folder.stat().st_mode & 0o777 == 0o700


def test_it_listens_on_loopback_alone(label_studio) -> None:
    port = f"{urlsplit(label_studio.url).port:04X}"
    sockets = [
        line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]
    ]
    listening = [fields[1] for fields in sockets if fields[3] == "0A"]  # TCP_LISTEN
    assert [place for place in listening if place.endswith(f":{port}")] == [f"0100007F:{port}"]  # 127.0.0.1, reversed


def test_a_killed_gainsift_takes_its_server_along(serve, prepared_study) -> None:
    served = serve(prepared_study)
    assert server_state.running(prepared_study.server_folder) is not None
    served.end(signal.SIGKILL)
    end = time.monotonic() + 60
    while server_state.running(prepared_study.server_folder) and time.monotonic() < end:
        time.sleep(0.1)
    assert server_state.running(prepared_study.server_folder) is None
    assert is_free(served.url)
    assert (prepared_study.server_folder / "server.json").exists()  # stale, and not believed:
    with pytest.raises(UserError, match="no server of this study is running"):
        connect(prepared_study)
    again = serve(prepared_study, port=httpx.URL(served.url).port)
    assert connect(prepared_study).url == again.url
    assert again.end() == 0


def test_a_second_server_of_the_study_and_a_busy_port_are_refused(serve, prepared_study, empty_study) -> None:
    first = serve(prepared_study)
    second = serve(prepared_study)
    assert second.process.wait(300) == 2
    line = second.errors.read_text().splitlines()[-1]
    assert line.startswith(
        f"error: {prepared_study.server_folder}: a server of this study runs already, at {first.url}"
    )

    port = httpx.URL(first.url).port
    other = serve(empty_study(name="other"), port=port)
    assert other.process.wait(300) == 2
    line = other.errors.read_text().splitlines()[-1]
    assert line.startswith(f"error: --port {port}: another program uses that port; port ")
    named = int(line.rsplit(" ", 1)[1])
    assert named > port
    assert is_free(f"http://127.0.0.1:{named}")
    assert httpx.get(f"{first.url}/health", trust_env=False, timeout=60).status_code == 200
    assert first.end() == 0


def test_new_accounts_and_new_passwords_are_shown_once_and_stored_nowhere(
    serve, prepared_study, passwords, log_in
) -> None:
    text = prepared_study.config_file.read_text().replace("name: ben", "name: Dora-1")
    prepared_study.config_file.write_text(text)
    prepared_study.private_folder.mkdir()
    people = "cat: {name: Katharina Streng, email: K.Streng@University.example}\n"
    (prepared_study.private_folder / "annotators.yaml").write_text(people)

    served = serve(prepared_study)
    (shown,) = served.passwords().items()
    assert shown[0] == "Dora-1"
    log_in(served.url, "dora-1@annotators.example", shown[1])
    log_in(served.url, "ann@annotators.example", passwords["ann"])
    cat = log_in(served.url, "k.streng@university.example", passwords["cat"])  # the account of before, moved
    assert cat.get("/api/current-user/whoami").json()["first_name"] == "cat"
    log_in(served.url, "ben@annotators.example", passwords["ben"])  # no longer an annotator, but judgements hang on it
    assert served.end() == 0

    served = serve(prepared_study, "--new-passwords")
    renewed = served.passwords()
    assert set(renewed) == {"lead", "ann", "cat", "Dora-1"}
    assert len(set(renewed.values()) | {shown[1], *passwords.values()}) == 4 + 1 + 4
    log_in(served.url, "dora-1@annotators.example", renewed["Dora-1"])
    with pytest.raises(AssertionError, match="log-in refused with status 200"):
        log_in(served.url, "dora-1@annotators.example", shown[1])

    token = connect(prepared_study).token
    pid = json.loads((prepared_study.server_folder / "server.json").read_text())["pid"]
    secrets = [token.encode(), *(word.encode() for word in renewed.values())]
    for place in (Path(f"/proc/{pid}"), Path(f"/proc/{served.process.pid}")):
        for name in ("cmdline", "environ"):
            assert not [1 for word in secrets if word in (place / name).read_bytes()], f"{place}/{name}"
    assert served.end() == 0
    assert token not in served.output + served.errors.read_text()
    assert not [1 for word in renewed.values() if word in served.errors.read_text()]
    for file, content in files_of(prepared_study.folder).items():
        for word in secrets:
            assert word not in content or (word, file.name) == (token.encode(), SQLITE), file
        assert b"Streng" not in content or file.parent == prepared_study.private_folder, file
    kept_out = (prepared_study.folder / ".gitignore").read_text().splitlines()
    assert kept_out == ["/label-studio/", "/private/"]


def test_nothing_in_the_environment_disturbs(serve, prepared_study, passwords, log_in, tmp_path) -> None:
    elsewhere = tmp_path / "elsewhere"
    leftovers = {
        "HOST": "http://elsewhere.example", "PORT": "9", "DEBUG": "true", "CI": "true", "DJANGO_DB": "mysql",
        "USERNAME": "intruder@annotators.example", "PASSWORD": "intruder-1", "DJANGO_SETTINGS_MODULE": "nowhere",
        "LABEL_STUDIO_USERNAME": "intruder@annotators.example", "LABEL_STUDIO_PASSWORD": "intruder-1",
        "LABEL_STUDIO_USER_TOKEN": "0" * 40, "LABEL_STUDIO_HOST": "http://elsewhere.example",
        "LABEL_STUDIO_BASE_DATA_DIR": str(elsewhere), "LABEL_STUDIO_DATABASE_NAME": str(elsewhere / "db"),
        "LABEL_STUDIO_SENTRY_DSN": "http://key@elsewhere.example/1", "ALLOWED_HOSTS": "elsewhere.example",
        "HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "COLUMNS": "20",
    }  # fmt: skip
    served = serve(prepared_study, env=leftovers)
    client = log_in(served.url, "ann@annotators.example", passwords["ann"])
    page = client.get("/projects/")
    assert page.status_code == 200
    assert "elsewhere.example" not in page.text
    missing = client.get("/no-such-page")
    assert missing.status_code == 404
    assert "URLconf" not in missing.text  # what Django's debug page prints
    assert client.get("/health", headers={"Host": "elsewhere.example"}).status_code == 400  # DNS rebinding
    with pytest.raises(AssertionError, match="log-in refused"):
        log_in(served.url, "intruder@annotators.example", "intruder-1")
    assert served.end() == 0
    assert not elsewhere.exists()


AUDIT = """
import sys
def hook(event, values):
    if event in ("socket.connect", "socket.sendto", "socket.bind"):
        line = f"{event} {values[1]!r}"
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        line = f"{event} {values[0]!r}"
    else:
        return
    with open(@FILE@, "a") as out:
        out.write(line + "\\n")
sys.addaudithook(hook)
"""


def test_the_server_asks_nobody_outside(serve, prepared_study, passwords, log_in, tmp_path) -> None:
    """Python itself reports every connection and every look-up of a name in the server's process from its start."""
    (tmp_path / "hook").mkdir()
    record = tmp_path / "sockets.txt"
    (tmp_path / "hook" / "sitecustomize.py").write_text(AUDIT.replace("@FILE@", repr(str(record))))
    served = serve(prepared_study, env={"PYTHONPATH": str(tmp_path / "hook")})
    client = log_in(served.url, "lead@annotators.example", passwords["lead"])
    for page in ("/", "/projects/", "/user/account/", "/api/version", "/api/projects", "/organization/"):
        assert client.get(page, follow_redirects=True).status_code == 200, page
    made = client.post("/api/projects", json={"title": "page"}, headers={"X-CSRFToken": client.cookies["csrftoken"]})
    assert made.status_code == 201
    assert served.end() == 0

    port = httpx.URL(served.url).port
    lines = record.read_text().splitlines()
    assert f"socket.bind ('127.0.0.1', {port})" in lines  # the hook was at work in the server
    assert not [line for line in lines if not any(name in line for name in ("'127.0.0.1'", "'localhost'", "'::1'"))]


def test_a_server_that_dies_says_why_in_one_line(serve, prepared_study) -> None:
    (prepared_study.server_folder / SQLITE).write_bytes(b"no database at all" * 100)
    served = serve(prepared_study)
    assert served.process.wait(300) == 1
    lines = served.errors.read_text().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"error: {prepared_study.server_folder / 'server.log'}: Label Studio ended (status 1): ")
    assert lines[1].endswith("DatabaseError: file is not a database")
    assert server_state.running(prepared_study.server_folder) is None


def test_a_server_that_dies_later_ends_the_command(serve, prepared_study) -> None:
    served = serve(prepared_study)
    os.kill(json.loads((prepared_study.server_folder / "server.json").read_text())["pid"], signal.SIGKILL)
    assert served.process.wait(300) == 1
    assert "Label Studio ended (status -9)" in served.errors.read_text().splitlines()[-1]


def test_without_label_studio_the_remedy_is_named(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"Label Studio is not installed; pip install 'gainsift\[server\]'"):
        start(tmp_path / "label-studio", [])
    assert not (tmp_path / "label-studio").exists()


def test_restart_after_kill_keeps_address_and_token(new_label_studio) -> None:
    server = new_label_studio()
    token, url, first = server.token, server.url, server.pid
    server.kill()
    assert is_free(url)
    server.restart()
    assert (server.token, server.url) == (token, url)
    assert server.pid != first
    who = httpx.get(f"{url}/api/current-user/whoami", headers={"Authorization": f"Token {token}"}, trust_env=False)
    assert who.json()["email"] == server.accounts["lead"].email


DOG = Concept(id="dog", gloss="animal that barks", reference={"en": ["dog"], "de": ["Hund"]})
HOUSE = Concept(id="house", gloss="building to live in", reference={"en": ["house"], "de": ["Haus"]})


def plan_by_hand(study: Study, answers: list[str], taxonomy: str = "1") -> None:
    """Every answer in front of ann, the first one in front of ben too."""
    items = [Item.of(taxonomy, "en", "de", "dog", "house", "dog", answer, True, "none") for answer in answers]
    lines = [
        Assignment(uid=task_uid(study.id, item.item_id, name), item=item, annotator=name, order=place)
        for name, mine in (("ann", items), ("ben", items[:1]))
        for place, item in enumerate(mine)
    ]
    write_jsonl(study.concepts_file, [DOG, HOUSE], CONCEPTS_FORMAT)
    write_parquet(study.items_file, Item, items, ITEMS_FORMAT)
    write_jsonl(study.assignments_file, lines, ASSIGNMENT_FORMAT)


def test_planned_tasks_are_in_the_server_when_the_log_ins_are_shown(serve, prepared_study, passwords, log_in) -> None:
    served = serve(prepared_study)
    assert f"no tasks are planned: run `gainsift annotate plan {prepared_study.folder}`" in served.output
    assert served.end() == 0

    plan_by_hand(prepared_study, ["Hund", "Katze"])
    served = serve(prepared_study, "--no-push")
    client = log_in(served.url, "ann@annotators.example", passwords["ann"])
    assert client.get("/api/projects").json()["count"] == 0
    assert served.end() == 0

    for options in ([], ["--json"]):  # the second start adds nothing
        served = serve(prepared_study, *options)
        client = log_in(served.url, "ann@annotators.example", passwords["ann"])
        projects = client.get("/api/projects").json()["results"]
        numbers = {project["title"]: project["task_number"] for project in projects}
        assert numbers == {"ann · English → German": 2, "ben · English → German": 1}
        assert served.end() == 0
    told = json.loads(served.output)  # and nothing else on stdout
    assert told["url"] == served.url
    assert [(one["account"], one["password"]) for one in told["accounts"]] == [
        ("lead", None), ("ann", None), ("ben", None), ("cat", None),
    ]  # fmt: skip
    assert [(one["title"], one["there"], one["sent"]) for one in told["push"]["projects"]] == [
        ("ann · English → German", 2, 0), ("ben · English → German", 1, 0),
    ]  # fmt: skip


def test_a_plan_that_cannot_be_pushed_does_not_take_the_server_away(serve, prepared_study, passwords, log_in) -> None:
    plan_by_hand(prepared_study, ["Hund"], taxonomy="0")
    served = serve(prepared_study)
    lines = served.errors.read_text().splitlines()
    assert lines[-2].startswith(f"error: {prepared_study.assignments_file}: planned under taxonomy 0")
    assert lines[-1] == (f"the server runs on; when that is mended: gainsift annotate push {prepared_study.folder}")
    log_in(served.url, "ann@annotators.example", passwords["ann"])
    assert served.end() == 0


def test_a_long_write_by_another_makes_people_wait_and_not_fail(new_label_studio) -> None:
    """SQLite has one writer at a time; Django by itself would give up after 5 seconds with an error page."""
    server = new_label_studio()
    writer = sqlite3.connect(server.folder / SQLITE, isolation_level=None, check_same_thread=False)
    writer.execute("begin immediate")
    threading.Timer(8, lambda: writer.execute("commit")).start()
    begun = time.monotonic()
    headers = {"Authorization": f"Token {server.token}"}
    made = httpx.post(
        f"{server.url}/api/projects", json={"title": "patience"}, headers=headers, trust_env=False, timeout=300
    )
    assert made.status_code == 201
    assert time.monotonic() - begun > 7


def test_a_file_in_the_place_of_the_data_folder_is_one_line(serve, empty_study) -> None:
    study = empty_study()
    study.server_folder.write_text("")
    served = serve(study)
    assert served.process.wait(300) == 2
    expected = f"error: {study.server_folder}: cannot be the server's data folder (File exists)"
    assert served.errors.read_text().splitlines()[-1].startswith(expected)
