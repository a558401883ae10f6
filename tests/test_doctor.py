"""`gainsift doctor` tells what is installed and what has to be mended, and never a token."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer
from typing import Any

import pytest

from gainsift.annotation.connection import TOKEN_VARIABLE
from gainsift.cli import health, installation, machine
from gainsift.cli import main as front
from gainsift.cli.installation import Package, Part

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "0123456789abcdef0123456789abcdef01234567"
Doctor = Callable[..., tuple[int, str, str]]
REQUIRES = [
    "pandas>=2.2",
    "numpy>=1.26",
    'torch>=2.6; extra == "generation"',
    'transformers>=5.0; extra == "generation"',
    'gainsift[generation]; extra == "ray"',
    'ray>=2.40; extra == "ray"',
    'label-studio>=1.23; extra == "server"',
    'wn>=1.1; extra == "wordnet"',
    'pytest>=8.3; extra == "dev"',
]


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Run the command in this process: (exit status, stdout, stderr)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["gainsift", "doctor", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            front.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """here({package: version}): all that is installed, of a gainsift that asks for REQUIRES."""

    def install(versions: dict[str, str]) -> None:
        monkeypatch.setattr(installation, "installed", versions.get)
        monkeypatch.setattr(health, "installed", versions.get)
        monkeypatch.setattr(installation.metadata, "requires", lambda name: REQUIRES)

    return install


@pytest.fixture
def label_studio(answering: Callable[[BaseServer], None]) -> ThreadingHTTPServer:
    """A server that tells Label Studio's version and takes one token; `release` is what it says."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/api/version" or self.headers.get("Authorization") == f"Token {TOKEN}"
            answer = json.dumps({"release": server.release, "id": 1, "detail": "who are you?"}).encode()  # type: ignore[attr-defined]
            self.send_response(200 if known else 401)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.release = "1.23.2"  # type: ignore[attr-defined]
    answering(server)
    return server


def test_parts_and_what_they_miss(here: Callable[[dict[str, str]], None]) -> None:
    here({"pandas": "3.1.1", "numpy": "1.20", "torch": "2.13.0+cu128", "wn": "1.1"})
    told = {part.name: (part.missing, [one.name for one in part.unfit]) for part in installation.parts()}
    assert told == {
        "base": ([], ["numpy"]),
        "generation": (["transformers"], []),
        "ray": (["transformers", "ray"], []),
        "wordnet": ([], []),
        "server": (["label-studio"], []),
    }


def test_the_commands_name_the_extra_and_a_file_that_is_there(here: Callable[[dict[str, str]], None]) -> None:
    here({})
    commands = [part.command for part in installation.parts()]
    file = installation.known_good_file()
    assert file.read_bytes() == (ROOT / "constraints.txt").read_bytes()
    names = ("gainsift", "gainsift[generation]", "gainsift[ray]", "gainsift[wordnet]", "gainsift[server]")
    assert commands == [f"pip install -c {file} '{name}'" for name in names]


def test_every_extra_is_for_users_or_for_developers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for_developers = {"dev", "bench", "docs"}
    assert set(installation.USES) - {installation.BASE} == set(project["optional-dependencies"]) - for_developers


def test_other_versions_are_listed_and_other_builds_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    good = installation.known_good()
    assert good["torch"] == "2.13.0"
    assert good["huggingface-hub"]  # by its canonical name
    versions = {**good, "torch": f"{good['torch']}+cu128", "numpy": "1.26.4"}
    del versions["wn"]
    monkeypatch.setattr(installation, "installed", versions.get)
    assert installation.different() == {"numpy": ("1.26.4", good["numpy"])}


def test_what_is_missing_is_a_note_and_what_does_not_fit_a_problem(
    doctor: Doctor, here: Callable[[dict[str, str]], None]
) -> None:
    here({"pandas": "3.1.1", "numpy": "2.2.6"})
    status, out, _ = doctor()
    assert status == 0
    assert "note: for `generation` run: pip install -c " in out
    assert "Nothing has to be mended." in out
    here({"pandas": "1.0", "numpy": "2.2.6"})
    status, out, _ = doctor("--json")
    found = json.loads(out)
    assert status == 1
    (problem,) = found["problems"]
    assert problem.startswith("pandas 1.0 is here, >=2.2 is needed; run: pip install -c ")
    assert found["different"] == [
        {"name": "pandas", "installed": "1.0", "known_good": installation.known_good()["pandas"]}
    ]
    parts = {part["name"]: part for part in found["parts"]}
    assert [one["fits"] for one in parts["base"]["packages"]] == [False, True]
    assert (parts["server"]["complete"], parts["server"]["packages"][0]["known_good"]) == (False, "1.23.2")


