"""A thousand draws from one population: what the analysis makes of each sample is right on average.

The population has strata that are drawn with different probabilities, outputs that many trajectories share, answers
that equal the reference and are asked about one time in five, frequent right and rare wrong outputs. The truth is
counted from the table that the population is made of. (The figures are ratios, whose bias goes with one over the size
of the sample; the weighted total has none.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gainsift.analysis.inclusion import Inclusion
from gainsift.analysis.judged import in_sample, judge
from gainsift.analysis.judgements import gather
from gainsift.analysis.shares import shares
from gainsift.analysis.split import split
from gainsift.analysis.study_design import study_design
from gainsift.analysis.units import SIDE, units_of
from gainsift.schemas.concepts import Concept
from gainsift.schemas.study import Study

DRAWS = 1000
AUDIT = Fraction(1, 5)
STRATA = {"always": Fraction(1, 2), "never": Fraction(1, 4), "changes": Fraction(4, 5)}
SIDES: tuple[tuple[str, dict[str, Any]], ...] = (("c1", {}), ("c2", {"setting": "tgt", "layer": 1}))
ANSWERS: dict[str, tuple[str, str, bool]] = {
    "listed": ("{out}_s{concept}", "correct", True),
    "second": ("{out}_s{concept}b", "correct", True),
    "synonym": ("{out}_syn{concept}", "correct", False),
    "copy": ("en_s{concept}", "plain_copy", False),
    "noise": ("xqz{pair}", "non_word", False),
}
"""What an output is: its text, what people call it, whether it equals a reference form."""
EARLY, LATE = [0.46, 0.02, 0.07, 0.35, 0.10], [0.81, 0.02, 0.07, 0.05, 0.05]
COLUMNS = list(dict.fromkeys([*SIDE, "checkpoint", "setting", "prompt", "layer", "condition", "kind"]))
"""What shares and units read: the fewer, the faster."""
MISLEADING = 7
"""Of every so many concepts one has a first reference form that people call `related`, not correct."""


@dataclass
class Population:
    """The study, and of each unit the (label, automatic success) of its two sides, as the table has them."""

    study: Study
    truth: list[tuple[tuple[str, bool], tuple[str, bool]]]


@pytest.fixture
def population(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> Population:
    """400 prompt pairs, sixty of them of fifteen concepts, two language pairs: 800 trajectories of two outputs."""
    rng = np.random.default_rng(20)
    maker = make_study()
    truth = []
    asked: dict[str, str] = {}
    for pair in range(400):
        concept = pair if pair < 340 else pair % 15
        reference = {"en": [f"en_s{concept}"]}
        reference |= {out: [f"{out}_s{concept}", f"{out}_s{concept}b"] for out in ("de", "fr")}
        maker.pair(f"P{pair}", plain_concept(f"s{concept}", reference=reference), plain_concept(f"t{concept}"))
        for out in ("de", "fr"):
            found = [ANSWERS[str(rng.choice(list(ANSWERS), p=mix))] for mix in (EARLY, LATE)]
            sides = [
                ("related" if text.endswith("_s{concept}") and concept % MISLEADING == 0 and good else label, good)
                for text, label, good in found
            ]
            truth.append((sides[0], sides[1]))
            right = [good for _, good in sides]
            stratum = "always" if all(right) else "changes" if any(right) else "never"
            for (text, _, good), (label, _), (checkpoint, where) in zip(found, sides, SIDES, strict=True):
                answer = text.format(out=out, concept=concept, pair=pair)
                audit = AUDIT if good else Fraction(1)
                item = maker.row(
                    f"P{pair}", ("en", out), checkpoint, answer, probability=STRATA[stratum], audit=audit, **where
                )
                assert asked.setdefault(item.item_id, label) == label
    for item_id, label in asked.items():
        maker.vote(maker.items[item_id], "a1", label)
    return Population(maker.write(), truth)


def drawn_anew(links: pd.DataFrame, known: Inclusion, rng: np.random.Generator) -> Inclusion:
    """Another draw with the same probabilities: trajectories, then audited items, all independent of one another."""
    chances = {name: p for members in known.trajectories.values() for name, p in members.items()}
    drawn = {name for name, p in chances.items() if rng.random() < p}
    met = set(links.loc[links["trajectory"].isin(drawn), "item_id"])
    asked = frozenset(item for item in sorted(met) if rng.random() < known.audits.get(item, 1.0))
    return replace(known, selected=asked, unasked=frozenset(met - asked))


def figures(study: Study, frame: pd.DataFrame, inclusion: Inclusion, weighted: bool) -> dict[str, float]:
    """Parts of the split and shares of categories, by the code of the report, or with every weight one."""
    design = study_design(study, frame)
    units = units_of(frame, design, design.contrasts[0], inclusion).frame
    if not weighted:
        units, frame = units.assign(weight=1.0), frame.assign(probability=1.0)
    buckets, rng = list(study.taxonomy.buckets), np.random.default_rng(0)
    whole = split(units, buckets, 1, 0.95, rng)
    found = {name: whole.parts[name].point or 0.0 for name in ("apparent", "human", "undeserved", "missed")}
    found["human total"] = found["human"] * whole.weight
    for side in shares(frame, design.conditions, buckets, study.taxonomy.ids, 1, 0.95, rng):
        found |= {f"{side.checkpoint} {name}": share.point or 0.0 for name, share in side.categories.items()}
    return found


def true_figures(truth: list[tuple[tuple[str, bool], tuple[str, bool]]]) -> dict[str, float]:
    def gain(value: Callable[[str, bool], bool]) -> float:
        return sum(value(*b) - value(*a) for a, b in truth) / len(truth)

    found = {
        "apparent": gain(lambda label, good: good),
        "human": gain(lambda label, good: label == "correct"),
        "undeserved": gain(lambda label, good: good and label != "correct"),
        "missed": -gain(lambda label, good: not good and label == "correct"),
    }
    found["human total"] = found["human"] * len(truth)
    for side, checkpoint in enumerate(("c1", "c2")):
        counts = Counter(unit[side][0] for unit in truth)
        found |= {f"{checkpoint} {label}": number / len(truth) for label, number in counts.items()}
    return found


def test_estimates_are_unbiased_over_a_thousand_draws(population: Population) -> None:
    study = population.study
    items = study.items()
    judgements = gather(
        study.annotations(), {i.content_key for i in items}, study.id, study.taxonomy, study.concepts, "lines"
    )
    whole = judge(study, items, judgements).frame[COLUMNS]
    links = study.links().to_pandas()
    expected = true_figures(population.truth)
    assert len(expected) == 5 + 2 * 4
    assert links.groupby("item_id")["trajectory"].nunique().max() > 3  # merged outputs
    known, rng = Inclusion.of(links, "links"), np.random.default_rng(2026)
    samples: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    for number in range(DRAWS):
        inclusion = drawn_anew(links, known, rng)
        frame = in_sample(whole, inclusion)
        unjudged = ~frame["selected"]  # nobody has seen them
        frame.loc[unjudged, ["label", "kind", "bucket"]] = None
        frame.loc[unjudged, "correct"] = np.nan
        samples[True].append(figures(study, frame, inclusion, weighted=True))
        if number < 100:  # enough to see what is wrong without the weights
            samples[False].append(figures(study, frame, inclusion, weighted=False))
    means, errors = {}, {}
    for weighted, found in samples.items():
        values = pd.DataFrame(found)[list(expected)].fillna(0.0)  # a category that no drawn output has
        means[weighted], errors[weighted] = values.mean(), values.std(ddof=1) / np.sqrt(len(values))
    off = (means[True] - pd.Series(expected)) / errors[True]
    assert off.abs().max() < 4, off.to_dict()
    plainly = (means[False] - pd.Series(expected)).abs()
    for name in ("apparent", "human", "c1 correct", "c2 correct", "c2 non_word"):
        assert plainly[name] > 5 * errors[False][name]
        assert plainly[name] > 0.03
