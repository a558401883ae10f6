"""How the analysis grows: join, shares and decomposition on made-up studies of 10^4 to 10^7 output rows.

    python benchmarks/analysis.py [--json] [--rows 10000 100000 1000000] [--loop 20]

A study is a folder as the other stages leave it: every row is linked, half of the trajectories are drawn, each unit
has five distinct answers over all its conditions, two annotators judge them. Each size is made and then analysed in
processes of its own; times are by the clock and of the processor, the peak memory is the operating system's. *Join*
reads the files and gives every row its verdict; *shares* and *decomposition* (three contrasts) take 1,000 resamples of
word families. Beside it, at 10^5 rows, a plain pandas loop that draws families, joins their rows and groups them, for
the same figures; it is timed on `--loop` resamples and scaled. Exit status 1 if a target is missed. 10^7 rows take
some minutes and 4 GB of disk in the folder for temporary files: `--rows 10000000`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml
from machine import machine, peak_bytes

from gainsift.schemas.concepts import Concept, PromptPair
from gainsift.schemas.files import write_jsonl, write_parquet
from gainsift.schemas.rows import Annotation, Item, Link, Translation
from gainsift.schemas.study import (
    ANNOTATION_FORMAT,
    CONCEPTS_FORMAT,
    ITEMS_FORMAT,
    LINKS_FORMAT,
    PROMPTS_FORMAT,
    TRANSLATIONS_FORMAT,
    Study,
)

SHAPES = {10_000: (50, 5, 9), 100_000: (100, 10, 24), 1_000_000: (250, 20, 49), 10_000_000: (500, 50, 99)}
"""Rows: prompt pairs (in four language pairs), checkpoints, patched layers (and one unpatched row)."""
OUT = ("de", "fr", "es", "it")
ANSWERS = ("correct", "plain_copy", "other_sense", "unrelated", "non_word")
ERRORS = 0.1
RESAMPLES = 1000
TIMES_LOOP, GIGABYTES, LOOP_ROWS = 30, 8, 100_000
STEEPER = 1.3
"""A tenfold study may take 13 times as long before growth counts as more than linear: clocks are not exact."""


# --- the made-up study -----------------------------------------------------------------------------------


def make_study(folder: Path, rows: int, seed: int = 1) -> None:
    """A study folder with so many output rows, one of SHAPES."""
    pairs, checkpoints, layers = SHAPES[rows]
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    _write_question(folder, pairs, checkpoints, layers)
    items = _items(pairs)
    units = pairs * len(OUT)
    drawn = rng.random(units) < 0.5
    links = [_write_checkpoint(folder, number, checkpoints, layers, items, units, rng) for number in range(checkpoints)]
    occurs = np.zeros((units, len(ANSWERS)), bool)
    for _, unit, answer in links:
        occurs[unit, answer] = True
    _write_links(folder, links, items, drawn)
    judged = [
        item for place, item in enumerate(items) if drawn[place // len(ANSWERS)] and occurs.flat[place]
    ]  # fmt: skip
    write_parquet(folder / "items.parquet", Item, judged, ITEMS_FORMAT)
    write_jsonl(folder / "annotations.jsonl", _judgements(folder, judged, rng), ANNOTATION_FORMAT)


def _concept(number: int) -> Concept:
    words = {code: [f"{code}_w{number}"] for code in ("en", *OUT)}
    return Concept(id=f"k{number}", gloss=f"thing {number}", reference=words)


def _write_question(folder: Path, pairs: int, checkpoints: int, layers: int) -> None:
    names = [f"step-{number:03}" for number in range(checkpoints)]
    middle = {"setting": "tgt", "layer": layers // 2}
    config = {
        "format": 1,
        "name": "made-up",
        "model": {"name": "made-up", "checkpoints": [
            {"name": name, "path": name, "step": 100 * (number + 1), "tokens": 10**6 * (number + 1)}
            for number, name in enumerate(names)
        ]},
        "trained_languages": ["en", *OUT],
        "language_pairs": [["en", out] for out in OUT],
        "contrasts": [
            {"name": "training", "from": {"checkpoint": "first"}, "to": {"checkpoint": "last"}},
            {"name": "patching", "from": {"checkpoint": "last"}, "to": {"checkpoint": "last", **middle}},
            {"name": "patched", "from": {"checkpoint": "first", **middle}, "to": {"checkpoint": "last", **middle}},
        ],
        "analysis": {"bootstrap": RESAMPLES},
    }  # fmt: skip
    (folder / "study.yaml").write_text(yaml.safe_dump(config), "utf-8")
    write_jsonl(folder / "concepts.jsonl", [_concept(number) for number in range(pairs)], CONCEPTS_FORMAT)
    prompts = [
        PromptPair(pair_id=f"P{number}", index=number, source_concept=f"k{number}",
                   target_concept=f"k{(number + 1) % pairs}", source_shots=[], target_shots=[], seed=1)
        for number in range(pairs)
    ]  # fmt: skip
    write_parquet(folder / "prompts.parquet", PromptPair, prompts, PROMPTS_FORMAT)


def _items(pairs: int) -> list[Item]:
    """Five for each unit; unit u is prompt pair u // 4 into language u % 4."""
    found = []
    for unit in range(pairs * len(OUT)):
        number, out = unit // len(OUT), OUT[unit % len(OUT)]
        texts = (f"{out}_w{number}", f"en_w{number}", f"sense{number}", f"away{number}", f"qx{number}")
        for text in texts:
            copied = "shown" if text.startswith("en_") else "none"
            found.append(Item.of("1", "en", out, f"k{number}", f"k{(number + 1) % pairs}", f"en_w{number}", text,
                                 True, copied))  # fmt: skip
    return found


