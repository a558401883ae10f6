"""The labelling page of Label Studio, built from the taxonomy, and what its own parser does not check.

The labels stand behind the questions of the decision order, so that the list of labels is the short tree. The style
is a file of its own, templates/page.css: its colours are the tool's own variables, so that the dark theme works, and a
class of the tool (`lsf-`) that another version does not have is no harm, only less tidy.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Collection
from importlib import resources

from gainsift.annotation.shown import NOT_LISTED_KEY
from gainsift.schemas.errors import UserError
from gainsift.schemas.taxonomy import NOT_LISTED, SENSE_LABEL, Taxonomy

LABEL, SENSE, SENSE_TEXT, COMMENT, ANSWER, JUMP = "label", "sense", "sense_text", "comment", "answer", "jump"
DATA_KEYS = {
    "uid", "study", "taxonomy", "rules", "concepts", "direction", "asked", "intended", "intended_listed",
    "second_word", "second", "second_listed", "answer_html", "ending", "senses",
}  # fmt: skip
"""Every key of a task's data. Never `source`: the labelling page overwrites a key of that name."""

WORKING_KEYS = "1234567890abcdefghijklmnopqrstuvwxyz"
TAKEN_KEYS = {"u": "Label Studio's own: unselect region", NOT_LISTED_KEY: "the choice of a sense that is not listed"}
"""Single keys that no label can have. (The tool's keys for pictures and sound are not bound on this page.)"""
_SENSE_KEYS = "asdfghjklzcvbmyiopqwertx1234567890"
JUMP_KEY = "c"

_KNOWN_CONDITIONS = {"choice-selected", "choice-unselected", "region-selected", "no-region-selected"}
_CONTROLS = {"Choices", "TextArea"}


def sense_keys(taxonomy: Taxonomy) -> str:
    """The hotkeys for an item's senses, the nearest first: keys that no label and no part of the tool has."""
    taken = {category.hotkey.casefold() for category in taxonomy.categories} | TAKEN_KEYS.keys()
    return "".join(key for key in _SENSE_KEYS if key not in taken)


def label_config(taxonomy: Taxonomy) -> str:
    """label_config.xml: one page for every item, whatever its row.

    Raises UserError where the taxonomy gives a page that `lint` finds fault with.
    """
    page = ET.Element("View", className="gs-page")
    ET.SubElement(page, "Style").text = _style()
    _header(page, "$direction", "gs-direction")
    cards = _view(page, "gs-row")
    _card(cards, "Intended concept", "$asked", "$intended", "$intended_listed")
    _card(cards, "Second concept", "$second_word", "$second", "$second_listed")
    ends = _view(page, "gs-ends")
    _header(ends, "Answer", "gs-quiet")
    _header(ends, "$ending", "gs-quiet")
    ET.SubElement(page, "HyperText", name=ANSWER, value="$answer_html", valueType="text", inline="true",
                  selectionEnabled="false")  # fmt: skip
    below = _view(page, "gs-row")
    _tree(_view(below, "gs-tree"), taxonomy)
    side = _view(below, "gs-side")
    if SENSE_LABEL in taxonomy.ids:
        _senses(side)
    _texts(side, SENSE_LABEL in taxonomy.ids)
    ET.indent(page)
    xml = ET.tostring(page, encoding="unicode") + "\n"
    faults = lint(xml)
    if faults:
        raise UserError(f"the page of taxonomy {taxonomy.version}", faults[0], "mend the taxonomy")
    return xml


def _style() -> str:
    return resources.files("gainsift.annotation").joinpath("templates/page.css").read_text("utf-8")


def _plain(text: str) -> str:
    """Text of a taxonomy; the tool reads $name as a reference to task data."""
    return text.replace("$", "＄")


def _view(parent: ET.Element, look: str, **more: str) -> ET.Element:
    return ET.SubElement(parent, "View", {"className": look, **more})


def _header(parent: ET.Element, text: str, look: str) -> None:
    ET.SubElement(_view(parent, look), "Header", value=text, size="5")


def _card(parent: ET.Element, title: str, word: str, gloss: str, forms: str) -> None:
    card = _view(parent, "gs-card")
    _header(card, title, "gs-quiet")
    _header(card, word, "gs-word")
    _header(card, gloss, "gs-gloss")
    _header(card, f"Listed: {forms}", "gs-listed")


def _tree(parent: ET.Element, taxonomy: Taxonomy) -> None:
    """The decision order: a question a line, and its labels behind it."""
    _header(parent, "The first yes counts. Of several answers, judge the first.", "gs-quiet")
    choices = ET.SubElement(parent, "Choices", name=LABEL, toName=ANSWER, choice="single", required="true",
                            requiredMessage="Pick one label.", layout="inline")  # fmt: skip
    for step in taxonomy.decision:
        line = _view(choices, "gs-line")
        _header(line, _plain(step.ask), "gs-ask gs-quiet")
        labels = _view(line, "gs-labels")
        for category in map(taxonomy.category, step.labels):
            ET.SubElement(labels, "Choice", value=_plain(category.label), alias=category.id, hotkey=category.hotkey,
                          hint=category.definition)  # fmt: skip


def _senses(parent: ET.Element) -> None:
    """Opens when the label for another sense is chosen; the choices come from the task."""
    part = _view(parent, "gs-senses", visibleWhen="choice-selected", whenTagName=LABEL, whenChoiceValue=SENSE_LABEL)
    _header(part, "Which sense?", "gs-quiet")
    ET.SubElement(part, "Choices", name=SENSE, toName=ANSWER, choice="single", value="$senses", required="true",
                  requiredMessage="Pick the sense, or 'not listed'.", layout="vertical")  # fmt: skip