def test_an_installed_gainsift_that_is_older_than_the_code_is_a_note(
    doctor: Doctor, here: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    here({"pandas": "3.1.1"})
    monkeypatch.setattr(installation.metadata, "requires", lambda name: ["pandas>=2.2"])
    status, out, _ = doctor()
    assert status == 0
    assert "has no part `ray`: install again" in out
    assert [line.split()[-1] for line in out.splitlines() if line.startswith(("base ", "ray "))] == [
        "complete",
        "unknown",
    ]


def test_a_base_package_that_is_gone_is_a_problem(doctor: Doctor, here: Callable[[dict[str, str]], None]) -> None:
    here({"pandas": "3.1.1"})
    status, out, _ = doctor()
    assert status == 1
    assert "problem: numpy must be there; run: pip install" in out


def test_a_server_that_takes_the_token(
    doctor: Doctor, label_studio: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    url = f"http://127.0.0.1:{label_studio.server_port}"
    status, out, err = doctor("--url", url)
    assert status == 0
    assert f"Label Studio: {url}, release 1.23.2, token taken" in out
    assert TOKEN not in out + err


def test_a_server_that_refuses_it_or_is_asked_without_one(
    doctor: Doctor, label_studio: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, wrong = f"http://127.0.0.1:{label_studio.server_port}", TOKEN[::-1]
    monkeypatch.setenv(TOKEN_VARIABLE, wrong)
    for option in ([], ["--json"]):
        status, out, err = doctor("--url", url, *option)
        assert status == 1
        assert "refused" in out
        assert wrong not in out + err
    monkeypatch.delenv(TOKEN_VARIABLE)
    status, out, _ = doctor("--url", url)
    assert status == 0
    assert f"token not tried: {TOKEN_VARIABLE} holds none" in out


def test_a_server_of_another_release_with_signs_that_a_terminal_obeys(
    doctor: Doctor, label_studio: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    label_studio.release = "9.0\x1b[2J"  # type: ignore[attr-defined]
    status, out, _ = doctor("--url", f"http://127.0.0.1:{label_studio.server_port}")
    assert status == 0
    assert "\x1b" not in out
    assert "gainsift is tested with 1.23" in out


def test_an_address_without_an_answer_is_a_problem_and_no_address_an_error(doctor: Doctor, tmp_path: Path) -> None:
    status, out, _ = doctor("--url", "http://127.0.0.1:1")
    assert status == 1
    assert "problem: http://127.0.0.1:1: no answer (ConnectError)" in out
    assert "Label Studio: http://127.0.0.1:1, no answer" in out
    status, out, err = doctor("--url", "http://ann:secret@127.0.0.1:1")
    assert (status, out) == (2, "")
    assert "secret" not in err
    assert doctor(tmp_path / "none")[0] == 2


def test_the_disk_of_a_study_and_its_server_that_does_not_run(doctor: Doctor, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    text = (ROOT / "tests" / "schemas" / "version_1" / "study.yaml").read_text("utf-8")
    (folder / "study.yaml").write_text(text, "utf-8")
    status, out, _ = doctor(folder)
    assert status == 0
    assert f"free in {folder} (study)" in out
    assert f"note: no server of this study is running: `gainsift annotate serve {folder}` starts it" in out


@pytest.mark.parametrize(
    ("free", "writable", "expected"),
    [(5e9, True, (0, 0)), (1e9, True, (1, 0)), (5e7, True, (0, 1)), (5e9, False, (0, 1)), (5e7, False, (0, 2))],
)
def test_room_on_the_disk(free: float, writable: bool, expected: tuple[int, int], tmp_path: Path) -> None:
    found = health.Health([], {}, machine.Devices(1, 1), [], None)
    health._judge_place(machine.Place("study", tmp_path, int(free), writable), found)
    assert (len(found.notes), len(found.problems)) == expected


def test_a_torch_that_cannot_be_loaded_is_a_problem_not_a_crash(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    import builtins

    real = builtins.__import__

    def broken(name: str, *rest: Any, **more: Any) -> Any:
        if name == "torch":
            raise OSError("libtorch.so:\n cannot open")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", broken)
    status, out, _ = doctor()
    assert status == 1
    assert "problem: torch cannot be loaded: libtorch.so: cannot open" in out


def test_a_package_fits_its_range() -> None:
    fits = {version: Package("x", ">=2.0,<3", version).fits for version in ("1.9", "2.0", "2.5+cpu", "3.0", None)}
    assert fits == {"1.9": False, "2.0": True, "2.5+cpu": True, "3.0": False, None: False}
    assert Part("base", (Package("x", "", None),)).missing == ["x"]
