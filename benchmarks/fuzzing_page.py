"""The page of bad input: figures by reader, what broke a rule, and what fuzzing has found so far."""

from __future__ import annotations

from dataclasses import dataclass

from markdown import grid

SECONDS, BYTES, LETTERS = 10, 10**9, 2000
"""More time, memory or letters of a message than that break a rule."""


@dataclass(frozen=True)
class Outcome:
    """One input. `finding` says what must not be; empty where it was read or refused as it should be."""

    reader: str
    number: int
    changes: list[str]
    accepted: bool
    seconds: float
    megabytes: float
    message: str
    finding: str


@dataclass(frozen=True)
class Figures:
    """What became of the inputs of one reader: the slowest in seconds, the largest growth of memory in MB."""

    reader: str
    inputs: int
    read: int
    refused: int
    slowest: float
    most: float
    findings: int

    def row(self) -> list[str]:
        counts = (f"{number:,}" for number in (self.inputs, self.read, self.refused))
        return [self.reader, *counts, f"{self.slowest:.2f}", f"{self.most:.0f}", f"{self.findings:,}"]


def figures(outcomes: list[Outcome]) -> list[Figures]:
    """By reader, in the order of READERS."""
    found = []
    for name in dict.fromkeys(one.reader for one in outcomes):
        mine = [one for one in outcomes if one.reader == name]
        read, bad = sum(one.accepted for one in mine), sum(bool(one.finding) for one in mine)
        refused = sum(not one.accepted and not one.finding for one in mine)
        slowest, most = max(one.seconds for one in mine), max(one.megabytes for one in mine)
        found.append(Figures(name, len(mine), read, refused, slowest, most, bad))
    return found


def findings(outcomes: list[Outcome]) -> list[str]:
    """Each kind of finding once: how often, and the number that makes the first of them again."""
    kinds: dict[tuple[str, str], list[Outcome]] = {}
    for one in outcomes:
        if one.finding:
            kinds.setdefault((one.reader, one.finding[:60]), []).append(one)
    return [
        f"{name}: {those[0].finding} ({len(those):,} times, first by {those[0].number}: {', '.join(those[0].changes)})"
        for (name, _), those in kinds.items()
    ]


def page(outcomes: list[Outcome], seed: int, minutes: float) -> str:
    """docs/reliability/bad_input.md."""
    rows, found = figures(outcomes), findings(outcomes)
    whole = Figures(
        "all", *(sum(getattr(row, key) for row in rows) for key in ("inputs", "read", "refused")),
        max(row.slowest for row in rows), max(row.most for row in rows), sum(row.findings for row in rows),
    )  # fmt: skip
    kept = "none of them broke a rule" if not found else f"{whole.findings:,} of them broke a rule"
    lines = [
        "# What happens to bad input?", "",
        "<!-- made by benchmarks/fuzzing.py (make reliability) -->", "",
        f"**{whole.inputs:,} bad files were given to {len(rows)} readers: {kept}.** {whole.read:,} were"
        f" read, for what was changed made no difference to what they must hold; {whole.refused:,} were refused. A"
        f" file is to be read, or refused in one line of at most {LETTERS:,} letters; no traceback, nothing longer than"
        f" {SECONDS} s or larger than {BYTES // 10**9} GB, no file changed or left over. The slowest took"
        f" {whole.slowest:.1f} s; memory grew by {whole.most:.0f} MB at most (seed {seed}; {minutes:.1f} minutes of one"
        " core).", "",
        *grid(["reader", "inputs", "read", "refused", "slowest, s", "most memory, MB", "broke a rule"],
              [row.row() for row in [*rows, whole]]),
        "Every input is a small valid file with one to four changes: bits, bytes and lines flipped, left out, doubled,"
        " moved or cut off; words replaced by what is hostile in some format; cells, columns and nodes of trees"
        " replaced, removed, renamed, swapped or nested 30,000 deep; lines of 200,000 letters; other encodings; YAML"
        " aliases and XML entities that stand for billions; columns of Parquet missing, doubled, of other types or with"
        " gaps. An input is drawn from the seed, the reader and its own number alone:"
        " `python benchmarks/fuzzing.py --reader NAME --only NUMBER` runs one again.", "",
        *(["## What broke a rule", "", *(f"- {one}" for one in found), ""] if found else []),
        "## What fuzzing has found, and how it was mended", "",
        *grid(["found", "mended", "test"], MENDED),
    ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


MENDED = [
    ["a YAML file of a few lines whose aliases stand for billions of values: minutes, 790 MB",
     "values are counted before they are built, 100,000 at most; a file has 1 MB at most",
     "tests/schemas/test_yaml.py"],
    ["messages of many thousand letters, for they quoted what they refused, with what a terminal obeys in them",
     "a message has 1,500 letters at most and loses its middle; control signs are spelled out",
     "tests/schemas/test_errors.py"],
    ["a Parquet file whose columns are missing, of another type or have gaps: a traceback later on",
     "every column is compared with the record when a file is opened", "tests/schemas/test_files.py"],
    ["a Parquet file that does not say its format in UTF-8: a traceback", "read as another format",
     "tests/schemas/test_files.py"],
    ["a packed WordNet that is damaged: a traceback", "refused as no WN-LMF file", "tests/words/test_wordnet.py"],
    ["a concept list with a language that nobody knows: a traceback of `concepts check`",
     "refused, with the nearest known code", "tests/words/test_word_check.py"],
    ["a Parquet file with a flipped bit in its text, which is no UTF-8 any more: a traceback",
     "text is validated when a file is opened", "tests/schemas/test_files.py"],
    ["a number of hundreds of digits among the probabilities of `import clap`: a traceback",
     "refused as no number", "tests/words/test_import_clap.py"],
]  # fmt: skip