def _texts(parent: ET.Element, senses: bool) -> None:
    """The text fields. The tool has no key for them, so a button before them takes the keyboard there."""
    words = f"To the text: Alt+{JUMP_KEY.upper()}, Tab. Enter when done."
    ET.SubElement(_view(parent, "gs-quiet"), "HyperText", name=JUMP, valueType="text", inline="true",
                  selectionEnabled="false",
                  value=f'<button type="button" class="gs-jump" accesskey="{JUMP_KEY}">{words}</button>')  # fmt: skip
    if senses:
        part = _view(parent, "gs-which", visibleWhen="choice-selected", whenTagName=SENSE, whenChoiceValue=NOT_LISTED)
        _text(part, SENSE_TEXT, "The sense in a few words.", required="true",
              requiredMessage="Say in a few words which sense it is.")  # fmt: skip
    _text(parent, COMMENT, "Comment. Needed when the item itself is wrong.")


def _text(parent: ET.Element, name: str, placeholder: str, **more: str) -> None:
    fixed = {"name": name, "toName": ANSWER, "rows": "1", "maxSubmissions": "1", "editable": "true"}
    ET.SubElement(parent, "TextArea", {**fixed, "placeholder": placeholder, **more})


def lint(xml: str, data_keys: Collection[str] = frozenset(DATA_KEYS)) -> list[str]:
    """Faults that Label Studio accepts in silence, each in words; an empty list is a clean page.

    Hotkeys that stand twice, do not work or are the tool's own; choices and names that stand twice; controls without
    an object; conditions that can never hold; required fields that are not required; task data that does not exist
    or is called `source`; a style that the tool's cleaner would spoil.
    """
    try:
        root = ET.fromstring(xml)
    except ET.ParseError as error:
        return [f"not XML: {error}"]
    tags = list(root.iter())
    named = [tag for tag in tags if tag.get("name")]
    by_name = {tag.get("name", ""): tag for tag in named}
    faults = _twice("name", [tag.get("name", "") for tag in named])
    faults += _hotkey_faults([tag.get("hotkey", "").casefold() for tag in tags if tag.get("hotkey")])
    for tag in tags:
        if tag.tag in _CONTROLS and tag.get("toName") not in by_name:
            faults.append(f"{tag.get('name')}: toName {tag.get('toName')!r} does not exist")
        if tag.tag == "Choices":
            faults += _choices_faults(tag)
        if (tag.tag == "Choices" or tag.get("name") == SENSE_TEXT) and tag.get("required") != "true":
            faults.append(f"{tag.get('name')}: not required, so a page can be submitted without it")
        if tag.tag == "Style" and re.search("[<>&]", tag.text or ""):
            faults.append("Style: the tool writes <, > and & in it as entities, which breaks the rule they stand in")
        faults += _condition_faults(tag, by_name)
        for key in re.findall(r"\$(\w+)", tag.get("value", "")):
            if key == "source":
                faults.append("task data must not be called `source`: the labelling page overwrites it")
            elif key not in data_keys:
                faults.append(f"{tag.tag} shows ${key}, which no task has")
    if LABEL not in by_name:
        faults.append(f"there is no control {LABEL!r}")
    return faults


def _twice(what: str, values: list[str]) -> list[str]:
    return [f"{what} {value!r} stands twice" for value in sorted({v for v in values if values.count(v) > 1})]


def _hotkey_faults(keys: list[str]) -> list[str]:
    faults = _twice("hotkey", keys)
    for key in sorted(set(keys)):
        if key in TAKEN_KEYS:
            faults.append(f"hotkey {key!r} is taken: {TAKEN_KEYS[key]}")
        elif key not in WORKING_KEYS or len(key) != 1:
            faults.append(f"hotkey {key!r} does not work on every keyboard: take a letter a-z or a digit")
    return faults


def _choices_faults(tag: ET.Element) -> list[str]:
    name = tag.get("name")
    choices = list(tag.iter("Choice"))
    faults = _twice(f"{name}: choice", [choice.get("value", "") for choice in choices])
    faults += _twice(f"{name}: alias", [choice.get("alias", "") for choice in choices if choice.get("alias")])
    if not choices and not tag.get("value"):
        faults.append(f"{name}: no choices")
    faults += [f"{name}: {choice.get('alias')!r} is chosen beforehand" for choice in choices if choice.get("selected")]
    return faults


def _condition_faults(tag: ET.Element, by_name: dict[str, ET.Element]) -> list[str]:
    condition = tag.get("visibleWhen")
    if condition is None:
        lost = tag.get("whenTagName") or tag.get("whenChoiceValue")
        return [f"{tag.tag}: {lost!r} without visibleWhen"] if lost else []
    if condition not in _KNOWN_CONDITIONS:
        return [f"{tag.tag}: visibleWhen {condition!r} is unknown"]
    target = by_name.get(tag.get("whenTagName", ""))
    if target is None:
        return [f"{tag.tag}: whenTagName {tag.get('whenTagName')!r} does not exist"]
    known = {value for choice in target.iter("Choice") for value in (choice.get("alias"), choice.get("value"))}
    if target.get("value") == "$senses":
        known.add(NOT_LISTED)  # the one choice that every task brings
    wanted = tag.get("whenChoiceValue", "").split(",")
    return [f"{tag.tag}: whenChoiceValue {value!r} is no choice" for value in wanted if value not in known]
