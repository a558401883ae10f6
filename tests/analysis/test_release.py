"""The bundle: it opens again to the same numbers, holds what it says, and nothing private."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from gainsift.analysis.private_words import Finding, findings, without_paths
from gainsift.analysis.release import Private, release
from gainsift.analysis.results import analyse
from gainsift.analysis.tables import to_json
from gainsift.cli.main import app
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.lock import deviations, lock
from gainsift.schemas.provenance import write_run
from gainsift.schemas.study import Study

VERSION_2 = Path(__file__).parent.parent / "schemas" / "version_2"


@pytest.fixture
def maker(make_study: Callable[..., Any], plain_concept: Callable[..., Concept], hand_worked: ModuleType) -> Any:
    made = make_study(
        release={"authors": ["A. Person"], "limits": "Only for tests.", "licences": {"outputs": "CC0-1.0"}}
    )
    hand_worked.build(made, plain_concept)
    return made


def tables(study: Study) -> dict[str, Any]:
    return {name: to_json(table) for name, table in analyse(study).tables.items()}


def names(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def private(study: Study, **people: dict[str, str]) -> None:
    """Everything that must stay at home: the private map, the server's data, tasks, the report."""
    for folder in ("private", "label-studio", "tasks", "report"):
        (study.folder / folder).mkdir()
        (study.folder / folder / "secret.txt").write_text("SECRET", "utf-8")
    (study.private_folder / "annotators.yaml").write_text(yaml.safe_dump(people), "utf-8")


def text_of(folder: Path) -> str:
    return "\n".join(
        file.read_bytes().decode("utf-8", "replace") for file in sorted(folder.rglob("*")) if file.is_file()
    )


# --- the same numbers ------------------------------------------------------------------------------------


def test_every_table_is_the_same_again(maker: Any, tmp_path: Path) -> None:
    study = maker.write()
    release(study, tmp_path / "bundle")
    assert tables(Study.open(tmp_path / "bundle")) == tables(study)


def test_a_zip_unpacks_to_the_same_study_and_has_the_same_bytes_twice(maker: Any, tmp_path: Path) -> None:
    study = maker.write()
    release(study, tmp_path / "one" / "bundle.zip")
    release(study, tmp_path / "two" / "bundle.zip")
    assert (tmp_path / "one" / "bundle.zip").read_bytes() == (tmp_path / "two" / "bundle.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one" / "bundle.zip") as archive:
        archive.extractall(tmp_path / "here")
    assert tables(Study.open(tmp_path / "here" / "bundle")) == tables(study)


def test_an_audited_campaign_with_own_taxonomy_controls_and_comments(tmp_path: Path) -> None:
    shutil.copytree(VERSION_2, tmp_path / "study")
    study = Study.open(tmp_path / "study")
    release(study, tmp_path / "bundle")
    again = Study.open(tmp_path / "bundle")
    assert tables(again) == tables(study)
    assert again.assignments() == study.assignments()
    assert again.taxonomy == study.taxonomy
    assert again.annotations() == [line for line in study.annotations() if line.study == study.id]


def test_a_lock_goes_with_it_and_still_holds(maker: Any, tmp_path: Path) -> None:
    study = maker.write()
    lock(study, late=True)
    release(study, tmp_path / "bundle")
    assert deviations(Study.open(tmp_path / "bundle")) == deviations(study)


# --- what is in it, and what is not ----------------------------------------------------------------------


def test_only_what_is_listed_goes_in(maker: Any, tmp_path: Path) -> None:
    study = maker.write()
    private(study, a1={"name": "Zebulon Quux", "email": "zq@home.org"})
    (study.folder / "notes.txt").write_text("SECRET", "utf-8")
    (study.folder / "guidelines.html").write_text("<p>Read this.</p>", "utf-8")
    write_run(study.folder / "items.run.json", "items", f"gainsift annotate plan {study.folder}", "", {})
    write_run(study.folder / "report.run.json", "report", "gainsift analyze", "", {})
    release(study, tmp_path / "bundle")
    assert names(tmp_path / "bundle") == {
        "README.md", "SHA256SUMS", "study.yaml", "taxonomy.yaml", "concepts.jsonl", "prompts.parquet", "items.parquet",
        "items.run.json", "links.parquet", "annotations.jsonl", "guidelines.html", "translations/c1.parquet",
        "translations/c2.parquet",
    }  # fmt: skip
    text = text_of(tmp_path / "bundle")
    for word in ("SECRET", "Zebulon", "zq@home.org", str(tmp_path)):
        assert word not in text


