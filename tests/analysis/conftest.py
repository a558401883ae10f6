"""A maker of small study folders, written through the contract only: what the other stages would have left."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from gainsift.schemas.concepts import Concept, PromptPair
from gainsift.schemas.files import write_jsonl, write_parquet
from gainsift.schemas.record import fingerprint
from gainsift.schemas.rows import Annotation, Item, Link, Translation
from gainsift.schemas.settings import is_about_source
from gainsift.schemas.study import (
    ANNOTATION_FORMAT,
    CONCEPTS_FORMAT,
    ITEMS_FORMAT,
    LINKS_FORMAT,
    PROMPTS_FORMAT,
    TRANSLATIONS_FORMAT,
    Study,
)
from gainsift.schemas.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
STEPS = {"c1": 100, "c2": 200, "c3": 300}


@dataclass
class StudyMaker:
    """Collects rows and judgements and writes them as a study folder."""

    folder: Path
    config: dict[str, Any]
    concepts: dict[str, Concept] = field(default_factory=dict)
    pairs: dict[str, PromptPair] = field(default_factory=dict)
    rows: list[Translation] = field(default_factory=list)
    items: dict[str, Item] = field(default_factory=dict)
    links: list[tuple[str, str, str, Fraction, bool]] = field(default_factory=list)
    audits: dict[str, tuple[Fraction, bool]] = field(default_factory=dict)
    lines: list[Annotation] = field(default_factory=list)

    def pair(self, pair_id: str, source: Concept, target: Concept) -> None:
        for concept in (source, target):
            self.concepts[concept.id] = concept
        self.pairs[pair_id] = PromptPair(
            pair_id=pair_id,
            index=len(self.pairs),
            source_concept=source.id,
            target_concept=target.id,
            source_shots=[],
            target_shots=[f"shot {pair_id}"],
            seed=1,
        )

    def row(
        self,
        pair_id: str,
        languages: tuple[str, str],
        checkpoint: str,
        answer: str,
        setting: str = "unpatched",
        layer: int | None = None,
        prompt: str | None = None,
        probability: Fraction = Fraction(1),
        drawn: bool = True,
        closed: bool = True,
        linked: bool = True,
        p_source: float = 0.5,
        audit: Fraction = Fraction(1),
        asked: bool = True,
    ) -> Item:
        """Add one output, its item and its link; returns the item to be judged. `audit`, `asked` are the item's."""
        prompt = prompt or ("source" if setting == "unpatched" else "target")
        pair = self.pairs[pair_id]
        intended, other = pair.source_concept, pair.target_concept
        if not is_about_source(setting, prompt):
            intended, other = other, intended
        shown = self.concepts[intended].word(languages[0])
        row_id = Translation.make_id(checkpoint, setting, prompt, *languages, pair_id, layer)
        self.rows.append(
            Translation(
                row_id=row_id, checkpoint=checkpoint, step=STEPS[checkpoint], tokens=1000 * STEPS[checkpoint],
                setting=setting, prompt=prompt, input_language=languages[0], output_language=languages[1],
                pair_id=pair_id, layer=layer, intended_concept=intended, other_concept=other, shown_word=shown,
                answer=answer, raw=answer + '"', closed=closed, p_source=p_source, p_target=0.25,
                source_mass=[0.1], target_mass=[0.1],
            )
        )  # fmt: skip
        copied = "shown" if answer.casefold() == shown.casefold() else "none"
        item = Item.of(TAXONOMY.version, *languages, intended, other, shown, answer.strip(), closed, copied)
        if linked:
            self.items[item.item_id] = item
            self.links.append((row_id, item.item_id, "|".join([pair_id, *languages]), probability, drawn))
            self.audits[item.item_id] = (audit, asked)
        return item

    def vote(
        self, shown: Item, annotator: str, label: str | None, sense: str | None = None, **changes: Any
    ) -> Annotation:
        """Append one line; without a label it is a skipped task."""
        ids = (shown.intended_concept, shown.other_concept)
        known = label in TAXONOMY.ids
        values: dict[str, Any] = {
            "study": fingerprint(["study", self.config["name"]], 12),
            "judgement_id": f"j{len(self.lines)}",
            "task_uid": f"{annotator}-{shown.item_id}",
            "item_id": shown.item_id,
            "content_key": shown.content_key,
            "annotator": annotator,
            "source": "human",
            "status": "judged" if label else "skipped",
            "label": label,
            "sense": sense,
            "taxonomy_version": TAXONOMY.version,
            "label_fingerprint": TAXONOMY.category(label).fingerprint() if label and known else None,
            "concept_fingerprints": [self.concepts[name].fingerprint() for name in ids],
            "result_hash": "0",
            "item": shown,
        }
        line = Annotation.model_validate(values | changes)
        self.lines.append(line)
        return line

    def write(self) -> Study:
        folder = self.folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "study.yaml").write_text(yaml.safe_dump(self.config, allow_unicode=True, sort_keys=False), "utf-8")
        write_jsonl(folder / "concepts.jsonl", self.concepts.values(), CONCEPTS_FORMAT)
        write_parquet(folder / "prompts.parquet", PromptPair, self.pairs.values(), PROMPTS_FORMAT)
        by_checkpoint = defaultdict(list)
        for row in self.rows:
            by_checkpoint[row.checkpoint].append(row)
        for name, rows in by_checkpoint.items():
            write_parquet(folder / "translations" / f"{name}.parquet", Translation, rows, TRANSLATIONS_FORMAT)
        judged = {item_id for _, item_id, _, _, drawn in self.links if drawn and self.audits[item_id][1]}
        items = [item for item in self.items.values() if item.item_id in judged]
        write_parquet(folder / "items.parquet", Item, items, ITEMS_FORMAT)
        write_parquet(folder / "links.parquet", Link, self._links(), LINKS_FORMAT)
        if self.lines:
            write_jsonl(folder / "annotations.jsonl", self.lines, ANNOTATION_FORMAT)
        return Study.open(folder)

    def _links(self) -> list[Link]:
        members: dict[str, dict[str, Fraction]] = defaultdict(dict)
        for _, item_id, trajectory, probability, _ in self.links:
            members[item_id][trajectory] = probability
        return [
            Link(
                row_id=row_id,
                item_id=item_id,
                trajectory=trajectory,
                trajectory_probability=float(probability),
                item_probability=float(
                    (1 - math.prod(1 - p for p in members[item_id].values())) * self.audits[item_id][0]
                ),
                drawn=drawn,
                audit_probability=float(self.audits[item_id][0]),
                asked=self.audits[item_id][1],
            )
            for row_id, item_id, trajectory, probability, drawn in self.links
        ]


