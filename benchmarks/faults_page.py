"""The page of faults: how many were injected where, how commands met them, and what was lost or doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fault_outcomes import KILLED, REFUSED, WENT_ON, Outcome
from markdown import grid

ORDER = (
    "kill -9", "full disk", "read-only folder", "clock jump", "two commands at once", "server away", "server slow",
    "server answers garbage", "network cut during download",
)  # fmt: skip
STAGES = (
    "generate", "generate, two workers", "generate, from a hub", "annotate plan", "lock", "annotate prelabel",
    "annotate export", "annotate import", "annotate push", "annotate pull", "annotate adjudicate", "analyze", "export",
    "release",
)  # fmt: skip
"""In the order of a study."""
SHORT = ("kill -9", "full disk", "read-only", "clock jump", "two at once", "away", "slow", "garbage", "cut")
"""The same as heads of columns."""
HOW = {
    "kill -9": "SIGKILL at a random moment, and just before a random one of the command's changes of files",
    "full disk": "a small file system (tmpfs) with room for a random part of what the command writes",
    "read-only folder": "the folder mounted read-only, from the start or from a random change of a file on",
    "clock jump": "by libfaketime, at a random moment: an hour or a year back, a day or ten years forth",
    "two commands at once": "two commands that write, or one twice, the second started at a random moment of the first",
    "server away": "no connection, no answer, or status 429 to 503, once or for a while, or a server that is killed and"
    " started again",
    "server slow": "every answer seconds late, or files in slow pieces",
    "server answers garbage": "a page of HTML, half an answer, or JSON of another kind",
    "network cut during download": "weights and small files break off after a random number of bytes, once or always",
}


def page(outcomes: Sequence[Outcome], missing: Sequence[str], seed: int) -> str:
    """docs/reliability/faults.md. `missing`: what could not be injected on this machine, and why."""
    hit = [one for one in outcomes if one.ended != "missed"]
    lost, doubled = (sum(getattr(one, name) for one in hit) for name in ("lost", "doubled"))
    found, lacking = [one for one in hit if one.finding], not_run(outcomes)
    kept = "broke no rule" if not found else f"broke a rule in {len(found)} cases"
    lines = [
        "# What happens when something breaks in the middle?", "",
        "<!-- made by benchmarks/faults.py (make reliability) -->", "",
        f"**{len(hit):,} faults were injected into {len({stage_of(one) for one in hit})} stages: {lost:,} rows,"
        f" judgements and tasks lost, {doubled:,} doubled; the commands {kept}.** Rows, judgements, tasks and files are"
        " compared by hash before the fault, after it, and after the same command has been run again, undisturbed:"
        " what was there must be there, once; no product may be half-written; and in the end everything must be, to"
        " the byte, as if there had been no fault, with nothing left over. A command that is not killed must go on, or"
        f" end in one line that says what to do (seed {seed}).", "",
        *grid(["fault", "injected", KILLED, REFUSED, WENT_ON, "lost", "doubled", "broke a rule"], _kinds(hit)),
        "## Where", "",
        *grid(["stage", *SHORT], _stages(hit)),
        "## How", "",
        *(f"- **{kind}**: {HOW[kind]}." for kind in ORDER if any(one.kind == kind for one in hit)), "",
        *(["## What could not be injected here", "", *(f"- {one}" for one in missing), ""] if missing else []),
        *([f"Not run yet: {', '.join(lacking)}. `python benchmarks/faults.py --again` runs what is lacking.", ""]
          if lacking else []),
        *(["## What broke a rule", "", *(f"- {told(one)}" for one in found), ""] if found else []),
        "## What was mended for it", "",
        *grid(["before", "now", "test"], MENDED),
    ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def not_run(outcomes: Sequence[Outcome]) -> list[str]:
    """Kinds and stages of which no fault is among these."""
    met = {name for one in outcomes if one.ended != "missed" for name in (one.kind, stage_of(one))}
    return [name for name in (*ORDER, *STAGES) if name not in met]


def stage_of(one: Outcome) -> str:
    """Of two commands at once the first."""
    return one.stage.split(" + ")[0]


def told(one: Outcome) -> str:
    """A finding in one line, with what runs it again."""
    return f"{one.stage}, {one.kind} {one.number} ({one.how}): {one.finding}"


def _kinds(hit: Sequence[Outcome]) -> list[list[str]]:
    rows = []
    for kind in [*(one for one in ORDER if any(each.kind == one for each in hit)), "all"]:
        mine = [one for one in hit if kind in (one.kind, "all")]
        ended = Counter(one.ended for one in mine)
        numbers = (len(mine), *(ended[way] for way in (KILLED, REFUSED, WENT_ON)), sum(one.lost for one in mine),
                   sum(one.doubled for one in mine), sum(bool(one.finding) for one in mine))  # fmt: skip
        rows.append([kind, *(f"{number:,}" for number in numbers)])
    return rows


def _stages(hit: Sequence[Outcome]) -> list[list[str]]:
    counts = Counter((stage_of(one), one.kind) for one in hit)
    met = {stage for stage, _ in counts}
    stages = [one for one in STAGES if one in met] + sorted(met - set(STAGES))
    return [[stage, *(str(counts[stage, kind] or "–") for kind in ORDER)] for stage in stages]


MENDED = [
    ["a disk that is full, or a folder that is read-only: “this is a defect of gainsift”",
     "one line that names the file and says to make room, or to see to the rights", "tests/test_bad_input.py"],
    ["a disk that filled up while judgements were appended left half a line, and every later command refused the file",
     "all lines are appended or none; a torn last line, which a kill may leave, holds nothing",
     "tests/schemas/test_files.py"],
    ["half-written hidden files of killed commands were never removed, but for those of `generate`",
     "whoever writes a file removes what was abandoned of it; what is being written is locked",
     "tests/schemas/test_files.py"],
    ["a killed `release` left a hidden half of a bundle, not yet searched for private names, beside where it was to be",
     "the next `release` there removes it", "tests/schemas/test_files.py"],
    ["JSON of another kind in a server's place, as something in between may answer: “this is a defect of gainsift”",
     "one line that says what was asked and that the answer is none of Label Studio's",
     "tests/annotation/test_strange_answers.py"],
]  # fmt: skip
