"""docs/performance.md from what the benchmarks of agreement and analysis found.

    python benchmarks/agreement.py --json > agreement.json
    python benchmarks/analysis.py --json --rows 10000 100000 1000000 10000000 > analysis.json
    python benchmarks/performance.py agreement.json analysis.json

Writes docs/performance.json and docs/performance.md; without files it writes the page of the figures that are there.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from markdown import grid

from gainsift.schemas.files import write_json, write_text

DOCS = Path(__file__).resolve().parent.parent / "docs"


def page(found: dict[str, Any]) -> str:
    """docs/performance.md: the answer first."""
    agreement, analysis = found["agreement"], found["analysis"]
    asked, wanted = agreement["targets"], analysis["targets"]
    races, large, studies = agreement["races"], agreement["large"], analysis["studies"]
    (beside,) = (one for one in studies if "times_loop" in one)
    most = studies[-1]
    (documented, quickest), (evalaudit, surest) = (
        (min(times), max(times))
        for times in ([race[f"times_{name}"] for race in races] for name in ("krippendorff", "evalaudit"))
    )
    growth = max(one["growth"] for one in studies[1:])
    answers = [
        ["alpha with 1,000 resamples, beside a loop over `krippendorff`", f"≥ {asked['krippendorff']} times as fast",
         f"{documented:.0f} to {quickest:.0f} times", documented >= asked["krippendorff"]],
        ["the same, beside `evalaudit`", f"≥ {asked['evalaudit']} times as fast",
         f"{evalaudit:.1f} to {surest:.1f} times", evalaudit >= asked["evalaudit"]],
        [f"{large['units']:,} units × 3, every measure", f"< {asked['seconds']} s, < {asked['gigabytes']} GB",
         f"{large['seconds']:.1f} s, {large['peak_gb']:.2f} GB",
         large["seconds"] < asked["seconds"] and large["peak_gb"] < asked["gigabytes"]],
        [f"analysis of {most['rows']:,} output rows", f"< {wanted['gigabytes']} GB", f"{most['peak_gb']:.2f} GB",
         most["peak_gb"] < wanted["gigabytes"]],
        ["time of a study ten times as large", "no more than tenfold", f"at most {10 * growth:.1f}-fold",
         growth <= wanted["growth"]],
        [f"shares and decomposition of {beside['rows']:,} rows, beside a plain pandas loop",
         f"≥ {wanted['loop']} times as fast", f"{beside['times_loop']:.0f} times",
         beside["times_loop"] >= wanted["loop"]],
    ]  # fmt: skip
    lines = [
        "# How fast is it?", "", "<!-- made by benchmarks/performance.py -->", "",
        *grid(["what", "asked", "measured", ""], [[*cells, "✓" if kept else "✗"] for *cells, kept in answers]),
        "## Agreement", "",
        f"`python benchmarks/agreement.py`, on {_machine(agreement['machine'])}. Seconds of the processor, one thread"
        f" each, the best of alternating rounds; {agreement['resamples']:,} resamples of units; all start from the same"
        " ratings of seven labels in memory and must find the same alpha. The loop draws units and calls"
        " `krippendorff.alpha`, with the ratings as the library documents it, or with the value counts of each unit,"
        " counted beforehand: its quickest form, of which no bound is asked.", "",
        *grid(
            ["annotators × units", "level", "gainsift, s", "evalaudit, s", "loop, s", "loop on counts, s",
             "times evalaudit", "times loop", "times loop on counts"],
            [[f"{race['annotators']} × {race['units']:,}", race["level"],
              *(f"{race[f'{name}_s']:.4f}" for name in ("gainsift", "evalaudit")),
              *(f"{race[f'{name}_s']:.3f}" for name in ("krippendorff", "krippendorff_counts")),
              *(f"{race[f'times_{name}']:.1f}" for name in ("evalaudit", "krippendorff", "krippendorff_counts"))]
             for race in races],
        ),
        f"The large table, {large['units']:,} units × {large['annotators']} from long columns of words: alpha"
        f" {large['alpha']:.4f} [{large['low']:.4f}, {large['high']:.4f}], and every other coefficient, pair and label,"
        f" in {large['seconds']:.1f} s by the clock and {large['peak_gb']:.2f} GB at most.", "",
        "## Analysis", "",
        f"`python benchmarks/analysis.py --rows 10000 100000 1000000 10000000`, on {_machine(analysis['machine'])}."
        " Join reads a study's files and gives every row its verdict; shares of every condition and decomposition"
        f" (three contrasts) take {analysis['resamples']:,} resamples of word families. Seconds of the processor,"
        " and by the clock; growth 1 is linear.", "",
        *grid(
            ["output rows", "conditions", "families", "join, s", "shares, s", "decomposition, s", "together, s",
             "by the clock, s", "growth", "memory, GB"],
            [[f"{one['rows']:,}", f"{one['conditions']:,}", str(one["families"]),
              *(f"{one[f'{step}_cpu_s']:.2f}" for step in ("join", "shares", "decomposition")), f"{one['cpu_s']:.2f}",
              f"{sum(one[f'{step}_s'] for step in ('join', 'shares', 'decomposition')):.2f}",
              f"{one['growth']:.2f}" if "growth" in one else "", f"{one['peak_gb']:.2f}"] for one in studies],
        ),
        f"The plain loop draws families, joins their rows and groups them, for the same figures (checked): timed on"
        f" {beside['loop_timed_on']} resamples of {beside['rows']:,} rows and scaled, it takes"
        f" {beside['loop_cpu_s']:.1f} s where ours take"
        f" {beside['shares_cpu_s'] + beside['decomposition_cpu_s']:.2f} s.",
    ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def _machine(of: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in of["versions"].items())
    return (
        f"{of['cores']} cores ({of['architecture']}, {of['memory_gb']} GB, load {of['load']:.1f}),"
        f" Python {of['python']}, {versions}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE", help="agreement.json analysis.json")
    files = parser.parse_args().files
    if files:
        agreement, analysis = (json.loads(file.read_text("utf-8")) for file in files)
        write_json(DOCS / "performance.json", {"agreement": agreement, "analysis": analysis})
    write_text(DOCS / "performance.md", page(json.loads((DOCS / "performance.json").read_text("utf-8"))))


if __name__ == "__main__":
    main()
