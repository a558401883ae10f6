"""Tables of true labels from tables of judged ones, where the chances of each mistake are known.

With left [N, N] and right [V, V] the chances of what is said (columns) of what is true (rows), a table T of true pairs
is judged as left' T right on average. METHODS names the ways of turning this round, each for R tables at once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gainsift.analysis.estimate import Array, divide

STEPS, SETTLED = 500, 1e-7


def inverse(judged: Array, left: Array, right: Array) -> Array:
    """T [R, N, V] with left' T right = judged: unbiased; a share may come out below 0.

    Tenenbein (1970, JASA 65:1350), Barron (1977, Biometrics 33:414).
    """
    turned = np.linalg.solve(np.swapaxes(left, 1, 2), judged)
    return np.asarray(np.swapaxes(np.linalg.solve(np.swapaxes(right, 1, 2), np.swapaxes(turned, 1, 2)), 1, 2))


def likelihood(judged: Array, left: Array, right: Array) -> Array:
    """The table T >= 0, [R, N, V], under which `judged` is most likely, by EM (Dempster, Laird & Rubin 1977).

    It is the inverse where that has nothing below 0.
    """
    found = inverse(judged, left, right)
    inside = (found >= 0).all((1, 2))
    if inside.all():
        return found
    judged, left, right = judged[~inside], left[~inside], right[~inside]
    # EM never leaves a zero: start inside
    table = (np.maximum(found[~inside], 0) + judged.sum((1, 2), keepdims=True) / judged[0].size) / 2
    for _ in range(STEPS):
        expected = np.swapaxes(left, 1, 2) @ table @ right
        step = table * (left @ np.nan_to_num(divide(judged, expected)) @ np.swapaxes(right, 1, 2))
        moved = np.abs(step - table).max(initial=0.0)
        table = step
        if moved <= SETTLED * judged.sum((1, 2)).max(initial=0.0):
            break
    found[~inside] = table
    return found


DEFAULT = "inverse"
METHODS: dict[str, Callable[[Array, Array, Array], Array]] = {"inverse": inverse, "likelihood": likelihood}
