"""Bad input from the command line: one line that says where and what to do, exit status 2, nothing half-written."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gainsift.cli import main as front
from gainsift.schemas.files import write_jsonl
from gainsift.schemas.study import Study

CHECKPOINT = {"name": "one", "path": "model"}
GOOD: dict[str, Any] = {
    "name": "s",
    "model": {"name": "m", "checkpoints": [CHECKPOINT]},
    "trained_languages": ["en", "de"],
    "language_pairs": [["en", "de"]],
    "prompts": {"pairs": 4, "shots": 3},
}
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process: (exit status, what stands on stderr)."""

    def call(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["gainsift", *map(str, arguments)])
        monkeypatch.delenv("GAINSIFT_DEBUG", raising=False)
        try:
            front.main()
        except SystemExit as exit_:
            return int(exit_.code or 0), capsys.readouterr().err
        return 0, capsys.readouterr().err

    return call


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    folder.mkdir()
    configure(folder)
    return folder


def configure(folder: Path, **changes: Any) -> None:
    text = yaml.safe_dump({key: value for key, value in {**GOOD, **changes}.items() if value is not None})
    (folder / "study.yaml").write_text(text)


def content(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def refused(run: Run, folder: Path, *arguments: object) -> str:
    before = content(folder)
    status, text = run(*arguments)
    assert status == 2, text
    assert text.startswith("error: ")
    assert text.count("\n") == 1, text
    assert "Traceback" not in text
    assert content(folder) == before
    return text


COMMANDS = [("generate",), ("annotate", "plan"), ("annotate", "export"), ("analyze",)]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": None}, "key 'model' is missing"),
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"trained_languages": ["en", "xx"]}, "unknown language 'xx'"),
        ({"generation": {"settings": ["sen"]}}, "did you mean seen?"),
        ({"format": 7}, "study format 7, this gainsift reads format 1"),
    ],
)
def test_a_bad_study_yaml(
    run: Run, study: Path, command: tuple[str, ...], changes: dict[str, Any], message: str
) -> None:
    configure(study, **changes)
    text = refused(run, study, *command, study)
    assert "study.yaml" in text
    assert message in text


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_study_there(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    assert "gainsift init" in refused(run, tmp_path, *command, tmp_path / "none")


def test_a_model_folder_that_is_missing_or_has_no_tokenizer(run: Run, study: Path) -> None:
    assert "model" in refused(run, study, "generate", study)
    (study / "model").mkdir()
    (study / "model" / "config.json").write_text('{"model_type": "llama"}')
    (study / "model" / "model.safetensors").write_bytes(b"")
    assert "tokenizer" in refused(run, study, "generate", study)


def test_words_that_cannot_be_read(run: Run, study: Path) -> None:
    configure(study, words={"source": "multi_simlex", "file": "words.csv"})
    assert "words.csv: no such file" in refused(run, study, "generate", study)
    (study / "words.csv").write_text("a,b\n1,2\n")
    assert "words.csv" in refused(run, study, "generate", study)
    (study / "words.csv").write_bytes("ID,PoS,ENG 1,ENG 2\n1,nouns,Müll,x\n".encode("latin-1"))
    assert "words.csv" in refused(run, study, "generate", study)


def test_concepts_of_a_newer_version(run: Run, study: Path) -> None:
    configure(study, words={"source": "concepts", "file": "concepts.jsonl"})
    write_jsonl(study / "concepts.jsonl", [], "concept/1")
    (study / "concepts.jsonl").write_text('{"format": "concept/2", "id": "dog"}\n')
    text = refused(run, study, "generate", study)
    assert "concepts.jsonl:1: expected format concept/1, found concept/2" in text


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        (("annotate", "plan"), "gainsift generate"),
        (("annotate", "export"), "gainsift annotate plan"),
        (("analyze",), "gainsift"),
    ],
)
def test_stages_out_of_order_name_the_one_to_run_first(
    run: Run, study: Path, command: tuple[str, ...], hint: str
) -> None:
    assert f"`{hint}" in refused(run, study, *command, study)


@pytest.mark.parametrize("text", ["item,label\n1,a\n", "item,annotator,label\n1,a\n", "item,annotator,label\n\ud800"])
def test_a_table_that_is_no_long_table(run: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert "labels.csv" in refused(run, tmp_path, "agreement", path)


def test_a_disk_that_cannot_be_written_to_is_no_defect_of_ours(
    run: Run, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / ".items.parquet.x1.tmp"))

    monkeypatch.setattr(Study, "open", fail)
    code, text = run("annotate", "plan", study)
    assert (code, text) == (1, f"error: {study}/items.parquet: cannot be written: No space left on device; make room,"
                            " and run again: what is finished stays\n")  # fmt: skip


def test_a_defect_of_ours_is_said_to_be_one(run: Run, study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(folder: Path) -> Study:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(Study, "open", broken)
    status, text = run("annotate", "plan", study)
    assert status == 1
    assert text.count("\n") == 1
    assert "RuntimeError: two lines; this is a defect of gainsift" in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["power", "--gained=2"], "gainsift power: Invalid value for '--gained'"),
        (["agreement", "table.csv", "--level", "bogus"], "gainsift agreement: Invalid value for '--level'"),
        (["annotate", "--nope"], "gainsift annotate: No such option: --nope"),
        (["annotate", "plan"], "gainsift annotate plan: Missing argument 'STUDY'"),
        (["analyse", "study"], "gainsift: No such command 'analyse'"),
    ],
)
def test_arguments_that_do_not_fit_are_one_line(run: Run, arguments: list[str], expected: str) -> None:
    status, said = run(*arguments)
    assert status == 2
    assert said.startswith(f"error: {expected}")
    assert said.count("\n") == 1
    assert "--help` shows what there is" in said


def test_a_command_that_succeeds_or_is_asked_for_help_exits_with_zero(run: Run) -> None:
    for arguments in (["--version"], ["--help"], ["analyze", "--help"]):
        assert run(*arguments) == (0, "")
