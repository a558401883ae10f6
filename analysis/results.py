"""The whole analysis of a study as plain results; nothing is written here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from gainsift.analysis.anchoring import Anchoring, anchoring
from gainsift.analysis.audit import Audit, audit
from gainsift.analysis.emergence import Emergence, emergence
from gainsift.analysis.estimate import generator
from gainsift.analysis.examples import Example, examples
from gainsift.analysis.findings import Findings, findings, told, warned
from gainsift.analysis.item_list import ListedItem, item_list
from gainsift.analysis.judgement_tables import judgement_tables
from gainsift.analysis.mass import mean_mass
from gainsift.analysis.precision import Precision, precision
from gainsift.analysis.precision_tables import precision_tables
from gainsift.analysis.study_design import study_design
from gainsift.analysis.study_evidence import study_evidence
from gainsift.analysis.transition_examples import Transition, transition_examples
from gainsift.schemas.families import word_families
from gainsift.schemas.study import Study


@dataclass(frozen=True)
class Results(Findings):
    """Everything that the report of a study shows: what is found in any input, and what a study alone has.

    `adjudicated`: items by what was said of the other reading. `anchoring` is empty unless automatic labels were
    shown, `audit` None unless reference answers were audited. `moved`: by contrast, steps of a chain apart.
    """

    adjudicated: Counter[str]
    anchoring: list[Anchoring]
    audit: Audit | None
    emergence: Emergence
    precision: Precision
    mass: pd.DataFrame
    examples: list[Example]
    moved: dict[str, list[Transition]]
    items: list[ListedItem]


def analyse(study: Study, progress: Callable[[str], None] = lambda step: None) -> Results:
    """Analyse a study that has been judged. `progress` is told each step by name. Raises UserError."""
    known = study_evidence(study, progress)
    progress("noise of precision")
    noise = precision(study)
    design = study_design(study, known.judged.frame)
    found = findings(design, known.evidence, progress)
    progress("emergence")
    emerged = emergence(study, known.judged, known.judgements.simulated, progress)
    spec, judgements = study.config.analysis, known.judgements
    results = Results(
        **vars(found),
        adjudicated=Counter(
            line.disagreement or "unsaid" for key, line in judgements.adjudicated.items() if key in known.used
        ),
        anchoring=anchoring(
            [line for key, votes in judgements.votes.items() if key in known.used for line in votes.values()],
            word_families(study.concepts.values()),
            study.taxonomy.ids,
            spec.bootstrap,
            spec.confidence,
            generator(spec.seed, "anchoring"),
        ),
        audit=audit(known.judged, set(known.rows["item_id"].dropna()), study.taxonomy, spec.confidence),
        emergence=emerged,
        precision=noise,
        mass=mean_mass(study),
        examples=examples(replace(known.judged, frame=known.rows), study),
        moved=transition_examples(study, known.judged, found.contrasts),
        items=item_list(study, known.items, known.judged, found.contrasts),
    )
    further = told(results, judgement_tables(study, results, dict(results.common)))
    without_people = [*emerged.tables.values(), *precision_tables(study, noise)]
    return replace(results, tables={**found.tables, **further, **warned(spec, without_people)})
