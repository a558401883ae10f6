"""The report folder and `gainsift analyze`: hostile text, simulated annotators, what is undefined, bad studies."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gainsift.analysis.page import notes_of
from gainsift.analysis.report import write_report
from gainsift.analysis.results import analyse
from gainsift.cli.main import app
from gainsift.schemas.concepts import Concept, Sense
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import write_parquet
from gainsift.schemas.provenance import Run
from gainsift.schemas.rows import Item
from gainsift.schemas.study import ITEMS_FORMAT

AT_B = {"setting": "tgt", "layer": 1}
EVIL = "<script>alert(1)</script>\u202e{{7*7}}=cmd|'\n\0"


PEOPLE = (("a1", "human"), ("a2", "human"))


def four_units(maker: Any, concept: Callable[..., Concept], votes: tuple[tuple[str, str], ...] = PEOPLE) -> Any:
    """Early answers copied and later ones right; `votes` is (annotator, source) pairs."""
    for number in range(4):
        maker.pair(f"P{number}", concept(f"s{number}"), concept(f"t{number}"))
        first = maker.row(f"P{number}", ("en", "de"), "c1", f"en_s{number}")
        last = maker.row(f"P{number}", ("en", "de"), "c2", f"de_s{number}", **AT_B)
        for annotator, source in votes:
            maker.vote(first, annotator, "plain_copy", source=source)
            maker.vote(last, annotator, "correct", source=source)
    return maker


@pytest.fixture
def small(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> Callable[..., Any]:
    """small(votes, **changes): a study of four units."""
    return lambda votes=PEOPLE, **changes: four_units(make_study(**changes), plain_concept, votes)


class Tags(html.parser.HTMLParser):
    """Every tag and attribute of a page, its text, and apart from that the text of its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data
        else:
            self.text += data


def page_of(maker: Any) -> tuple[Tags, Path]:
    study = maker.write()
    page = write_report(study, analyse(study))
    parser = Tags()
    parser.feed(page.read_text("utf-8"))
    return parser, study.report_folder


@pytest.fixture(scope="module")
def plain_page(study_elsewhere: Callable[..., Any], plain_concept: Callable[..., Concept]) -> tuple[Tags, Path]:
    """The page of the plain study of four units and its folder, for tests that only read them."""
    return page_of(four_units(study_elsewhere(), plain_concept))