def test_outputs_that_the_study_no_longer_names_stay_at_home(maker: Any, tmp_path: Path) -> None:
    study = maker.write()
    shutil.copyfile(study.folder / "translations" / "c2.parquet", study.folder / "translations" / "c1b.parquet")
    shutil.rmtree(study.folder / "translations")
    maker.config["model"]["checkpoints"].append({"name": "c9", "path": "/home/zebulon/c9"})
    maker.config["words"] = {"source": "multi_simlex", "file": "/home/zebulon/words.csv"}
    extra = maker.rows[0].model_copy(update={"checkpoint": "c8", "row_id": "x" * 16})
    maker.rows.append(extra)
    study = maker.write()
    release(study, tmp_path / "bundle")
    assert not (tmp_path / "bundle" / "translations" / "c8.parquet").exists()
    config = yaml.safe_load((tmp_path / "bundle" / "study.yaml").read_text("utf-8"))
    assert config["model"]["checkpoints"][-1]["path"] == "c9"
    assert config["words"]["file"] == "words.csv"
    assert "zebulon" not in text_of(tmp_path / "bundle")


def test_lines_that_were_withdrawn_or_are_of_another_study_stay_at_home(maker: Any, tmp_path: Path) -> None:
    item = maker.row("P12", ("en", "de"), "c3", "de_s12")
    gone = maker.vote(item, "a1", "correct", status="withdrawn", comment="taken back")
    other = maker.vote(item, "a1", "correct", study="0123456789ab")
    study = maker.write()
    release(study, tmp_path / "bundle")
    ids = {line.judgement_id for line in Study.open(tmp_path / "bundle").last_lines().values()}
    assert ids.isdisjoint({gone.judgement_id, other.judgement_id})
    assert len(ids) == len(maker.lines) - 2


def test_the_hashes_are_those_of_the_files(maker: Any, tmp_path: Path) -> None:
    release(maker.write(), tmp_path / "bundle")
    lines = (tmp_path / "bundle" / "SHA256SUMS").read_text("utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert set(sums) == names(tmp_path / "bundle") - {"SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256((tmp_path / "bundle" / name).read_bytes()).hexdigest() == digest
    if shutil.which("sha256sum"):
        done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path / "bundle", check=False)
        assert done.returncode == 0


def test_the_datasheet_counts_and_declares(maker: Any, tmp_path: Path) -> None:
    """22 outputs of c1 and of c2; 79 judgements by three people (a1 38, a2 37, a3 4), see the hand-worked study."""
    release(maker.write(), tmp_path / "bundle")
    text = (tmp_path / "bundle" / "README.md").read_text("utf-8")
    for part in (
        "By A. Person.", "| outputs | 44 |", "| judgements: main, human | 79 |", "| c2 | 200 | unknown | 22 |",
        "| en → de | 20 |", "a1 (38 judgements), a2 (37 judgements), a3 (4 judgements)", "- Only for tests.",
        "- outputs of the model (translations/): CC0-1.0", "**not declared** (`release.licences.words`",
    ):  # fmt: skip
        assert part in text, part


def test_simulated_judgements_are_called_so(make_study: Callable[..., Any], plain_concept: Callable[..., Concept],
                                            tmp_path: Path) -> None:  # fmt: skip
    maker = make_study()
    maker.pair("P1", plain_concept("s"), plain_concept("t"))
    maker.vote(maker.row("P1", ("en", "de"), "c1", "de_s"), "a1", "correct", source="simulated")
    release(maker.write(), tmp_path / "bundle")
    text = (tmp_path / "bundle" / "README.md").read_text("utf-8")
    assert "**1 judgement is simulated**" in text
    assert "under pseudonyms" not in text


# --- what is refused -------------------------------------------------------------------------------------


def commented(maker: Any, comment: str, **changes: Any) -> Study:
    item = maker.row("P12", ("en", "de"), "c3", "de_s12")
    maker.vote(item, "a1", "correct", comment=comment, **changes)
    study: Study = maker.write()
    return study


@pytest.mark.parametrize("comment", ["ask maria.rossi@uni.org", "Zebulon said so", "call QUUX!", "see zq@home.org"])
def test_a_comment_with_something_private_is_refused(maker: Any, tmp_path: Path, comment: str) -> None:
    study = commented(maker, comment)
    private(study, a1={"name": "Zebulon Quux", "email": "zq@home.org"})
    with pytest.raises(Private) as refused:
        release(study, tmp_path / "bundle")
    (finding,) = refused.value.findings
    assert finding.where.startswith("annotations.jsonl, judgement j")
    assert finding.where.endswith("of a1, comment")
    assert comment not in str(refused.value)
    assert list(tmp_path.glob("*bundle*")) == []
    assert list(tmp_path.glob(".*")) == []


