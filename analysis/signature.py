"""The short recipe under every number, as `alpha:nominal|level:kind|items:312|rs:12345|tax:1|v:0.1.0`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import metadata

MEANING = {
    "split": "both ways of splitting a gain: by flow and by share",
    "sensitivity": "other readings, one at a time",
    "errors": "how annotators' errors are modelled: on soft labels",
    "chain": "steps that add up to a whole way",
    "shares": "shares of categories, weighted by how probably an item was drawn",
    "trends": "tests over conditions",
    "alpha": "Krippendorff's alpha and its distance",
    "adjudicated": "items that the lead settled",
    "anchoring": "judgements with the automatic label shown against those without",
    "audit": "exact interval of how often a reference answer is rejected",
    "emergence": "what the outputs show without people",
    "prediction": "how well probability and string match predict verdicts",
    "mass": "mean probability of words",
    "precision": "outputs in half precision against the same in float32",
    "level": "labels as they are (category), or their kinds",
    "identical": "out: without units that a pure copier gets right",
    "units": "what is compared: a prompt pair in one language pair",
    "decided": "units with two usable verdicts",
    "items": "distinct answers that were judged",
    "outputs": "outputs of the model",
    "rows": "outputs of the model",
    "judgements": "judgements in use",
    "raters": "annotators",
    "skipped": "tasks that annotators skipped",
    "clusters": "word families, which move together",
    "layer": "the layer fixed beforehand",
    "band": "simultaneous band over all its points",
    "flips": "random sign flips of word families in a test",
    "correction": "correction for many tests",
    "family": "which tests are corrected together",
    "ci": "kind and level of the intervals",
    "boot": "bootstrap resamples",
    "rs": "random seed",
    "tax": "version of the taxonomy",
    "source": "simulated: no person gave the judgements",
    "verdict": "how judgements become a verdict, where that is not the usual rule",
    "v": "version of gainsift",
}
"""What each key says, for readers of a report."""


def signature(**parts: object) -> str:
    """Keys and values in the order given, then the version of gainsift; parts that are None are left out.

    The separators `|` and `:` cannot occur in a value: they become `/` and `=`.
    """
    shown = {**parts, "v": metadata.version("gainsift")}
    return "|".join(f"{key}:{_plain(value)}" for key, value in shown.items() if value is not None)


def _plain(value: object) -> str:
    return " ".join(str(value).replace("|", "/").replace(":", "=").split())


def meanings(recipes: Iterable[str]) -> dict[str, str]:
    """The keys that occur in some signatures, with their meaning, in the order of MEANING."""
    found = {key for recipe in recipes for key in MEANING if re.search(rf"(^|[| ]){key}:", recipe)}
    return {key: told for key, told in MEANING.items() if key in found}
