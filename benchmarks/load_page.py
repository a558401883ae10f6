"""The page of load: time and memory of each step by size of the study, and how they grow."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from machine import machine_in_words
from markdown import grid

DOES = {
    "plan": "chooses rows, merges equal answers into items, shares them out",
    "export": "a task file for each annotator and language pair",
    "import": "takes the labelled task files in, each judgement checked",
    "plan again": "with all judgements home; nothing is left to do",
    "status": "who is how far, agreement of each two",
    "analyze": "tables, figures, report.html",
    "trace": "one number of the report back to its judgements",
}
"""What each step does, in the order in which they run."""


def page(found: dict[str, Any]) -> str:
    """docs/reliability/load.md, of load.json."""
    studies, limit = found["studies"], found["limit_gb"]
    largest = studies[-1]
    asked, steps = largest["asked"], largest["steps"]
    seconds, most = sum(one["cpu_s"] for one in steps), max(one["peak_gb"] for one in steps)
    lines = [
        "# How large may a study be?", "",
        "<!-- made by benchmarks/load.py (make reliability) -->", "",
        f"**A simulated study of {asked['rows']:,} outputs, {asked['items']:,} items, {asked['annotators']} annotators"
        f" and {largest['told']['import']['added']:,} judgements goes from plan to report in {seconds / 60:.0f} minutes"
        f" of one core and within {most:.1f} GB.** Every command is a process of its own on {found['cores']} cores that"
        f" would be killed over {limit:g} GB. The rows, items, tasks and judgements that they count are those made."
        f" Words, outputs and labels are simulated (seed {largest['seed']}).", "",
        *grid(["step", *(f"{one['asked']['rows']:,} outputs" for one in studies), *growth_heads(studies)],
              [row(name, studies) for name in DOES]),
        "Seconds of the processor, and the most memory, in GB: resident, by the operating system's high-water mark,"
        " with all child processes. The last columns: how many times as long a study of ten times as many outputs,"
        " items and judgements takes; 10 is linear growth. Most of `analyze` is intervals of 1,000 resamples each; of"
        " agreement alone there is one for each condition and each of 1,225 pairs of annotators.", "",
        "## The studies", "",
        *grid(["", *(f"{one['asked']['rows']:,} outputs" for one in studies)], sizes(studies)),
        "Eight language pairs; prompts unpatched and patched in four settings at each of 24 layers. People judge the"
        " unpatched outputs and three layers of three settings, five people an item, with repeats and controls. A"
        " tenfold study has more checkpoints, more prompt pairs and more distinct answers to each.", "",
        *(f"- `{name}`: {what}" for name, what in DOES.items()), "",
        f"On {machine_in_words(largest['machine'])}; seconds by the clock stand in load.json.", "",
    ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def growth_heads(studies: list[dict[str, Any]]) -> list[str]:
    return [f"× to {later['asked']['rows']:,}" for later in studies[1:]]


def row(name: str, studies: list[dict[str, Any]]) -> list[str]:
    """A step: seconds and GB of each study, and how it grows from one to the next."""
    of = [next(one for one in study["steps"] if one["name"] == name) for study in studies]
    took = [f"{one['cpu_s']:.0f} s, {one['peak_gb']:.1f} GB" for one in of]
    grown = [f"{later['cpu_s'] / before['cpu_s']:.1f}" for before, later in pairwise(of)]
    return [f"`{name}`", *took, *grown]


def sizes(studies: list[dict[str, Any]]) -> list[list[str]]:
    """What each study holds."""
    held = {
        "outputs that are judged": lambda one: one["asked"]["population"],
        "items": lambda one: one["asked"]["items"],
        "annotators": lambda one: one["asked"]["annotators"],
        "tasks": lambda one: one["told"]["plan"]["tasks"],
        "judgements, skipped tasks left out": lambda one: one["told"]["import"]["judged"],
    }
    counted = [[name, *(f"{count(one):,}" for one in studies)] for name, count in held.items()]
    return [*counted, ["files, GB", *(f"{one['bytes'] / 2**30:.2f}" for one in studies)]]
