"""The page on which the lead settles a disagreement: the annotators' page, the readings that differ, one question."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

from gainsift.annotation.label_config import ANSWER, DATA_KEYS, label_config, sense_keys
from gainsift.annotation.shown import escaped, sense_choices, with_hotkeys
from gainsift.annotation.submission import DISAGREEMENT
from gainsift.schemas.rows import Assignment
from gainsift.schemas.taxonomy import SENSE_LABEL, Taxonomy

if TYPE_CHECKING:
    from gainsift.annotation.tasks import Pages

COMPETING, READINGS = "competing", "readings"
ADJUDICATION_KEYS = frozenset(DATA_KEYS | {COMPETING})
"""Every key of such a task's data."""

ANSWERS = {"variation": "Defensible: people may differ here", "error": "A slip: it is wrong"}
_STYLE = """
.gs-readings { margin: 0 0 .6rem; padding: .2rem .8rem; list-style: none; unicode-bidi: plaintext;
  border-left: 3px solid var(--color-warning-content, #b45309); }
"""


def question_keys(taxonomy: Taxonomy) -> str:
    """The hotkeys of the second question's answers: two that senses have on the annotators' page, the last ones."""
    free = sense_keys(taxonomy)
    return free[-2:] if len(free) > 1 else ""


def adjudication_config(taxonomy: Taxonomy) -> str:
    """The label config: label_config with the readings beneath the answer, and with the second question.

    Lint it with ADJUDICATION_KEYS.
    """
    page = ET.fromstring(label_config(taxonomy))
    style = page.find("Style")
    assert style is not None
    style.text = (style.text or "") + _STYLE
    answer = next(number for number, tag in enumerate(page) if tag.get("name") == ANSWER)
    readings = ET.Element("View")
    title = ET.SubElement(readings, "View", className="gs-quiet")
    ET.SubElement(title, "Header", value="The annotators' readings, in random order", size="5")
    ET.SubElement(readings, "HyperText", name=READINGS, value=f"${COMPETING}", valueType="text", inline="true",
                  selectionEnabled="false")  # fmt: skip
    page.insert(answer + 1, readings)
    side = next(tag for tag in page.iter("View") if tag.get("className") == "gs-side")
    side.insert(0, _question(taxonomy))
    ET.indent(page)
    return ET.tostring(page, encoding="unicode") + "\n"


def _question(taxonomy: Taxonomy) -> ET.Element:
    part = ET.Element("View", className="gs-senses")
    title = ET.SubElement(part, "View", className="gs-quiet")
    ET.SubElement(title, "Header", value="And the reading that you did not choose?", size="5")
    choices = ET.SubElement(part, "Choices", name=DISAGREEMENT, toName=ANSWER, choice="single", required="true",
                            requiredMessage="Defensible, or a slip?", layout="vertical")  # fmt: skip
    keys = question_keys(taxonomy)
    for number, (alias, text) in enumerate(ANSWERS.items()):
        hotkey = {"hotkey": keys[number]} if keys else {}
        ET.SubElement(choices, "Choice", {"value": text, "alias": alias, **hotkey})
    return part


def adjudication_data(pages: Pages, task: Assignment) -> dict[str, Any]:
    """What such a task's data has beside the annotators' page: the readings, and sense keys that leave ours free."""
    taxonomy, concepts = pages.study.taxonomy, pages.study.concepts
    intended, other = concepts[task.item.intended_concept], concepts[task.item.other_concept]
    choices = sense_choices(intended, other, task.item.output_language)
    senses = {choice["alias"]: choice["value"] for choice in choices}
    keys = "".join(key for key in sense_keys(taxonomy) if key not in question_keys(taxonomy))
    readings = "".join(f"<li>{escaped(_reading(*one, taxonomy, senses))}</li>" for one in task.competing)
    return {COMPETING: f'<ul class="gs-readings">{readings}</ul>', "senses": with_hotkeys(choices, keys)}


def _reading(label: str, sense: str | None, taxonomy: Taxonomy, senses: dict[str, str]) -> str:
    """A label as the page names it, with the meaning that was picked."""
    text = taxonomy.category(label).label if label in taxonomy.ids else label
    if label != SENSE_LABEL:
        return text
    return f"{text}: {'no sense picked' if sense is None else senses.get(sense, sense)}"
