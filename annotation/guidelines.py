"""What annotators are told, generated from the taxonomy: as a page of its own and as the project's instruction."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from gainsift.annotation.label_config import JUMP_KEY
from gainsift.annotation.shown import HOLDER, NOT_LISTED_KEY, NOTHING, SPACE
from gainsift.schemas.taxonomy import SENSE_LABEL, Taxonomy


def guidelines_html(taxonomy: Taxonomy) -> str:
    """guidelines.html, self-contained. Every text of the taxonomy is escaped; nothing is loaded from elsewhere."""
    return _render("guidelines.html.j2", taxonomy)


def instruction_html(taxonomy: Taxonomy) -> str:
    """The same text for Label Studio's `expert_instruction`: a piece of HTML without links and without blank lines.

    The tool shows it in a window over the page, where a link to a place in the text would leave the page, and one of
    its two ways of showing keeps line ends.
    """
    lines = _render("instruction.html.j2", taxonomy).splitlines()
    return "\n".join(line for line in lines if line.strip())


def _render(template: str, taxonomy: Taxonomy) -> str:
    pages = Environment(
        loader=PackageLoader("gainsift.annotation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    steps = [(step.ask, [taxonomy.category(label) for label in step.labels]) for step in taxonomy.decision]
    return pages.get_template(template).render(
        taxonomy=taxonomy,
        steps=steps,
        sense_label=taxonomy.category(SENSE_LABEL).label if SENSE_LABEL in taxonomy.ids else "",
        unsure=taxonomy.missing,
        signs={"space": SPACE, "holder": HOLDER, "nothing": NOTHING},
        keys={"not_listed": NOT_LISTED_KEY, "jump": JUMP_KEY.upper()},
    )