def _write_checkpoint(
    folder: Path, number: int, checkpoints: int, layers: int, items: list[Item], units: int, rng: np.random.Generator
) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """One file of translations; returns row ids, units and answers [N]."""
    count = units * (layers + 1)
    unit, layer = np.divmod(np.arange(count), layers + 1)
    progress = (number + 1) / checkpoints
    right = 0.1 + 0.6 * progress * np.where(layer == layers, 1.0, 0.8)
    rest = np.array([0.6 - 0.5 * progress, 0.1 + 0.2 * progress, 0.2, 0.1])  # copying goes, other senses come
    rest = rest / rest.sum()
    chance = np.column_stack([right, (1 - right)[:, None] * rest])
    answer = (rng.random(count)[:, None] > chance.cumsum(1)).sum(1).clip(max=len(ANSWERS) - 1)
    ids = _row_ids(np.arange(count, dtype=np.uint64) + np.uint64(number * count))
    patched = layer < layers

    def words(values: list[str], codes: np.ndarray) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(values, pa.string())).cast(
            pa.string()
        )

    place = unit * len(ANSWERS) + answer
    step = np.full(count, 100 * (number + 1))
    mass = pa.array(rng.random(count))
    lists = pa.FixedSizeListArray.from_arrays(pa.array(rng.random(5 * count).astype(np.float32)), 5)
    pair_of, out_of = unit // len(OUT), unit % len(OUT)
    pairs = units // len(OUT)
    names = [f"k{concept}" for concept in range(pairs)]
    texts = [item.answer for item in items]
    columns = {
        "row_id": ids,
        "checkpoint": words([f"step-{number:03}"], np.zeros(count)),
        "step": pa.array(step),
        "tokens": pa.array(step * 10_000),
        "setting": words(["unpatched", "tgt"], patched),
        "prompt": words(["source", "target"], patched),
        "input_language": words(["en"], np.zeros(count)),
        "output_language": words(list(OUT), out_of),
        "pair_id": words([f"P{pair}" for pair in range(pairs)], pair_of),
        "layer": pa.array(layer, mask=~patched),
        "intended_concept": words(names, pair_of),
        "other_concept": words(names, (pair_of + 1) % pairs),
        "shown_word": words([f"en_w{pair}" for pair in range(pairs)], pair_of),
        "answer": words(texts, place),
        "raw": words([f'{text}"' for text in texts], place),
        "closed": pa.array(np.ones(count, bool)),
        "p_source": mass,
        "p_target": mass,
        "source_mass": lists,
        "target_mass": lists,
    }
    path = folder / "translations" / f"step-{number:03}.parquet"
    write_parquet(path, Translation, pa.table(columns), TRANSLATIONS_FORMAT)
    return ids, unit, answer