def test_the_page_stands_alone_and_all_parts_are_there(plain_page: tuple[Tags, Path]) -> None:
    tags, folder = plain_page
    for tag, attributes in tags.tags:
        assert tag not in ("link", "iframe", "object")
        assert "src" not in attributes or tag == "img"
        assert (attributes.get("src") or "data:").startswith("data:image/svg+xml;base64,") or tag != "img"
        assert (attributes.get("href") or "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on")]
    data, script = tags.scripts
    assert [attributes for tag, attributes in tags.tags if tag == "script"] == [
        {"type": "application/json", "id": "item-data"}, {}
    ]  # fmt: skip
    assert json.loads(data)["rows"]
    (policy,) = (one["content"] for tag, one in tags.tags if tag == "meta" and "http-equiv" in one)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    drawn = {"category_shares", "split_1", "transitions_1", "agreement", "agreement_pairs", "source_mass"}
    assert drawn <= {path.stem for path in (folder / "figures").glob("*.png")}
    assert [tag for tag, _ in tags.tags].count("img") == len(list((folder / "figures").glob("*.png")))
    text = " ".join(tags.text.split())
    # four families all alike: b = 1 - 0.025^(1/4) = 0.6024, so the gain is at least 1 - 2 b = -0.2047
    assert "Of +100.0 points of apparent gain, 100.0 [−20.5, 100.0] are plain copying." in text.replace("\u00a0", " ")
    assert "† No unit moved, or all alike" in text
    assert "A study made for tests." in text
    assert "imulated" not in text
    run = Run.model_validate_json((folder / "run.json").read_text("utf-8"))
    assert run.seeds == {"analysis": 7}
    assert {"study.yaml", "annotations.jsonl", "links.parquet", "translations/c1.parquet"} <= run.inputs.keys()
    for name in drawn:
        assert (folder / "figures" / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert (folder / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    for name in summary["files"]:
        assert (folder / name).is_file()
    stems = {Path(name).stem for name in summary["files"] if name.startswith("tables/")} - {"items"}
    assert "tables/items.csv" in summary["files"]
    assert {f"tables/{stem}.{kind}" for stem in stems for kind in ("csv", "json", "tex")} <= set(summary["files"])
    for stem in stems:
        assert "|v:" in (folder / "tables" / f"{stem}.json").read_text("utf-8")


def test_the_same_study_gives_the_same_bytes(small: Callable[..., Any]) -> None:
    study = small().write()
    images: list[dict[str, bytes]] = []
    for _ in range(2):
        write_report(study, analyse(study))
        images.append({str(p): p.read_bytes() for p in study.report_folder.glob("*/*")})
    assert images[0] == images[1]


def test_simulated_annotators_are_called_so_everywhere(small: Callable[..., Any]) -> None:
    tags, folder = page_of(small((("a1", "simulated"), ("a2", "simulated"), ("x", "auto"))))
    assert "The annotators of this report are simulated." in tags.text
    page = (folder / "report.html").read_text("utf-8")
    judged = re.sub(r'<section id="emergence">.*?</section>', "", page, flags=re.DOTALL)
    headings = re.findall(r"<h[123]>(.*?)</h[123]>", judged)
    plain = {
        "Probability of the source concept’s words",
        "How to reproduce this",
        "The commands",
        "What is behind a number",
        "What was left out or set aside",
    }
    assert [text for text in headings if "simulated" not in text and text not in plain] == []
    unjudged = {path.stem for path in (folder / "tables").glob("emergence*.json")}  # no verdict enters them
    assert len(unjudged) > 3
    for path in (folder / "tables").glob("*.json"):
        if path.stem in unjudged:
            continue
        table = json.loads(path.read_text("utf-8"))
        assert "(simulated annotators)" in table["title"]
        assert "source:simulated" in table["signature"]
        assert any("simulated" in note for note in table["notes"])
    for path in (folder / "tables").glob("*.tex"):
        assert path.stem in unjudged or "simulated" in path.read_text("utf-8")
    alternatives = [attributes["alt"] or "" for tag, attributes in tags.tags if tag == "img"]
    stems = {path.stem for path in (folder / "figures").glob("*.png")}
    without = {stem for stem in stems if stem.startswith("emergence")} | {"source_mass"}
    assert sum("simulated" in text for text in alternatives) == len(stems - without) >= 5
    assert json.loads((folder / "summary.json").read_text("utf-8"))["annotators"] == "simulated"


def test_hostile_text_stays_text(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> None:
    contrast = {
        "name": "<img src=x onerror=alert(1)> $\\frac{1}{",
        "from": {"checkpoint": "c1"},
        "to": {"checkpoint": "c2", "setting": "tgt", "layer": 1},
    }
    maker = make_study(description="<b>bold</b>", contrasts=[contrast])
    for number in range(3):
        maker.pair(f"P{number}", plain_concept(f"s{number}", gloss="<i>gloss</i>"), plain_concept(f"t{number}"))
        first = maker.row(f"P{number}", ("en", "de"), "c1", EVIL)
        last = maker.row(f"P{number}", ("en", "de"), "c2", f"de_s{number}", **AT_B)
        for annotator in ("=1+1", "<u>a</u>"):
            maker.vote(first, annotator, "non_word")
            maker.vote(last, annotator, "correct")
    tags, folder = page_of(maker)
    names = [tag for tag, _ in tags.tags]
    assert names.count("script") == 2
    assert not {"i", "u"} & {*names}
    assert not set("<>&") & {*tags.scripts[0]}
    assert all((attributes.get("src") or "").startswith("data:") for tag, attributes in tags.tags if tag == "img")
    assert "<script>alert(1)</script>⟨U+202E⟩{{7*7}}=cmd|'⟨U+000A⟩⟨U+0000⟩" in tags.text
    assert "<b>bold</b>" in tags.text
    assert "'=1+1" in (folder / "tables" / "agreement_pairs.csv").read_text("utf-8")
    tex = (folder / "tables" / "split.tex").read_text("utf-8")
    assert r"\textless{}img src=x onerror=alert(1)\textgreater{} \$\textbackslash{}frac\{1\}\{" in tex


def test_one_annotator(small: Callable[..., Any]) -> None:
    tags, folder = page_of(small((("a1", "human"),)))
    assert "Agreement is undefined: one annotator only, 8 items (1 annotator, 8 items, 8 judgements)." in tags.text
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert summary["agreement"]["alpha"]["reason"] == "one annotator only, 8 items"
    assert summary["contrasts"][0]["flow"]["plain_copying"]["point"] == 1  # the split needs no second one


def test_one_label_only(small: Callable[..., Any]) -> None:
    maker = small(())
    for item in list(maker.items.values()):
        for annotator in ("a1", "a2"):
            maker.vote(item, annotator, "correct")
    tags, _ = page_of(maker)
    assert "Agreement is undefined: one label only (correct) on 8 items judged twice" in tags.text


def test_items_nobody_judged(small: Callable[..., Any]) -> None:
    """One item of eight judged: the analysis completes, and no unit has two verdicts."""
    maker = small(())
    maker.vote(next(iter(maker.items.values())), "a1", "correct")
    tags, folder = page_of(maker)
    assert "none of them has two usable verdicts: the split is undefined" in tags.text
    left_out = json.loads((folder / "summary.json").read_text("utf-8"))["left_out"]
    assert left_out == {"items to be judged without a usable judgement": 7}
    assert "undefined" in (folder / "tables" / "split.csv").read_text("utf-8")


def test_only_skipped(small: Callable[..., Any]) -> None:
    maker = small(())
    maker.vote(next(iter(maker.items.values())), "a1", None)
    tags, _ = page_of(maker)
    assert "Agreement is undefined: no judgements" in tags.text
    assert "No output has a verdict." in tags.text


def test_no_contrast_and_a_contrast_without_rows(small: Callable[..., Any]) -> None:
    tags, _ = page_of(small(contrasts=[]))
    assert "asks for no contrast" in tags.text
    nowhere = {"name": "nowhere", "from": {"checkpoint": "c1"}, "to": {"checkpoint": "c3"}}
    tags, _ = page_of(small(contrasts=[nowhere]))
    assert "No unit is present in both conditions: the split is undefined." in tags.text


def test_rows_that_were_never_planned_are_undecided(small: Callable[..., Any]) -> None:
    """Of two more units the later row has no link: both count, with weight 1, as undecided."""
    maker = small()
    for number in (0, 1):
        first = maker.row(f"P{number}", ("en", "fr"), "c1", f"en_s{number}")
        maker.vote(first, "a1", "plain_copy")
        maker.row(f"P{number}", ("en", "fr"), "c2", f"fr_s{number}", linked=False, **AT_B)
    study = maker.write()
    (result,) = analyse(study).contrasts
    assert (result.split.units, result.split.decided) == (6, 4)
    assert result.split.parts["undecided"].point == pytest.approx(2 / 6)
    assert result.split.parts["human"].point == pytest.approx(4 / 6)


def test_sense_split_concepts_can_be_left_out(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept]
) -> None:
    for exclude, units in ((False, 3), (True, 2)):
        maker = make_study(analysis={"bootstrap": 20, "exclude_sense_split": exclude})
        for number in range(3):
            flags = ["sense_split"] if number == 0 else []
            maker.pair(f"P{number}", plain_concept(f"s{number}", flags=flags), plain_concept(f"t{number}"))
            maker.vote(maker.row(f"P{number}", ("en", "de"), "c1", "x"), "a1", "unrelated")
            maker.vote(maker.row(f"P{number}", ("en", "de"), "c2", f"de_s{number}", **AT_B), "a1", "correct")
        (row,) = analyse(maker.write()).tables["units"].rows
        assert (row["units"], row["excluded"], row["sense_split"]) == (units, 3 - units, units - 2)


@pytest.mark.parametrize(
    ("setting", "sense_words", "stands"),
    [
        ("tgt", {"en": ["en_s"]}, True),  # the word of the source prompt
        ("tgt", {"en": ["en_t"]}, True),  # the word of the target prompt
        ("tgt", {"de": ["de_s"]}, False),  # a word in a language that no prompt gave
        ("en_en", {"en": ["en_s"]}, True),  # source prompts copy English
        ("self", {"de": ["de_s"]}, True),  # source prompts copy the output language
        ("seen", {"it": ["it_s"]}, True),  # source prompts translate among the other languages
        ("seen", {"en": ["en_s"]}, False),
    ],
)
def test_a_sense_stands_where_a_given_form_carries_it(
    make_study: Callable[..., Any],
    plain_concept: Callable[..., Concept],
    setting: str,
    sense_words: dict[str, list[str]],
    stands: bool,
) -> None:
    maker = make_study(trained_languages=["en", "de", "fr", "it", "es"], contrasts=[])
    reference = {code: [f"{code}_s"] for code in ("en", "de", "fr", "it", "es")}
    sense = Sense(id="s.other", gloss="another meaning", forms=sense_words)
    maker.pair("P1", plain_concept("s", reference=reference, senses=[sense]), plain_concept("t"))
    item = maker.row("P1", ("en", "de"), "c1", "anders", setting=setting, layer=1)
    maker.vote(item, "a1", "other_sense", "s.other")
    shares = analyse(maker.write()).tables["shares"].rows
    assert [row["category"] for row in shares] == ["other_sense" if stands else "unrelated"]


def test_stale_tables_go_and_other_peoples_files_stay(small: Callable[..., Any]) -> None:
    maker = small()
    _, folder = page_of(maker)
    (folder / "figures" / "mine.txt").write_text("keep", "utf-8")
    assert (folder / "figures" / "split_1.pdf").exists()
    maker.config["contrasts"] = []
    page_of(maker)
    assert not (folder / "figures" / "split_1.pdf").exists()
    assert (folder / "figures" / "mine.txt").exists()


# --- bad studies -----------------------------------------------------------------------------------------


def refused(study_folder: Path) -> str:
    done = CliRunner().invoke(app, ["analyze", str(study_folder)])
    assert isinstance(done.exception, UserError), done.output
    assert done.exception.exit_code == 2
    assert not (study_folder / "report").exists()
    line = str(done.exception)
    assert "\n" not in line
    return line


def test_an_analysis_without_annotations_is_refused(small: Callable[..., Any]) -> None:
    study = small(()).write()
    assert "annotations.jsonl: expected judgements, found none; run `gainsift annotate import`" in refused(study.folder)


def test_an_output_that_changed_after_planning_is_refused(small: Callable[..., Any]) -> None:
    maker = small()
    maker.rows[0] = maker.rows[0].model_copy(update={"answer": "another answer"})
    assert "has changed since it was planned for judging" in refused(maker.write().folder)


def test_links_without_rows_or_items_are_refused(small: Callable[..., Any]) -> None:
    maker = small()
    maker.rows.pop()
    assert "1 rows are not in" in refused(maker.write().folder)
    study = small().write()
    write_parquet(study.items_file, Item, study.items()[1:], ITEMS_FORMAT)
    assert "links drawn rows to 1 unknown items" in refused(study.folder)


def test_a_row_that_stands_twice_is_refused(small: Callable[..., Any]) -> None:
    maker = small()
    maker.rows.append(maker.rows[0])
    assert "stands twice" in refused(maker.write().folder)


def test_a_study_of_a_newer_format_is_refused_by_name(small: Callable[..., Any]) -> None:
    study = small().write()
    write_parquet(study.items_file, Item, study.items(), "items/2")
    assert "expected format items/1, found items/2" in refused(study.folder)


def test_the_command_prints_the_summary(small: Callable[..., Any]) -> None:
    study = small((("a1", "simulated"), ("a2", "simulated"))).write()
    done = CliRunner().invoke(app, ["analyze", str(study.folder), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["contrasts"][0]["units"] == 4
    done = CliRunner().invoke(app, ["analyze", str(study.folder)])
    assert "(simulated annotators)" in done.stdout
    assert "Plain copying" in done.stdout
    assert "report.html" in done.stdout


def test_the_page_explains_why_an_interval_and_a_test_may_differ(plain_page: tuple[Tags, Path]) -> None:
    tags, _ = plain_page
    text = " ".join(tags.text.split())
    assert "each interval speaks of its figure alone and is not corrected" in text
    assert "of five, no less than 0.0625" in text  # 2 of 2^5 patterns are the most extreme


def test_beneath_the_tests_of_a_contrast_stands_its_own_size_alone(small: Callable[..., Any]) -> None:
    """Names that begin with one another are told apart."""
    names = ("gain", "gain: n", "other")
    ends = {"from": {"checkpoint": "c1"}, "to": {"checkpoint": "c2", **AT_B}}
    study = small(contrasts=[{"name": name, **ends} for name in names]).write()
    table = analyse(study).tables["split_tests"]
    for name in names:
        sizes = [note for note in notes_of(table, name) if "decided units of" in note]
        assert sizes == [f"{name}: n = 4 decided units of 4 in 4 word families."]
        assert [note for note in table.notes if "decided units of" not in note] == [
            note for note in notes_of(table, name) if note not in sizes
        ]
    page = write_report(study, analyse(study)).read_text("utf-8")
    assert page.count("other: n = 4 decided units") == 1
