"""Small valid files of every kind that gainsift reads: what fuzzing starts from."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from gainsift.annotation.plan import make_plan, write_plan
from gainsift.annotation.simulated import simulate
from gainsift.annotation.tasks import Pages, task
from gainsift.schemas.concepts import Concept, PromptPair, Sense
from gainsift.schemas.files import write_jsonl, write_parquet
from gainsift.schemas.float32_audit import FLOAT32_FORMAT, Float32Audit
from gainsift.schemas.lock import lock
from gainsift.schemas.rows import Translation
from gainsift.schemas.settings import is_about_source
from gainsift.schemas.study import CONCEPTS_FORMAT, PROMPTS_FORMAT, TRANSLATIONS_FORMAT, Study

ROOT = Path(__file__).resolve().parent.parent
CHECKPOINTS = ("one", "two")
CONCEPTS = [
    Concept(
        id="bank.river", gloss="edge of a river", reference={"en": ["bank"], "de": ["Ufer"]}, accepted={"de": ["Rand"]},
        senses=[Sense(id="bank.money", gloss="house that keeps money", forms={"en": ["bank"], "de": ["Bank"]})],
    ),
    Concept(
        id="gift", gloss="thing given to someone", reference={"en": ["gift"], "de": ["Geschenk"]},
        lookalikes=[Sense(id="de.gift", gloss="poison", forms={"de": ["Gift"]})],
    ),
    Concept(id="house", gloss="building to live in", reference={"en": ["house"], "de": ["Haus"]}),
    Concept(
        id="hotel", gloss="house for travellers", reference={"en": ["hotel"], "de": ["Hotel"]}, flags=["sense_split"]
    ),
]  # fmt: skip
ANSWERS = {
    "bank.river": ("bank", "Bank", "Ufer"),
    "gift": ("Gift", "Geschenk", "gft"),
    "house": ("house", "Haus", "Haus"),
    "hotel": ("Hotel", "Hotel", ""),
}


def clap_fixture() -> ModuleType:
    """What the tests write in the layout of the published patching code."""
    spec = importlib.util.spec_from_file_location("clap_fixture", ROOT / "tests" / "words" / "clap_fixture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["clap_fixture"] = module
    spec.loader.exec_module(module)
    return module


def config(**more: Any) -> dict[str, Any]:
    """study.yaml with something under nearly every key."""
    return {
        "format": 1, "name": "seed", "id": "0123456789abcdef", "description": "A study of words.\nTwo lines.",
        "model": {
            "name": "m", "evict": False,
            "checkpoints": [{"name": name, "path": f"models/{name}", "step": 100 * n, "tokens": 10**9 * n}
                            for n, name in enumerate(CHECKPOINTS)],
        },
        "trained_languages": ["en", "de"], "language_pairs": [["en", "de"], ["de", "en"]],
        "words": {"source": "concepts", "file": "concepts.jsonl", "forms": 2, "limit": 100},
        "prompts": {"pairs": 4, "shots": 1, "seed": 1},
        "generation": {"settings": ["unpatched", "seen", "self"], "layers": [0, 1], "max_new_tokens": 8},
        "success": {"case": "fold", "articles": "strip", "unclosed": "fail"},
        "annotation": {
            "rows": {"settings": ["unpatched"], "checkpoints": ["one", "two"]}, "pace_per_hour": 300.0,
            "annotators": [{"name": "ann"}, {"name": "ben", "languages": ["en", "de"]}], "overlap": 2,
        },
        "contrasts": [{"name": "training", "from": {"checkpoint": "first"}, "to": {"checkpoint": "last"}}],
        "analysis": {"bootstrap": 20, "confidence": 0.9, "interval": "percentile", "correction": "holm"},
        **more,
    }  # fmt: skip


def write_yaml(path: Path, data: Any) -> None:
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), "utf-8")


def rows() -> list[Translation]:
    """Every concept at both checkpoints in both directions."""
    found = []
    ids = [concept.id for concept in CONCEPTS]
    for concept, other in zip(CONCEPTS, ids[1:] + ids[:1], strict=True):
        for n, checkpoint in enumerate(CHECKPOINTS):
            for given, out in (("en", "de"), ("de", "en")):
                pair = f"{concept.id}+{other}"
                answer = ANSWERS[concept.id][n + (given == "de")]
                assert is_about_source("unpatched", "source")
                found.append(Translation(
                    row_id=Translation.make_id(checkpoint, "unpatched", "source", given, out, pair, None),
                    checkpoint=checkpoint, step=100 * n, tokens=10**9 * n, setting="unpatched", prompt="source",
                    input_language=given, output_language=out, pair_id=pair, layer=None, intended_concept=concept.id,
                    other_concept=other, shown_word=concept.word(given), answer=answer, raw=answer + '"', closed=True,
                    p_source=0.5, p_target=0.25, source_mass=[0.5, 0.0], target_mass=[0.25, 0.0],
                ))  # fmt: skip
    return found


def study(folder: Path) -> Study:
    """A study that is planned and judged, by simulated annotators."""
    folder.mkdir(parents=True, exist_ok=True)
    write_yaml(folder / "study.yaml", config())
    write_jsonl(folder / "concepts.jsonl", CONCEPTS, CONCEPTS_FORMAT)
    ids = [concept.id for concept in CONCEPTS]
    pairs = [
        PromptPair.of((one, two), [ids[-1]], [ids[-2]], n, 1) for n, (one, two) in enumerate([ids[:2], ids[1::-1]])
    ]
    write_parquet(folder / "prompts.parquet", PromptPair, pairs, PROMPTS_FORMAT)
    found = rows()
    extra = {"languages": json.dumps(["en", "de"])}
    write_parquet(folder / "translations" / "one" / "part.parquet", Translation, found, TRANSLATIONS_FORMAT, extra)
    write_parquet(folder / "float32_audit.parquet", Float32Audit, [_again(row) for row in found], FLOAT32_FORMAT)
    opened = Study.open(folder)
    write_plan(opened, make_plan(opened), "seed", "2026-01-01T00:00:00+00:00")
    lock(opened)
    simulate(opened)
    (opened.private_folder).mkdir()
    write_yaml(opened.private_folder / "annotators.yaml", {"ann": {"name": "Ann", "email": "ann@example.org"}})
    return opened


def _again(row: Translation) -> Float32Audit:
    shared = {name: getattr(row, name) for name in Float32Audit.model_fields if hasattr(row, name)}
    twice = {f"{name}_float32": getattr(row, name) for name in ("answer", "closed", "p_source", "p_target")}
    return Float32Audit(**shared, **twice, dtype="float16")


def export(opened: Study, path: Path, email: str = "ann@example.org") -> None:
    """What Label Studio would export after people have judged every task."""
    pages, tasks = Pages(opened), []
    for number, one in enumerate(opened.assignments(), start=1):
        label = ("correct", "other_sense", "unsure")[number % 3]
        parts = [_part("label", "choices", {"choices": [label]}), _part("comment", "textarea", {"text": ["well"]})]
        if label == "other_sense":
            parts.append(_part("sense", "choices", {"choices": ["not_listed"]}))
        entry = {
            "id": number, "completed_by": {"id": 7, "email": email}, "result": parts,
            "was_cancelled": False, "ground_truth": False, "created_at": "2026-02-01T10:59:00.000000Z",
            "updated_at": "2026-02-01T11:00:00.000000Z", "lead_time": 4.5, "unique_id": f"{number:032x}",
            "updated_by": 7,
        }  # fmt: skip
        tasks.append({
            "id": number, "annotations": [entry], "drafts": [{**entry, "id": 900}] if number == 2 else [], "meta": {},
            "predictions": [], "data": task(pages, one)["data"], "created_at": "2026-02-01T10:00:00.000000Z",
            "updated_at": "2026-02-01T11:00:00.000000Z", "inner_id": number, "total_annotations": 1,
        })  # fmt: skip
    path.write_text(json.dumps(tasks[:6], ensure_ascii=False, indent=1), "utf-8")


def _part(name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "type": kind, "value": value, "origin": "manual", "to_name": "answer", "from_name": name}


def csv_text(rows: list[list[Any]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def tidy() -> list[list[Any]]:
    """A tidy table with most of the optional columns."""
    found: list[list[Any]] = [[
        "unit", "cluster", "condition", "annotator", "label", "success", "weight", "order", "series", "patched",
        "identical", "verdict", "checkpoint", "step", "tokens", "source", "input_language", "output_language",
    ]]  # fmt: skip
    for n in range(6):
        for at, condition in enumerate(("early", "late")):
            for annotator in ("a1", "a2"):
                labels = ("correct", "plain_copy", "other_sense", "")
                label = labels[(n * (at + 1) + (annotator == "a2") * (n == 3)) % 4]
                found.append([
                    f"u{n}", f"k{n // 2}", condition, annotator, label, int(n == 1),
                    1 + n / 2, at, "training", 0, int(n == 2), "", condition, 100 * at, 10**6 * at, "human", "en", "de",
                ])  # fmt: skip
    return found


def lmf() -> str:
    """A WordNet in WN-LMF."""
    entries = synsets = ""
    meanings = {"bank": "edge of a river", "spring": "a season", "gift": "something given"}
    for n, (word, gloss) in enumerate(meanings.items()):
        entries += (
            f'<LexicalEntry id="en-e{n}"><Lemma writtenForm="{word}" partOfSpeech="n"/>'
            f'<Sense id="en-e{n}-i{n}" synset="en-i{n}"/></LexicalEntry>\n'
        )
        synsets += f'<Synset id="en-i{n}" ili="i{n}" partOfSpeech="n"><Definition>{gloss}</Definition></Synset>\n'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE LexicalResource SYSTEM '
        '"http://globalwordnet.github.io/schemas/WN-LMF-1.1.dtd">\n'
        '<LexicalResource xmlns:dc="https://globalwordnet.github.io/schemas/dc/">\n<Lexicon id="small-en" '
        'label="Small" language="en" email="a@b.c" license="none" version="1">\n'
        f"{entries}{synsets}</Lexicon>\n</LexicalResource>\n"
    )
