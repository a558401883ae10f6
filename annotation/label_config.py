"""The labelling page of Label Studio, built from the taxonomy, and what its own parser does not check."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from gainsift.schemas.taxonomy import SENSE_LABEL, Taxonomy

LABEL, SENSE, SENSE_TEXT, COMMENT, ANSWER = "label", "sense", "sense_text", "comment", "answer"
DATA_KEYS = {
    "uid", "study", "taxonomy", "rules", "concepts", "direction", "asked", "intended", "intended_listed",
    "second_word", "second", "second_listed", "answer_html", "ending", "senses",
}  # fmt: skip
"""Every key of a task's data. Never `source`: the labelling page overwrites a key of that name."""

_STYLE = """
.gs-answer { font-size: 2.4rem; line-height: 1.3; padding: .3em .5em; margin: .2em 0; border: 1px solid #94a3b8;
  border-radius: .3em; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 40vh; overflow-y: auto; }
.gs-mark { color: #b45309; font-size: .6em; }
.gs-cards { display: flex; gap: 1em; }
.gs-card { flex: 1; border: 1px solid #cbd5e1; border-radius: .3em; padding: .2em .8em; }
.gs-tree { color: #475569; }
"""
_KNOWN_CONDITIONS = {"choice-selected", "choice-unselected", "region-selected", "no-region-selected"}
_CONTROLS = {"Choices", "TextArea"}


def label_config(taxonomy: Taxonomy) -> str:
    """label_config.xml: one page for every item, whatever its row."""
    page = ET.Element("View")
    ET.SubElement(page, "Style").text = _STYLE
    _header(page, "$direction", 4)
    cards = ET.SubElement(page, "View", className="gs-cards")
    _card(cards, "Intended concept", "$asked", "$intended", "$intended_listed")
    _card(cards, "Second concept", "$second_word", "$second", "$second_listed")
    _header(page, "Answer", 5)
    ET.SubElement(page, "HyperText", name=ANSWER, value="$answer_html", valueType="text", inline="true",
                  selectionEnabled="false")  # fmt: skip
    _header(page, "$ending", 5)
    choices = ET.SubElement(page, "Choices", name=LABEL, toName=ANSWER, choice="single", required="true",
                            requiredMessage="Pick one label.", layout="inline")  # fmt: skip
    for category in taxonomy.categories:
        ET.SubElement(choices, "Choice", value=category.label, alias=category.id, hotkey=category.hotkey,
                      hint=category.definition)  # fmt: skip
    if SENSE_LABEL in taxonomy.ids:
        _sense_part(page)
    _header(page, "Comment (optional)", 5)
    ET.SubElement(page, "TextArea", name=COMMENT, toName=ANSWER, rows="1", maxSubmissions="1", editable="true",
                  placeholder="Anything worth knowing; needed when the item itself is wrong.")  # fmt: skip
    _tree(page, taxonomy)
    ET.indent(page)
    return ET.tostring(page, encoding="unicode") + "\n"


def _header(parent: ET.Element, text: str, size: int) -> None:
    ET.SubElement(parent, "Header", value=text, size=str(size))


def _card(parent: ET.Element, title: str, word: str, gloss: str, forms: str) -> None:
    card = ET.SubElement(parent, "View", className="gs-card")
    _header(card, title, 5)
    _header(card, word, 3)
    _header(card, gloss, 4)
    _header(card, forms, 5)


def _sense_part(page: ET.Element) -> None:
    """Opens when the label for another sense is chosen; the choices come from the task."""
    part = ET.SubElement(page, "View", visibleWhen="choice-selected", whenTagName=LABEL, whenChoiceValue=SENSE_LABEL)
    _header(part, "Which sense?", 5)
    ET.SubElement(part, "Choices", name=SENSE, toName=ANSWER, choice="single", value="$senses", required="true",
                  requiredMessage="Pick the sense, or 'not listed'.", layout="vertical")  # fmt: skip
    ET.SubElement(part, "TextArea", name=SENSE_TEXT, toName=ANSWER, rows="1", maxSubmissions="1", editable="true",
                  placeholder="If not listed: the sense in a few words.")  # fmt: skip


def _tree(page: ET.Element, taxonomy: Taxonomy) -> None:
    tree = ET.SubElement(page, "View", className="gs-tree")
    _header(tree, "How to decide: the first yes counts. Of several answers, judge the first.", 5)
    for number, step in enumerate(taxonomy.decision, start=1):
        labels = [taxonomy.category(label) for label in step.labels]
        names = ", ".join(f"{category.label} [{category.hotkey}]" for category in labels)
        _header(tree, f"{number}. {step.ask} → {names}", 5)


def lint(xml: str) -> list[str]:
    """Faults that Label Studio accepts in silence, each in words; an empty list is a clean page.

    Hotkeys that stand twice, choices that stand twice, names that stand twice, controls without an object,
    conditions that can never hold, required fields that are not required, task data that does not exist or is
    called `source`.
    """
    try:
        root = ET.fromstring(xml)
    except ET.ParseError as error:
        return [f"not XML: {error}"]
    tags = list(root.iter())
    named = [tag for tag in tags if tag.get("name")]
    by_name = {tag.get("name", ""): tag for tag in named}
    faults = _twice("name", [tag.get("name", "") for tag in named])
    faults += _twice("hotkey", [tag.get("hotkey", "").casefold() for tag in tags if tag.get("hotkey")])
    for tag in tags:
        if tag.tag in _CONTROLS and tag.get("toName") not in by_name:
            faults.append(f"{tag.get('name')}: toName {tag.get('toName')!r} does not exist")
        if tag.tag == "Choices":
            faults += _choices_faults(tag)
        faults += _condition_faults(tag, by_name)
        for key in re.findall(r"\$(\w+)", tag.get("value", "")):
            if key == "source":
                faults.append("task data must not be called `source`: the labelling page overwrites it")
            elif key not in DATA_KEYS:
                faults.append(f"{tag.tag} shows ${key}, which no task has")
    if LABEL not in by_name:
        faults.append(f"there is no control {LABEL!r}")
    return faults


def _twice(what: str, values: list[str]) -> list[str]:
    return [f"{what} {value!r} stands twice" for value in sorted({v for v in values if values.count(v) > 1})]


def _choices_faults(tag: ET.Element) -> list[str]:
    name = tag.get("name")
    choices = tag.findall("Choice")
    faults = _twice(f"{name}: choice", [choice.get("value", "") for choice in choices])
    faults += _twice(f"{name}: alias", [choice.get("alias", "") for choice in choices if choice.get("alias")])
    if tag.get("required") != "true":
        faults.append(f"{name}: not required, so a page can be submitted without it")
    if not choices and not tag.get("value"):
        faults.append(f"{name}: no choices")
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
    known = {value for choice in target.findall("Choice") for value in (choice.get("alias"), choice.get("value"))}
    wanted = tag.get("whenChoiceValue", "").split(",")
    return [f"{tag.tag}: whenChoiceValue {value!r} is no choice" for value in wanted if value not in known]
