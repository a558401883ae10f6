"""guidelines.html: one self-contained page for annotators, generated from the taxonomy."""

from __future__ import annotations

from importlib import resources

from jinja2 import Environment, StrictUndefined

from gainsift.annotation.shown import HOLDER, NOTHING, SPACE
from gainsift.schemas.taxonomy import SENSE_LABEL, Taxonomy


def guidelines_html(taxonomy: Taxonomy) -> str:
    """The page as HTML. Every text of the taxonomy is escaped; nothing is loaded from elsewhere."""
    template = resources.files("gainsift.annotation").joinpath("templates/guidelines.html.j2").read_text("utf-8")
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    steps = [(step.ask, [taxonomy.category(label) for label in step.labels]) for step in taxonomy.decision]
    return page.from_string(template).render(
        taxonomy=taxonomy,
        steps=steps,
        has_senses=SENSE_LABEL in taxonomy.ids,
        sense_label=taxonomy.category(SENSE_LABEL).label if SENSE_LABEL in taxonomy.ids else "",
        signs={"space": SPACE, "holder": HOLDER, "nothing": NOTHING},
    )
