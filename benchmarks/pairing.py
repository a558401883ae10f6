"""How long the choice of prompt pairs takes, beside a plain loop that scores every possible pair after each choice.

    python benchmarks/pairing.py [--concepts 500 2000 8000] [--languages 11] [--pairs 256] [--repeats 3] [--json]

The words are invented; half of them begin alike in languages of one script, as cognates do. The plain loop is timed
up to 500 concepts: it grows with pairs × concepts².
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from gainsift.generation.pairing import initials, make_pairs
from gainsift.schemas.concepts import Concept

LATIN, OTHERS = "abcdefghijklmnoprstuvwz", ("абвгдежзиклмнопрстуфхцчшэюя", "ابتثجحخدذرزسشصضطظعغفقكلمنهوي")
CODES = ["en", "fr", "de", "es", "it", "pl", "ru", "fi", "et", "zh", "ar"]
MOST_PLAIN = 500


def invented(number: int, codes: list[str], seed: int) -> list[Concept]:
    rng = random.Random(seed)
    alphabets = {"ru": OTHERS[0], "ar": OTHERS[1], "zh": "".join(map(chr, range(0x4E00, 0x5E00)))}

    def word(code: str, stem: str) -> str:
        shared = code not in alphabets and rng.random() < 0.5
        return stem if shared else "".join(rng.choices(alphabets.get(code, LATIN), k=6))

    stems = ["".join(rng.choices(LATIN, k=6)) for _ in range(number)]
    return [
        Concept(id=f"c{i:05}", gloss="x", reference={code: [word(code, stem)] for code in codes})
        for i, stem in enumerate(stems)
    ]


def plain(concepts: list[Concept], codes: list[str], count: int, seed: int) -> list[tuple[int, int]]:
    """Take the possible pair whose two concepts were used least, drawn by lot among equals; score all anew."""
    rng = random.Random(seed)
    letters = [initials(concept, codes) for concept in concepts]
    places = range(len(concepts))
    possible = [(a, b) for a in places for b in places if not letters[a] & letters[b]]
    sources: Counter[int] = Counter()
    targets: Counter[int] = Counter()
    chosen = []
    for _ in range(count):
        a, b = pair = min(possible, key=lambda pair: (sources[pair[0]] + targets[pair[1]], rng.random()))
        possible.remove(pair)
        sources[a] += 1
        targets[b] += 1
        chosen.append(pair)
    return chosen


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Processor time, the median of `repeats`."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concepts", type=int, nargs="+", default=[500, 2000, 8000])
    parser.add_argument("--languages", type=int, default=len(CODES), choices=range(1, len(CODES) + 1), metavar="N")
    parser.add_argument("--pairs", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    codes, rows = CODES[: asked.languages], []
    for number in asked.concepts:
        words = invented(number, codes, seed=1)
        ours = seconds(lambda words=words: make_pairs(words, codes, asked.pairs, 5, 42, "words"), asked.repeats)
        loop = seconds(lambda words=words: plain(words, codes, asked.pairs, 42), 1) if number <= MOST_PLAIN else None
        used = Counter(pair.source_concept for pair in make_pairs(words, codes, asked.pairs, 5, 42, "words"))
        times = [used[concept.id] for concept in words]
        ratio = loop / ours if loop else None
        rows.append({
                     "concepts": number, "languages": len(codes), "pairs": asked.pairs, "seconds": ours,
                     "plain_loop_seconds": loop, "ratio": ratio, "used_least": min(times), "used_most": max(times),
        })  # fmt: skip
    if asked.json:
        print(json.dumps(rows, indent=2))
        return
    table = Table("concepts", "seconds", "plain loop", "ratio", "a concept is source", title=f"{asked.pairs} pairs")
    for row in rows:
        loop, ratio = row["plain_loop_seconds"], row["ratio"]
        table.add_row(
            str(row["concepts"]), f"{row['seconds']:.2f}", f"{loop:.1f}" if loop else "",
            f"{ratio:.0f}" if ratio else "", f"{row['used_least']} to {row['used_most']} times",
        )  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    main()