def test_without_comments_there_is_nothing_to_refuse(maker: Any, tmp_path: Path) -> None:
    study = commented(maker, "ask maria.rossi@uni.org", sense_text="Zebulon's")
    private(study, a1={"name": "Zebulon Quux", "email": "zq@home.org"})
    release(study, tmp_path / "bundle", comments=False)
    again = Study.open(tmp_path / "bundle")
    assert {line.comment + line.sense_text for line in again.annotations()} == {""}
    assert "Comments and free text of annotators were left out." in (tmp_path / "bundle" / "README.md").read_text()
    assert tables(again) == tables(study)


def test_every_finding_is_listed(maker: Any, tmp_path: Path) -> None:
    maker.config["description"] = "Ask Quux."
    study = commented(maker, "m@uni.org")
    (study.folder / "guidelines.html").write_text("<a href='mailto:lead@uni.org'>", "utf-8")
    private(study, a1={"name": "Zebulon Quux", "email": "zq@home.org"}, a2={"name": "A1 Smith"})
    with pytest.raises(Private, match=r"\(and 2 more\)") as refused:
        release(study, tmp_path / "bundle")
    assert [(one.where.split(",")[0], one.what) for one in refused.value.findings] == [
        ("annotations.jsonl", "an e-mail address"),
        ("study.yaml", "a name or address from private/"),
        ("guidelines.html", "an e-mail address"),
    ]


def test_a_pseudonym_that_is_a_name_is_refused(make_study: Callable[..., Any], plain_concept: Callable[..., Concept],
                                               tmp_path: Path) -> None:  # fmt: skip
    maker = make_study()
    maker.pair("P1", plain_concept("s"), plain_concept("t"))
    maker.vote(maker.row("P1", ("en", "de"), "c1", "de_s"), "zebulon", "correct")
    study = maker.write()
    private(study, zebulon={"name": "Zebulon Quux", "email": "zq@home.org"})
    with pytest.raises(Private, match="the pseudonym 'zebulon'"):
        release(study, tmp_path / "bundle")


def test_what_is_there_is_never_replaced(maker: Any, tmp_path: Path) -> None:
    study = maker.write()
    (tmp_path / "bundle").mkdir()
    release(study, tmp_path / "bundle")  # an empty folder will do
    before = text_of(tmp_path / "bundle")
    for out in (tmp_path / "bundle", study.folder, tmp_path / "x.zip"):
        (tmp_path / "x.zip").write_bytes(b"mine")
        with pytest.raises(UserError, match="exists already"):
            release(study, out)
    assert (text_of(tmp_path / "bundle"), (tmp_path / "x.zip").read_bytes()) == (before, b"mine")


@pytest.mark.parametrize(
    ("name", "comment"),
    [
        ("José Núñez", "as Jose\u0301 said"),  # the accent as a letter of its own
        ("José Núñez", "NUNEZ agrees"),
        ("Zebulon Quux", "ｑｕｕｘ"),  # wide letters
        ("Zebulon Quux", "Q\u200bu\u200bux"),  # with spaces that cannot be seen
        ("李伟", "我是李伟。"),  # no space around it
        ("李 伟", "我是李伟。"),
        ("김민수", "김민수가 말했다"),
        ("Müller", "herr mu\u0308ller"),
        ("Strauß", "STRAUSS"),
    ],
)
def test_a_name_is_found_however_it_is_written(maker: Any, tmp_path: Path, name: str, comment: str) -> None:
    study = commented(maker, comment)
    private(study, a1={"name": name, "email": "zq@home.org"})
    with pytest.raises(Private, match="a name or address from private/"):
        release(study, tmp_path / "bundle")


def test_what_the_checks_quote_of_a_refused_judgement_is_searched_and_can_be_left_out(
    maker: Any, tmp_path: Path
) -> None:  # fmt: skip
    problem = "label 'Zebulon thinks so' is not in taxonomy 1"
    study = commented(maker, "", status="invalid", problems=[problem])
    private(study, a1={"name": "Zebulon Quux", "email": "zq@home.org"})
    with pytest.raises(Private, match="of a1, problems"):
        release(study, tmp_path / "bundle")
    release(study, tmp_path / "bundle", comments=False)
    assert "Zebulon" not in text_of(tmp_path / "bundle")


