"""How fast agreement is: alpha with 1,000 resamples beside a loop over `krippendorff` and beside `evalaudit`.

    python benchmarks/agreement.py [--json] [--loop 50] [--units 1000000]

All start from the same ratings in memory: ours and evalaudit's from long columns, the loop from annotators x units
as the library documents it, and once more from the value counts of each unit, which is its quickest form. The loops
are timed on `--loop` resamples and scaled to 1,000. Times are of the processor, one thread each, the best of
alternating rounds: other work on the machine disturbs them least. The large table runs in a process of its own, by
the clock, and its peak memory is the operating system's. Exit status 1 if a target is missed. Needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
from machine import machine, peak_bytes

from gainsift.analysis.agreement import agreement, alpha_only
from gainsift.analysis.estimate import generator
from gainsift.analysis.ratings import Ratings

SHARES = (0.35, 0.2, 0.15, 0.1, 0.1, 0.05, 0.05)
"""How often each of seven labels is right; annotators give it with probability KNOWN, else any label by its share."""
KNOWN = 0.75
RESAMPLES = 1000
SIZES = ((3, 500), (5, 5000))
TIMES_LOOP, TIMES_EVALAUDIT = 60, 3
SECONDS, GIGABYTES = 10, 2


def ratings(annotators: int, units: int, seed: int = 1) -> np.ndarray:
    """Simulated labels 0 to 6: [U, A]."""
    rng = np.random.default_rng(seed)
    right = rng.choice(len(SHARES), units, p=SHARES).astype(np.int8)
    guess = rng.choice(len(SHARES), (units, annotators), p=SHARES).astype(np.int8)
    return np.where(rng.random((units, annotators)) < KNOWN, right[:, None], guess)


def columns(table: np.ndarray) -> pd.DataFrame:
    """A row for each rating, in the columns that evalaudit wants."""
    units, annotators = table.shape
    return pd.DataFrame(
        {
            "item_id": np.repeat(np.arange(units), annotators),
            "rater_id": np.tile(np.arange(annotators), units),
            "rating": table.ravel(),
        }
    )


def ours(frame: pd.DataFrame, level: Any) -> float:
    table = Ratings.of_columns(frame["item_id"], frame["rater_id"], frame["rating"])
    return float(alpha_only(table, level, RESAMPLES, 0.95, generator(1)).point or 0.0)


def side_by_side(annotators: int, units: int, level: str, loop: int, rounds: int = 7) -> dict[str, Any]:
    """Best seconds of each, and how many times as long the others take."""
    import krippendorff
    from evalaudit import rater_agreement

    table = ratings(annotators, units)
    frame = columns(table)
    counts = np.stack([(table == label).sum(1) for label in range(len(SHARES))], axis=1)
    rng = np.random.default_rng(2)

    def loop_over(alpha: Callable[[Any], float]) -> float:
        for _ in range(loop):
            alpha(rng.integers(0, units, units))
        return alpha(slice(None))

    racers: dict[str, Callable[[], float]] = {
        "gainsift": lambda: ours(frame, level),
        "evalaudit": lambda: float(rater_agreement(frame, level=level, n_boot=RESAMPLES, seed=1).alpha),
        "krippendorff": lambda: loop_over(
            lambda drawn: float(krippendorff.alpha(table[drawn].T, level_of_measurement=level))
        ),
        "krippendorff_counts": lambda: loop_over(
            lambda drawn: float(krippendorff.alpha(value_counts=counts[drawn], level_of_measurement=level))
        ),
    }
    alphas, best = {}, dict.fromkeys(racers, np.inf)
    for _ in range(rounds):
        for name, race in racers.items():
            start = time.process_time()
            alphas[name] = race()
            best[name] = min(best[name], time.process_time() - start)
    for name in ("krippendorff", "krippendorff_counts"):
        best[name] *= RESAMPLES / loop
    assert np.ptp(list(alphas.values())) < 1e-9, alphas
    return {
        "annotators": annotators,
        "units": units,
        "level": level,
        "alpha": alphas["gainsift"],
        **{f"{name}_s": round(seconds, 5) for name, seconds in best.items()},
        **{
            f"times_{name}": round(seconds / best["gainsift"], 1)
            for name, seconds in best.items()
            if name != "gainsift"
        },
    }


def large(units: int) -> dict[str, Any]:
    """Every measure of `units` x 3 from long columns of words, in this process."""
    table = ratings(3, units)
    names = np.array([f"category_{label}" for label in range(len(SHARES))])
    who = np.tile(np.array(["ann", "bob", "cy"]), units)
    start = time.perf_counter()
    read = Ratings.of_columns(np.repeat(np.arange(units), 3), who, names[table.ravel()])
    found = agreement(read, "nominal", RESAMPLES, 0.95, generator(1))
    seconds = time.perf_counter() - start
    peak = peak_bytes()
    assert found.alpha.low is not None
    return {"units": units, "annotators": 3, "seconds": round(seconds, 2), "peak_gb": round(peak / 2**30, 2),
            "alpha": found.alpha.point, "low": found.alpha.low, "high": found.alpha.high}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--loop", type=int, default=50, help="resamples of the loop that are timed")
    parser.add_argument("--units", type=int, default=1_000_000, help="units of the large table")
    parser.add_argument("--large-only", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.large_only:
        print(json.dumps(large(asked.units)))
        return 0
    ran_on = machine("gainsift", "krippendorff", "evalaudit", "numpy", "pandas")
    races = [side_by_side(*size, level, asked.loop) for size in SIZES for level in ("nominal", "ordinal")]
    child = [sys.executable, __file__, "--large-only", "--units", str(asked.units)]
    big = json.loads(subprocess.run(child, check=True, capture_output=True, text=True).stdout)
    missed = [
        f"{race['annotators']} x {race['units']} {race['level']}: {race[f'times_{name}']} times {name}, wanted {wanted}"
        for race in races
        for name, wanted in (("krippendorff", TIMES_LOOP), ("evalaudit", TIMES_EVALAUDIT))
        if race[f"times_{name}"] < wanted
    ]
    if big["seconds"] > SECONDS or big["peak_gb"] > GIGABYTES:
        missed.append(f"{big['units']} x 3: {big['seconds']} s and {big['peak_gb']} GB")
    if asked.json:
        targets = {"krippendorff": TIMES_LOOP, "evalaudit": TIMES_EVALAUDIT, "seconds": SECONDS, "gigabytes": GIGABYTES}
        told = {"machine": ran_on, "targets": targets, "resamples": RESAMPLES, "races": races, "large": big,
                "missed": missed}  # fmt: skip
        print(json.dumps(told, indent=2))
    else:
        print(ran_on)
        print(pd.DataFrame(races).set_index(["annotators", "units", "level"]).T.to_string())
        print(
            f"{big['units']:,} x 3, every measure of the table, its pairs and labels, {RESAMPLES} resamples:"
            f" {big['seconds']} s, {big['peak_gb']} GB at most"
        )
        print("\n".join(missed) or "all targets met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