def study_config(**changes: Any) -> dict[str, Any]:
    """study.yaml of a study with three checkpoints, four layers, en into de and fr, and one contrast."""
    names = list(STEPS)
    return {
        "format": 1,
        "name": "small",
        "description": "A study made for tests.",
        "model": {"name": "toy", "checkpoints": [{"name": n, "path": n, "step": STEPS[n]} for n in names]},
        "trained_languages": ["en", "de", "fr"],
        "language_pairs": [["en", "de"], ["en", "fr"]],
        "contrasts": [
            {
                "name": "c1 to patched c2",
                "from": {"checkpoint": "c1"},
                "to": {"checkpoint": "c2", "setting": "tgt", "layer": 1},
            }
        ],
        "analysis": {"bootstrap": 200, "seed": 7},
    } | changes


@pytest.fixture
def make_study(tmp_path: Path) -> Callable[..., StudyMaker]:
    """`make_study(**changes of study.yaml)` gives an empty StudyMaker in a fresh folder."""
    return lambda **changes: StudyMaker(tmp_path / "study", study_config(**changes))


def plain_concept(name: str, **changes: Any) -> Concept:
    """A concept whose words are the language code and the name: `en_x`, `de_x`, `fr_x`."""
    values: dict[str, Any] = {
        "id": name,
        "gloss": f"the thing {name}",
        "reference": {code: [f"{code}_{name}"] for code in ("en", "de", "fr")},
    }
    return Concept.model_validate(values | changes)


@pytest.fixture(scope="session")
def study_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., StudyMaker]:
    """As `make_study`, in a folder of its own each time, for fixtures that many tests share."""
    return lambda **changes: StudyMaker(tmp_path_factory.mktemp("made") / "study", study_config(**changes))


@pytest.fixture(name="plain_concept", scope="session")
def plain_concept_fixture() -> Callable[..., Concept]:
    return plain_concept


@pytest.fixture(scope="session")
def hand_worked(module_of: Callable[[Path], ModuleType]) -> ModuleType:
    """The module of the study that is worked out by hand."""
    return module_of(Path(__file__).parent / "test_hand_worked_study.py")