def _row_ids(numbers: np.ndarray) -> pa.Array:
    """Sixteen hex digits each, scattered as hashes are: multiplication by an odd number loses nothing."""
    scattered = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    scattered ^= scattered >> np.uint64(32)
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    halves = scattered.view(np.uint8)
    text = np.stack([digits[halves >> 4], digits[halves & 15]], axis=1).ravel()
    offsets = np.arange(0, 16 * len(numbers) + 1, 16, dtype=np.int32)
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(text))


def _write_links(
    folder: Path, links: list[tuple[pa.Array, np.ndarray, np.ndarray]], items: list[Item], drawn: np.ndarray
) -> None:
    unit, answer = (np.concatenate([part[place] for part in links]) for place in (1, 2))
    trajectories = pa.array([f"P{u // len(OUT)}|en|{OUT[u % len(OUT)]}" for u in range(len(drawn))])
    half = pa.array(np.full(len(unit), 0.5))
    table = pa.table(
        {
            "row_id": pa.chunked_array([part[0] for part in links]),
            "item_id": pa.array([item.item_id for item in items]).take(pa.array(unit * len(ANSWERS) + answer)),
            "trajectory": trajectories.take(pa.array(unit)),
            "trajectory_probability": half,
            "item_probability": half,
            "drawn": pa.array(drawn[unit]),
            "audit_probability": pa.array(np.ones(len(unit))),
            "asked": pa.array(np.ones(len(unit), bool)),
        }
    )
    write_parquet(folder / "links.parquet", Link, table, LINKS_FORMAT)


def _judgements(folder: Path, judged: list[Item], rng: np.random.Generator) -> list[Annotation]:
    study = Study.open(folder)
    taxonomy, concepts = study.taxonomy, study.concepts
    right = dict(zip(("w", "s", "a", "q"), ("correct", "other_sense", "unrelated", "non_word"), strict=True))
    known = {name: concept.fingerprint() for name, concept in concepts.items()}
    marks = {name: taxonomy.category(name).fingerprint() for name in ANSWERS}
    found = []
    for item in judged:
        kind = item.answer.split("_")[-1][0] if "_" in item.answer else item.answer[0]
        label = "plain_copy" if item.copied_from == "shown" else right[kind]
        for annotator in ("a1", "a2"):
            said = str(rng.choice(ANSWERS)) if rng.random() < ERRORS else label
            found.append(Annotation(
                study=study.id, judgement_id=f"{annotator}-{item.item_id}", task_uid=f"{annotator}-{item.item_id}",
                item_id=item.item_id, content_key=item.content_key, annotator=annotator, source="human",
                status="judged", label=said, taxonomy_version=taxonomy.version, label_fingerprint=marks[said],
                concept_fingerprints=[known[item.intended_concept], known[item.other_concept]], result_hash="0",
                item=item,
            ))  # fmt: skip
    return found


# --- the measurements ------------------------------------------------------------------------------------