@pytest.mark.parametrize("file", ["guidelines.html", "label_config.xml", "items.run.json"])
def test_a_whole_name_in_a_file_is_refused_and_a_part_that_is_a_word_is_not(
    maker: Any, tmp_path: Path, file: str
) -> None:
    study = maker.write()
    private(study, a1={"name": "Mark Word", "email": "mw@home.org"})
    (study.folder / file).write_text('"Mark the right word."', "utf-8")
    release(study, tmp_path / "one")
    (study.folder / file).write_text('"Ask Mark  Word."'.replace("  ", " "), "utf-8")
    with pytest.raises(Private, match=f"{file}: a name or address"):
        release(study, tmp_path / "two")


def test_names_in_study_yaml_are_refused_but_those_of_authors(maker: Any, tmp_path: Path) -> None:
    maker.config["release"]["authors"] = ["Zebulon Quux"]
    study = maker.write()
    private(study, lead={"name": "Zebulon Quux", "email": "zq@home.org"})
    release(study, tmp_path / "bundle")
    assert "By Zebulon Quux." in (tmp_path / "bundle" / "README.md").read_text("utf-8")
    maker.config["contrasts"][0]["name"] = "as Zebulon Quux wants it"
    maker.write()
    with pytest.raises(Private, match=r"study\.yaml: a name or address"):
        release(Study.open(study.folder), tmp_path / "two")
    maker.config["contrasts"][0]["name"] = "training"
    maker.config["release"]["authors"] = ["Zebulon Quux <zq@home.org>"]
    maker.write()
    with pytest.raises(Private, match=r"study\.yaml, release: an e-mail address"):
        release(Study.open(study.folder), tmp_path / "two")


# --- private words ---------------------------------------------------------------------------------------


def test_addresses_that_nobody_can_have_are_none() -> None:
    texts = [
        ("a", "a1@annotators.example"),
        ("b", "me@example.com"),
        ("c", "x@y"),
        ("d", "@media print"),
        ("e", "a @ b.c"),
    ]
    assert findings(texts, []) == []
    assert findings([("f", "ünal.o'brien+x@uni-köln.de")], []) == [Finding("f", "an e-mail address")]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("anna (at) uni.org", "an e-mail address"),
        ("anna[at]uni[dot]org", "an e-mail address"),
        ("anna＠uni.org", "an e-mail address"),
        ("call +49 221 470 1234", "a telephone number"),
        ("+1-202-555-0123!", "a telephone number"),
    ],
)
def test_addresses_and_numbers_in_other_spellings(text: str, what: str) -> None:
    assert findings([("a", text)], []) == [Finding("a", what)]


@pytest.mark.parametrize(
    "text",
    ["2026-01-01T10:00:00+00:00", "+78.9 points", "1+1=2", "a (at least) b.", "look (at this) word.", "x+12345678"],
)
def test_what_only_looks_like_an_address(text: str) -> None:
    assert findings([("a", text)], []) == []


def test_a_name_is_found_as_a_word_only() -> None:
    assert findings([("a", "Rossini"), ("b", "the ROSSI case")], ["rossi"]) == [
        Finding("b", "a name or address from private/")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("gainsift generate /home/me/studies/one", "gainsift generate one"),
        ("gainsift generate ~/one/", "gainsift generate one"),
        (r"gainsift generate C:\Users\me\one --x", "gainsift generate one --x"),
        ("'/srv/my data/x'", "'my data/x'"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("translations/step-1/en-de.parquet", "translations/step-1/en-de.parquet"),
        ("1/2", "1/2"),
    ],
)
def test_paths_of_the_machine_are_cut(text: str, left: str) -> None:
    assert without_paths(text) == left


def test_the_command(maker: Any, tmp_path: Path) -> None:
    study = commented(maker, "x@uni.org")
    refused = CliRunner().invoke(app, ["release", str(study.folder), "--out", str(tmp_path / "b.zip")])
    assert isinstance(refused.exception, Private)
    assert "comment: an e-mail address" in refused.output
    done = CliRunner().invoke(app, ["release", str(study.folder), "--out", str(tmp_path / "b.zip"), "--no-comments"])
    assert done.exit_code == 0, done.output
    assert "no licence is declared for words" in done.output
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert json.loads(archive.read("b/annotations.jsonl").splitlines()[-1])["comment"] == ""
