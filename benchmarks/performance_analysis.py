"""docs/performance.md: what the benchmarks of agreement and analysis found."""

from __future__ import annotations

from typing import Any

from machine import machine_in_words
from markdown import grid
from performance_part import Part


def agreement(found: dict[str, Any]) -> Part:
    asked, races, large = found["targets"], found["races"], found["large"]
    (documented, quickest), (evalaudit, surest) = (
        (min(times), max(times))
        for times in ([race[f"times_{name}"] for race in races] for name in ("krippendorff", "evalaudit"))
    )
    return Part(
        [
            ("alpha with 1,000 resamples, beside a loop over `krippendorff`",
             f"≥ {asked['krippendorff']} times as fast",
             f"{documented:.0f} to {quickest:.0f} times", documented >= asked["krippendorff"]),
            ("the same, beside `evalaudit`", f"≥ {asked['evalaudit']} times as fast",
             f"{evalaudit:.1f} to {surest:.1f} times", evalaudit >= asked["evalaudit"]),
            (f"{large['units']:,} units × 3, every measure", f"< {asked['seconds']} s, < {asked['gigabytes']} GB",
             f"{large['seconds']:.1f} s, {large['peak_gb']:.2f} GB",
             large["seconds"] < asked["seconds"] and large["peak_gb"] < asked["gigabytes"]),
        ],
        [
            "## Agreement", "",
            f"`python benchmarks/agreement.py`, on {machine_in_words(found['machine'])}. Seconds of the processor, one"
            f" thread each, the best of alternating rounds; {found['resamples']:,} resamples of units; all start from"
            " the same ratings of seven labels in memory and must find the same alpha. The loop draws units and calls"
            " `krippendorff.alpha`, with the ratings as the library documents it, or with the value counts of each"
            " unit, counted beforehand: its quickest form, of which no bound is asked.", "",
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
            f" {large['alpha']:.4f} [{large['low']:.4f}, {large['high']:.4f}], and every other coefficient, pair and"
            f" label, in {large['seconds']:.1f} s by the clock and {large['peak_gb']:.2f} GB at most.", "",
        ],
    )  # fmt: skip


def analysis(found: dict[str, Any]) -> Part:
    asked, studies = found["targets"], found["studies"]
    (beside,) = (one for one in studies if "times_loop" in one)
    most = studies[-1]
    growth = max(one["growth"] for one in studies[1:])
    return Part(
        [
            (f"analysis of {most['rows']:,} output rows", f"< {asked['gigabytes']} GB", f"{most['peak_gb']:.2f} GB",
             most["peak_gb"] < asked["gigabytes"]),
            ("time of a study ten times as large", "no more than tenfold", f"at most {10 * growth:.1f}-fold",
             growth <= asked["growth"]),
            (f"shares and decomposition of {beside['rows']:,} rows, beside a plain pandas loop",
             f"≥ {asked['loop']} times as fast", f"{beside['times_loop']:.0f} times",
             beside["times_loop"] >= asked["loop"]),
        ],
        [
            "## Analysis", "",
            "`python benchmarks/analysis.py --rows 10000 100000 1000000 10000000`, on"
            f" {machine_in_words(found['machine'])}. Join reads a study's files and gives every row its verdict; shares"
            f" of every condition and decomposition (three contrasts) take {found['resamples']:,} resamples of word"
            " families. Seconds of the processor, and by the clock; growth 1 is linear.", "",
            *grid(
                ["output rows", "conditions", "families", "join, s", "shares, s", "decomposition, s", "together, s",
                 "by the clock, s", "growth", "memory, GB"],
                [[f"{one['rows']:,}", f"{one['conditions']:,}", str(one["families"]),
                  *(f"{one[f'{step}_cpu_s']:.2f}" for step in ("join", "shares", "decomposition")),
                  f"{one['cpu_s']:.2f}",
                  f"{sum(one[f'{step}_s'] for step in ('join', 'shares', 'decomposition')):.2f}",
                  f"{one['growth']:.2f}" if "growth" in one else "", f"{one['peak_gb']:.2f}"] for one in studies],
            ),
            f"The plain loop draws families, joins their rows and groups them, for the same figures (checked): timed on"
            f" {beside['loop_timed_on']} resamples of {beside['rows']:,} rows and scaled, it takes"
            f" {beside['loop_cpu_s']:.1f} s where ours take"
            f" {beside['shares_cpu_s'] + beside['decomposition_cpu_s']:.2f} s.", "",
        ],
    )  # fmt: skip