def analyse(folder: Path, loop: int) -> dict[str, Any]:
    """Join, shares and decomposition of a study, in this process; beside a plain loop if `loop` is not 0."""
    import scipy.stats  # noqa: F401 - what it takes to import does not grow

    from gainsift.analysis.estimate import generator
    from gainsift.analysis.judged import judge
    from gainsift.analysis.judgements import gather
    from gainsift.analysis.shares import shares
    from gainsift.analysis.split import split
    from gainsift.analysis.study_design import study_design
    from gainsift.analysis.units import units_of

    study = Study.open(folder)
    spec, taxonomy = study.config.analysis, study.taxonomy
    clock, found = Clock(), {}
    items = study.items()
    keys = {item.content_key for item in items}
    lines = gather(study.annotations(), keys, study.id, taxonomy, study.concepts, str(study.annotations_file))
    judged = judge(study, items, lines)
    found["join"] = clock.lap()
    design = study_design(study, judged.frame)
    of_conditions = shares(judged.frame, design.conditions, list(taxonomy.buckets), taxonomy.ids, RESAMPLES,
                           spec.confidence, generator(spec.seed, "shares"), spec.interval)  # fmt: skip
    found["shares"] = clock.lap()
    sides, splits = [], []
    for contrast in design.contrasts:
        sides.append(units_of(judged.frame, design, contrast, judged.inclusion).frame)
        splits.append(split(sides[-1], list(taxonomy.buckets), RESAMPLES, spec.confidence,
                            generator(spec.seed, "split", contrast.name), spec.interval))  # fmt: skip
    found["decomposition"] = clock.lap()
    peak = peak_bytes()
    assert splits[0].parts["human"].low is not None
    assert all(one.correct.low is not None for one in of_conditions)
    result = {
        "rows": len(judged.frame),
        "conditions": len(of_conditions),
        "families": splits[0].clusters,
        "judgements": sum(len(votes) for votes in lines.votes.values()),
        **{f"{step}_s": wall for step, (wall, _) in found.items()},
        **{f"{step}_cpu_s": cpu for step, (_, cpu) in found.items()},
        "cpu_s": round(sum(cpu for _, cpu in found.values()), 2),
        "peak_gb": round(peak / 2**30, 2),
    }
    if loop:
        correct = {one.condition.name: one.correct.point for one in of_conditions}
        gains = [[one.parts[name].point for name in ("apparent", "human")] for one in splits]
        seconds = plain_loop(judged.frame, sides, loop, correct, gains)
        ours = found["shares"][1] + found["decomposition"][1]
        result |= {"loop_cpu_s": round(seconds, 1), "times_loop": round(seconds / ours, 1), "loop_timed_on": loop}
    return result


