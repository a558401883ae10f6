"""The labelling page and the guidelines: what Label Studio would accept in silence is refused here."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from label_studio_sdk.label_interface import LabelInterface

from gainsift.annotation.guidelines import guidelines_html, instruction_html
from gainsift.annotation.label_config import DATA_KEYS, label_config, lint, sense_keys
from gainsift.annotation.shown import NOT_LISTED_KEY, listed, sense_choices, with_hotkeys
from gainsift.annotation.tasks import Pages
from gainsift.schemas.errors import UserError
from gainsift.schemas.taxonomy import Taxonomy, load_taxonomy

HOSTILE = """<script>alert("x")</script> & {{ 7 * 7 }} {% raw %} ]]> $uid"""


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


@pytest.fixture(scope="module")
def page(taxonomy) -> str:
    return label_config(taxonomy)


def hostile(taxonomy: Taxonomy) -> Taxonomy:
    first = taxonomy.categories[0].model_copy(update={"label": HOSTILE, "definition": HOSTILE, "examples": [HOSTILE]})
    step = taxonomy.decision[0].model_copy(update={"ask": HOSTILE})
    return taxonomy.model_copy(
        update={
            "title": HOSTILE,
            "categories": [first, *taxonomy.categories[1:]],
            "decision": [step, *taxonomy.decision[1:]],
        }
    )


def test_the_page_is_clean_and_label_studio_reads_it(page, taxonomy) -> None:
    assert lint(page) == []
    interface = LabelInterface(page)
    interface.validate()
    control = interface.get_control("label")
    assert sorted(control.labels) == sorted(taxonomy.ids)
    assert interface.get_control("sense").dynamic_value
    assert {"label", "sense", "sense_text", "comment"} <= {c.name for c in interface.controls}


def test_label_studio_accepts_our_tasks_and_the_annotations_that_we_expect(page, row, planned, ls_annotation) -> None:
    study = planned([row("Bank", pair=("bank.river", "house"))])
    interface = LabelInterface(page)
    data = {"uid": "0" * 32, **Pages(study).data(study.items()[0])}
    assert interface.validate_task({"data": data})
    assert set(data) == DATA_KEYS
    assert not interface.validate_task({"data": {key: data[key] for key in data if key != "answer_html"}})
    for result, fits in (
        (ls_annotation(1, "plain_copy", comment="so")["result"], True),
        (ls_annotation(1, "other_sense", "bank.money")["result"], True),
        (ls_annotation(1, "homografh")["result"], False),
    ):
        assert interface.validate_annotation({"result": result}) is fits


def control(page: str, name: str) -> ET.Element:
    (found,) = [tag for tag in ET.fromstring(page).iter() if tag.get("name") == name]
    return found


def test_each_label_stands_behind_its_question(page, taxonomy) -> None:
    lines = list(control(page, "label"))
    assert len(lines) == len(taxonomy.decision)
    for line, step in zip(lines, taxonomy.decision, strict=True):
        (question,) = line.iter("Header")
        assert question.get("value") == step.ask
        assert [choice.get("alias") for choice in line.iter("Choice")] == step.labels


def test_hotkeys_aliases_and_the_order_are_the_taxonomys(page, taxonomy) -> None:
    choices = list(control(page, "label").iter("Choice"))
    order = [taxonomy.category(label) for step in taxonomy.decision for label in step.labels]
    assert [(c.get("alias"), c.get("hotkey")) for c in choices] == [(c.id, c.hotkey) for c in order]
    assert "bank.money" not in page  # the senses come with the task


def test_the_sense_part_opens_with_its_label_and_the_text_with_not_listed(page) -> None:
    opens = [view for view in ET.fromstring(page).iter("View") if view.get("visibleWhen")]
    senses, text = (view.find("*[@name]") for view in opens)
    assert [(view.get("whenTagName"), view.get("whenChoiceValue")) for view in opens] == [
        ("label", "other_sense"),
        ("sense", "not_listed"),
    ]
    assert (senses.get("name"), senses.get("value"), senses.get("required")) == ("sense", "$senses", "true")
    assert (text.get("name"), text.get("required")) == ("sense_text", "true")


def test_senses_have_hotkeys_that_nothing_else_on_the_page_has(taxonomy, page, concepts) -> None:
    keys = sense_keys(taxonomy)
    labels = {choice.get("hotkey") for choice in ET.fromstring(page).iter("Choice")}
    assert len(set(keys)) == len(keys) >= 15
    assert not {*keys, NOT_LISTED_KEY} & {*labels, "u"}
    assert NOT_LISTED_KEY not in keys
    choices = sense_choices(concepts["bank.river"], concepts["house"], "de")
    assert [choice["hotkey"] for choice in with_hotkeys(choices, "as")] == ["a", "s", "n"]
    assert [choice.get("hotkey") for choice in with_hotkeys(choices, "a")] == ["a", None, "n"]
    assert [choice.get("hotkey") for choice in with_hotkeys(choices[-1:], "as")] == ["n"]
    assert [choice["alias"] for choice in with_hotkeys(choices, "as")] == [choice["alias"] for choice in choices]


def test_nothing_is_chosen_beforehand(page) -> None:
    assert not [tag for tag in ET.fromstring(page).iter() if tag.get("selected") or tag.get("value") in ("on", "true")]


def test_words_from_right_to_left_keep_to_themselves(concepts) -> None:
    dog = concepts["dog"].model_copy(
        update={"reference": {"he": ["כלב"], "en": ["dog"]}, "accepted": {"he": ["כלבלב"]}}
    )
    assert listed(dog, "he") == "\u2068כלב\u2069 (also: \u2068כלבלב\u2069)"
    assert listed(dog, "en") == "dog"


def test_no_task_data_is_called_source(page) -> None:
    assert "source" not in DATA_KEYS
    assert "$source" not in page


def test_a_taxonomy_without_other_sense_has_no_sense_part(taxonomy) -> None:
    smaller = taxonomy.model_copy(
        update={
            "categories": [c for c in taxonomy.categories if c.id != "other_sense"],
            "decision": [d for d in taxonomy.decision if "other_sense" not in d.labels],
        }
    )
    page = label_config(smaller)
    assert lint(page) == []
    assert "sense" not in [tag.get("name") for tag in ET.fromstring(page).iter()]
    assert "list of meanings" not in guidelines_html(smaller)


def test_text_of_a_taxonomy_is_never_markup(taxonomy) -> None:
    page = label_config(hostile(taxonomy))
    assert lint(page) == []
    assert "script" not in [tag.tag for tag in ET.fromstring(page).iter()]
    shown = HOSTILE.replace("$", "＄")  # Label Studio would put the task's uid there
    (choice,) = [tag for tag in ET.fromstring(page).iter("Choice") if tag.get("alias") == "correct"]
    assert choice.get("value") == shown
    assert shown in [tag.get("value") for tag in ET.fromstring(page).iter("Header")]


BREAKAGES = {
    "two hotkeys": ('hotkey="2"', 'hotkey="1"', "hotkey '1' stands twice"),
    "two hotkeys that differ in case": ('hotkey="w"', 'hotkey="Q"', "hotkey 'q' stands twice"),
    "two choices": ('value="Other sense"', 'value="Correct"', "label: choice 'Correct' stands twice"),
    "two aliases": ('alias="other_sense"', 'alias="correct"', "label: alias 'correct' stands twice"),
    "two names": ('name="comment"', 'name="sense_text"', "name 'sense_text' stands twice"),
    "no such object": ('name="sense" toName="answer"', 'name="sense" toName="antwort"', "sense: toName 'antwort'"),
    "no such tag": ('whenTagName="label"', 'whenTagName="lable"', "whenTagName 'lable' does not exist"),
    "no such choice": ('whenChoiceValue="other_sense"', 'whenChoiceValue="sense2"', "whenChoiceValue 'sense2' is no"),
    "no such condition": ('visibleWhen="choice-selected"', 'visibleWhen="chosen"', "visibleWhen 'chosen' is unknown"),
    "condition without effect": ('visibleWhen="choice-selected" ', "", "without visibleWhen"),
    "label not required": ('required="true" requiredMessage="Pick one label."', "", "label: not required"),
    "sense not required": (
        'required="true" requiredMessage="Pick the',
        'requiredMessage="Pick the',
        "sense: not required",
    ),
    "text not required": (' required="true" requiredMessage="Say', ' requiredMessage="Say', "sense_text: not required"),
    "hotkey of the tool": ('hotkey="w"', 'hotkey="u"', "hotkey 'u' is taken: Label Studio's own"),
    "hotkey of not listed": ('hotkey="w"', 'hotkey="N"', "hotkey 'n' is taken: the choice of a sense"),
    "hotkey that moves with the keyboard": ('hotkey="w"', 'hotkey="ö"', "hotkey 'ö' does not work on every keyboard"),
    "hotkey of two characters": ('hotkey="w"', 'hotkey="12"', "hotkey '12' does not work"),
    "no such dynamic choice": (
        'whenChoiceValue="not_listed"',
        'whenChoiceValue="none"',
        "whenChoiceValue 'none' is no",
    ),
    "a style with a bracket": (".gs-row {", ".gs-row > b {", "Style: the tool writes"),
    "chosen beforehand": ('alias="correct"', 'alias="correct" selected="true"', "'correct' is chosen beforehand"),
    "data called source": ('value="$asked"', 'value="$source"', "must not be called `source`"),
    "data that no task has": ('value="$asked"', 'value="$checkpoint"', "shows $checkpoint, which no task has"),
    "no list of choices": (' value="$senses"', "", "sense: no choices"),
    "no label control": ('name="label"', 'name="verdict"', "there is no control 'label'"),
    "not XML": ("</View>", "</Vieuw>", "not XML"),
}


@pytest.mark.parametrize("defect", BREAKAGES)
def test_the_lint_catches(defect, page) -> None:
    good, bad, message = BREAKAGES[defect]
    assert good in page
    faults = lint(page.replace(good, bad, 1))
    assert any(message in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"hotkey": "U"}, "hotkey 'u' is taken"),
        ({"hotkey": "$"}, "does not work"),
        ({"label": "Empty"}, "stands twice"),
    ],
)
def test_no_page_is_made_of_a_taxonomy_that_the_tool_would_spoil(change, fault, taxonomy) -> None:
    first = taxonomy.categories[0].model_copy(update=change)
    with pytest.raises(UserError, match=f"taxonomy 1: .*{fault}.*mend the taxonomy"):
        label_config(taxonomy.model_copy(update={"categories": [first, *taxonomy.categories[1:]]}))


class Text(HTMLParser):
    """The visible text and every tag of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.hidden = 0

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        self.hidden += tag in ("style", "script")

    def handle_endtag(self, tag) -> None:
        self.hidden -= tag in ("style", "script")

    def handle_data(self, data) -> None:
        if not self.hidden:
            self.text += data


