"""The status as people read it: one self-contained html page, and the cells that the terminal shows as well."""

from __future__ import annotations

from importlib import resources

from jinja2 import Environment, StrictUndefined

from gainsift.annotation.progress import Person, Status, Work
from gainsift.annotation.reliability import Agreement, Share
from gainsift.schemas.provenance import now

NOTHING = "–"
PROGRESS = ("annotator", "tasks", "done", "left", "skipped", "drafts", "invalid")
PACE = ("annotator", "s a page", "an hour", "by the clock")
RELIABILITY = ("annotator", "controls right", "same again", "agree", "kappa", "items", "disputed")


def share(found: Share) -> str:
    """`8 of 9 (89 %)`."""
    return f"{found.right:,} of {found.of:,} ({found.percent:.0f} %)" if found.of else NOTHING


def percent(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0f} %"


def number(value: float | None, places: int = 0) -> str:
    return NOTHING if value is None else f"{round(value, places) + 0.0:,.{places}f}"  # -0.00 is 0.00


def work_cells(name: str, work: Work) -> list[str]:
    """The cells of PROGRESS."""
    return [
        name,
        *(f"{value:,}" for value in (work.tasks, work.done, work.left, work.skipped, work.drafts, work.invalid)),
    ]


def agreement_cells(found: Agreement) -> list[str]:
    """Percent, kappa, number of common items."""
    return [percent(found.percent), number(found.kappa, 2), f"{found.items:,}"]


def pace_cells(person: Person) -> list[str]:
    """The cells of PACE."""
    return [person.name, number(person.seconds, 1), number(person.pace_on_page), number(person.pace_by_clock)]


def reliability_cells(person: Person) -> list[str]:
    """The cells of RELIABILITY."""
    return [
        person.name,
        share(person.controls),
        share(person.repeats),
        *agreement_cells(person.agreement),
        f"{person.disputed:,}",
    ]


def status_html(found: Status, title: str) -> str:
    """The page as HTML. Everything is escaped, nothing is loaded from elsewhere; annotators are pseudonyms."""
    template = resources.files("gainsift.annotation").joinpath("templates/status.html.j2").read_text("utf-8")
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    total = found.total
    calibrated = [person for person in found.people if person.calibration.items or "calibration" in person.work]
    return page.from_string(template).render(
        title=title,
        made=now()[:16].replace("T", " ") + " UTC",
        status=found,
        total=total,
        finished=percent(100 * (total.done + total.skipped) / total.tasks if total.tasks else None),
        bars=[(person.name, 100 * person.total.done / (person.total.tasks or 1)) for person in found.people],
        progress=(PROGRESS, [work_cells(person.name, person.total) for person in found.people]),
        roles=(("role", *PROGRESS[1:]), [work_cells(role, work) for role, work in found.by_role.items()]),
        reliability=(
            (*PACE, *RELIABILITY[1:]),
            [[*pace_cells(person), *reliability_cells(person)[1:]] for person in found.people],
        ),
        calibration=(
            ("annotator", "done", "agree", "kappa", "items"),
            [
                [person.name, f"{person.work.get('calibration', Work()).done:,}", *agreement_cells(person.calibration)]
                for person in calibrated
            ],
        ),
        pairs=(
            ("annotators", "agree", "kappa", "items"),
            [[f"{a} and {b}", *agreement_cells(one)] for (a, b), one in found.pairs.items()],
        ),
        problems=found.problems,
    )
