"""Tasks: blind, equal for equal items, exact, never markup."""

from __future__ import annotations

import json
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gainsift.annotation import assignment
from gainsift.annotation.export import export
from gainsift.annotation.plan import make_plan, write_plan
from gainsift.annotation.shown import NOTHING, answer_html, escaped, sense_choices, visible
from gainsift.annotation.tasks import Pages, task_uid
from gainsift.schemas.concepts import Concept, Sense
from gainsift.schemas.errors import UserError

HOSTILE = [
    "<script>alert(1)</script>",
    "</bdi></div><img src=x onerror=alert(1)>",
    "{{ 7*7 }} {% for %} ${uid} $uid `x`",
    "&lt;b&gt; &amp; &#60;",
    "\x00\x07\x1b[31m\r\n\t",
    "\u202eright to left\u202c \u2066isolate\u2069 \u200b\u200d\ufeff",
    "s3://bucket/key https://example.org/x.png gs://a",
    "x" * 10_000,
    "\u0301\u0308 marks first",
    "a\u0300\u0301\u0302" * 50,
    '"; DROP TABLE items; --',
    "=HYPERLINK(1)",
    "שלום",
    "\U0001f600\U000e0041",
]


class Shown(HTMLParser):
    """The text that a browser would show, and the tags that it would build."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data) -> None:
        self.text += data


OURS = {("div", (("class", "gs-answer"),)), ("bdi", (("dir", "auto"),)), ("span", (("class", "gs-mark"),))}


def tasks_of(study, person="ann", pair="en-de"):
    return json.loads((study.tasks_folder / f"{person}.{pair}.json").read_text("utf-8"))


# --- the answer ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", HOSTILE)
def test_hostile_answers_are_shown_and_never_markup(answer) -> None:
    html = answer_html(answer)
    shown = Shown(html)
    assert shown.text == visible(answer)
    assert set(shown.tags) <= OURS
    for sign in ("{{", "{%", "$uid", "://", "\x00", "\u202e", "\u200b", "`"):
        assert sign not in html


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=300)
def test_any_text_is_shown_exactly(answer) -> None:
    shown = Shown(answer_html(answer))
    assert shown.text == (visible(answer) if answer else NOTHING)
    assert set(shown.tags) <= OURS
    hidden = {"Cc", "Cf", "Zs", "Zl", "Zp", "Cs", "Cn", "Co"}
    assert not any(unicodedata.category(character) in hidden for character in visible(answer))


@given(
    st.text(alphabet="a ␣⟨⟩◌U+0\u0301\u200b2B4", max_size=8), st.text(alphabet="a ␣⟨⟩◌U+0\u0301\u200b2B4", max_size=8)
)
@settings(deadline=None, max_examples=500)
def test_different_texts_look_different(one, two) -> None:
    assert (visible(one) == visible(two)) == (one == two)


def test_spaces_and_invisible_characters_are_visible() -> None:
    assert visible("ice cream") == "ice␣cream"
    assert visible("a\u00a0b\tc\nd") == "a⟨U+00A0⟩b⟨U+0009⟩c⟨U+000A⟩d"
    assert visible("\u0301a") == "◌\u0301a"
    assert visible("e\u0301") == "e\u0301"
    assert visible("␣◌⟨") == "⟨U+2423⟩⟨U+25CC⟩⟨U+27E8⟩"
    assert escaped("a<é1") == "a&#60;é1"


# --- senses --------------------------------------------------------------------------------------------------


def test_senses_of_both_words_then_not_listed(concepts) -> None:
    choices = sense_choices(concepts["bank.river"], concepts["house"], "de")
    assert choices == [
        {"value": "house that keeps money (Bank)", "alias": "bank.money"},
        {"value": "long seat (Sitzbank)", "alias": "bank.seat"},
        {"value": "another sense, not listed", "alias": "not_listed"},
    ]
    assert sense_choices(concepts["house"], concepts["bank.river"], "de") == choices
    assert sense_choices(concepts["dog"], concepts["house"], "de") == choices[-1:]


def test_a_sense_that_is_one_of_the_two_concepts_is_no_choice(concepts) -> None:
    money = Concept(id="bank.money", gloss="house that keeps money", reference={"en": ["bank"], "de": ["Bank"]})
    aliases = [choice["alias"] for choice in sense_choices(concepts["bank.river"], money, "de")]
    assert aliases == ["bank.seat", "not_listed"]


def test_choices_that_read_the_same_stay_apart_and_name_no_data() -> None:
    twin = {"gloss": "costs $uid", "forms": {}}
    concept = Concept(
        id="c", gloss="c", reference={"en": ["c"]}, senses=[Sense(id="c.1", **twin), Sense(id="c.2", **twin)]
    )
    choices = sense_choices(concept, concept, "en")
    assert [choice["value"] for choice in choices[:2]] == ["costs ＄uid", "costs ＄uid [2]"]


# --- tasks ---------------------------------------------------------------------------------------------------


def test_a_patched_and_an_unpatched_row_with_the_same_key_give_equal_bytes(row, planned) -> None:
    unpatched = planned([row("Bank", pair=("bank.river", "house"))], folder="one")
    patched = planned(
        [row("Bank", pair=("bank.river", "house"), setting="tgt", layer=7, checkpoint="secretmodel-step200")],
        folder="two",
    )
    for study in (unpatched, patched):
        export(study, "test", "2026-01-01T00:00:00+00:00")
    for person in ("ann", "ben"):
        name = f"{person}.en-de.json"
        assert (unpatched.tasks_folder / name).read_bytes() == (patched.tasks_folder / name).read_bytes()
    for name in ("label_config.xml", "guidelines.html"):
        assert (unpatched.folder / name).read_bytes() == (patched.folder / name).read_bytes()


def test_nothing_that_annotators_get_names_model_checkpoint_setting_or_layer(row, planned) -> None:
    rows = [
        row(answer, setting=setting, layer=layer, checkpoint=f"secretmodel-step{step}")
        for number, answer in enumerate(["Hund", "dog", "Haus", "chien", "Katze"])
        for step in (100, 200)
        for setting, layer in (("unpatched", None), ("tgt", 17), ("seen", 18), ("self", 19))
        if number != 2 or setting == "tgt"
    ]
    rows = list({one.row_id: one for one in rows}.values())
    study = planned(rows, name="secretmodel-patching-study")
    made = export(study, "test", "2026-01-01T00:00:00+00:00")
    texts = {
        path.name: path.read_text("utf-8").casefold()
        for path in [made.config, made.guidelines, *study.tasks_folder.glob("a*.json"), *study.tasks_folder.glob("b*")]
    }
    assert len(texts) == 4
    for name, text in texts.items():
        for word in (
            "secretmodel",
            "step100",
            "patch",
            "unpatched",
            "layer",
            "checkpoint",
            '"tgt"',
            '"seen"',
            '"self"',
        ):
            assert word not in text, f"{name} says {word}"
    for task in tasks_of(study):
        assert not {"copied_from", "item_id", "row_id", "pair_id"} & set(task["data"])


def test_one_task_for_each_item_and_annotator_in_an_order_of_their_own(row, planned) -> None:
    rows = [row(f"w{n}").model_copy(update={"row_id": f"r{n}"}) for n in range(40)]
    study = planned(rows)
    assert export(study, "test", "2026-01-01T00:00:00+00:00").tasks == {"ann.en-de": 40, "ben.en-de": 40}
    orders = {person: [task["data"]["answer_html"] for task in tasks_of(study, person)] for person in ("ann", "ben")}
    assert sorted(orders["ann"]) == sorted(orders["ben"])
    assert orders["ann"] != orders["ben"]
    uids = [task["data"]["uid"] for person in ("ann", "ben") for task in tasks_of(study, person)]
    assert len(set(uids)) == 80
    before = (study.tasks_folder / "ann.en-de.json").read_bytes()
    export(study, "test", "2026-01-01T00:00:00+00:00")
    assert (study.tasks_folder / "ann.en-de.json").read_bytes() == before
    other_seed = study.config.annotation.model_copy(update={"seed": 43})
    reseeded = type(study)(study.folder, study.config.model_copy(update={"annotation": other_seed}))
    shuffled = assignment.tasks_of(assignment.assign(reseeded, study.items(), []))["ann", "en-de"]
    assert [answer_html(one.item.answer) for one in shuffled] != orders["ann"]


def test_annotators_get_the_languages_that_they_read(row, planned) -> None:
    rows = [row("a"), row("b", languages=("en", "fr"))]
    study = planned(rows, annotators=["ann", {"name": "ben", "languages": ["fr", "en"]}])
    export(study, "test", "2026-01-01T00:00:00+00:00")
    names = sorted(path.name for path in study.tasks_folder.iterdir())
    assert names == ["ann.en-de.json", "ann.en-fr.json", "ben.en-fr.json"]
    assert [task["data"]["direction"] for task in tasks_of(study, "ann")] == ["English → German"]
    assert [task["data"]["direction"] for task in tasks_of(study, "ben", "en-fr")] == ["English → French"]


def test_any_annotator_name_keeps_its_task_file(row, planned) -> None:
    study = planned([row("Hund")], annotators=["run", "tasks", "guidelines"])
    export(study, "test", "2026-01-01T00:00:00+00:00")
    for person in ("run", "tasks", "guidelines"):
        assert [set(task) for task in tasks_of(study, person)] == [{"data"}]
    assert len(list(study.tasks_folder.iterdir())) == 3
    record = json.loads((study.folder / "tasks.run.json").read_text("utf-8"))
    assert (record["product"], record["counts"]) == ("tasks", {"run.en-de": 1, "tasks.en-de": 1, "guidelines.en-de": 1})


def test_task_files_of_people_who_left_are_removed_unless_changed(row, planned) -> None:
    annotators = ["ann", "ben", "eva"]
    study = planned([row("Hund")], annotators=annotators)
    assert export(study, "test", "2026-01-01T00:00:00+00:00").notes == []
    edited = study.tasks_folder / "eva.en-de.json"
    edited.write_bytes(edited.read_bytes() + b"\n")
    (study.tasks_folder / "my-export.json").write_text("[]", "utf-8")
    (study.tasks_folder / "notes.txt").write_text("mine", "utf-8")
    gone = study.tasks_folder / "ben.en-de.json"
    assert gone.exists()

    fewer = study.config.annotation.model_copy(update={"annotators": study.config.annotation.annotators[:1]})
    smaller = type(study)(study.folder, study.config.model_copy(update={"annotation": fewer}))
    write_plan(smaller, make_plan(smaller), "test", "2026-01-01T00:00:00+00:00")
    left = [
        f"{study.tasks_folder / name}.json is no task file of the plan, nor as the last export wrote it: left as it is"
        for name in ("eva.en-de", "my-export")
    ]
    notes = export(smaller, "test", "2026-01-01T00:00:00+00:00").notes
    assert notes == [f"removed {gone}: the plan has no task for it any more", *left]
    names = sorted(path.name for path in study.tasks_folder.iterdir())
    assert names == ["ann.en-de.json", "eva.en-de.json", "my-export.json", "notes.txt"]
    assert export(smaller, "test", "2026-01-01T00:00:00+00:00").notes == left


@pytest.mark.parametrize("record", ["", "[]", '{"format": "run/1"}', None])
def test_without_a_record_of_the_last_export_nothing_is_removed(record, row, planned) -> None:
    study = planned([row("Hund")], annotators=["ann"])
    study.tasks_folder.mkdir()
    (study.tasks_folder / "ben.en-de.json").write_text("[]", "utf-8")
    if record is not None:
        (study.folder / "tasks.run.json").write_text(record, "utf-8")
    (note,) = export(study, "test", "2026-01-01T00:00:00+00:00").notes
    assert "ben.en-de.json is no task file of the plan" in note
    assert (study.tasks_folder / "ben.en-de.json").read_text("utf-8") == "[]"


def test_the_uid_depends_on_study_item_annotator_round_and_repeat(item) -> None:
    one = item("x").item_id
    uids = {
        task_uid("s", one, "ann"),
        task_uid("t", one, "ann"),
        task_uid("s", item("y").item_id, "ann"),
        task_uid("s", one, "ben"),
        task_uid("s", one, "ann", round=1),
        task_uid("s", one, "ann", repeat=1),
    }
    assert len(uids) == 6
    assert all(len(uid) == 32 and one not in uid for uid in uids)


def test_the_page_shows_both_concepts_the_same_way(row, planned) -> None:
    study = planned([row("x", closed=False)])
    data = Pages(study).data(study.items()[0])
    assert (data["asked"], data["intended"], data["intended_listed"]) == (
        "dog",
        "animal that barks",
        "Hund (also: Köter)",
    )
    assert (data["second_word"], data["second"], data["second_listed"]) == ("house", "building to live in", "Haus")
    assert data["direction"] == "English → German"
    assert "did not end" in data["ending"]


def test_hostile_answers_pass_through_the_task_file(row, planned) -> None:
    rows = [row(answer).model_copy(update={"row_id": f"r{n}"}) for n, answer in enumerate(HOSTILE)]
    study = planned(rows)
    export(study, "test", "2026-01-01T00:00:00+00:00")
    raw = (study.tasks_folder / "ann.en-de.json").read_bytes()
    assert b"\x00" not in raw
    assert b"\\u0000" not in raw
    expected = {visible(unicodedata.normalize("NFC", answer).strip()) or NOTHING for answer in HOSTILE}
    assert {Shown(task["data"]["answer_html"]).text for task in tasks_of(study)} == expected


def test_a_plan_under_another_taxonomy_is_refused(row, planned) -> None:
    study = planned([row("x")])
    study.__dict__["taxonomy"] = study.taxonomy.model_copy(update={"version": "2"})
    with pytest.raises(UserError, match=r"planned under taxonomy 1, the study has 2; run `gainsift annotate plan"):
        export(study, "test", "2026-01-01T00:00:00+00:00")
    assert not study.tasks_folder.exists()


def test_export_without_a_plan_says_what_to_run(row, study_of) -> None:
    with pytest.raises(UserError, match=r"items.parquet: no such file; run `gainsift annotate plan"):
        export(study_of([row("x")]), "test", "2026-01-01T00:00:00+00:00")
