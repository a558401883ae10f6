"""What is written can be read: any text that JSON can bring in, lone surrogates among it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gainsift.annotation.assignment import tasks_of
from gainsift.annotation.judgements import machine_line
from gainsift.annotation.label_studio_export import import_exports
from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.plan import make_plan
from gainsift.annotation.shown import NOTHING, visible
from gainsift.annotation.tasks import Pages, task_lines
from gainsift.schemas.files import append_jsonl, json_line, read_jsonl, write_json, write_jsonl, write_text
from gainsift.schemas.rows import Annotation, item_answer
from gainsift.schemas.study import ANNOTATION_FORMAT, Study
from gainsift.schemas.taxonomy import load_taxonomy

ANY_TEXT = st.text(st.characters(), max_size=30) | st.text('\ud800\udbff\udc00\udfff\\"\na\u2028\x00', max_size=8)


def as_utf16(text: str) -> str:
    """The text as a reader of JSON escapes gets it: a high and a low surrogate side by side are one character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@pytest.fixture
def line(item, concepts) -> Annotation:
    taxonomy = load_taxonomy(None)
    lexicon = Lexicon(concepts.values())
    return machine_line("s", item("Hund"), "u", "ann", "auto", "correct", None, taxonomy, lexicon)


@given(comment=ANY_TEXT, identity=ANY_TEXT)
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_line_that_is_written_is_read(comment: str, identity: str, line: Annotation, tmp_path: Path) -> None:
    path = tmp_path / "annotations.jsonl"
    path.unlink(missing_ok=True)
    row = line.model_copy(update={"comment": comment, "sense_text": comment, "judgement_id": identity})
    write_jsonl(path, [row], ANNOTATION_FORMAT)
    append_jsonl(path, [row], ANNOTATION_FORMAT)
    one, two = read_jsonl(path, Annotation, ANNOTATION_FORMAT, "make it")
    assert one == two
    assert (one.comment, one.sense_text, one.judgement_id) == (as_utf16(comment), as_utf16(comment), as_utf16(identity))
    write_jsonl(path, [one], ANNOTATION_FORMAT)
    assert read_jsonl(path, Annotation, ANNOTATION_FORMAT, "make it") == [one]


@given(text=ANY_TEXT)
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_json_and_text_files_are_always_utf_8(text: str, tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": text})
    assert json.loads((tmp_path / "a.json").read_bytes().decode("utf-8")) == {"a": as_utf16(text)}
    write_text(tmp_path / "a.txt", text)
    expected = "".join("?" if "\ud800" <= character <= "\udfff" else character for character in text)
    assert (tmp_path / "a.txt").read_bytes().decode("utf-8") == expected


def test_a_number_of_too_many_digits_is_a_bad_line(line: Annotation, tmp_path: Path) -> None:
    path = tmp_path / "annotations.jsonl"
    path.write_bytes(json_line(line, ANNOTATION_FORMAT).replace(b'"round": 0', b'"round": ' + b"9" * 5000))
    with pytest.raises(Exception, match=r"annotations\.jsonl:1: not JSON") as error:
        read_jsonl(path, Annotation, ANNOTATION_FORMAT, "make it")
    assert error.typename == "UserError"


@pytest.mark.parametrize("field", ["comment", "sense_text"])
def test_half_an_emoji_in_an_export_survives(field, row, planned, ls_task, ls_annotation) -> None:
    study = planned([row("Hund")])
    (task,) = json.loads(b"".join(task_lines(study, tasks_of(study.assignments())["ann", "en-de"])))
    annotation = ls_annotation(1, "other_sense", "not_listed", **{field: "bad \ud800 sur"})
    file = study.folder / "export.json"
    file.write_text(json.dumps([ls_task(task["data"], 1, annotation)]), "ascii")
    assert "\\ud800" in file.read_text("ascii")
    for added in (1, 0):
        assert import_exports(Study.open(study.folder), [file]).appended.added == added
    (line,) = study.annotations()
    assert getattr(line, field) == "bad \ud800 sur"
    assert make_plan(study).summary.done == 1


OUR_MARKUP = '<div class="gs-answer"><bdi dir="auto">|<span class="gs-mark">|</(?:div|bdi|span)>|&#[0-9]+;'


class Markup(HTMLParser):
    """The tags of a piece of HTML and the characters between them, by Python's own parser."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_hostile_output_is_text_in_every_file(hostile_output, item, line, study_of, tmp_path: Path) -> None:
    one = item(item_answer(hostile_output))
    data = Pages(study_of([])).data(one)
    write_json(tmp_path / "task.json", {"data": data})
    task = json.loads((tmp_path / "task.json").read_bytes().decode("utf-8"))
    shown = Markup(task["data"]["answer_html"])
    assert shown.tags <= {"div", "bdi", "span"}
    assert shown.text == (visible(one.answer) if one.answer else NOTHING)
    between = re.sub(OUR_MARKUP, "", task["data"]["answer_html"])
    assert not set(between) & set("$<>{}&\"'`\\:/=\n\r\x00")

    row = line.model_copy(update={"item": one, "comment": hostile_output, "sense_text": hostile_output})
    write_jsonl(tmp_path / "annotations.jsonl", [row], ANNOTATION_FORMAT)
    (back,) = read_jsonl(tmp_path / "annotations.jsonl", Annotation, ANNOTATION_FORMAT, "make it")
    assert back.item.answer == one.answer
    assert (back.comment, back.sense_text) == (hostile_output, hostile_output)