class Clock:
    """Seconds since the last lap, by the clock and of the processor."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def lap(self) -> tuple[float, float]:
        before = self.wall, self.cpu
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return round(self.wall - before[0], 2), round(self.cpu - before[1], 2)


KEY = ["condition"]


def plain_loop(
    frame: pd.DataFrame, contrasts: list[pd.DataFrame], loop: int, correct: dict[Any, Any], gains: list[list[Any]]
) -> float:
    """Seconds of the processor for RESAMPLES resamples of shares and decomposition by merge and groupby.

    Without resampling it must give our figures: the share of correct rows of each condition, both gains of each
    contrast.
    """
    rows = frame.loc[frame["selected"], [*KEY, "family", "success", "correct", "label", "bucket"]].copy()
    rows["weight"] = 1 / frame.loc[frame["selected"], "probability"]
    families = rows["family"].unique()
    rng = np.random.default_rng(3)

    def once(drawn: np.ndarray) -> tuple[Any, ...]:
        chosen = pd.DataFrame({"family": drawn})
        tables = [plain_shares(chosen.merge(rows, on="family"))]
        tables += [plain_split(chosen.merge(units, left_on="family", right_on="cluster")) for units in contrasts]
        return tuple(tables)

    (rates, *_), *splits = once(families)
    assert all(abs(rates.loc[key, "correct"] - point) < 1e-9 for key, point in correct.items())
    assert np.allclose([one[:2] for one in splits], gains, rtol=0, atol=1e-9)
    start = time.process_time()
    for _ in range(loop):
        once(rng.choice(families, len(families)))
    return (time.process_time() - start) * RESAMPLES / loop


def plain_shares(sample: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    """Rates of success, correct answers, categories and buckets in each condition."""
    sample = sample.assign(
        succeeded=sample["success"] * sample["weight"],
        right=sample["correct"] * sample["weight"],
        decided=sample["correct"].notna() * sample["weight"],
    )
    total = sample.groupby(KEY)[["weight", "succeeded", "right", "decided"]].sum()
    rates = pd.DataFrame(
        {"success": total["succeeded"] / total["weight"], "correct": total["right"] / total["decided"]}
    )
    wrong = sample[sample["correct"] == 0]
    shares = [
        part.groupby([*KEY, name])["weight"].sum().unstack(fill_value=0).div(total["decided"], axis=0)
        for name, part in (("label", sample), ("bucket", wrong))
    ]
    return rates, *shares


def plain_split(sample: pd.DataFrame) -> tuple[Any, ...]:
    """Apparent gain, its four parts, and the transition table that flows and shares are read from."""
    weight = sample["weight"]
    decided = sample["correct_a"].notna() & sample["correct_b"].notna()
    gain = sample["success_b"].astype(float) - sample["success_a"].astype(float)
    human = (sample["correct_b"] - sample["correct_a"]).where(decided, 0)
    credit = (sample["success_b"] * (1 - sample["correct_b"]) - sample["success_a"] * (1 - sample["correct_a"])).where(
        decided, 0
    )
    missed = ((1 - sample["success_b"]) * sample["correct_b"] - (1 - sample["success_a"]) * sample["correct_a"]).where(
        decided, 0
    )
    parts = [float((part * weight).sum() / weight.sum()) for part in (gain, human, credit, missed)]
    moves = sample[decided].groupby(["bucket_a", "label_a", "bucket_b", "label_b"], dropna=False)["weight"].sum()
    return *parts, moves / weight.sum()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rows", type=int, nargs="+", choices=SHAPES, default=[*SHAPES][:3], help="output rows")
    parser.add_argument("--loop", type=int, default=20, help="resamples of the plain loop that are timed")
    parser.add_argument("--child", nargs=2, metavar=("make|analyse", "DIR"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        what, folder = asked.child[0], Path(asked.child[1])
        if what == "make":
            make_study(folder, asked.rows[0])
        else:
            print(json.dumps(analyse(folder, asked.loop)))
        return 0
    ran_on = machine("gainsift", "numpy", "pandas", "pyarrow")
    found = [measured(rows, asked.loop if rows == LOOP_ROWS else 0) for rows in sorted(asked.rows)]
    missed = [f"{one['rows']:,} rows: {one['peak_gb']} GB" for one in found if one["peak_gb"] > GIGABYTES]
    missed += [
        f"{one['times_loop']} times the plain loop, wanted {TIMES_LOOP}"
        for one in found
        if one.get("times_loop", TIMES_LOOP) < TIMES_LOOP
    ]
    for small, large in itertools.pairwise(found):
        growth = large["cpu_s"] / small["cpu_s"] / (large["rows"] / small["rows"])
        large["growth"] = round(growth, 2)
        if growth > STEEPER:
            missed.append(f"{large['rows']:,} rows: {growth:.2f} times what linear growth would give")
    if asked.json:
        targets = {"loop": TIMES_LOOP, "gigabytes": GIGABYTES, "growth": STEEPER}
        told = {"machine": ran_on, "targets": targets, "resamples": RESAMPLES, "studies": found, "missed": missed}
        print(json.dumps(told, indent=2))
    else:
        print(ran_on)
        print(pd.DataFrame(found).set_index("rows").T.to_string(na_rep=""))
        print("\n".join(missed) or "all targets met")
    return 1 if missed else 0


def measured(rows: int, loop: int) -> dict[str, Any]:
    """Make a study in one process, analyse it in another, and remove it."""
    with tempfile.TemporaryDirectory(prefix="gainsift-benchmark-") as folder:
        study = str(Path(folder) / "study")
        command = [sys.executable, __file__, "--loop", str(loop), "--rows", str(rows), "--child"]
        subprocess.run([*command, "make", study], check=True)
        done = subprocess.run([*command, "analyse", study], check=True, stdout=subprocess.PIPE, text=True)
        return dict(json.loads(done.stdout))


if __name__ == "__main__":
    sys.exit(main())
