"""How the checkpoints of each family of models are named: one row each. study.yaml adds rows (model.families)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from gainsift.schemas.errors import UserError, did_you_mean
from gainsift.schemas.model import FamilySpec

PLAIN = "plain"
FAMILIES: tuple[FamilySpec, ...] = (
    FamilySpec(
        name="eurollm",
        example="phase_1/iter_4000",
        # the two phases' folders, by their own names or plainly numbered; 3,072 sequences of 4,096 tokens a step
        pattern=r"(?:.*/)?(?P<phase>train_annealing_megatronlm|second_phase_annealing_more_multilingual_fw"
        r"|phase_1|phase_2)/iter_(?P<step>\d+)",
        phases=["train_annealing_megatronlm", "phase_1", "second_phase_annealing_more_multilingual_fw", "phase_2"],
        tokens_per_step=3072 * 4096,
        tokenizer="utter-project/EuroLLM-1.7B",
        schedule="dense-early:10/1,20/2,5",
    ),
    FamilySpec(
        name="olmo-2",
        example="stage1-step1000-tokens5B",
        pattern=r"stage1-step(?P<step>\d+)-tokens(?P<tokens>\d+)B",
        tokenizer="main",
        schedule="dense-early:10/1,20/2,30/10,20",
    ),
    FamilySpec(
        name="apertus",
        example="step50000-tokens210B",
        pattern=r"step(?P<step>\d+)-tokens(?P<tokens>\d+)B",
        tokenizer="main",
        schedule="dense-early:10/1,20/2,30/5,10",
    ),
    FamilySpec(
        name="bloom",
        example="global_step1000",
        pattern=r"global_step(?P<step>\d+)",
        tokenizer="bigscience/tokenizer",
    ),
    FamilySpec(
        name="pythia",
        example="step1000",
        pattern=r"step(?P<step>\d+)",
        tokens_per_step=1024 * 2048,  # 1,024 sequences of 2,048 tokens
        tokenizer="main",
        repos=r"EleutherAI/pythia-.*",
    ),
    FamilySpec(name=PLAIN, example="checkpoint-500", pattern=r"(?:.*[^0-9])?(?P<step>\d+)"),
)
"""The end of a plain name is its step; all other rows are tried first."""


@dataclass(frozen=True)
class Found:
    """One checkpoint of a series: `name` as it is called there, `label` as a study calls it; phases count from 1."""

    name: str
    label: str
    step: int
    tokens: int
    phase: int = 0


def table_of(own: Iterable[FamilySpec] = ()) -> dict[str, FamilySpec]:
    """The rows by name, the user's own first; a row of the user replaces a row of the same name."""
    mine = {family.name: family for family in own}
    return {**mine, **{family.name: family for family in FAMILIES if family.name not in mine}}


def family_of(names: Sequence[str], repo: str, table: Mapping[str, FamilySpec], asked: str | None = None) -> FamilySpec:
    """The family that was asked for, else the one whose pattern fits most of the names. Raises UserError."""
    if asked is not None:
        if asked not in table:
            raise UserError(f"family {asked!r}", "is not in the table of families", did_you_mean(asked, table))
        return table[asked]
    fitting = {
        family.name: sum(re.fullmatch(family.pattern, name) is not None for name in names)
        for family in table.values()
        if family.name != PLAIN and (not family.repos or re.fullmatch(family.repos, repo))
    }
    best = max(fitting, key=lambda name: fitting[name], default=PLAIN)
    return table[best] if fitting.get(best) else table[PLAIN]


def in_training_order(names: Iterable[str], family: FamilySpec) -> tuple[list[Found], list[str]]:
    """The checkpoints among the names, by phase and step, and the names that are none.

    The steps of a later phase count from the last step of the phase before it. Raises UserError if two names are the
    same step, since then nobody knows their order.
    """
    found, others = [], []
    for name in names:
        match = re.fullmatch(family.pattern, name)
        if match is None:
            others.append(name)
        else:
            found.append(_read(name, match, family))
    found = _steps_go_on(sorted(found, key=lambda one: (one.phase, one.step, one.name)), family)
    for before, after in pairwise(found):
        if before.step == after.step and before.phase == after.phase:
            raise UserError(
                f"family {family.name!r}", f"{before.name} and {after.name} are both step {after.step}",
                "add a row to model.families whose pattern tells them apart",
            )  # fmt: skip
    return found, sorted(others)


def _read(name: str, match: re.Match[str], family: FamilySpec) -> Found:
    groups = match.groupdict()
    phase = groups.get("phase")
    if phase is not None and phase not in family.phases:
        raise UserError(f"family {family.name!r}", f"{name}: {phase!r} is none of its phases", "add it to phases")
    step = int(groups["step"])
    tokens = groups.get("tokens")
    return Found(
        name=name,
        label=re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._") or f"step{step}",
        step=step,
        tokens=int(tokens) * family.tokens_unit if tokens is not None else 0,
        phase=family.phases.index(phase) + 1 if phase is not None else 0,
    )


def _steps_go_on(found: list[Found], family: FamilySpec) -> list[Found]:
    """Steps of later phases after those of earlier ones, and tokens from steps where names tell none.

    Phases are numbered anew: those that are there, from 1.
    """
    counted: list[Found] = []
    phase, number, start = 0, 0, 0
    for one in found:
        if one.phase != phase:
            phase, number, start = one.phase, number + 1, counted[-1].step if counted else 0
        step = start + one.step
        counted.append(replace(one, step=step, phase=number, tokens=one.tokens or step * family.tokens_per_step))
    return counted
