"""How fast the layer sweep is: beside the published loop, beside what the hardware asks for, and how it grows.

    python benchmarks/layer_sweep.py [--rounds 3] [--threads 2] [--json FILE] [--only pair,memory,growth,study]

All in float32 on the CPU, ten new tokens by all. The peer is the published loop written with nnsight, in environments
of its own that are made under --work on the first run (network needed), in the version of the publication and in the
newest. The floor is one clean forward over source and target prompts and the batched decoding of the same new tokens,
by plain transformers code. Ours and the floor multiply matrices as `gainsift generate` does, through oneDNN where that
is faster; with torch's own products, which the peer has, they are timed too. Times are the median of alternating
rounds; texts and probabilities of all are compared. Exit status 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from machine import forget_peak, machine, peak_bytes
from one_pair import PAIR, SOURCES, floor, one_pair
from sweep_models import PEERS, RANDOM_LAYERS, peer, random_model, small_model
from sweep_request import ALL_PAIRS, NEW_TOKENS, Request

from gainsift.generation.decoder import pad_left
from gainsift.generation.sweep import Block
from gainsift.schemas.files import write_parquet
from gainsift.schemas.rows import Translation
from gainsift.schemas.study import TRANSLATIONS_FORMAT

PROMPTS = 16
TARGETS = {"pair": 12.0, "study": 20.0, "floor": 1.6, "memory": 1.5, "growth": 1.1}
CLOSE = 2e-5
"""Of probabilities: each way of summing in float32 comes within 1e-5 of float64, so two of them within twice that."""
HERE = Path(__file__).parent
Texts = dict[tuple[int, int], tuple[str, list[float]]]
"""Layer, prompt -> text and the probabilities of both concepts' first tokens in each language, the source's first."""


# --- one pair, one setting, three source languages -------------------------------------------------------


def texts_of(blocks: list[Block], translator: Any) -> Texts:
    found: Texts = {}
    for block in blocks:
        masses = translator.masses.read(block.logits, torch.tensor([cell.prompt for cell in block.cells]))
        words = translator.preparation.tokenizer.batch_decode(block.tokens)
        for cell, text, mass in zip(block.cells, words, masses, strict=True):
            found[cell.layer, cell.prompt] = (text, mass.flatten().tolist())
    return found


def measure_pair(asked: argparse.Namespace) -> dict[str, Any]:
    request = Request(small_model(asked.work), [PAIR], PROMPTS)
    model, plain = request.model(), request.plain_model()
    run, translator = one_pair(request, model)
    blocks = run()  # warm-up
    on_plain, plain_translator = one_pair(request, plain)
    tasks: dict[str, Callable[[], object]] = {
        "ours": run,
        "ours to the quote": one_pair(request, model, to_the_end=False)[0],
        "floor": floor(translator, blocks),
        "ours, torch's products": on_plain,
        "floor, torch's products": floor(plain_translator, blocks),
    }
    job = write_job(asked.work, request, asked.threads, [request.run(PAIR, SOURCES)])
    peers = {version: peer(asked.work, version) for version in asked.peers}
    times: dict[str, list[float]] = {}
    told: dict[str, Any] = {}
    for _ in range(asked.rounds):
        for name, task in tasks.items():
            times.setdefault(name, []).append(clock(task))
        for version, python in peers.items():
            told[version] = ask(python, job)
            times.setdefault(f"nnsight {version}", []).append(told[version]["seconds"])
    ours = texts_of(blocks, translator)
    seconds = {name: statistics.median(values) for name, values in times.items()}

    def ratio(one: str, other: str) -> float:
        return round(seconds[one] / seconds[other], 2)

    return {
        "rounds": asked.rounds,
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "times nnsight": {one: ratio(f"nnsight {one}", "ours") for one in peers},
        "times nnsight, torch's products": {one: ratio(f"nnsight {one}", "ours, torch's products") for one in peers},
        "ours / floor": ratio("ours", "floor"),
        "ours / floor, torch's products": ratio("ours, torch's products", "floor, torch's products"),
        "to the quote / ten tokens": ratio("ours to the quote", "ours"),
        "agreement": {version: agreement(ours, one, 0) for version, one in told.items()},
        "versions": {version: one["versions"] for version, one in told.items()},
    }


def agreement(ours: Texts, told: dict[str, Any], run: int) -> dict[str, Any]:
    """How many texts are the same, and the largest difference of a probability."""
    texts, shares = told["texts"][run], told["probabilities"][run]
    same = sum(texts[layer][prompt] == text for (layer, prompt), (text, _) in ours.items())
    off = max(
        abs(theirs - own)
        for (layer, prompt), (_, masses) in ours.items()
        for theirs, own in zip(shares[layer][prompt], masses, strict=True)
    )
    return {"texts": len(ours), "same": same, "largest difference": off}


# --- a whole study ---------------------------------------------------------------------------------------


def ours_on_study(request: Request, every: int = 1) -> dict[str, float]:
    """The files of all language pairs: seconds by the clock and of the processor, and rows; loading is not counted.

    `every`: only every so many layers are a cut-off.
    """
    translator = request.translator(request.model(), to_the_end=True, every=every)
    with tempfile.TemporaryDirectory() as folder:
        start, processor = time.perf_counter(), time.process_time()
        rows = 0
        for pair in request.language_pairs:
            table = translator.table(pair, range(len(translator.pairs)), lambda rows: None)
            write_parquet(Path(folder) / f"{pair[0]}-{pair[1]}.parquet", Translation, table, TRANSLATIONS_FORMAT)
            rows += len(table)
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
    return {"seconds": seconds, "processor": processor, "rows": rows}


def measure_study(asked: argparse.Namespace) -> dict[str, Any]:
    """By the clock, and by the seconds of the processor: the second holds on a machine that does other work, too."""
    request = Request(random_model(asked.work, small_model(asked.work)), ALL_PAIRS, PROMPTS)
    job = write_job(asked.work, request, asked.threads, request.runs())
    told: dict[str, list[dict[str, Any]]] = {}
    for _ in range(asked.study_rounds):
        told.setdefault("ours", []).append(ours_on_study(request))
        for version in asked.peers:
            told.setdefault(f"nnsight {version}", []).append(ask(peer(asked.work, version), job))
    found: dict[str, Any] = {"rows": told["ours"][0]["rows"]}
    for kind, name in (("seconds", "times nnsight"), ("processor", "times nnsight, by the processor")):
        middle = {who: statistics.median(one[kind] for one in rounds) for who, rounds in told.items()}
        found[kind] = {who: round(value, 1) for who, value in middle.items()}
        found[name] = {one: round(middle[f"nnsight {one}"] / middle["ours"], 1) for one in asked.peers}
    return found


def measure_growth(asked: argparse.Namespace) -> dict[str, Any]:
    """Seconds of the processor of our study by cut-offs, prompt pairs, target pairs, and by the depth of the model.

    What is not varied is held at 8 layers, each a cut-off, 16 prompt pairs, 10 target pairs. A model of twice the depth
    has twice the cut-offs, and each of them twice the layers to run.
    """
    words = small_model(asked.work)
    standard = random_model(asked.work, words)
    found: dict[str, Any] = {"cut-offs": {}, "prompt pairs": {}, "target pairs": {}, "depth": {}}

    def took(folder: Path, pairs: int, prompts: int, every: int = 1) -> float:
        return round(ours_on_study(Request(folder, ALL_PAIRS[:pairs], prompts), every)["processor"], 2)

    for every in (4, 2, 1):
        found["cut-offs"][RANDOM_LAYERS // every] = took(standard, 10, PROMPTS, every)
    for count in (8, 16, 32):
        found["prompt pairs"][count] = took(standard, 10, count)
    for count in (5, 10, 20):
        found["target pairs"][count] = took(standard, count, PROMPTS)
    found["growth / proportion"] = round(max(over_proportion(seconds) for seconds in found.values() if seconds), 3)
    for layers in (4, 8, 16):
        found["depth"][layers] = took(random_model(asked.work, words, layers), 10, PROMPTS)
    return found


def over_proportion(seconds: dict[int, float]) -> float:
    """The largest growth of any step beside that of what was varied: 1 is linear."""
    return max((b / a) / (many / few) for (few, a), (many, b) in pairwise(seconds.items()))


# --- memory ----------------------------------------------------------------------------------------------


def clean_generate(request: Request, model: Any) -> None:
    """All rows of one setting as plain prompts through `generate`, in one batch."""
    prompts = [one for one in request.preparation.accepted(("target", PAIR)) if one is not None]
    count = model.config.num_hidden_layers
    ids, mask = pad_left([(*one.prefix, *one.suffix) for one in prompts for _ in range(count)], "cpu")
    model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS,
                   do_sample=False)  # fmt: skip


def measure_memory(asked: argparse.Namespace) -> dict[str, Any]:
    """Highest resident memory while the rows are made, each in a process of its own, with the model in it."""
    told = {}
    for who in ("ours", "generate"):
        child = [sys.executable, __file__, "--memory-of", who, "--work", str(asked.work)]
        done = subprocess.run([*child, "--threads", str(asked.threads)], check=True, capture_output=True, text=True)
        told[who] = json.loads(done.stdout)
    ours, peer_has = told["ours"], told["generate"]
    return {
        "gb": {who: {name: round(value / 2**30, 2) for name, value in one.items()} for who, one in told.items()},
        "ours / one clean batched generate": round(ours["peak"] / peer_has["peak"], 2),
    }


def memory_of(who: str, work: Path) -> dict[str, int]:
    """Bytes resident with the model `loaded`, and at the `peak` from then on; loading itself takes more than either."""
    request = Request(small_model(work), [PAIR], PROMPTS)
    model = request.model() if who == "ours" else request.plain_model()
    task = one_pair(request, model)[0] if who == "ours" else partial(clean_generate, request, model)
    gc.collect()
    if not forget_peak():
        raise SystemExit("the peak of memory without that of loading can be told on Linux only")
    loaded = peak_bytes()
    task()
    return {"loaded": loaded, "peak": peak_bytes()}


# --- running ---------------------------------------------------------------------------------------------


def clock(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def write_job(folder: Path, request: Request, threads: int, runs: list[dict[str, Any]]) -> Path:
    path = folder / "job.json"
    new_tokens = request.config.generation.max_new_tokens
    job = {"model": str(request.folder), "threads": threads, "new_tokens": new_tokens, "runs": runs}
    path.write_text(json.dumps(job), "utf-8")
    return path


def ask(python: str, job: Path) -> dict[str, Any]:
    """Run the published loop in the peer's environment."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([python, str(HERE / "nnsight_loop.py"), str(job)], capture_output=True, text=True, env=clean)
    if done.returncode:
        raise SystemExit(f"the peer failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


MEASURES = {"pair": measure_pair, "memory": measure_memory, "growth": measure_growth, "study": measure_study}


def missed_targets(found: dict[str, Any]) -> list[str]:
    missed = []
    for name in ("pair", "study"):
        for version, times in found.get(name, {}).get("times nnsight", {}).items():
            if times < TARGETS[name]:
                missed.append(f"{name}: {times} times nnsight {version}, wanted {TARGETS[name]}")
    for version, one in found.get("pair", {}).get("agreement", {}).items():
        if one["same"] < one["texts"] or one["largest difference"] > CLOSE:
            missed.append(f"nnsight {version} says otherwise: {one}")
    for name, measure, key in (
        ("floor", "pair", "ours / floor"),
        ("memory", "memory", "ours / one clean batched generate"),
        ("growth", "growth", "growth / proportion"),
    ):
        value = found.get(measure, {}).get(key, 0.0)
        if value > TARGETS[name]:
            missed.append(f"{key}: {value}, wanted at most {TARGETS[name]}")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds; the median counts")
    parser.add_argument("--study-rounds", type=int, default=1, help="the same for the whole study")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(MEASURES), help=", ".join(MEASURES))
    parser.add_argument("--peers", type=lambda text: text.split(","), default=list(PEERS), help="versions of nnsight")
    parser.add_argument("--work", type=Path, default=Path("build/bench"), help="models and environments")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    asked.work = asked.work.resolve()
    torch.set_num_threads(asked.threads)
    if asked.memory_of:
        print(json.dumps(memory_of(asked.memory_of, asked.work)))
        return 0
    found: dict[str, Any] = {}
    for name in asked.only:
        on = {"machine": machine("torch", "transformers"), "threads": asked.threads}
        found[name] = {**on, **MEASURES[name](asked)}
        print(json.dumps({name: found[name]}, indent=2, ensure_ascii=False), flush=True)
    found |= {"targets": TARGETS, "missed": missed_targets(found)}
    print("\n".join(found["missed"]) or "all targets met")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 1 if found["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())
