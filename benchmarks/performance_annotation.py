"""docs/performance.md: what the benchmark of push and pull found."""

from __future__ import annotations

from typing import Any

from machine import machine_in_words
from markdown import grid
from performance_part import Part


def annotation(found: dict[str, Any]) -> Part:
    asked, timings = found["target"], found["timings"]
    most = timings[-1]
    return Part(
        [(f"push of {most['tasks']:,} tasks, beside the bare import of label-studio-sdk", f"≥ {asked:.0%} of its rate",
          f"{most['against_sdk']:.0%}", most["against_sdk"] >= asked)],
        [
            "## Push and pull", "",
            f"`python benchmarks/annotation.py`, on {machine_in_words(found['machine'])}. Tasks of one annotator to a"
            " Label Studio on the same machine, and a judgement for each back home; seconds by the clock, medians of"
            f" {found['repeats']}. The bare import hands tasks that are built already to a project that is there; push"
            " makes the project, checks the page, builds the tasks, and looks at what lies there, so that few take"
            " longer. *Again* is with nothing left to do.", "",
            *grid(
                ["tasks", "push, s", "again, s", "SDK's import, s", "push, of its rate", "pull, s", "again, s",
                 "server's export, s", "push, ms a task", "pull, ms a task"],
                [[f"{one['tasks']:,}",
                  *(f"{one[name]:.2f}" for name in ("push", "push_again", "sdk_import")), f"{one['against_sdk']:.0%}",
                  *(f"{one[name]:.2f}" for name in ("pull", "pull_again", "server_export")),
                  *(f"{1000 * one[name] / one['tasks']:.2f}" for name in ("push", "pull"))] for one in timings],
            ),
        ],
    )  # fmt: skip