def read(html: str) -> Text:
    parser = Text()
    parser.feed(html)
    parser.close()
    return parser


@pytest.mark.parametrize("html_of", [guidelines_html, instruction_html])
def test_the_guidelines_say_everything_that_the_taxonomy_says(html_of, taxonomy) -> None:
    seen = read(html_of(taxonomy))
    text = " ".join(seen.text.split())
    for category in taxonomy.categories:
        for part in (category.label, category.definition, *category.examples):
            assert " ".join(part.split()) in text, part
    positions = [text.index(step.ask) for step in taxonomy.decision]
    assert positions == sorted(positions)


def test_the_guidelines_link_to_their_labels_and_the_instruction_to_nothing(taxonomy) -> None:
    seen = read(guidelines_html(taxonomy))
    anchors = {attributes["id"] for _, attributes in seen.tags if "id" in attributes}
    links = [attributes["href"] for tag, attributes in seen.tags if tag == "a"]
    assert links
    assert {link.removeprefix("#") for link in links} <= anchors
    instruction = instruction_html(taxonomy)
    assert not {"a", "html", "body", "title"} & {tag for tag, _ in read(instruction).tags}
    assert not any("id" in attributes for _, attributes in read(instruction).tags)
    assert "\n\n" not in instruction
    assert len(instruction) < 20_000


@pytest.mark.parametrize("html_of", [guidelines_html, instruction_html])
def test_the_guidelines_load_nothing_and_run_nothing(html_of, taxonomy) -> None:
    seen = read(html_of(hostile(taxonomy)))
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in seen.tags}
    assert not any("src" in attributes for _, attributes in seen.tags)
    assert HOSTILE in seen.text  # shown as it was written, not evaluated: 49 is nowhere
    assert "49" not in seen.text
