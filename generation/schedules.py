"""Which checkpoints of a series a study takes: policies over their positions in training order, counted from 0."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from gainsift.generation.checkpoint_families import Found
from gainsift.schemas.errors import UserError, did_you_mean

WHERE = "policy"
EARLY = "10/1,20/2,5"
Policy = str | Sequence[str | int]


def take_all(found: Sequence[Found], _: str) -> list[int]:
    return list(range(len(found)))


def take_every(found: Sequence[Found], every: str) -> list[int]:
    return _with_last(list(range(0, len(found), _positive(every, "every"))), found)


def take_log(found: Sequence[Found], count: str) -> list[int]:
    """So many checkpoints, evenly spaced in the logarithm of the tokens (of the steps where tokens are unknown).

    First and last are among them. Each place takes the nearest checkpoint that is later than the one before and
    leaves enough for the places after it, so as many are taken as were asked for.
    """
    wanted = min(_positive(count, "log"), len(found))
    known = all(one.tokens for one in found[1:])
    places = [float(one.tokens if known else one.step) for one in found]
    zero = 1 if places and places[0] <= 0 and wanted > 2 else 0  # the untrained model has no logarithm
    if wanted < 2:
        return _with_last([], found)
    taken = list(range(zero))
    low, high = (math.log(max(places[at], 1.0)) for at in (zero, -1))
    left = wanted - zero
    for number in range(left):
        target = low + (high - low) * number / max(1, left - 1)
        first, last = (taken[-1] + 1 if taken else 0), len(found) - (left - number)
        taken.append(min(range(first, last + 1), key=lambda at: abs(math.log(max(places[at], 1.0)) - target)))
    return taken


def take_dense_early(found: Sequence[Found], stairs: str) -> list[int]:
    """`10/1,20/2,5`: of the first 10 all, of those before the 20th every 2nd, then every 5th, and the last.

    Every k-th is counted from the beginning of the series: positions 0, k, 2k, …
    """
    read = re.fullmatch(r"((?:\d+/\d+,)*)(\d+)", stairs)
    if read is None:
        raise UserError(f"{WHERE} dense-early:{stairs}", "expected UPTO/K,…,K", f"for example dense-early:{EARLY}")
    steps = [(int(upto), int(every)) for upto, every in re.findall(r"(\d+)/(\d+)", read[1])]
    rest = _positive(read[2], "dense-early")
    if not all(every for _, every in steps) or [upto for upto, _ in steps] != sorted({upto for upto, _ in steps}):
        raise UserError(f"{WHERE} dense-early:{stairs}", "expected rising limits, each k from 1 on", f"such as {EARLY}")

    def every_at(position: int) -> int:
        return next((every for upto, every in steps if position < upto), rest)

    return _with_last([at for at in range(len(found)) if at % every_at(at) == 0], found)


METHODS: dict[str, tuple[Callable[[Sequence[Found], str], list[int]], str]] = {
    "all": (take_all, "every checkpoint"),
    "every": (take_every, "every:5 takes every 5th, from the first on, and the last"),
    "log": (take_log, "log:12 takes 12, evenly spaced in the logarithm of tokens, first and last among them"),
    "dense-early": (take_dense_early, f"dense-early:{EARLY} takes the first 10, to 20 every 2nd, then every 5th"),
}


def choose(policy: Policy, found: Sequence[Found], published: str) -> list[int]:
    """Positions that a policy takes, rising. A list names checkpoints or steps. Raises UserError.

    `published` is the family's own schedule, which the policy of that name stands for.
    """
    if not isinstance(policy, str):
        return named(policy, found)
    if policy.startswith("explicit:"):
        return named(policy.removeprefix("explicit:").split(","), found)
    method, _, rest = (published if policy == "published" else policy).partition(":")
    if method not in METHODS:
        known = [*METHODS, "published", "explicit"]
        raise UserError(f"{WHERE} {policy!r}", "no such policy", did_you_mean(method, known))
    if method == "all" and rest:
        raise UserError(f"{WHERE} {policy!r}", "all takes no number", "write all, or every:2")
    if method == "dense-early":
        rest = rest or EARLY
    return METHODS[method][0](found, rest)


def named(wanted: Sequence[str | int], found: Sequence[Found]) -> list[int]:
    """Positions of checkpoints that are named one by one: by name, label or step. Nothing is added to them."""
    places: dict[str, int] = {}
    for position, one in enumerate(found):
        for key in (str(one.step), one.label, one.name):
            places.setdefault(key, position)
    for wish in wanted:
        if str(wish).strip() not in places:
            raise UserError(
                f"{WHERE} explicit", f"no checkpoint {str(wish).strip()!r}", did_you_mean(str(wish), _few(places))
            )
    return sorted({places[str(wish).strip()] for wish in wanted})


def _few(places: dict[str, int]) -> list[str]:
    """Names to suggest from; a long series is not listed in an error."""
    return list(places) if len(places) <= 30 else [*list(places)[:14], "…", *list(places)[-14:]]


def _with_last(taken: list[int], found: Sequence[Found]) -> list[int]:
    last = len(found) - 1
    return taken if not found or (taken and taken[-1] == last) else [*taken, last]


def _positive(text: str, method: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise UserError(f"{WHERE} {method}:{text}", "expected a number from 1 on", f"for example {method}:5")
    return int(text)
